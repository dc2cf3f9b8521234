"""The examples in the docstrings run as they stand, in a project whose demo district is a small one."""

import doctest
import importlib
import pkgutil
import shutil
from pathlib import Path

import pytest

import htresearch
from htresearch import study

ROOT = Path(__file__).parent.parent


def _modules() -> list[str]:
    """Every module with an example; what runs in another program's process is none."""
    found = []
    source = Path(htresearch.__file__).parent
    for module in pkgutil.walk_packages(htresearch.__path__, "htresearch."):
        path = source.joinpath(*module.name.split(".")[1:])
        path = path / "__init__.py" if module.ispkg else path.with_suffix(".py")
        if ">>>" in path.read_text(encoding="utf-8") and ".programs" not in module.name:
            found.append(module.name)
    return found


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A folder like the repository's: surveys, notebooks, and as `data/demo` a district of a few classes."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("surveys", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    htresearch.simulate(
        folder / "data" / "demo", schools=3, classes_per_school=2, terms=6, measures=["maths"], seed=1
    )
    return folder


@pytest.fixture(scope="session")
def opened():
    """Studies that were opened already, by folder: they do not change, and to check one takes seconds."""
    return {}


@pytest.mark.parametrize("name", _modules())
def test_examples(name, project, opened, monkeypatch):
    def open_once(path):
        path = Path(path).resolve()
        if path not in opened:
            opened[path] = study.open.open_study(path)
        return opened[path]

    monkeypatch.chdir(project)
    monkeypatch.setattr(htresearch, "open_study", open_once, raising=False)
    module = importlib.import_module(name)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test, out=said.append)
    assert "".join(said) == ""
    assert runner.summarize(verbose=False).attempted, "an example that doctest does not find is not run"
