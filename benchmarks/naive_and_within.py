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

import pandas as pd

import htresearch as ht
from htresearch.multilevel import fixed_effects
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


def district(seed: int, selection: float) -> dict:
    """Return both estimates for one district; term effects are absorbed in both."""
    rows = panel(seed, selection)
    truth = Truth().training_per_10_hours / 10
    record = {"seed": seed, "selection": selection, "truth": truth}
    for name, group, controls in (("naive", "term_id", ()), ("within", "teacher_id", ("term_id",))):
        found = fixed_effects(rows, "score", ["training_hours"], group, "school_id", controls).tidy().loc[0]
        holds = found["conf_low"] <= truth <= found["conf_high"]
        record |= {name: found["estimate"], f"{name}_low": found["conf_low"], f"{name}_high": found["conf_high"]}
        record[f"{name}_holds"] = holds
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
