"""What a check decides, cell by cell, and its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import version

import pandas as pd

from htresearch.disclosure.rules import Rules
from htresearch.language import Text, label
from htresearch.result import Estimates

PASS, FAIL = "pass", "fail"
#: Where the counts come from that a verdict rests on: computed from the data, or said by the caller.
VERIFIED, ASSERTED = "verified", "asserted"
_COUNTS = {
    ASSERTED: Text(
        "背后的人数由调用者给出，未与原始数据核对。",
        "How many persons stand behind it is asserted by the caller and was not verified against the data.",
    ),
    VERIFIED: Text("各数已由原始数据重新算出并核对。", "Every number was computed anew from the data and agrees."),
}
SOURCE = "Hundepool et al. 2012, Statistical Disclosure Control, doi:10.1002/9781118348239"


@dataclass(frozen=True)
class Finding:
    """One rule that one cell or term breaks.

    Attributes
    ----------
    cell : int or None
        Which of the cells, from 0; ``None`` is the whole output.
    rule : str
        The rule's name: ``"threshold"``, ``"teachers"`` …; its label stands in ``words.yaml`` as ``rule.<name>``.
    reason : Text
        Why the cell may not leave. It repeats no secret: no count, no value, no identifying label.
    needed : Text
        What would be needed, or what to do.
    """

    cell: int | None
    rule: str
    reason: Text
    needed: Text


_EMPTY = Finding(
    None,
    "empty",
    Text("没有可检查的内容。", "There is nothing to check."),
    Text("请检查筛选条件，或给出要公开的内容。", "Look at how it was filtered, or give what is to leave."),
)


@dataclass(frozen=True)
class Verdicts(Estimates):
    """The verdict on each cell or term of an output.

    Attributes
    ----------
    rules : Rules
        What was applied.
    kind : str
        ``"table"``, ``"regression"``, ``"figure"`` …, as in ACRO's records.
    method : str
        The statistic, or the method's name.
    counts : str
        ``"verified"`` where the numbers were computed anew from the data; ``"asserted"`` where it rests on counts
        that the caller gave and nobody verified; empty where the output itself holds what was counted.
    """

    rules: Rules | None = field(default=None)
    kind: str = "table"
    method: str = ""
    counts: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything may leave."""
        return bool((self.frame["verdict"] == PASS).all()) and len(self.frame) > 0

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that may not leave."""
        return self.frame[self.frame["verdict"] == FAIL].reset_index(drop=True)

    def plot(self, ax=None, terms=None):
        """Draw how many cells break each rule."""
        import matplotlib.pyplot as plt

        broken = self._by_rule()
        ax = plt.subplots(figsize=(6.8, 0.4 * max(len(broken), 1) + 1.2))[1] if ax is None else ax
        names = [str(label(rule, within="rule")) for rule in broken]
        ax.barh(range(len(broken)), [len(cells) for cells in broken.values()], color="C1")
        ax.set_yticks(range(len(broken)), names)
        ax.invert_yaxis()
        ax.set_xlabel(str(Text("不能公开的单元格数", "Cells that may not leave")))
        return ax

    def _by_rule(self) -> dict[str, list[int]]:
        broken: dict[str, list[int]] = {}
        for cell, rules in zip(self.frame["cell"], self.frame["rules"], strict=True):
            for rule in rules:
                broken.setdefault(rule, []).append(int(cell))
        return broken

    def to_json(self, name: str = "output_0", command: str = "") -> str:
        """Return the decision record in the shape of ACRO's ``results.json``: no count and no value of the output.

        Parameters
        ----------
        name
            What the output is called.
        command
            The call that made it, if it is to be recorded.

        References
        ----------
        Green, E., Ritchie, F., & Smith, J. *ACRO: Automated Checking of Research Outputs*.
        """
        broken = self._by_rule()
        outcome = {
            term: "; ".join(rules) or "ok"
            for term, rules in zip(self.frame["term"], self.frame["rules"], strict=True)
        }
        counts = "".join(f"{rule}: {len(cells)} cells; " for rule, cells in broken.items())
        record = {
            "uid": name,
            "status": PASS if self.passed else FAIL,
            "type": self.kind,
            "properties": {
                "method": self.method,
                "counts": {ASSERTED: "asserted by the caller", VERIFIED: "verified against the data"}.get(
                    self.counts, "computed with the output"
                ),
                "rules": self.rules.as_dict() if self.rules else {},
            },
            "files": [
                {
                    "name": f"{name}.csv",
                    "sdc": {
                        "summary": {"suppressed": False, **{rule: len(cells) for rule, cells in broken.items()}},
                        "cells": broken,
                    },
                }
            ],
            "outcome": outcome,
            "command": command,
            "summary": f"{PASS if self.passed else FAIL}; {counts}".strip(),
            "comments": [
                f"{row.term}: {row.reason.en} {row.needed.en}" for row in self.failures.itertuples(index=False)
            ]
            + [note.en for note in self.note],
            "exception": "",
        }
        content = {"version": f"htresearch {version('htresearch')}", "results": {name: record}}
        return json.dumps(content, ensure_ascii=False, indent=2)

    def to_html(self, name: str = "") -> str:
        """Return the decision record as a page of HTML that loads nothing, in the language now spoken."""
        head = Text("可以公开", "May be published") if self.passed else Text("不能公开", "May not be published")
        mark = Text("内部使用，不得外传", "For internal use; not to be passed on")
        columns = [Text("位置", "Where"), Text("结论", "Verdict"), Text("规则", "Rule"), Text("原因", "Reason")]
        columns += [Text("怎么办", "What to do")]
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>\n" for cells in self._lines()
        )
        title = escape(f"{head}" + (f" · {name}" if name else ""))
        applied = Text("规则：{name}", "Rules: {name}").format(name=self.rules.name if self.rules else "–")
        return (
            f'<!doctype html>\n<html lang="{Text("zh-CN", "en")}">\n'
            f'<head><meta charset="utf-8"><title>{title}</title>\n'
            "<style>body{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
            "table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left}"
            "</style></head>\n"
            f"<body>\n<h1>{title}</h1>\n<p>{escape(str(applied))}</p>\n"
            + (f"<p><strong>{mark}</strong></p>\n" if self.rules and self.rules.mark else "")
            + (f"<p><strong>{escape(str(_COUNTS[ASSERTED]))}</strong></p>\n" if self.counts == ASSERTED else "")
            + "<table>\n<thead><tr>"
            + "".join(f'<th scope="col">{c}</th>' for c in columns)
            + f"</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n<p>{escape(self.notes())}</p>\n</body>\n</html>\n"
        )

    def _lines(self) -> Iterable[Sequence[object]]:
        for row in self.frame.itertuples(index=False):
            rules = "; ".join(str(label(rule, within="rule")) for rule in row.rules)
            yield row.term, label(row.verdict, within="verdict"), rules, row.reason, row.needed

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        shown = pd.DataFrame(self._lines(), columns=["term", "verdict", "rule", "reason", "needed"], dtype=object)
        names = {"term": Text("位置", "Where"), "rule": Text("规则", "Rule"), "reason": Text("原因", "Reason")}
        names |= {"verdict": Text("结论", "Verdict"), "needed": Text("怎么办", "What to do")}
        return table(shown, note=self.notes(), names=names)._repr_mimebundle_(include, exclude)


def decide(
    terms: Sequence[str],
    findings: Iterable[Finding],
    rules: Rules,
    *,
    kind: str = "table",
    method: str = "",
    note: tuple[Text, ...] = (),
    counts: str = "",
) -> Verdicts:
    """Put findings together to verdicts: a row per cell or term, which fails if any rule finds fault with it.

    Parameters
    ----------
    terms
        What each cell or term is called; none of them may identify anybody.
    findings
        What the rules found; one whose ``cell`` is ``None`` fails every cell.
    rules, kind, method, note, counts
        As in `Verdicts`.

    Returns
    -------
    Verdicts
        Columns term, verdict, rule (the first), reason, needed, rules (all that are broken), cell. An output without
        a cell fails: nothing was there to check.

    Examples
    --------
    >>> from htresearch.disclosure import decide, load_rules
    >>> decide(["a", "b"], [], load_rules("public")).passed
    True
    """
    findings = list(findings)
    terms = list(terms)
    if not terms:
        terms = [str(Text("整个输出", "the whole output"))]
        findings.append(_EMPTY)
    by_cell: dict[int | None, list[Finding]] = {}
    for finding in findings:
        by_cell.setdefault(finding.cell, []).append(finding)
    lines = []
    for cell, term in enumerate(terms):
        found = [*by_cell.get(None, ()), *by_cell.get(cell, ())]
        lines.append(
            {
                "term": str(term),
                "verdict": FAIL if found else PASS,
                "rule": found[0].rule if found else "",
                "reason": _joined(f.reason for f in found),
                "needed": _joined(f.needed for f in found),
                "rules": tuple(dict.fromkeys(f.rule for f in found)),
                "cell": cell,
            }
        )
    frame = pd.DataFrame(lines)
    failed = int((frame["verdict"] == FAIL).sum())
    summary = pd.DataFrame(
        {
            "passed": [failed == 0],
            "n_cells": [len(frame)],
            "n_failed": [failed],
            "rules": [rules.name],
            "method": [method],
            "counts": [counts],
        }
    )
    note = (*note, _COUNTS[counts]) if counts else note
    return Verdicts(frame, summary, note, SOURCE, rules, kind, method, counts)


def _joined(texts: Iterable[Text]) -> Text:
    said = list(dict.fromkeys(t for t in texts if t.zh))
    return Text("".join(t.zh for t in said), " ".join(t.en for t in said))
