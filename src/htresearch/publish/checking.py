"""The checks of other people's notebooks: run anew, compared, and held to the rules of what is published."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from htresearch import checks
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text
from htresearch.publish import cells, leaks
from htresearch.publish.kernel import environment

if TYPE_CHECKING:
    import pandas as pd
    from nbformat import NotebookNode

#: The rules, in the order of the table, with the words of its heading.
RULES = {
    "run": Text("重跑一致", "runs the same"),
    "leaks": Text("无泄露", "no leaks"),
    "alt": Text("替代文字", "alt text"),
    "glyphs": Text("字形齐全", "glyphs"),
    "time": Text("无时钟", "no clock"),
}
_OK, _FAULT, _SKIPPED = Text("通过", "ok"), Text("有问题", "fault"), Text("未查", "not run")


@dataclass(frozen=True)
class Checked:
    """What became of each notebook under each rule.

    Attributes
    ----------
    found : tuple of tuple
        The notebook's name, the rule, and its faults; ``None`` for a rule that was not checked.
    """

    found: tuple[tuple[str, str, tuple[Fault, ...] | None], ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults, notebook by notebook."""
        return tuple(fault for *_, faults in self.found for fault in faults or ())

    @property
    def passed(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    @property
    def frame(self) -> pd.DataFrame:
        """A row per notebook, a column per rule: how many faults; missing where a rule was not checked."""
        import pandas as pd

        rows: dict[str, dict[str, float]] = {}
        for name, rule, faults in self.found:
            rows.setdefault(name, {})[rule] = float("nan") if faults is None else len(faults)
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(RULES)).rename_axis("notebook").reset_index()

    def __str__(self) -> str:
        """Write the table, and below it each fault."""
        from unicodedata import east_asian_width

        def width(text: str) -> int:
            return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)

        said = {"": [str(Text("笔记本", "notebook")), *map(str, RULES.values())]}
        for name, _, faults in self.found:
            word = _SKIPPED if faults is None else _FAULT if faults else _OK
            said.setdefault(name, [name]).append(str(word))
        widths = [max(map(width, column)) for column in zip(*said.values(), strict=True)]
        lines = [
            "  ".join(cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)).rstrip()
            for row in said.values()
        ]
        return "\n".join([*lines, *(["", str(HTResearchError(*self.faults))] if self.faults else [])])


def check_notebooks(
    paths: str | Path | Iterable[str | Path] = "notebooks",
    secrets: leaks.Secrets | None = None,
    run: bool = True,
    lax: bool = False,
    timeout: float = 600,
    progress: Callable[[int, int, str], None] | None = None,
) -> Checked:
    """Check notebooks before they are published; the files are not changed.

    Each is run anew by nbval in a fresh kernel and its outputs are compared with those that are kept in it, but for
    what is drawn anew at each run (addresses in memory, identifiers of tables). It is searched for what says who
    somebody is, see `scan`. Every image needs an alternative text, every character a glyph, and no output may show
    what changes from run to run: a clock, a date of the run, how long it took, an address in memory.

    Parameters
    ----------
    paths
        Notebooks, or folders of notebooks with all that is in them.
    secrets
        Names and ids that may not get out.
    run
        Whether notebooks are run; the other rules need only what is kept in them.
    lax
        Whether only cells marked ``# NBVAL_CHECK_OUTPUT`` are compared, as on another system than the one on which
        the outputs were made.
    timeout
        Seconds that one cell may take.
    progress
        Called after each notebook with how many are done, how many there are, and its name.

    Returns
    -------
    Checked
        ``str()`` of it is a table and all faults; ``passed`` says whether there is none.

    Raises
    ------
    ArgumentError
        If there is no notebook, or a time is none.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.check_notebooks("notebooks/00_tour.ipynb", run=False).passed
    True
    """
    checks.require(checks.between("timeout", timeout, 1, 86400))
    found = _notebooks([paths] if isinstance(paths, str | Path) else list(paths))
    secrets = secrets or leaks.Secrets()
    rows: list[tuple[str, str, tuple[Fault, ...] | None]] = []
    for done, (name, path) in enumerate(found, 1):
        shown = secrets.mask(name)
        rows += [(shown, rule, faults) for rule, faults in _check(path, shown, secrets, run, lax, timeout).items()]
        if progress:
            progress(done, len(found), shown)
    return Checked(tuple(rows))


