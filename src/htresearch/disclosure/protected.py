"""Tables with cells suppressed, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import sparse

from htresearch import checks
from htresearch.disclosure.audit import Protection, audit
from htresearch.disclosure.check import check, register
from htresearch.disclosure.relations import LinearTable, linear_table
from htresearch.disclosure.rules import Rules, load_rules
from htresearch.disclosure.suppression import Suppression, insiders_learn, suppress, widened
from htresearch.disclosure.tabulate import ALL, Tabulation
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text

#: Rules that suppressing a cell cannot mend: they are about the whole.
_WHOLE = {"unknown_statistic", "label"}
#: Statistics that are sums once multiplied by the persons behind them.
_MEANS = ("mean", "percentage")


@dataclass(frozen=True, eq=False)
class ProtectedTable:
    """A table of which some cells are not shown.

    Attributes
    ----------
    table : Tabulation
        The whole table; never to be shown.
    suppressed : ndarray of bool
        The cells of ``table.cells`` that are not shown.
    primary : ndarray of bool
        Those that are unsafe themselves.
    rules : Rules
        By which.
    pattern : Suppression or None
        The pattern with its audit; ``None`` where cells do not add up, so that none had to protect another.
    """

    table: Tabulation = field(repr=False)
    suppressed: np.ndarray = field(repr=False)
    primary: np.ndarray = field(repr=False)
    rules: Rules = field(repr=False)
    pattern: Suppression | None = field(repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return a row per cell; of a suppressed cell neither estimate nor persons are shown."""
        frame = self.table.tidy()
        numbers = [c for c in frame if c not in self.table.keys]
        frame[numbers] = frame[numbers].astype(float)
        frame.loc[self.suppressed, numbers] = np.nan
        return frame.assign(suppressed=self.suppressed)

    def glance(self) -> pd.DataFrame:
        """Return one row about the table and its protection."""
        row = {
            "statistic": self.table.statistic,
            "n_cells": len(self.suppressed),
            "n_primary": int(self.primary.sum()),
            "n_secondary": int((self.suppressed & ~self.primary).sum()),
            "optimal": self.pattern is None or self.pattern.optimal,
            "gap": 0.0 if self.pattern is None else self.pattern.gap,
        }
        return pd.DataFrame([row])

    def wide(self) -> pd.DataFrame:
        """Return the table as a reader sees it; a suppressed cell is missing."""
        shown = self.tidy().set_index(self.table.keys)["estimate"]
        return shown.unstack(list(self.table.columns), sort=False) if self.table.columns else shown.to_frame()  # noqa: PD010

    @property
    def note(self) -> tuple[Text, ...]:
        """What a reader must know."""
        said = (Text("有 {n} 个单元格不予公布。", "{n} cells are not shown.").format(n=int(self.suppressed.sum())),)
        return (*self.table.note, *(said if self.pattern is None else self.pattern.note))

    def without(self, cells) -> ProtectedTable:
        """Return the table with further cells not shown."""
        hidden = self.suppressed.copy()
        hidden[cells] = True
        return self.showing(~hidden)

    def showing(self, shown: np.ndarray) -> ProtectedTable:
        """Return the table with these cells shown and no others."""
        hidden = ~shown
        pattern = self.pattern
        if pattern is not None:
            cost = pattern.cost + float(hidden.sum() - pattern.suppressed.sum())
            pattern = replace(pattern, suppressed=hidden, cost=cost, optimal=False, method="heuristic")
        return replace(self, suppressed=hidden, pattern=pattern)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.tidy(), note=" ".join(str(n) for n in self.note))._repr_mimebundle_(include, exclude)


def cell_sums(table: Tabulation) -> sparse.csr_matrix:
    """Return the relations among the cells of a table: each margin less the cells next below it."""
    keys = table.cells[table.keys].to_numpy(object)
    place = {tuple(k): i for i, k in enumerate(keys)}
    groups: dict[tuple, list[int]] = {}
    split = len(table.rows)
    for i, cell in enumerate(keys):
        for part, (start, stop) in enumerate(((0, split), (split, len(table.keys)))):
            depth = next((k for k in range(start, stop) if cell[k] == ALL), stop)
            if depth > start:
                parent = tuple(ALL if k == depth - 1 else v for k, v in enumerate(cell))
                if parent in place:
                    groups.setdefault((part, place[parent]), []).append(i)
    entries = [(r, parent, 1.0) for r, (_, parent) in enumerate(groups)]
    entries += [(r, i, -1.0) for r, parts in enumerate(groups.values()) for i in parts]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_matrix((values, (rows, columns)), (len(groups), len(keys)))


