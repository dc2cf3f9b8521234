"""The receipt of an intake: rows in, rows kept, what was left out and why, as JSON and as a page to read.

A receipt travels further than the data, so it names places (cells, columns), never persons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from htresearch.atomic import write_file
from htresearch.language import LANGUAGES, Text

#: Places listed for one rule; the count says how many there are.
MOST_PLACES = 500
_SHOWN_PLACES = 60


@dataclass(frozen=True)
class Exclusion:
    """One rule that was applied, how often it held, and where.

    Attributes
    ----------
    rule : Text
    count : int
        How many rows, or cells, it held for.
    where : tuple of str
        Places in the file, at most `MOST_PLACES` of them.
    """

    rule: Text
    count: int
    where: tuple[Text | str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What an intake did.

    Attributes
    ----------
    source : str
        The name of the file.
    sha256 : str
        Of its content, so that it can be told from others of that name.
    rows_in, rows_kept : int
        Rows (answers of one respondent, lines of a list) that were there, and that went on.
    exclusions : tuple of Exclusion
        Why rows were left out: the counts add up to `rows_in` - `rows_kept`.
    findings : tuple of Exclusion
        What was seen and left as it is, or made a missing value.
    notes : tuple of Text
        How the file was read.
    tables : mapping of Text or str to mapping
        Counts by name, each under a title.
    """

    source: str
    sha256: str
    rows_in: int
    rows_kept: int
    exclusions: tuple[Exclusion, ...] = ()
    notes: tuple[Text, ...] = ()
    tables: Mapping[Text | str, Mapping[Text | str, int]] = field(default_factory=dict)
    findings: tuple[Exclusion, ...] = ()

    def to_json(self) -> str:
        """Return the receipt as JSON; every sentence stands in both languages."""
        content = {
            "source": self.source,
            "sha256": self.sha256,
            "rows_in": self.rows_in,
            "rows_kept": self.rows_kept,
            "exclusions": [_listed(e) for e in self.exclusions],
            "findings": [_listed(e) for e in self.findings],
            "notes": [_both(note) for note in self.notes],
            "tables": [
                {"title": _both(title), "counts": [{"name": _both(name), "count": n} for name, n in counts.items()]}
                for title, counts in self.tables.items()
            ],
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

    def to_html(self) -> str:
        """Return the receipt as one page without anything from elsewhere, Chinese first, then English."""
        parts = "\n".join(_section(self, language) for language in LANGUAGES)
        page = files("htresearch.intake").joinpath("receipt.html").read_text(encoding="utf-8")
        return page.replace("{{source}}", escape(self.source)).replace("{{parts}}", parts)

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``receipt-….json`` and ``.html``, named after the content of the file: the same file, the same names.

        Parameters
        ----------
        folder
            Made if it is not there.

        Returns
        -------
        tuple of pathlib.Path
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"receipt-{self.sha256[:12]}"
        return (
            write_file(folder / f"{stem}.json", self.to_json().encode()),
            write_file(folder / f"{stem}.html", self.to_html().encode()),
        )

    def __str__(self) -> str:
        lines = [_SUMMARY.format(source=self.source, kept=self.rows_kept, rows=self.rows_in)]
        lines += [Text("{rule}：{n}", "{rule}: {n}").format(rule=e.rule, n=e.count) for e in self.exclusions]
        return "\n".join(str(line) for line in lines)

    def _repr_html_(self) -> str:
        from htresearch.language import current

        return f'<div style="max-width: 46rem">{_section(self, current())}</div>'


_SUMMARY = Text("{source}：收到 {rows} 行，保留 {kept} 行", "{source}: {rows} rows in, {kept} kept")


def _both(text: Text | str) -> dict[str, str] | str:
    return {"zh": text.zh, "en": text.en} if isinstance(text, Text) else text


def _listed(exclusion: Exclusion) -> dict:
    where = [_both(place) for place in exclusion.where]
    return {"rule": _both(exclusion.rule), "count": exclusion.count, "where": where}


# --- the page -------------------------------------------------------------------------------------------------------


@cache
def _words() -> dict[str, Text]:
    return {
        "title": Text("数据接收单", "Receipt of data"),
        "in": Text("收到", "rows in"),
        "kept": Text("保留", "kept"),
        "out": Text("剔除", "left out"),
        "exclusions": Text("剔除了哪些行，为什么", "Which rows were left out, and why"),
        "findings": Text("发现了什么", "What was found"),
        "notes": Text("怎样读的", "How the file was read"),
        "none": Text("没有剔除任何一行。", "No row was left out."),
        "rule": Text("规则", "Rule"),
        "count": Text("次数", "Count"),
        "rows": Text("行数", "Rows"),
        "where": Text("位置", "Where"),
        "more": Text("……共 {n} 处", "… {n} in all"),
        "checksum": Text("文件校验值（SHA-256）", "Checksum of the file (SHA-256)"),
    }


def _section(receipt: Receipt, language: str) -> str:
    words = {name: getattr(text, language) for name, text in _words().items()}
    out = receipt.rows_in - receipt.rows_kept
    figures = zip(("in", "kept", "out"), (receipt.rows_in, receipt.rows_kept, out), strict=True)
    body = "\n".join(_body(receipt, words, language))
    counts = "".join(f"<div><dt>{words[name]}</dt><dd>{n:,}</dd></div>" for name, n in figures)
    return f"""<section lang="{"zh-Hans" if language == "zh" else "en"}" id="{language}">
<p class="kicker">{words["title"]}</p>
<h1>{escape(receipt.source)}</h1>
<dl class="figures">{counts}</dl>
{body}
<p class="checksum">{words["checksum"]}<br><code>{receipt.sha256}</code></p>
</section>"""


def _body(receipt: Receipt, words: Mapping[str, str], language: str) -> Iterator[str]:
    yield f"<h2>{words['exclusions']}</h2>"
    yield (_rules(receipt.exclusions, words, language, "rows") if receipt.exclusions else f"<p>{words['none']}</p>")
    if receipt.findings:
        yield f"<h2>{words['findings']}</h2>"
        yield _rules(receipt.findings, words, language, "count")
    for title, counts in receipt.tables.items():
        if counts:
            rows = "".join(
                f'<tr><td>{_said(name, language)}</td><td class="n">{count:,}</td></tr>'
                for name, count in counts.items()
            )
            yield f"<h2>{_said(title, language)}</h2>\n<table class='counts'><tbody>{rows}</tbody></table>"
    if receipt.notes:
        notes = "".join(f"<li>{_said(note, language)}</li>" for note in receipt.notes)
        yield f"<h2>{words['notes']}</h2>\n<ul>{notes}</ul>"


def _rules(listed: tuple[Exclusion, ...], words: Mapping[str, str], language: str, count: str) -> str:
    head = f'<tr><th>{words["rule"]}</th><th class="n">{words[count]}</th><th>{words["where"]}</th></tr>'
    rows = "".join(
        f'<tr><td>{_said(e.rule, language)}</td><td class="n">{e.count:,}</td>'
        f'<td class="where">{_places(e, words["more"], language)}</td></tr>'
        for e in listed
    )
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _places(exclusion: Exclusion, more: str, language: str) -> str:
    shown = [f"<span>{_said(place, language)}</span>" for place in exclusion.where[:_SHOWN_PLACES]]
    rest = f" {more.format(n=f'{exclusion.count:,}')}" if 0 < len(shown) < exclusion.count else ""
    return ("、" if language == "zh" else ", ").join(shown) + rest


def _said(text: Text | str, language: str) -> str:
    return escape(getattr(text, language) if isinstance(text, Text) else str(text))
