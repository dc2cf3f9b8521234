"""The demo district once, and a few small inventions, for the checks of results."""

from functools import cache

import numpy as np
import pandas as pd

import htresearch as ht


@cache
def classes() -> pd.DataFrame:
    return ht.open_study("data/demo").class_terms(measure="maths")


@cache
def pupils() -> pd.DataFrame:
    """Six classes of every school, two terms."""
    whole = ht.open_study("data/demo").student_terms(measure="maths")
    rows = whole[whole["term_id"].isin(["2023-1", "2023-2"])].dropna(subset=["prior", "score", "training_hours"])
    rooms = rows[["school_id", "class_id"]].drop_duplicates().groupby("school_id").head(6)["class_id"]
    return rows[rows["class_id"].isin(rooms)].reset_index(drop=True)


def fit(formula: str, frame: pd.DataFrame | None = None, **options) -> ht.multilevel.MultilevelFit:
    return ht.fit_multilevel(formula, classes() if frame is None else frame, **options)


@cache
def safe_fit() -> ht.multilevel.MultilevelFit:
    return fit("score ~ training_hours + prior_mean + C(term_id) + (1 | school_id/teacher_id)")


@cache
def pupil_fit() -> ht.multilevel.MultilevelFit:
    return fit("score ~ sex + training_hours + prior + (1 | school_id/class_id)", pupils())


def marked(frame: pd.DataFrame, column: str, values: list, name: str = "one") -> pd.DataFrame:
    """Add a dummy of the rows in which a column has some values."""
    return frame.assign(**{name: frame[column].isin(values).astype(int)})


@cache
def answers(n: int = 300, items: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    trait = rng.normal(size=n)
    told = {
        f"i{k + 1}": np.clip(np.round(3 + 0.9 * trait + rng.normal(0, 0.9, n)), 1, 5).astype(int)
        for k in range(items)
    }
    return pd.DataFrame(told)
