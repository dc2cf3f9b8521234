"""Runs written back into notebooks, and the canary that shows they are checked."""

import os
import subprocess
import sys

import nbformat
import pytest
from small_notebooks import code, write

from htresearch.errors import NotebookError
from htresearch.publish import execute, refresh
from htresearch.publish.runs import with_parameters

ESTIMATES = """
import pandas as pd, htresearch as ht
found = pd.DataFrame({"term": ["training_hours", "prior_mean"], "estimate": [0.0812, 0.61]})
ht.Estimates(found, found.head(1))
"""

# Python reads a file of this name when it starts; the kernel finds it first on its path.
CANARY = """
from htresearch.result import Estimates
complete = Estimates.__post_init__
def turned(self):
    object.__setattr__(self, "frame", self.frame.assign(estimate=self.frame["estimate"] * [-1, 1]))
    complete(self)
Estimates.__post_init__ = turned
"""


def test_outputs_are_written_back_once_and_stay(tmp_path):
    path = write(
        tmp_path / "10_a.ipynb", code("import htresearch as ht\nprint(ht.language.current())"), code("1 + 1")
    )
    assert refresh(tmp_path) == [path]
    first = path.read_bytes()
    assert refresh(tmp_path) == []
    assert path.read_bytes() == first
    notebook = nbformat.reads(first.decode("utf-8"), as_version=4)
    assert [cell.id for cell in notebook.cells] == ["cell-0", "cell-1", "cell-2", "cell-3"]
    assert notebook.cells[2].outputs[0].text == "zh\n"
    assert notebook.cells[3].outputs[0].data["text/plain"] == "2"
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, None, 1, 2]
    assert "execution" not in notebook.cells[2].metadata


def test_a_warning_is_not_written_back(tmp_path):
    path = write(tmp_path / "10_a.ipynb", code("import warnings\nwarnings.warn('mind this')"))
    before = path.read_bytes()
    with pytest.raises(NotebookError, match="mind this"):
        refresh(tmp_path)
    assert path.read_bytes() == before


def test_a_failing_run_names_the_cell_and_is_kept(tmp_path):
    path = write(tmp_path / "10_a.ipynb", code("import time\ntime.sleep(60)"))
    with pytest.raises(NotebookError, match="超过 1 秒"):
        execute(path, timeout=1, failed=tmp_path / "failed")
    assert (tmp_path / "failed" / "10_a.failed.ipynb").is_file()


def test_a_file_that_is_no_notebook_is_a_fault(tmp_path):
    path = tmp_path / "10_a.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(NotebookError, match="不是完好的笔记本"):
        execute(path)


def test_parameters_come_after_their_cell_or_at_the_top(tmp_path):
    path = write(tmp_path / "10_a.ipynb", code("school = None", tags=["parameters"]), opening=())
    notebook = nbformat.read(path, as_version=4)
    assert [c.source for c in with_parameters(notebook, {"school": tmp_path}).cells] == [
        "school = None",
        f"school = {str(tmp_path)!r}",
    ]
    notebook.cells[0].metadata.tags = []
    assert with_parameters(notebook, {"n": 3}).cells[0].source == "n = 3"
    assert len(notebook.cells) == 1


def nbval(path, **variables) -> subprocess.CompletedProcess:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--nbval",
        "--nbval-current-env",
        "-p",
        "no:cacheprovider",
        path.name,
    ]
    environment = {**os.environ, "PYTHONUTF8": "1", **variables}
    return subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8")


def test_the_canary_sings_when_one_coefficient_turns(tmp_path):
    path = write(tmp_path / "10_a.ipynb", code(ESTIMATES))
    refresh(tmp_path)
    assert "0.0812" in path.read_text(encoding="utf-8")
    green = nbval(path)
    assert green.returncode == 0, green.stdout
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary" / "sitecustomize.py").write_text(CANARY, encoding="utf-8")
    red = nbval(path, PYTHONPATH=str(tmp_path / "canary"))
    assert red.returncode == 1
    assert "-0.0812" in red.stdout
