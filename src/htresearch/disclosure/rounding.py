"""Controlled rounding: every number a multiple of the base next to the truth, and margins still the sums."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from htresearch import checks
from htresearch.disclosure.relations import LinearTable
from htresearch.errors import Fault, ModelError
from htresearch.language import Text


@dataclass(frozen=True)
class Rounding:
    """A rounded table.

    Attributes
    ----------
    values : ndarray
        The rounded cells; they obey the table's relations.
    base : float
        The base.
    zero_restricted : bool
        Whether every cell is the multiple just below or above its truth, and a multiple itself unchanged.
    moved : float
        The sum of the changes.
    """

    values: np.ndarray = field(repr=False)
    base: float
    zero_restricted: bool
    moved: float

    @property
    def note(self) -> Text:
        """What a reader of the table must know."""
        if self.zero_restricted:
            return Text(
                "各数舍入到相邻的 {base} 的倍数，合计仍等于各部分之和。",
                "Numbers are rounded to a neighbouring multiple of {base}; margins are the sums of their parts.",
            ).format(base=f"{self.base:g}")
        return Text(
            "各数舍入到附近的 {base} 的倍数（个别不是相邻的），合计仍等于各部分之和。",
            "Numbers are rounded to a multiple of {base} nearby (some not the next one); margins are the sums of "
            "their parts.",
        ).format(base=f"{self.base:g}")


def round_table(table: LinearTable, base: float = 5, seconds: float = 20.0) -> Rounding:
    """Round a table so that it stays additive, each number to a neighbouring multiple of the base.

    Parameters
    ----------
    table
        The table; crossed two-way tables and hierarchies always have a solution, others nearly always.
    base
        The base, in the table's units.
    seconds
        Time for the search. Where no neighbouring multiples fit, numbers may go one multiple farther.

    Returns
    -------
    Rounding
        The rounded values: the least sum of changes found.

    Raises
    ------
    ModelError
        If no additive rounding was found.

    References
    ----------
    Hundepool, A., et al. (2012). Statistical Disclosure Control, section 4.4.2. doi:10.1002/9781118348239

    Examples
    --------
    >>> from htresearch.disclosure.relations import linear_table
    >>> from htresearch.disclosure.rounding import round_table
    >>> round_table(linear_table([3, 21, 24], [[1, 1, -1]])).values
    array([ 5., 20., 25.])
    """
    checks.require(
        checks.between("base", base, 0, np.inf, open_ends=True), checks.between("seconds", seconds, 0.1, 3600)
    )
    floor = np.floor(table.values / base + 1e-9)
    rest = np.clip(table.values / base - floor, 0.0, 1.0)
    whole = rest < 1e-9
    # x = base (floor + u) with A x = 0, so A u = -A floor; a step u costs |u - rest|.
    target = -(table.relations @ floor)
    step = _steps(table, target, 1.0 - 2.0 * rest, np.zeros(len(rest)), np.where(whole, 0.0, 1.0), seconds / 2)
    restricted = step is not None
    if step is None:
        step = _farther(table, target, rest, whole, floor, seconds / 2)
    if step is None:
        raise ModelError(
            Fault(
                Text("表格", "The table"),
                Text("找不到合计仍成立的舍入", "no rounding was found that keeps the sums"),
                Text("请改用隐去，或给更多时间", "Suppress cells instead, or allow more time"),
            )
        )
    values = base * (floor + np.round(step))
    return Rounding(values, float(base), restricted, float(np.abs(values - table.values).sum()))


def _steps(table, target, cost, low, high, seconds) -> np.ndarray | None:
    limits = LinearConstraint(table.relations, target, target) if table.relations.shape[0] else ()
    found = milp(
        cost,
        constraints=limits,
        bounds=Bounds(low, high),
        integrality=np.ones(len(cost)),
        options={"time_limit": seconds},
    )
    return found.x


def _farther(table, target, rest, whole, floor, seconds) -> np.ndarray | None:
    """Allow one multiple farther to either side, at a price that makes it rare; zeros stay zeros."""
    from scipy import sparse

    m = len(rest)
    # u = near + over - under, near in {0, 1}, over and under in {0, 1}
    matrix = sparse.hstack([table.relations, table.relations, -table.relations], format="csr")
    price = np.full(m, 10.0)
    cost = np.concatenate([1.0 - 2.0 * rest, price, price])
    zero = table.values == 0
    high = np.concatenate([~whole, ~zero, ~zero & (floor > 0)]).astype(float)
    wide = LinearTable(np.zeros(3 * m), matrix, np.zeros(3 * m), np.zeros(3 * m))
    found = _steps(wide, target, cost, np.zeros(3 * m), high, seconds)
    return None if found is None else found[:m] + found[m : 2 * m] - found[2 * m :]
