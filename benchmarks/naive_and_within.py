"""How often do the naive and the within-teacher interval hold the truth, over many simulated districts?

    python benchmarks/naive_and_within.py --biased 50 --fair 500 --workers 2

Each district has 26 schools, 520 classes and 6 terms. Outcome: the class's mean maths score; exposure: cumulative
training hours before the term; standard errors clustered by school with t(25). ``biased`` districts are as usual,
``fair`` ones have selection switched off. The result goes to ``benchmarks/naive_and_within.csv``.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

import htresearch as ht
from htresearch.study.open import Study
from htresearch.study.store import open_store
from htresearch.study.truth import Truth


def panel(seed: int, selection: float) -> pd.DataFrame:
    """Return the class panel of one simulated district."""
    with tempfile.TemporaryDirectory() as folder:
        out = ht.simulate(Path(folder) / "study", terms=6, seed=seed, selection=selection, measures=("maths",))
        # The tests validate simulated studies; here opening the store alone saves an hour.
        rows = Study(open_store(out)).class_terms(measure="maths")
    return rows.dropna(subset=["score", "teacher_id"]).reset_index(drop=True)


def interval(y: np.ndarray, x: np.ndarray, schools: pd.Series) -> tuple[float, float, float]:
    """Return slope and 95 % interval, clustered by school."""
    groups = pd.factorize(schools)[0]
    fit = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    low, high = fit.conf_int()[0]
    return fit.params[0], low, high


def demeaned(rows: pd.DataFrame, column: str, by: list[str]) -> np.ndarray:
    """Take out group means, in turn until they are all zero."""
    values = rows[column].astype(float)
    for _ in range(200 if len(by) > 1 else 1):
        for group in by:
            values = values - values.groupby(rows[group]).transform("mean")
    return values.to_numpy()


def district(seed: int, selection: float) -> dict:
    """Return both estimates for one district."""
    rows = panel(seed, selection)
    truth = Truth().training_per_10_hours / 10
    record = {"seed": seed, "selection": selection, "truth": truth}
    for name, by in (("naive", ["term_id"]), ("within", ["teacher_id", "term_id"])):
        y, x = demeaned(rows, "score", by), demeaned(rows, "training_hours", by)
        estimate, low, high = interval(y, x[:, None], rows["school_id"])
        record |= {name: estimate, f"{name}_low": low, f"{name}_high": high, f"{name}_holds": low <= truth <= high}
    return record


def main() -> None:
    """Run the study and print how often each interval held the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--biased", type=int, default=50)
    parser.add_argument("--fair", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.workers) as pool:
        biased = list(pool.map(partial(district, selection=1.0), range(1, given.biased + 1)))
        fair = list(pool.map(partial(district, selection=0.0), range(1, given.fair + 1)))
    rows = pd.DataFrame(biased + fair)
    rows.round(6).to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    summary = rows.groupby("selection").agg(
        districts=("seed", "size"),
        truth=("truth", "first"),
        naive=("naive", "mean"),
        within=("within", "mean"),
        naive_holds=("naive_holds", "sum"),
        within_holds=("within_holds", "sum"),
    )
    print(summary.round(5).to_string())


if __name__ == "__main__":
    main()
