"""Whatever the demonstration brings in, no file that intake writes says who anybody is."""

import html
import json
import zipfile

import pandas as pd
import pytest

import htresearch as ht
from htresearch import cli
from htresearch.intake import open_table
from htresearch.intake.demonstration import arrivals, export
from htresearch.intake.school import Roster

WAVE = "2024-2"
FORMS = ("head_teacher", "class_climate", "home_school", "pupil_wellbeing")
#: What says who a person is. A school's name may stand in a receipt; a seat number, such as 12, is found everywhere.
KINDS = ("name", "phone", "id_card", "student_number", "certificate", "email", "ip", "wechat")


def values(path):
    """Everything that somebody could read in a file, whatever its format."""
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        said = [str(value) for name in frame for value in (name, *frame[name].unique())]
    elif path.suffix in (".xlsx", ".xls"):
        said = [str(cell) for sheet in open_table(path).sheets for row in sheet.rows for cell in (sheet.name, *row)]
    elif path.suffix == ".json":
        said = [json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)]
    else:
        said = [html.unescape(path.read_bytes().decode("utf-8-sig"))]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            said += [part + package.read(part).decode("utf-8", "replace") for part in package.namelist()]
    return "\n".join([path.name, *said])


def everything(*folders):
    return "\n".join(values(path) for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    ht.simulate(folder / "district", 3, 6, 2, measures=["maths", "run"], surveys="surveys")
    return arrivals(folder / "district", folder / "arrivals", "surveys")


@pytest.fixture(scope="module")
def people(desk):
    """Every name and number of the roster."""
    roster = Roster.read(desk / "roster.xlsx")
    columns = set(KINDS) & set(roster.pupils)
    told = {kind: {*roster.pupils[kind].dropna().astype(str)} for kind in columns}
    return {**told, "name": {*roster.teachers["name"], *roster.pupils["name"]}}


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    printed = capsys.readouterr()
    assert not left.value.code, printed.err
    return printed.out + printed.err


def test_answers_of_every_form_and_workbooks_of_every_school(capsys, tmp_path, desk, people):
    study = tmp_path / "study"
    study.mkdir()
    for table in (desk / "study").iterdir():
        (study / table.name).write_bytes(table.read_bytes())
    kept = ["--roster", desk / "roster.xlsx", "--receipts", tmp_path / "receipts"]
    keys = ["--key", tmp_path / "keys" / "key", "--linkage", tmp_path / "keys" / "linkage.csv"]
    said = [run(capsys, "intake", desk / "schools", "--study", study, *kept)]
    secrets = {kind: set(found) for kind, found in people.items()}
    for number, form in enumerate(FORMS):
        path = desk / "exports" / f"{form}_{WAVE}.xlsx"
        how = ["--instrument", f"surveys/{form}.yaml", "--wave", WAVE, *keys, *([] if number else ["--new-key"])]
        language = ["--language", ("en", "zh")[number % 2]]
        said.append(run(capsys, *language, "intake", path, "--study", study, *how, *kept))
        planted = json.loads(path.with_name(path.name + ".planted.json").read_text("utf-8"))
        for kind, found in planted["identifiers"].items():
            if kind in KINDS:
                secrets.setdefault(kind, set()).update(found)
    written = everything(study, tmp_path / "receipts") + "\n".join(said)
    assert {kind: [s for s in found if s in written] for kind, found in secrets.items()} == {k: [] for k in secrets}
    assert set(secrets) == set(KINDS) and min(map(len, secrets.values())) >= 3
    # The search can find: who is who stands in the linkage table, and only there.
    linked = values(tmp_path / "keys" / "linkage.csv")
    told = pd.read_csv(tmp_path / "keys" / "linkage.csv")
    assert len(told) > 10 and sum(name in linked for name in secrets["name"]) > 10


@pytest.mark.parametrize(
    ("form", "source", "ending", "how"),
    [
        ("head_teacher", "wenjuanxing", "csv", {"mode": "number", "headers": "modern", "encoding": "gb18030"}),
        ("head_teacher", "wenjuanxing", "xlsx", {"mode": "score"}),
        ("head_teacher", "tencent", "xlsx", {"headers": "modern"}),
        ("head_teacher", "csv", "csv", {}),
        ("head_teacher", "sav", "sav", {}),
        ("home_school", "xlsx", "xlsx", {}),
        ("home_school", "dta", "dta", {}),
    ],
)
def test_every_source(capsys, tmp_path, desk, form, source, ending, how):
    roster = Roster.read(desk / "roster.xlsx")
    path = tmp_path / f"export.{ending}"
    planted = export(
        desk.parent / "district",
        ht.load_instrument(f"surveys/{form}.yaml"),
        WAVE,
        path,
        source,
        dirty=True,
        seed=2,
        roster=roster,
        **how,
    )
    options = ["--study", tmp_path / "study", "--instrument", f"surveys/{form}.yaml", "--wave", WAVE, "--new-key"]
    options += ["--key", tmp_path / "key", "--linkage", tmp_path / "linkage.csv", "--roster", desk / "roster.xlsx"]
    options += ["--mode", how["mode"]] if "mode" in how else []
    said = run(capsys, "intake", path, *options, "--receipts", tmp_path / "receipts")
    written = everything(tmp_path / "study", tmp_path / "receipts") + said
    for kind in set(KINDS) & set(planted.identifiers):
        assert [secret for secret in planted.identifiers[kind] if secret in written] == [], kind
