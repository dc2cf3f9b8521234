"""What code cells gave, as HTML: tables, images, text. What went to the error stream is not for readers."""

import csv
import re
from base64 import b64encode
from html import escape
from io import StringIO

from nbformat import NotebookNode

from htresearch.errors import Fault
from htresearch.intake.escaping import escaped
from htresearch.language import Text
from htresearch.publish.cells import alt_text, numbered, place
from htresearch.publish.html.fragment import fit

_OFFERED = Text("图中的数据（CSV，已通过披露检查）", "Data behind the figure (CSV, checked for disclosure)")
_UNCHECKED = Text("图中的数据（CSV，未作披露检查）", "Data behind the figure (CSV, not checked for disclosure)")
_REFUSED = Text(
    "图中的数据没有通过披露检查，不提供下载。",
    "The data behind this figure did not pass the check for disclosure and are not offered.",
)


class Outputs:
    """Writes the outputs of one page; `faults` gathers what cannot be published.

    With `spoken`, the language of the page, the data behind figures are offered below them, and `data` gathers the
    files by their names beside the page.
    """

    def __init__(self, name: str, notebook: NotebookNode, spoken: str = ""):
        self.faults: list[Fault] = []
        self.data: dict[str, bytes] = {}
        self._spoken = spoken
        self._figures = 0
        self._name = name
        self._number = {cell.id: number for number, cell in numbered(notebook)}
        self._fragments = 0

    def write(self, cell: NotebookNode) -> str:
        """Return the outputs of a code cell."""
        return "\n".join(written for output in cell.outputs if (written := self._one(cell, output)))

    def _one(self, cell: NotebookNode, output: NotebookNode) -> str:
        if output.output_type == "stream":
            return _text(output.text) if output.name == "stdout" else ""
        data = output.get("data", {})
        for kind in ("text/html", "image/png", "image/jpeg", "image/svg+xml", "text/plain"):
            if data.get(kind):
                return self._shown(cell, output, kind)
        return ""

    def _shown(self, cell: NotebookNode, output: NotebookNode, kind: str) -> str:
        content = output.data[kind]
        if kind == "text/html":
            return self._html(cell, content)
        if kind == "text/plain":
            return _text(content)
        alt = escape(alt_text(output, kind))
        if kind == "image/svg+xml":
            content = b64encode(content.encode("utf-8")).decode("ascii")
        image = f'<img src="data:{kind};base64,{"".join(content.split())}" alt="{alt}">'
        return f"<figure>{image}{self._link(output)}</figure>"

    def _link(self, output: NotebookNode) -> str:
        """Return the link to the data behind a figure, or that they are not offered; nothing if it carries none."""
        self._figures += 1
        behind = output.get("metadata", {}).get("htresearch", {})
        if not (self._spoken and behind):
            return ""
        if "refused" in behind:
            return f"<figcaption>{escape(getattr(_REFUSED, self._spoken))}</figcaption>"
        name = f"data/{self._name.removesuffix('.ipynb')}-{self._figures}.csv"
        self.data[name] = as_csv(behind["columns"], behind["rows"])
        offered = getattr(_OFFERED if behind.get("rules") else _UNCHECKED, self._spoken)
        return f'<figcaption><a href="{name}" download>{escape(offered)}</a></figcaption>'

    def _html(self, cell: NotebookNode, content: str) -> str:
        self._fragments += 1
        html, refused = fit(content, f"-{self._fragments}")
        self.faults += [
            Fault(
                place(self._name, self._number.get(cell.id, 0), cell),
                Text(f"输出含有不能发布的 {what}", f"the output holds {what}, which cannot be published"),
                Text(
                    "网页不运行脚本，也不从外部载入内容；请用 ht.table 或 ht.figure 显示",
                    "Pages run no script and load nothing from outside; show it by ht.table or ht.figure",
                ),
            )
            for what in dict.fromkeys(refused)
        ]
        return f'<div class="wide" tabindex="0">{html}</div>'


def as_csv(columns: list[str], rows: list[list]) -> bytes:
    """Return a table as CSV that Excel and WPS read as UTF-8, with nothing in it that they would take for a formula.

    Examples
    --------
    >>> as_csv(["a", "=b"], [["=1+1", None], [0.5, 2.0]]).decode("utf-8-sig")
    "a,'=b\\n'=1+1,\\n0.5,2\\n"
    """
    lines = StringIO()
    write = csv.writer(lines, lineterminator="\n")
    for row in (columns, *rows):
        write.writerow([escaped(f"{cell:.15g}" if isinstance(cell, float) else cell) for cell in row])
    return lines.getvalue().encode("utf-8-sig")


def _text(content: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", content).strip("\n")
    return f'<pre class="output" tabindex="0">{escape(plain)}</pre>' if plain.strip() else ""
