"""Every block of code in the how-to pages runs, in order, in a small project made as the pages say."""

import re
import shlex
import shutil
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from intake import filled
from intake.class_study import filling
from publish.small_notebooks import write

from htresearch import cli
from htresearch.study.schema import schema

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
ENGLISH = [page for page in PAGES if not page.name.endswith(".zh-CN.md")]
PRACTISE = "simulate district --schools 3 --classes-per-school 3 --surveys surveys --arrivals desk"


def blocks(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(line: str) -> int:
    program, *arguments = shlex.split(line)
    assert program == "htresearch"
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return left.value.code or 0


@pytest.fixture(scope="session")
def practice(tmp_path_factory):
    """What the pages practise on, and the district as `data/demo`."""
    folder = tmp_path_factory.mktemp("practice")
    shutil.copytree(ROOT / "surveys", folder / "surveys")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HTRESEARCH_LANGUAGE", "zh")
        assert run(f"htresearch {PRACTISE}") == 0
    (folder / "data").mkdir()
    (folder / "district").rename(folder / "data" / "demo")
    return folder


@pytest.fixture
def project(practice, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(practice, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "agg")
    yield folder
    plt.close("all")


def between(page: Path, project: Path) -> None:
    """Do what a page leaves to people: a school fills in a form, a head teacher a workbook, somebody a notebook."""
    if "send-out" in page.name and (project / "appraisals.xlsx").exists():
        rows = pd.read_parquet(project / "data" / "demo" / "appraisals.parquet").head(3)
        (project / "returned").mkdir(exist_ok=True)
        form = Path(shutil.copy(project / "appraisals.xlsx", project / "returned" / "one school.xlsx"))
        filled.fill(form, filled.as_entries(rows, schema().tables["appraisals"], schema()))
    if "class-study" in page.name:
        (project / "filled").mkdir(exist_ok=True)
        filling.filled(project / "filled" / "study.xlsx", **filling.ENTRIES)
    if "publish" in page.name:
        write(project / "notebooks" / "10_small.ipynb")
        shutil.copytree(ROOT / "docs", project / "docs", dirs_exist_ok=True)


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_every_block_runs(page, project, capsys):
    names: dict[str, object] = {}
    for kind, code in blocks(page):
        between(page, project)
        if kind == "python":
            exec(compile(code, page.name, "exec"), names)
        else:
            assert kind == "sh"
            for line in code.replace("\\\n", " ").strip().splitlines():
                assert run(line) == 0, capsys.readouterr().err
    assert capsys.readouterr().err.count("Traceback") == 0
    if "publish" in page.name:
        assert 'href="docs/index.html"' in (project / "site" / "index.html").read_text(encoding="utf-8")
        assert (project / "site" / "docs" / "zh" / "howto-10-publish-notebooks.html").is_file()


def test_every_page_is_there_in_both_languages():
    assert len(ENGLISH) == 11 and len(PAGES) == 22


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: page.stem)
def test_both_languages_show_the_same_code_and_the_same_parts(page):
    chinese = page.with_name(f"{page.stem}.zh-CN.md")
    assert blocks(chinese) == blocks(page) != []
    for said, parts in (
        (page, ("**Goal**", "**What you see**", "**What can go wrong**")),
        (chinese, ("**目标**", "**你会看到**", "**可能出的问题**")),
    ):
        text = said.read_text(encoding="utf-8")
        assert all(part in text for part in parts)
        assert PRACTISE in text or "desk/" not in text