def _notebooks(paths: list[str | Path]) -> list[tuple[str, Path]]:
    """Return the notebooks by the names under which they are told of."""
    found: dict[Path, str] = {}
    checks.require(*(_missing(path) for path in map(Path, paths)))
    for top in map(Path, paths):
        inside = (
            sorted(p for p in top.rglob("*.ipynb") if p.is_file()) if top.is_dir() else [top] if top.is_file() else []
        )
        for path in inside:
            if not any(part.startswith(".") for part in path.relative_to(top).parts):
                found.setdefault(path, path.relative_to(top).as_posix() if top.is_dir() else path.name)
    checks.require(
        None
        if found
        else Fault(
            checks.argument("paths"),
            Text("没有笔记本", "there is no notebook"),
            Text("请给出 .ipynb 文件，或它们所在的文件夹", "Give .ipynb files, or the folder that they are in"),
        )
    )
    # A file name need not be text; the table that names it is.
    return [(name.encode("utf-8", "replace").decode("utf-8"), path) for path, name in found.items()]


def _missing(path: Path) -> Fault | None:
    if path.exists():
        return None
    return Fault(
        checks.argument("paths"),
        Text("没有这个文件或文件夹", "there is no such file or folder"),
        Text("请检查路径", "Check the path"),
        leaks.Secrets().mask(path.name),
    )


def _check(
    path: Path, name: str, secrets: leaks.Secrets, run: bool, lax: bool, timeout: float
) -> dict[str, tuple[Fault, ...] | None]:
    """Return the faults of one notebook by rule."""
    try:
        notebook = cells.read(path)
    except HTResearchError as error:
        return {**dict.fromkeys(RULES), "run": error.faults}
    ran, lacking = _run(path, name, lax, timeout) if run else (None, ())
    found = dict.fromkeys(leak for leak in leaks.scan_content(path.name, path.read_bytes(), secrets))
    return {
        "run": ran,
        "leaks": tuple(leak.fault for leak in found),
        "alt": tuple(_without_alt(notebook, name)),
        "glyphs": tuple(dict.fromkeys((*_without_glyph(notebook, name), *lacking))),
        "time": tuple(_with_clock(notebook, name)),
    }


def _place(name: str, number: int) -> Text:
    """Name a cell without quoting it: it may hold what must not be repeated."""
    return Text(f"{name} 第 {number} 个单元格", f"{name}, cell {number}")


# --- run anew -------------------------------------------------------------------------------------------------------


