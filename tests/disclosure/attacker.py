"""An attacker of its own: unknown persons by what all keys tell, each released number an equation, linear programmes.

It shares nothing with the package but the tables it is shown.
"""

from copy import copy
from itertools import product

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

ALL = "(all)"
#: What everybody knows: which school lies in which zone.
HOMES = ["zone_id", "school_id"]


def district(seed: int, n: int = 900, schools: int = 6) -> pd.DataFrame:
    """A small district: pupils with a school in a zone, and three classifications, some of them rare."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"student_id": np.arange(n), "school_id": draw.integers(0, schools, n)})
    frame["zone_id"] = "z" + (frame["school_id"] // 3).astype(str)
    frame["teacher_id"] = [f"t{s}-{k}" for s, k in zip(frame["school_id"], draw.integers(0, 9, n), strict=True)]
    frame["school_id"] = "s" + frame["school_id"].astype(str)
    frame["sex"] = draw.choice(["f", "m"], n)
    frame["grade"] = draw.choice(["7", "8", "9"], n, p=[0.5, 0.4, 0.1])
    rare = draw.uniform(0.01, 0.08)
    frame["tier"] = draw.choice(["a", "b", "c"], n, p=[0.6, 0.4 - rare, rare])
    return frame


def any_district(seed: int) -> pd.DataFrame:
    """A district of any shape: 2 to 14 schools, large and small, in zones of which some have one school only.

    Some schools lack a grade or a tier; allowances are skewed, many are nothing, and a few are enormous.
    """
    draw = np.random.default_rng(seed)
    schools = int(draw.integers(2, 15))
    zones = np.sort(draw.integers(0, max(1, schools // int(draw.integers(2, 5))) + 1, schools))
    sizes = np.clip(draw.lognormal(5.0, 0.7, schools), 12, 500).astype(int)
    at = np.repeat(np.arange(schools), sizes)
    n = len(at)
    frame = pd.DataFrame({"student_id": np.arange(n), "zone_id": [f"z{k}" for k in zones[at]]})
    frame["school_id"] = [f"s{k}" for k in at]
    classes = draw.integers(1, 12, schools)
    frame["teacher_id"] = [f"t{k}-{draw.integers(0, classes[k])}" for k in at]
    for key, most in (("sex", 2), ("grade", 6), ("tier", 4)):
        kinds = int(draw.integers(2, most + 1))
        shares = draw.dirichlet(np.full(kinds, draw.uniform(0.4, 4.0)), schools)
        shares[draw.random(shares.shape) < (0.15 if key != "sex" else 0.0)] = 0.0
        shares[:, 0] += 1e-3
        frame[key] = [f"{key[0]}{draw.choice(kinds, p=shares[k] / shares[k].sum())}" for k in at]
    frame["boarding"] = (draw.random(n) < draw.beta(0.7, 2.0, schools)[at]).astype(int)
    frame["allowance"] = np.round(draw.gamma(1.0, 400.0, n)) * (draw.random(n) < 0.7)
    frame.loc[draw.integers(0, n, int(draw.integers(0, 4))), "allowance"] = draw.uniform(2e4, 2e5)
    frame["wellbeing"] = draw.normal(0, 1, n).round(2)
    return frame


def any_tables(seed: int, number: int) -> list[dict]:
    """Tables that somebody might ask for, in random order, as the arguments of `tabulate`."""
    draw = np.random.default_rng([seed, 1])
    rows = [HOMES, HOMES, HOMES, "zone_id", "school_id", ["sex", "tier"], "grade"]
    columns = [None, "sex", "grade", "tier", ["sex", "tier"], "boarding"]
    values = [(None, "count")] * 5 + [("allowance", "sum")] * 3 + [("allowance", "mean"), ("wellbeing", "mean")]
    values += [("boarding", "percentage")] * 2
    found = []
    while len(found) < number:
        across, down = rows[draw.integers(len(rows))], columns[draw.integers(len(columns))]
        value, statistic = values[draw.integers(len(values))]
        used = [
            *([across] if isinstance(across, str) else across),
            *([down] if isinstance(down, str) else down or []),
        ]
        ask = {"rows": across, "columns": down, "value": value, "statistic": statistic}
        ask["margins"] = bool(draw.random() < 0.8)
        if len(set(used)) == len(used) and value not in used and ask not in found:
            found.append(ask)
    return found


class Attacker:
    """Whoever has read some tables.

    Parameters
    ----------
    frame
        Tells which keys there are and which school lies in which zone; no number is read from it.
    shown
        Tables as they were published, each with its statistic and the column that it is of.
    """

    def __init__(self, frame: pd.DataFrame, shown: list[tuple[pd.DataFrame, str, str | None]]):
        columns = {c for table, _, _ in shown for c in table}
        self.keys = [k for k in frame if k in columns]
        values = {k: sorted(map(str, frame[k].unique())) for k in self.keys}
        if set(HOMES) <= set(self.keys):
            homes = frame[HOMES].astype(str).drop_duplicates().to_numpy().tolist()
        else:
            homes = [[v] for k in HOMES if k in self.keys for v in values[k]] or [[]]
        others = [k for k in self.keys if k not in HOMES]
        self.keys = [*(k for k in HOMES if k in self.keys), *others]
        grid = [[*home, *rest] for home, rest in product(homes, product(*(values[k] for k in others)))]
        self.grid = np.array(grid, dtype=object)
        self.flags = sorted({v for _, statistic, v in shown if statistic == "percentage"})
        self.amounts = sorted({v for _, statistic, v in shown if statistic in ("sum", "mean")})
        self.signed = {v for v in self.amounts if (frame[v] < 0).any()}
        self.place = {None: 0} | {v: i for i, v in enumerate([*self.flags, *self.amounts], 1)}
        rows, numbers, of = [], [], []
        for table, statistic, value in shown:
            keys = [k for k in self.keys if k in table]
            for line in table.dropna(subset="n_persons").to_dict("records"):
                inside = self.inside({k: line[k] for k in keys})
                rows.append(inside), numbers.append(line["n_persons"]), of.append(0)
                if statistic == "count" or line["estimate"] != line["estimate"]:
                    continue
                times = {"sum": 1.0, "mean": line["n_persons"], "percentage": line["n_persons"] / 100}[statistic]
                rows.append(inside), numbers.append(line["estimate"] * times), of.append(self.place[value])
        self.rows, self.numbers, self.of = np.array(rows), np.array(numbers, float), np.array(of)

    def inside(self, keys: dict) -> np.ndarray:
        """Tell which cells of the grid a cell of a table holds."""
        chosen = np.ones(len(self.grid), bool)
        for key, value in keys.items():
            if value != ALL:
                chosen &= self.grid[:, self.keys.index(key)] == str(value)
        return chosen

    def bounds(self, target: dict, of: str | None = None, known: tuple[dict, float] | None = None):
        """Return how many persons have the target's keys, or how much of a column they have: at least and at most.

        With `known`, somebody who knows besides what one cell holds of it.
        """
        goal = self.inside(target)
        if known is not None:
            wiser = copy(self)
            wiser.rows, wiser.of = np.vstack([self.rows, self.inside(known[0])]), np.append(self.of, self.place[of])
            wiser.numbers = np.append(self.numbers, known[1])
            return wiser.bounds(target, of)
        kinds, which = np.unique(np.vstack([self.rows, goal]), axis=1, return_inverse=True)
        del which
        width, blocks = kinds.shape[1], len(self.place)
        equations = sparse.vstack(
            [
                sparse.csr_matrix(
                    (
                        np.ones(row.sum()),
                        (np.zeros(row.sum(), int), k * width + np.flatnonzero(row)),
                    ),
                    (1, blocks * width),
                )
                for row, k in zip(kinds[:-1], self.of, strict=True)
            ]
        )
        bounds = np.tile([0.0, np.inf], (blocks * width, 1))
        for value in self.signed:
            bounds[self.place[value] * width : (self.place[value] + 1) * width, 0] = -np.inf
        # Nobody has a property who is not there.
        most = [
            sparse.hstack([sparse.identity(width) * {0: -1.0, self.place[f]: 1.0}.get(k, 0.0) for k in range(blocks)])
            for f in self.flags
        ]
        cost = np.zeros(blocks * width)
        cost[self.place[of] * width : (self.place[of] + 1) * width] = kinds[-1]
        found = []
        for sign in (1, -1):
            answer = linprog(
                sign * cost,
                A_ub=sparse.vstack(most) if most else None,
                b_ub=np.zeros(width * len(most)) if most else None,
                A_eq=equations,
                b_eq=self.numbers,
                bounds=bounds,
                method="highs",
            )
            assert answer.status in (0, 3), answer.message
            found.append(sign * answer.fun if answer.status == 0 else -sign * np.inf)
        return tuple(found)
