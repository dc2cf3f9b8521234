"""Dashboards of the corps: each number by the persons behind it, and no part that follows from the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.disclosure import reasons
from htresearch.disclosure.check import register
from htresearch.disclosure.labels import any_identifying
from htresearch.disclosure.results import marks
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.language import Text, label

if TYPE_CHECKING:
    from htresearch.corps.dashboard import Board
    from htresearch.corps.funnel import Funnel
    from htresearch.corps.indicators import Indicators

#: Rules of the indicators that are called otherwise here.
_CALLED = {"rare": "two_values", "common": "two_values"}


@register("htresearch.corps.indicators.Indicators")
def check_indicators(result: Indicators, rules: Rules) -> Verdicts:
    """Check every number of indicators, of units and of the district."""
    findings = list(_rows(result.frame, result.by, rules))
    if result.by is not None and any(_rows(result.district, None, rules)):
        findings.append(_DISTRICT)
    return _decided(result.frame, findings, rules, "Indicators")


@register("htresearch.corps.dashboard.Board")
def check_board(board: Board, rules: Rules) -> Verdicts:
    """Check the rows behind a table of indicators, or what it says of how schools differ."""
    rows = board.rows
    if "outside" in rows:
        few = rows["n_units"] < rules.threshold
        findings = [reasons.finding(int(i), "schools", schools=rules.threshold) for i in np.flatnonzero(few)]
    else:
        findings = list(_rows(rows, board.by, rules))
    said = [str(v) for v in board.cells.select_dtypes(exclude="number").to_numpy().ravel()]
    findings += (
        [reasons.finding(None, "label")] if any_identifying([*said, str(board.title), str(board.note)]) else []
    )
    return _decided(rows, findings, rules, "Board")


@register("htresearch.corps.funnel.Funnel")
def check_funnel(funnel: Funnel, rules: Rules) -> Verdicts:
    """Check the units of a funnel and its district, and that nothing else is drawn than them and their limits."""
    from htresearch.corps.funnel import funnel_limits

    rows, frame = funnel.rows, funnel.frame
    units, district = rows.iloc[:-1], rows.iloc[-1:]
    findings = list(_rows(units, funnel.by, rules)) + ([_DISTRICT] if any(_rows(district, None, rules)) else [])
    drawn = frame[frame["line"].isin(["unit", "district"])]
    told = rows["estimate"].to_numpy(float)
    grid = frame[frame["line"] == "limits"]
    expected = funnel_limits(district.iloc[0], grid["denominator"].to_numpy(float))
    same = len(drawn) == len(rows) and np.allclose(np.sort(drawn["estimate"]), np.sort(told))
    same = same and all(np.allclose(grid[name], values) for name, values in expected.items())
    findings += [] if same else [reasons.finding(None, "altered")]
    return _decided(rows, findings, rules, "Funnel")


def _rows(rows: pd.DataFrame, by: str | None, rules: Rules) -> Iterator[Finding]:
    """Give what is wrong with rows of indicators: too few persons, or a hidden part that follows from the others."""
    from htresearch.corps.withholding import telling, unsafe

    broken = unsafe(rows, by, rules.threshold, rules.schools, rules.zero_cells)
    values = {"threshold": rules.threshold, "teachers": rules.teachers, "schools": rules.schools}
    for row in np.flatnonzero(broken != ""):
        yield reasons.finding(int(row), _CALLED.get(broken[row], broken[row]), **values)
    for row in telling(rows, by):
        yield reasons.finding(int(row), "incomplete")


def _decided(rows: pd.DataFrame, findings: list[Finding], rules: Rules, method: str) -> Verdicts:
    terms = [_term(row) for row in rows.to_dict("records")]
    return decide(terms, findings, rules, kind="table", method=method, note=marks(rules))


def _term(row: dict) -> str:
    parts = [row["indicator_id"], *(str(row[c]) for c in ("term_id",) if row.get(c))]
    if row.get("group"):
        parts.append(f"{label(row['group'])}={label(row['value'], within=row['group'])}")
    return str(Text("，", ", ")).join(parts)


_DISTRICT = Finding(
    None,
    "incomplete",
    Text("全区的数里有不能公开的。", "The district has numbers that may not leave."),
    Text("请用 ht.corps.dashboard。", "Use ht.corps.dashboard."),
)
