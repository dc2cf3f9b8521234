"""Small notebooks for tests."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def told(language: str, source: str) -> nbformat.NotebookNode:
    return new_markdown_cell(source, metadata={"tags": [language]})


def code(source: str, **metadata: object) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata=metadata)


OPENING = (
    told("zh", "# 培训时数\n\n> 培训多的班级是否\n更好？"),
    told("en", "# Training hours\n\n> Do classes with more training do better?"),
)


def write(path: Path, *cells: nbformat.NotebookNode, opening: tuple = OPENING) -> Path:
    """Write a notebook whose cells have stable identifiers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbered = [nbformat.from_dict({**cell, "id": f"cell-{i}"}) for i, cell in enumerate((*opening, *cells))]
    path.write_text(nbformat.writes(new_notebook(cells=numbered)) + "\n", encoding="utf-8")
    return path
