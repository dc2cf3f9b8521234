"""Cutting planes: what every protecting pattern must satisfy, found by attacking patterns that do not.

Fischetti & Salazar (2001): with 0 <= x_i <= 1 saying whether cell i is suppressed, an attacker of cell p lets each
cell move in [a_i - LB_i x_i, a_i + UB_i x_i] under A y = 0. The dual of that linear programme, multipliers g of the
relations with alpha - beta = e_p - A'g, bounds the movement of p by sum (alpha_i UB_i + beta_i LB_i) x_i; so a
pattern that protects p by the amount UPL must satisfy

    sum min(alpha_i UB_i + beta_i LB_i, UPL) x_i >= UPL                                  (their capacity constraints)

and the same downward. Whatever subset of these is used, the cheapest x is a lower bound of the information loss.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from htresearch.disclosure.audit import Protection
from htresearch.disclosure.relations import LinearTable


class Master:
    """The master problem: cheapest pattern under the cuts known so far."""

    def __init__(self, table: LinearTable, protection: Protection, weights: np.ndarray, frozen: np.ndarray):
        self.table, self.protection, self.weights = table, protection, weights
        self.floor = np.zeros(len(table.values))
        self.floor[protection.cells] = 1.0
        self.ceiling = np.where(frozen, 0.0, 1.0)
        self.ceiling[protection.cells] = 1.0
        self.up = table.upper - table.values
        self.down = table.values - table.lower
        self.rows: list[sparse.csr_matrix] = []
        self.needs = [
            (int(c), sign, float(max(0.0, sign * (wanted - table.values[c]))))
            for sign, goals in ((1, protection.high), (-1, protection.low))
            for c, wanted in zip(protection.cells, goals, strict=True)
        ]
        self.needs = [n for n in self.needs if n[2] > 1e-9]

    def add_relation_cuts(self) -> None:
        """Add the cuts whose only multiplier is one relation: its other cells must give the room that p needs."""
        by_column = self.table.relations.tocsc()
        by_row = self.table.relations
        for cell, sign, need in self.needs:
            for at in range(by_column.indptr[cell], by_column.indptr[cell + 1]):
                r, own = by_column.indices[at], by_column.data[at]
                span = slice(by_row.indptr[r], by_row.indptr[r + 1])
                columns, factors = by_row.indices[span], by_row.data[span] / own
                # sign * t_p = -sum factor_j * sign * t_j over the others
                rise = -sign * factors
                room = np.where(rise > 0, rise * self.up[columns], -rise * self.down[columns])
                self._add(columns[columns != cell], room[columns != cell], need)

    def _add(self, columns, room, need) -> None:
        self.rows.append(
            sparse.csr_matrix((np.minimum(room / need, 1.0), columns, [0, len(columns)]), (1, len(self.weights)))
        )

    def separate(self, x: np.ndarray) -> int:
        """Attack the (fractional) pattern x; add a cut for every need it does not meet, and return how many."""
        table = self.table
        x = np.clip(x, 0.0, 1.0)
        with np.errstate(invalid="ignore"):
            top = np.where(x > 1e-9, self.up * x, 0.0)
            bottom = np.where(x > 1e-9, -self.down * x, 0.0)
        added = 0
        for cell, sign, need in self.needs:
            cost = np.zeros(len(x))
            cost[cell] = -sign
            high, low = top.copy(), bottom.copy()
            # More than what is needed is of no use, and keeps the programme bounded.
            if sign > 0:
                high[cell] = min(high[cell], need)
            else:
                low[cell] = max(low[cell], -need)
            found = linprog(
                cost,
                A_eq=table.relations,
                b_eq=np.zeros(table.relations.shape[0]),
                bounds=np.column_stack([low, high]),
                method="highs",
            )
            if found.status != 0 or sign * found.x[cell] >= need * (1 - 1e-6):
                continue
            # alpha - beta = sign * e_p - A'g; SciPy's marginals are those of the minimised -sign * t_p.
            slope = table.relations.T @ found.eqlin.marginals
            slope[cell] += sign
            slope[np.abs(slope) < 1e-9] = 0.0
            with np.errstate(invalid="ignore"):
                room = np.where(slope > 0, slope * self.up, np.where(slope < 0, -slope * self.down, 0.0))
            columns = np.flatnonzero((room > 0) & (np.arange(len(x)) != cell))
            self._add(columns, room[columns], need)
            added += 1
        return added

    def solve(self, whole: bool, seconds: float) -> tuple[np.ndarray | None, float, bool]:
        """Return the cheapest pattern under the cuts, a lower bound of its cost, and whether it is proven."""
        limits = LinearConstraint(sparse.vstack(self.rows, format="csr"), lb=1.0) if self.rows else ()
        found = milp(
            self.weights,
            constraints=limits,
            bounds=Bounds(self.floor, self.ceiling),
            integrality=np.full(len(self.weights), int(whole)),
            options={"time_limit": max(0.05, seconds), "mip_rel_gap": 1e-9},
        )
        bound = found.mip_dual_bound if whole and found.mip_dual_bound is not None else found.fun
        least = float(self.weights[self.floor > 0].sum())
        if found.x is None:
            return None, max(least, float(bound) if bound is not None and np.isfinite(bound) else 0.0), False
        return found.x, max(least, float(bound)), found.status == 0


def optimal_pattern(master: Master, seconds: float) -> tuple[np.ndarray | None, float]:
    """Find the cheapest protecting pattern; ``None`` if time ran out or there is none, and the bound reached.

    Cuts are first found at fractional patterns, which is cheap, then at whole ones until none is violated.
    """
    end = time.monotonic() + seconds
    master.add_relation_cuts()
    bound = 0.0
    for whole in (False, True):
        while (left := end - time.monotonic()) > 0:
            x, found, proven = master.solve(whole, left)
            bound = max(bound, found)
            if x is None or (whole and not proven):
                return None, bound
            if not master.separate(np.round(x) if whole else x):
                if whole:
                    return np.round(x) > 0.5, bound
                break
    return None, bound
