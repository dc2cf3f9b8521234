"""What a notebook is made of: cells for both languages, cells for one, and the rules they keep."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from htresearch import checks
from htresearch.errors import Fault, NotebookError
from htresearch.language import LANGUAGES, Text

#: The notebooks that are published; anything else in the folder is somebody's scratch paper.
NAME = re.compile(r"\d\d_\w+\.ipynb")


def find(folder: str | Path) -> list[Path]:
    """Return the numbered notebooks of a folder, in order.

    Raises
    ------
    NotebookError
        If the folder is missing or has none.
    """
    folder = Path(folder)
    found = sorted(path for path in folder.glob("*.ipynb") if NAME.fullmatch(path.name))
    if not folder.is_dir():
        fault = Fault(
            str(folder),
            Text("没有这个文件夹", "there is no such folder"),
            Text(
                "请在项目文件夹中运行，或写明所在的文件夹",
                "Run in the project's folder, or say where they are",
            ),
        )
    else:
        fault = Fault(
            str(folder),
            Text("没有可发布的笔记本", "there is no notebook to publish"),
            Text(
                "笔记本的文件名须以两位数字开头，例如 20_training.ipynb",
                "A notebook's name begins with two digits, such as 20_training.ipynb",
            ),
        )
    checks.require(None if found else fault, error=NotebookError)
    return found


def read(path: str | Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    NotebookError
        If the file is no notebook.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a cell without an id, which older programs don't write
            notebook = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
            nbformat.validate(notebook)
            return notebook
    except Exception as error:  # whatever nbformat stumbles over in a file that is none
        raise NotebookError(
            Fault(
                path.name,
                Text("不是完好的笔记本文件", "is not a sound notebook file"),
                Text("请在 JupyterLab 中打开、保存后再试", "Open and save it in JupyterLab, then try again"),
            )
        ) from error


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def spoken_in(notebook: NotebookNode, language: str) -> list[NotebookNode]:
    """Return the cells that a reader of one language sees: its own and those that are tagged for neither."""
    others = {other for other in LANGUAGES if other != language}
    return [cell for cell in notebook.cells if not others.intersection(tags(cell))]


def numbered(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """Return the code cells with the number that Jupyter shows beside them after a run from the top."""
    written = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return list(enumerate(written, 1))


def place(name: str, number: int, cell: NotebookNode) -> Text:
    """Name a code cell in a message, with its first line of code."""
    lines = [line.strip() for line in cell.source.splitlines()]
    first = next((line for line in lines if line and not line.startswith("#")), lines[0] if lines else "")
    return Text("{name} 代码单元格 [{number}] `{first}`", "{name}, code cell [{number}] `{first}`").format(
        name=name, number=number, first=first[:80]
    )


@dataclass(frozen=True)
class Opening:
    """How a notebook introduces itself in one language."""

    title: str
    question: str


def opening(notebook: NotebookNode, language: str) -> Opening:
    """Return the first heading, and the question: the first quotation, or else the first paragraph."""
    import mistune

    parse = mistune.create_markdown(renderer="ast")
    tokens = [
        token
        for cell in spoken_in(notebook, language)
        if cell.cell_type == "markdown"
        for token in parse(cell.source)
    ]

    def first(kind: str) -> str:
        return next((_plain(token) for token in tokens if token["type"] == kind), "")

    return Opening(first("heading"), first("block_quote") or first("paragraph"))


def _plain(token: dict[str, Any]) -> str:
    if token["type"] in ("softbreak", "linebreak"):
        return "\n"
    if "raw" in token:
        return token["raw"]
    words = "".join(_plain(child) for child in token.get("children", []))
    return joined(words)


# The space that HTML makes of a line's end has no place between Chinese characters.
_BROKEN = re.compile(r"(?<=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])\n(?=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])")
# Chinese marks bring their space with them; Markdown needs one after emphasis that ends in such a mark.
_SPACED = re.compile(r"([。，、；：！？）》」](?:</\w+>)*) +(?=\S)")


def joined(words: str) -> str:
    """Join the lines of a paragraph as its script does.

    Examples
    --------
    >>> joined("教师\\n培训"), joined("head\\nteachers"), joined("<strong>公式。</strong> 整校")
    ('教师培训', 'head\\nteachers', '<strong>公式。</strong>整校')
    """
    return _SPACED.sub(r"\1", _BROKEN.sub("", words))


def shape_faults(notebook: NotebookNode, name: str) -> list[Fault]:
    """Return what is wrong with a notebook before it is run: unpaired narrative, a missing heading."""
    count = {
        language: sum(cell.cell_type == "markdown" and language in tags(cell) for cell in notebook.cells)
        for language in LANGUAGES
    }
    faults = []
    if count["zh"] != count["en"] or not count["zh"]:
        faults.append(
            Fault(
                name,
                Text("中英文叙述单元格须成对", "narrative cells come in pairs, Chinese and English"),
                Text(
                    "现有 {zh} 个标为 zh、{en} 个标为 en；请补齐缺少的一半",
                    "There are {zh} tagged zh and {en} tagged en; write the missing half",
                ).format(**count),
            )
        )
    faults += [
        Fault(
            name,
            Text(f"标为 {language} 的单元格中没有标题", f"no cell tagged {language} has a heading"),
            Text("请以“# 标题”一行开头", "Begin with a line “# Title”"),
        )
        for language in LANGUAGES
        if count[language] and not opening(notebook, language).title
    ]
    return faults


def all_shape_faults(paths: list[Path]) -> list[Fault]:
    """Return what is wrong with several notebooks before they are run."""
    return [fault for path in paths for fault in shape_faults(read(path), path.name)]


def output_faults(notebook: NotebookNode, name: str) -> list[Fault]:
    """Return what may not be published of a run: errors, and images without words that stand for them."""
    faults = []
    for number, cell in numbered(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                faults.append(
                    Fault(
                        place(name, number, cell),
                        Text("输出是一个错误：{what}", "the output is an error: {what}").format(what=said(output)),
                        Text("请改正后重新运行", "Mend it and run again"),
                    )
                )
            faults += [
                Fault(
                    place(name, number, cell),
                    Text("图形没有替代文字", "an image has no alternative text"),
                    Text("请用 ht.figure(图, alt=…) 显示图形", "Show it by ht.figure(drawn, alt=…)"),
                )
                for kind in output.get("data", {})
                if kind.startswith("image/") and not alt_text(output, kind)
            ]
    return faults


def alt_text(output: NotebookNode, kind: str) -> str:
    """Return the words that stand for an image output, or an empty string."""
    described = output.get("metadata", {}).get(kind, {})
    return str(described.get("alt", "")).strip() if isinstance(described, dict) else ""


def said(output: NotebookNode) -> str:
    """Return what an error output says, without the full stop that a message around it adds."""
    value = re.sub(r"\x1b\[[0-9;]*m", "", output.evalue).strip()
    return f"{output.ename}: {value}".rstrip(" .。:") if value else output.ename
