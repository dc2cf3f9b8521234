"""Answers taken in from the command line."""

import errno

import pytest
from study import small as small_study

from htresearch import cli

from . import small_form as small

TABLES = small_study.sound()


@pytest.fixture
def options(tmp_path):
    form = small.form(tmp_path)
    small.write(tmp_path / "sound.xlsx", small.wenjuanxing(form, small.answers(form, 20), "text"))
    made = ["--study", str(tmp_path / "study"), "--instrument", str(tmp_path / "small.yaml"), "--wave", "2025"]
    return [*made, "--key", str(tmp_path / "key"), "--linkage", str(tmp_path / "linkage.csv")]


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return left.value.code or 0, printed.out, printed.err


def test_answers_are_taken_in_with_a_receipt(capsys, tmp_path, options):
    file = tmp_path / "sound.xlsx"
    status, told, _ = run(capsys, "intake", file, *options, "--new-key")
    assert status == 0 and "收到 20 行，保留 20 行" in told
    assert len(list((tmp_path / "study-receipts").iterdir())) == 2 and (tmp_path / "linkage.csv").is_file()
    assert run(capsys, "intake", file, *options, "--new-key")[0] == 1  # a key is never written over


def test_nothing_is_left_of_a_refusal_not_even_the_new_key(capsys, tmp_path, options):
    (tmp_path / "faulty.csv").write_text('序号,1、您的姓名：\n1,"甲\n', encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    status, _, told = run(capsys, "intake", tmp_path / "faulty.csv", *options, "--new-key")
    assert status == 1 and "引号" in told
    assert sorted(tmp_path.iterdir()) == before


def test_a_place_that_cannot_be_written_is_found_before_anything_is_taken_in(capsys, tmp_path, options):
    file = tmp_path / "sound.xlsx"
    (tmp_path / "taken").write_text("x")
    assert run(capsys, "intake", file, *options, "--new-key", "--receipts", tmp_path / "taken")[0] == 1
    (tmp_path / "linkage.csv").write_text("no,linkage\n")
    (tmp_path / "linkage.csv").chmod(0o600)
    status, _, told = run(capsys, "intake", file, *options, "--new-key")
    assert status == 1 and "不是对照表" in told
    assert not (tmp_path / "study").exists() and not (tmp_path / "key").exists()


def test_a_folder_is_its_files_and_a_fault_in_one_loses_nothing_of_those_before(capsys, tmp_path, options):
    folder = tmp_path / "exports"
    folder.mkdir()
    (tmp_path / "sound.xlsx").rename(folder / "a.xlsx")
    (folder / "b.csv").write_bytes(b"%PDF-1.7")
    (folder / "名单.docx").write_bytes(b"PK")
    status, told, error = run(capsys, "intake", folder, *options, "--new-key")
    assert status == 1 and "保留 20 行" in told and "名单.docx" in told and "PDF" in error
    assert (tmp_path / "study").exists() and (tmp_path / "key").exists() and (tmp_path / "linkage.csv").is_file()


def test_what_is_asked_about_is_answered_by_options(capsys, tmp_path, options):
    rows = small.wenjuanxing(form := small.form(tmp_path), small.answers(form, 20), "text")
    rows[0][8] = "3、您是否参与过培训？"
    file = small.write(tmp_path / "asked.xlsx", [[*row[:15], "x"] for row in rows])
    status, _, told = run(capsys, "intake", file, *options, "--new-key")
    assert status == 1 and "--columns I1=trained" in told and "--without trained" in told
    answered = ["--columns", "I1=trained", "--without", "comment", "--opened-on", "2024-09-01"]
    status, told, error = run(capsys, "intake", file, *options, "--new-key", *answered)
    assert status == 0 and "保留 20 行" in told, error
    assert run(capsys, "intake", file, *options, "--columns", "I1")[0] == 1


def test_what_forms_say_otherwise_is_listed_and_taken_on_request(capsys, tmp_path):
    study = small_study.write(
        {name: TABLES[name] for name in ("schools", "classes", "teachers", "appointments")}, tmp_path / "s"
    )
    spells = TABLES["appointments"].astype(object)
    spells.loc[0, "ends_on"] = "2025-01-31"
    spells.loc[len(spells)] = ["T3", "C1", "head", "2025-02-01", None, None]  # overlaps as long as the first is open
    spells.to_csv(tmp_path / "form.csv", index=False)
    status, told, _ = run(capsys, "intake", tmp_path / "form.csv", "--study", study)
    assert status == 1 and "重叠" in told and "--accept empty" in told
    status, told, _ = run(capsys, "intake", tmp_path / "form.csv", "--study", study, "--accept", "empty")
    assert status == 0 and "改动 1 行" in told and "2025-01-31" in told
    status, told, _ = run(capsys, "intake", tmp_path / "form.csv", "--study", study)
    assert status == 0 and "改动" not in told
    spells.drop(index=3).assign(ends_on="2025-03-31").to_csv(tmp_path / "form.csv", index=False)
    status, told, _ = run(capsys, "intake", tmp_path / "form.csv", "--study", study)
    assert "--accept empty" in told and "未并入 3 行" in told


def test_answers_that_contradict_are_never_taken(capsys, tmp_path, options):
    status, _, told = run(capsys, "intake", tmp_path / "sound.xlsx", *options, "--new-key", "--accept", "new")
    assert status == 1 and "--accept" in told and not (tmp_path / "study").exists()


def test_a_full_disk_leaves_the_study_as_it_was(capsys, tmp_path, options, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("htresearch.intake.files._write_parquet", full)
    before = sorted(tmp_path.iterdir())
    status, _, told = run(capsys, "intake", tmp_path / "sound.xlsx", *options, "--new-key")
    assert status == 1 and "请腾出磁盘空间" in told
    assert sorted(tmp_path.iterdir()) == before
