"""What the repository may hold: sound notebooks, the package's data, and nothing of the machines it was made on."""

import re
import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest

from htresearch.publish import cells

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {".png", ".parquet", ".ttf", ".xlsx", ".sav", ".dta", ".duckdb", ".pdf", ".jpg", ".gz", ".zip"}

# Each begins with a group in brackets, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of somebody's machine": (
        r"(?:/)home/\w+/|(?:/)Users/\w+/|[A-Z](?::)\\+Users|(?:/)work/|(?:/)root/|(?:/)opt/\w|(?:/)tmp/\w"
    ),
    "an address of a package registry": (
        r"(?:index)-url|(?:find)-links|(?:pypi)\.org|(?:python)hosted|/(?:simple)\b|(?:conda)\.anaconda"
    ),
}


def tracked() -> list[Path]:
    """The text files that version control holds or would take in."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode("utf-8")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a working copy of git")
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.suffix not in PICTURES and path.is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what):
    found = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".ipynb":  # a long word of base64 may spell anything
            text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", text)
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in re.finditer(FORBIDDEN[what], text)]
    assert found == []


@pytest.mark.parametrize("name", ["words.yaml", "publish/html/page.html", "publish/html/style.css"])
def test_package_data_is_present(name):
    assert files("htresearch").joinpath(name).is_file()


def test_all_data_beside_the_code_is_packaged():
    kinds = {path.suffix for path in (ROOT / "src" / "htresearch").rglob("*.*") if path.is_file()}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert kinds - {".py", ".pyc"} <= {pattern.removeprefix("*") for pattern in settings["package-data"]["*"]}


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if cells.NAME.fullmatch(p.name)], ids=lambda path: path.stem)
def test_a_notebook_with_findings_of_its_own_says_its_conclusions_right_below_the_question(path):
    written = [(cells.tags(cell), cell.source) for cell in nbformat.read(path, as_version=4).cells[2:4]]
    assert [tags for tags, _ in written] == [["zh", "summary"], ["en", "summary"]]
    assert written[0][1].startswith("**先说结论**") and written[1][1].startswith("**The conclusions first**")
    assert all(source.count("\n- ") >= 3 for _, source in written)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_its_name_begins_with_two_digits_unless_it_is_run_with_parameters(self, path):
        with_parameters = any("parameters" in cells.tags(cell) for cell in cells.read(path).cells)
        assert bool(cells.NAME.fullmatch(path.name)) != with_parameters

    def test_its_narrative_is_paired(self, path):
        assert [str(fault) for fault in cells.shape_faults(cells.read(path), path.name)] == []

    def test_each_pair_is_chinese_then_english(self, path):
        order = [cells.tags(cell)[:1] for cell in cells.read(path).cells if cell.cell_type == "markdown"]
        assert order == [["zh"], ["en"]] * (len(order) // 2)

    def test_its_outputs_can_be_published(self, path):
        assert [str(fault) for fault in cells.output_faults(cells.read(path), path.name)] == []

    def test_its_code_is_short(self, path):
        assert len(cells.numbered(cells.read(path))) <= 12

    def test_it_was_run_and_warned_of_nothing(self, path):
        outputs = [output for _, cell in cells.numbered(cells.read(path)) for output in cell.outputs]
        assert outputs
        assert not [output for output in outputs if output.get("name") == "stderr"]

    def test_it_says_nothing_that_varies(self, path):
        text = "\n".join(
            str(output.get("text", output.get("data", {}).get("text/plain", "")))
            for _, cell in cells.numbered(cells.read(path))
            for output in cell.outputs
        )
        assert not re.findall(r"0x[0-9a-f]{6,}|-0\.0+\b(?!\d)|\b\d\d:\d\d:\d\d\b|it/s\b", text)

    def test_it_carries_no_metadata_of_a_run(self, path):
        notebook = nbformat.read(path, as_version=4)
        counts = [cell.execution_count for _, cell in cells.numbered(notebook)]
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
        assert counts == list(range(1, len(counts) + 1))
