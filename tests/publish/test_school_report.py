"""Reports on schools: a page and a PDF each, nobody else in them, and work that was cut short goes on."""

import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from study.small import sound, write

from htresearch.errors import ArgumentError, NotebookError
from htresearch.publish import report_schools, runs

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "school_report.ipynb"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A call that is cut short after its first report, and the call that goes on."""
    folder = tmp_path_factory.mktemp("reports")
    study = write(sound(), folder / "study")
    whole, started = runs.run, []

    def counted(path, language, parameters=None, *rest, **more):
        started.append(parameters["unit"])
        return whole(path, language, parameters, *rest, **more)

    def cut(done, total, unit):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "run", counted)
        with pytest.raises(KeyboardInterrupt):
            report_schools(study, folder / "out", workers=1, notebook=NOTEBOOK, only=["S1"], progress=cut)
        first = list(started)
        told = []
        reports = report_schools(
            study, folder / "out", workers=1, notebook=NOTEBOOK, progress=lambda *one: told.append(one)
        )
    return folder / "out", reports, first, started[len(first) :], told


def text_of(path: Path) -> str:
    if path.suffix == ".pdf":
        reader = PdfReader(BytesIO(path.read_bytes()))
        return " ".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    return re.sub(r'src="data:[^"]*"', "", path.read_text(encoding="utf-8"))


def test_work_that_was_cut_short_goes_on(made):
    _, _, first, second, told = made
    assert first == ["S1"] and second == ["S2"]
    assert sorted(told) == [(1, 2, "S1"), (2, 2, "S2")]


def test_each_school_has_a_page_and_a_pdf(made):
    out, reports, *_ = made
    files = [f"school-S{i}.{kind}" for i in (1, 2) for kind in ("html", "pdf")]
    assert sorted(p.name for p in out.iterdir()) == ["index.html", *files]
    assert [p.name for p in reports.written] == files
    index = reports.index.read_text(encoding="utf-8")
    assert all(f'href="{name}"' in index for name in files)


@pytest.mark.parametrize("kind", ["html", "pdf"])
@pytest.mark.parametrize("unit, other", [("S1", "S2"), ("S2", "S1")])
def test_nobody_else_is_in_it(made, unit, other, kind):
    text = text_of(made[0] / f"school-{unit}.{kind}")
    assert unit in text and "内部资料" in text
    ids = [other, "T1", "T2", "T3", "P1", "P2", "P3", "P4", "C1", "C2", "Z1", "S0001"]
    assert [one for one in ids if re.search(rf"(?<![A-Za-z0-9]){one}(?![A-Za-z0-9])", text)] == []
    assert str(made[0].parent) not in text


def test_what_is_at_fault_is_refused_before_any_work(tmp_path):
    study = write(sound(), tmp_path / "study")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.txt").write_text("mine", encoding="utf-8")
    out = tmp_path / "out"
    for wrong in ({"out": tmp_path / "mine"}, {"by": "class_id"}, {"formats": ["docx"]}, {"only": ["S9"]}):
        with pytest.raises(ArgumentError):
            report_schools(study, **({"out": out, "notebook": NOTEBOOK} | wrong))
    with pytest.raises(ArgumentError):
        report_schools(study, out, notebook=tmp_path / "none.ipynb")
    assert not out.exists()


def test_a_notebook_that_fails_is_named_and_kept(tmp_path, monkeypatch):
    from htresearch.publish.kept import Kept

    study = write(sound(), tmp_path / "study")
    notebook = tmp_path / "school_report.ipynb"
    shutil.copy(NOTEBOOK, notebook)
    stopped = runs._stopped(notebook, runs.cells.read(notebook), [], "why")
    failed = runs.Run(notebook, "zh", runs.cells.read(notebook), stopped)
    monkeypatch.setattr(runs, "run", lambda *args, **more: failed)
    monkeypatch.setattr(Kept, "get", lambda *args: None)
    with pytest.raises(NotebookError, match="school_report"):
        report_schools(study, tmp_path / "out", only=["S1"], notebook=notebook)
    assert (tmp_path / "school_report.failed.ipynb").is_file()
