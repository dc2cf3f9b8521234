"""An attacker of its own: unknown persons by what all keys tell, each released number an equation, linear programmes.

It shares nothing with the package but the tables it is shown.
"""

import numpy as np
import pandas as pd
from scipy.optimize import linprog

KEYS = ["zone_id", "school_id", "sex", "grade", "tier"]


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


def bounds(frame: pd.DataFrame, shown: list[pd.DataFrame], target: dict) -> tuple[float, float]:
    """Return what the shown counts say of the persons with the target's keys, at least and at most."""
    homes = frame[["zone_id", "school_id"]].drop_duplicates()
    used = [k for k in KEYS[2:] if any(k in t for t in shown) or k in target]
    grid = homes
    for key in used:
        grid = grid.merge(pd.DataFrame({key: sorted(frame[key].unique())}), how="cross")

    def inside(keys: dict) -> np.ndarray:
        chosen = np.ones(len(grid), bool)
        for key, value in keys.items():
            if value != "(all)":
                chosen &= (grid[key] == value).to_numpy()
        return chosen.astype(float)

    rows, numbers = [], []
    for table in shown:
        keys = [k for k in KEYS if k in table]
        for line in table.dropna(subset="estimate").to_dict("records"):
            rows.append(inside({k: line[k] for k in keys}))
            numbers.append(line["estimate"])
    goal = inside(target)
    found = []
    for sign in (1, -1):
        answer = linprog(sign * goal, A_eq=np.array(rows), b_eq=np.array(numbers), method="highs")
        assert answer.status in (0, 3), answer.message
        found.append(sign * answer.fun if answer.status == 0 else np.inf)
    return tuple(found)
