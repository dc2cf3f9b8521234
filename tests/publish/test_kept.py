"""Runs that are kept beside the site: taken up again after the worst, and never when they no longer hold."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_notebooks import code, write

from htresearch.publish import build_site
from htresearch.publish.kept import Kept

OLD = '<meta name="generator" content="htresearch 0">old'

# Each run of a notebook leaves its mark where `RAN` says, outside of what is watched; one waits to be killed.
MARK = "import os, time\nopen(os.environ['RAN'], 'a').write({name!r} + os.environ['HTRESEARCH_LANGUAGE'] + ' ')"
WAIT = MARK + "\nwhile os.path.exists(os.environ['RAN'] + '.wait'): time.sleep(0.05)"

BUILD = "import sys; from htresearch.publish import build_site; build_site(sys.argv[1], sys.argv[2], workers=1)"


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Return what ran since the last time it was asked."""
    log = tmp_path / "ran"
    monkeypatch.setenv("RAN", str(log))

    def since():
        words = log.read_text().split() if log.exists() else []
        log.write_text("")
        return words

    return since


def project(folder: Path, second: str = MARK) -> tuple[Path, Path]:
    write(folder / "p" / "n" / "10_a.ipynb", code(MARK.format(name="a")))
    write(folder / "p" / "n" / "20_b.ipynb", code(second.format(name="b")))
    return folder / "p" / "n", folder / "p" / "site"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on Windows")
def test_after_a_kill_the_old_site_is_whole_and_only_the_rest_runs(tmp_path, ran):
    notebooks, site = project(tmp_path, WAIT)
    site.mkdir()
    (site / "index.html").write_text(OLD, encoding="utf-8")
    waiting = Path(os.environ["RAN"] + ".wait")
    waiting.touch()
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(notebooks), str(site)], start_new_session=True)
    try:
        for _ in range(600):  # until the second notebook is running
            if "bzh" in (Path(os.environ["RAN"]).read_text() if Path(os.environ["RAN"]).exists() else ""):
                break
            time.sleep(0.1)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        waiting.unlink()
    assert ran() == ["azh", "aen", "bzh"]
    assert [path.name for path in site.iterdir()] == ["index.html"]
    assert (site / "index.html").read_text(encoding="utf-8") == OLD
    build_site(notebooks, site, workers=1)
    assert ran() == ["bzh", "ben"]
    assert (site / "zh" / "10_a.html").is_file() and (site / "en" / "20_b.html").is_file()
    assert sorted(path.name for path in site.parent.iterdir()) == [".site-runs", "n", "site"]


def test_what_changed_runs_again_and_nothing_else(tmp_path, ran):
    notebooks, site = project(tmp_path)
    build_site(notebooks, site, ["zh"], workers=1)
    assert ran() == ["azh", "bzh"]
    build_site(notebooks, site, ["zh"], workers=1)
    assert ran() == []
    write(notebooks / "10_a.ipynb", code(MARK.format(name="a") + "\nprint('new')"))
    build_site(notebooks, site, ["zh"], workers=1)
    assert ran() == ["azh"]
    assert "new" in (site / "zh" / "10_a.html").read_text(encoding="utf-8")
    build_site(notebooks, site, ["zh"], workers=1, parameters={"n": 3})
    assert ran() == ["azh", "bzh"]
    build_site(notebooks, site, ["zh"], workers=1, parameters={"n": 3}, fresh=True)
    assert ran() == ["azh", "bzh"]
    assert len(list((tmp_path / "p" / ".site-runs").iterdir())) == 2  # earlier ones don't pile up


@pytest.fixture
def book(tmp_path):
    def made(source: str) -> Path:
        return write(tmp_path / "notebooks" / "10_a.ipynb", code(source))

    return made


@pytest.mark.parametrize(
    "source",
    [
        "open('../data/scores.csv')",
        "Path('../data') / name",
        "f'../data/{name}.csv'",
        "f'../data/sc{rest}'",
        "glob('../data/*.csv')",
        "import beside",
    ],
)
def test_files_that_a_notebook_reads_are_part_of_it(tmp_path, book, source):
    path = book(source)
    (tmp_path / "data").mkdir()
    for name in ("data/scores.csv", "notebooks/beside.py"):
        (tmp_path / name).write_text("1", encoding="utf-8")
    before = Kept(tmp_path / "runs").key(path, "zh")
    assert before and before == Kept(tmp_path / "runs").key(path, "zh")
    for name in ("data/scores.csv", "notebooks/beside.py"):
        (tmp_path / name).write_text("2", encoding="utf-8")
    assert Kept(tmp_path / "runs").key(path, "zh") != before


def test_data_of_figures_that_were_checked_otherwise_are_made_anew(tmp_path, book):
    every = [Kept(tmp_path / "runs", figure_data=told) for told in ("", "{}", '{"threshold": 20}')]
    keys = [kept.key(book("1"), "zh") for kept in every]
    assert None not in keys and len(set(keys)) == 3


def test_a_study_given_as_a_parameter_is_part_of_it(tmp_path, book):
    path = book("1")
    (tmp_path / "mine").mkdir()
    given = {"study": tmp_path / "mine"}
    before = Kept(tmp_path / "runs", given).key(path, "zh")
    (tmp_path / "mine" / "classes.csv").write_text("1", encoding="utf-8")
    assert Kept(tmp_path / "runs", given).key(path, "zh") != before


@pytest.mark.parametrize("source", ["%run other.ipynb", "!ls", "x ="])
def test_what_cannot_be_read_is_not_kept(tmp_path, book, source):
    assert Kept(tmp_path / "runs").key(book(source), "zh") is None


def test_a_folder_of_too_many_files_is_not_kept(tmp_path, book, monkeypatch):
    monkeypatch.setattr("htresearch.publish.kept.MOST_FILES", 3)
    (tmp_path / "data").mkdir()
    for name in "abcd":
        (tmp_path / "data" / name).touch()
    assert Kept(tmp_path / "runs").key(book("'../data'"), "zh") is None
    assert Kept(tmp_path / "runs").key(book("'../other'"), "zh") is not None


def test_a_package_that_changed_is_another(tmp_path, book, monkeypatch):
    path, kept = book("1"), Kept(tmp_path / "runs")
    before = kept.key(path, "zh")
    assert kept.key(path, "en") != before
    monkeypatch.setattr("htresearch.publish.kept._surroundings", lambda: "a later version")
    assert kept.key(path, "zh") != before


def test_a_spoiled_file_counts_as_none(tmp_path, book):
    path, kept = book("1"), Kept(tmp_path / "runs")
    key = kept.key(path, "zh")
    kept.put("10_a-zh", key, path.read_bytes())
    assert kept.get("10_a-zh", key).cells[-1].source == "1"
    (file,) = kept.folder.iterdir()
    file.write_bytes(file.read_bytes().replace(b"markdown", b"MARKDOWN", 1))
    assert kept.get("10_a-zh", key) is None
    file.write_bytes(b"")
    assert kept.get("10_a-zh", key) is None


def test_a_site_that_was_being_exchanged_is_put_back(tmp_path):
    from htresearch import atomic

    old = tmp_path / ".site-abcdefgh-old"
    old.mkdir()
    (old / "mark").touch()
    atomic.require_free(tmp_path / "site", lambda folder: (folder / "mark").exists())
    assert (tmp_path / "site" / "mark").exists() and not old.exists()
