"""``htresearch new class-study``: the files it writes, and what it refuses."""

import pytest

from htresearch import cli
from htresearch.intake.workbook import open_table


@pytest.fixture
def new(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            cli.main(["new", "class-study", *map(str, arguments)])
        said = capsys.readouterr()
        return left.value.code or 0, said.out, said.err

    return run


def entries(path):
    return {str(row[0]).removesuffix(" *"): row[1] for row in open_table(path).sheets[1].rows if len(row) > 1}


def test_a_workbook_is_written_into_a_new_folder(new, tmp_path):
    status, said, _ = new(tmp_path / "a" / "b", "--topic", "迟到", "--draw", "auto")
    form = tmp_path / "a" / "b" / "我的班级研究.xlsx"
    assert status == 0 and f"已写入 {form}" in said
    assert (form.parent / "记录表.pdf").read_bytes().startswith(b"%PDF")
    held = entries(form)
    assert held["观察什么"] == "早上迟到的人次"
    assert 11 <= held["抽到从第几条记录起改"] <= 30


def test_in_english_and_with_a_range(new, tmp_path):
    assert new(tmp_path, "--language", "en", "--topic", "duty", "--draw", "6-9")[0] == 0
    assert (tmp_path / "record-sheet.pdf").exists()
    held = entries(tmp_path / "my-class-study.xlsx")
    assert (held["Drawn from: earliest record"], held["Drawn from: latest record"]) == (6, 9)
    assert 6 <= held["Record drawn"] <= 9


@pytest.mark.parametrize("name", ["我的班级研究.xlsx", "记录表.pdf"])
def test_what_is_there_is_never_overwritten(new, tmp_path, name):
    (tmp_path / name).write_text("mine")
    status, _, said = new(tmp_path)
    assert status == 1 and "已经存在，可能有人填过" in said
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--topic", "zz"], "参数 topic"), (["--draw", "soon"], "参数 --draw"), (["--draw", "30-11"], "不是抽签的范围"),
     (["--topic", "speaking", "--draw", "3-9"], "抽的是先后")],
)  # fmt: skip
def test_what_cannot_be_made_leaves_nothing_behind(new, tmp_path, arguments, said):
    status, _, error = new(tmp_path / "a", *arguments)
    assert status == 1 and said in error
    assert not list(tmp_path.rglob("*.*"))