def sums(table: Tabulation) -> list[tuple[str, LinearTable]]:
    """Return what adds up in a table: the persons, those of them who have a property, and other amounts."""
    relations, cells = cell_sums(table), table.cells
    found = []

    def keep(name: str, values: np.ndarray, lower: float, upper=np.inf) -> None:
        if np.abs(relations @ values).max(initial=0.0) <= 1e-6 * max(1.0, np.abs(values).max(initial=0.0)):
            found.append((name, linear_table(values, relations, lower, upper)))

    persons = cells["n_persons"].to_numpy(float)
    keep("persons", persons, 0.0)
    amounts = cells["estimate"].fillna(0.0).to_numpy(float)
    n = cells["n_rows"].fillna(0.0).to_numpy(float)
    if table.statistic not in ("sum", *_MEANS) or (table.statistic != "sum" and table.weight):
        return found
    if table.statistic != "sum":
        amounts = amounts * n
    values = np.unique(table.members["value"]) if "value" in table.members and not table.weight else ()
    if len(values) == 2:  # an amount is then a number of persons, and none has it who is not there
        low, high = (0.0, 100.0) if table.statistic == "percentage" else values
        keep("having", (amounts - low * n) / (high - low), 0.0, n)
    else:
        keep("amount", amounts, -np.inf if table.signed else 0.0)
    return found


def protection(name: str, sums: LinearTable, cells: np.ndarray, rules: Rules) -> Protection:
    """Return the interval owed to cells: in persons the larger of a share and a number, in amounts the share."""
    least = 1e-6 if name == "amount" else rules.protection_absolute
    return Protection.of(sums, cells, rules.protection_relative, least)


def alone_in(name: str, table: Tabulation) -> list[np.ndarray] | None:
    """Return for each person or teacher the cells whose amount is theirs alone: they know them all.

    Of numbers of persons nobody knows one by being among them.
    """
    if name != "amount":
        return None
    members, cells, keys = table.members, table.cells, table.keys
    has = members[members["value"] != 0] if "value" in members else members
    owned: dict[tuple, list[int]] = {}
    for unit, count, rows in (
        ("person", "n_persons", members),
        ("person", "n_contributors", has),
        ("teacher", "n_teachers", members),
    ):
        single = cells[cells[count] == 1]
        for depth, inside in single.groupby((single[keys] != ALL).apply(tuple, axis=1)).groups.items():
            used = [key for key, there in zip(keys, depth, strict=True) if there]
            known = rows[rows[unit].notna()]
            if used:
                first = known.drop_duplicates(used)[[*used, unit]]
                owners = cells.loc[inside, used].merge(first, on=used, how="left")[unit].to_numpy(object)
            else:
                owners = known[unit].to_numpy(object)[:1].repeat(len(inside))
            for cell, owner in zip(inside, owners, strict=True):
                owned.setdefault((unit, owner), []).append(int(cell))
    return [np.unique(own) for own in owned.values()]


def _holds(part: LinearTable, hidden: np.ndarray, owed: Protection, alone: list[np.ndarray] | None) -> bool:
    outside = audit(part, hidden, owed).passed
    return outside and (alone is None or not insiders_learn(part, owed, hidden, alone).any())