def _run(path: Path, name: str, lax: bool, timeout: float) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Run a notebook by nbval; return what differs or fails, and where a glyph was missing."""
    for module in ("pytest", "nbval"):
        if find_spec(module) is None:
            raise ModuleNotFoundError(name=module)
    with (
        tempfile.TemporaryDirectory(prefix="htresearch-check-") as folder,
        as_file(files("htresearch.publish").joinpath("nbval.cfg")) as sanitising,
        environment("zh") as variables,
    ):
        settings, report = Path(folder) / "pytest.ini", Path(folder) / "report.xml"
        settings.write_text("[pytest]\n", encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-c", str(settings), "--noconftest", "-p", "no:cacheprovider"),
            *("--nbval-lax" if lax else "--nbval", "--nbval-current-env", f"--nbval-cell-timeout={timeout:g}"),
            *(f"--nbval-sanitize-with={sanitising}", f"--junitxml={report}", str(path.resolve())),
        ]
        # A figure that lacks a glyph then stops its cell.
        variables |= {"PYTHONWARNINGS": "error:Glyph", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        variables.pop("PYTEST_ADDOPTS", None)
        subprocess.run(command, env=variables, capture_output=True, check=False)
        told = _told(report)
    if told is None:
        rule = Text("没有能够运行", "could not be run")
        fix = Text(
            "请在 JupyterLab 中从头运行一次，看停在哪里", "Run it from the top in JupyterLab and see where it stops"
        )
        return (Fault(name, rule, fix),), ()
    ids = [number for number, cell in enumerate(cells.read(path).cells, 1) if cell.cell_type == "code"]
    ran: list[Fault] = []
    lacking: list[Fault] = []
    for number, failure in told:
        place = _place(name, ids[number]) if number < len(ids) else Text(name, name)
        if re.search(r"Glyph \d+ .{0,80}missing from", failure):
            lacking.append(_no_glyph(place))
        else:
            ran.append(_differs(place, failure))
    return tuple(ran), tuple(lacking)


def _told(report: Path) -> list[tuple[int, str]] | None:
    """Return the number and the message of each code cell that failed; none if nothing was run."""
    try:
        tests = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    failed = []
    for test in tests:
        number = re.search(r"Cell (\d+)$", test.get("name", ""))
        for failure in (*test.iter("failure"), *test.iter("error")):
            if number is None:
                return None
            failed.append((int(number[1]), f"{failure.get('message', '')}\n{failure.text or ''}"))
    return failed


def _differs(place: Text, failure: str) -> Fault:
    if "Cell execution caused an exception" in failure:
        return Fault(
            place,
            Text("运行时出错", "fails when it is run"),
            Text(
                "请在 JupyterLab 中从头运行，按出错信息改正", "Run it from the top in JupyterLab and mend the cause"
            ),
        )
    if "timed out" in failure.lower() or "timeout" in failure.lower():
        return Fault(
            place,
            Text("运行超时", "takes too long"),
            Text("请把耗时的计算移到包里，或用 --timeout 放宽", "Do less in it, or allow more by --timeout"),
        )
    return Fault(
        place,
        Text("重新运行的输出与保存的不同", "gives another output than the one that is kept"),
        Text(
            "请固定随机种子、排好顺序、少留几位数字，再从头运行并保存",
            "Fix the seed, order every query, keep fewer digits; then run it from the top and save it",
        ),
    )


# --- what is kept in it ---------------------------------------------------------------------------------------------

_MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(")
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_GLYPH = re.compile(r"Glyph \d+ .{0,80}missing from|\ufffd|findfont: ", re.DOTALL)
_CLOCKS = re.compile(
    r"(?:Wall time|CPU times?)\s*:"
    r"|\bper loop\b"
    r"|Date:\s+\w{3}, \d\d \w{3} \d{4}|Time:\s+\d\d:\d\d:\d\d"  # of statsmodels' summary
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d"
    r"|\b(?:19|20)\d\d-\d\d-\d\d[ T](?!00:00:00(?!\.\d*[1-9]))\d\d:\d\d:\d\d"
    r"|datetime\.datetime\("
    r"|(?:时间|时刻|用时|耗时|elapsed|finished at|now)\s*[:：=]?\s*\d{1,2}:\d{2}"
    r"|(?:用时|耗时|elapsed|took)\s*[:：=]?\s*\d+(?:\.\d+)?\s*(?:秒|分钟|s\b|sec|min)"
    r"|\bat 0x[0-9a-fA-F]{6,16}"
    r"|\d+%\|[\u2588-\u258f# ]|\d+(?:\.\d+)?it/s",
    re.MULTILINE,
)


def _without_alt(notebook: NotebookNode, name: str) -> Iterable[Fault]:
    rule = Text("图片没有替代文字", "an image has no alternative text")
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            bare = any(not image["alt"].strip() for image in _MARKDOWN_IMAGE.finditer(cell.source))
            if bare or _bare_image(cell.source):
                yield Fault(
                    _place(name, number), rule, Text("请写成 ![图中的内容](文件)", "Write ![what it shows](file)")
                )
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown = [kind for kind in data if kind.startswith("image/")]
            if any(not cells.alt_text(output, kind) for kind in shown) or _bare_image(str(data.get("text/html", ""))):
                fix = Text("请用 ht.figure(图, alt=…) 显示图形", "Show it by ht.figure(drawn, alt=…)")
                yield Fault(_place(name, number), rule, fix)


def _bare_image(html: str) -> bool:
    return any(
        not re.search(r"""\balt\s*=\s*(?:"\s*[^"\s][^"]*"|'\s*[^'\s][^']*'|[^\s"'>]+)""", image[0], re.IGNORECASE)
        for image in _HTML_IMAGE.finditer(html)
    )


def _without_glyph(notebook: NotebookNode, name: str) -> Iterable[Fault]:
    for number, cell in enumerate(notebook.cells, 1):
        if any(_GLYPH.search(text) for text in (cell.source, *_said(cell))):
            yield _no_glyph(_place(name, number))


def _no_glyph(place: Text) -> Fault:
    return Fault(
        place,
        Text("有的字没有字形，图里会是空框", "a character has no glyph and would be an empty box"),
        Text("请在画图前调用 ht.theme()", "Call ht.theme() before drawing"),
    )


def _with_clock(notebook: NotebookNode, name: str) -> Iterable[Fault]:
    for number, cell in enumerate(notebook.cells, 1):
        if any(_CLOCKS.search(text) for text in _said(cell)):
            yield Fault(
                _place(name, number),
                Text(
                    "输出里有随运行而变的时间、用时、内存地址或进度条",
                    "shows a clock, a duration, an address or a bar",
                ),
                Text("请不要显示它；日期写到日即可", "Don't show it; a date needs no more than its day"),
            )


def _said(cell: NotebookNode) -> Iterable[str]:
    """Give the texts of a cell's outputs."""
    for output in cell.get("outputs", []):
        yield str(output.get("text", ""))
        yield "\n".join(map(str, output.get("traceback", ())))
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield (
                    re.sub(r"<style.*?</style>|<[^>]*>", " ", content, flags=re.DOTALL) if "html" in kind else content
                )