def suppress_table(table: Tabulation, rules: object = None, seconds: float = 20.0) -> ProtectedTable:
    """Suppress the unsafe cells of a table, and as many others as keep them from being worked out.

    Parameters
    ----------
    table
        A table with the units behind its cells.
    rules
        As in `check`: whatever fails there is suppressed.
    seconds
        Time for finding a better pattern; see `suppress`.

    Returns
    -------
    ProtectedTable

    Raises
    ------
    ArgumentError
        If `table` is no `Tabulation`.
    UnsupportedError
        If the table breaks a rule that suppression cannot mend, such as an unknown statistic.
    ModelError
        If no pattern protects the cells.

    References
    ----------
    Fischetti, M., & Salazar, J. J. (2001). doi:10.1287/mnsc.47.7.1008.9805

    Examples
    --------
    >>> import pandas as pd
    >>> from htresearch.disclosure import tabulate
    >>> from htresearch.disclosure.protected import suppress_table
    >>> pupils = pd.DataFrame({"student_id": range(100), "teacher_id": [f"t{i % 5}" for i in range(100)]})
    >>> pupils = pupils.assign(school_id="s1", sex=["f"] * 50 + ["m"] * 50, tier=(["a"] * 4 + ["b"] * 46) * 2)
    >>> shown = suppress_table(tabulate(pupils, "tier", "sex"), "internal")
    >>> int(shown.suppressed.sum()), int(shown.primary.sum())
    (4, 2)
    """
    checks.require(
        None
        if isinstance(table, Tabulation)
        else Fault(
            checks.argument("table"),
            Text("须是 tabulate 的结果", "must come from tabulate"),
            Text(
                "请用 ht.disclosure.tabulate 从原始数据生成", "Make it from the microdata by ht.disclosure.tabulate"
            ),
            type(table).__name__,
        )
    )
    rules = load_rules(rules)
    verdicts = check(table, rules)
    broken = verdicts.frame
    whole = {r for rules_ in broken["rules"] for r in rules_} & _WHOLE
    if whole:
        first = broken.loc[[bool(set(r) & _WHOLE) for r in broken["rules"]]].iloc[0]
        raise UnsupportedError(Fault(Text("表格", "The table"), first["reason"], first["needed"]))
    primary = (broken["verdict"] == "fail").to_numpy()
    pattern, hidden = None, primary.copy()
    for name, part in sums(table):
        owed = protection(name, part, primary, rules)
        if pattern is None:
            pattern = suppress(part, owed, seconds=seconds)
            hidden = pattern.suppressed
            continue
        alone = alone_in(name, table)
        if not _holds(part, hidden, owed, alone):
            hidden = widened(part, owed, hidden, alone=alone)
            if not _holds(part, hidden, owed, alone):
                hidden = np.ones(len(hidden), bool)
    found = ProtectedTable(table, primary if pattern is None else pattern.suppressed, primary, rules, pattern)
    return found if (hidden == found.suppressed).all() else found.without(hidden)


@register(ProtectedTable)
def check_protected(thing: ProtectedTable, rules: Rules) -> Verdicts:
    """Check what is left of a protected table, and attack what is not."""
    from htresearch.disclosure.tables import term

    terms = [term(thing.table, row, i) for i, row in enumerate(thing.table.cells.to_dict("records"), 1)]
    frame = check(thing.table, rules).frame
    failing = (frame["verdict"] == "fail").to_numpy()
    findings = [
        Finding(int(i), frame["rule"].iloc[i], frame["reason"].iloc[i], frame["needed"].iloc[i])
        for i in np.flatnonzero(failing & ~thing.suppressed)
    ]
    findings += [
        Finding(None, rule, reason, needed)
        for rules_, rule, reason, needed in zip(
            frame["rules"], frame["rule"], frame["reason"], frame["needed"], strict=True
        )
        if set(rules_) & _WHOLE
    ][:1]
    for name, part in sums(thing.table):
        owed = protection(name, part, failing & thing.suppressed, rules)
        open_to = ~audit(part, thing.suppressed, owed).protected
        alone = alone_in(name, thing.table)
        if alone is not None:
            open_to |= insiders_learn(part, owed, thing.suppressed, alone)
        findings += [
            Finding(
                int(i),
                "audit",
                Text("隐去的数可由其余的数推算得过细。", "The suppressed number can be worked out too closely."),
                Text("请用 suppress_table 重新隐去。", "Suppress again by suppress_table."),
            )
            for i in owed.cells[open_to]
        ]
    return decide(terms, findings, rules, kind="table", method=thing.table.asked, note=thing.note)
