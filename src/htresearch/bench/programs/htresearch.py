"""htresearch itself."""


def load(task):
    """Return what the task begins with: a path, a frame, or the Parquet files as DuckDB sees them."""
    if task["files"][0].endswith(".xlsx") or task["steps"][0].endswith("indicators"):
        return task["files"][0]
    if task["steps"][0] == "fit" and not task["given"].get("frame"):
        import duckdb

        return duckdb.connect().read_parquet(task["files"])
    import pandas as pd

    return pd.concat([pd.read_parquet(file) for file in task["files"]], ignore_index=True)


def fit(table, task):
    """Fit, and make the table of coefficients; then each inference."""
    from htresearch.multilevel import fit_multilevel

    fit = fit_multilevel(task["given"]["formula"], table, method=task["given"]["method"])
    fit.tidy()
    yield fit.criterion
    for step in task["steps"][1:]:
        fit.tidy(step)
        yield None


def open_workbook(path, task):
    """Open the workbook, safely."""
    from htresearch.intake import open_table

    yield len(open_table(path).sheets[0].rows) - 1


def read(path, task):
    """Read the answers."""
    from htresearch.bench.answers import instrument
    from htresearch.intake import read_responses

    yield len(read_responses(path, instrument()))


def take_in(path, task):
    """Take the answers into a new study, with the receipt and the linkage table."""
    import tempfile
    from pathlib import Path

    from htresearch.bench.answers import instrument
    from htresearch.intake import Key, Linkage
    from htresearch.intake import take_in as take

    with tempfile.TemporaryDirectory() as folder:
        study, apart = Path(folder) / "study", Path(folder) / "apart"
        apart.mkdir()
        key = Key.create(apart / "key", study)
        linkage = Linkage(key)
        receipt = take(path, instrument(), study, "2025-1", key, linkage)
        receipt.write(apart)
        linkage.save(apart / "linkage.csv", study)
    yield receipt.rows_kept


def score(frame, task):
    """Score every scale."""
    from htresearch.bench.answers import instrument
    from htresearch.scales import score

    yield score(frame, instrument()).iloc[:, 0].mean()


def alpha(frame, task):
    """Alpha with its interval."""
    from htresearch.scales import alpha

    yield alpha(frame[task["given"]["items"]]).tidy()["estimate"][0]


def polychoric(frame, task):
    """Polychoric correlations."""
    from htresearch.scales import polychoric

    yield polychoric(frame[task["given"]["items"]]).matrix.iloc[0, 1]


def efa(frame, task):
    """Exploratory factors."""
    from htresearch.scales import efa

    yield efa(frame[task["given"]["items"]], task["given"]["factors"]).loadings.abs().to_numpy().max()


def cfa(frame, task):
    """A measurement model."""
    from htresearch.scales import cfa

    yield cfa(task["given"]["model"], frame).glance()["chi2"][0]


def invariance(frame, task):
    """The model in groups: configural, metric, scalar, strict."""
    from htresearch.scales import invariance

    steps = invariance(task["given"]["model"], frame, group="group").tidy()
    yield steps["chi2"].iloc[-1]


def reversal(frame, task):
    """A randomisation test of an ABAB design, every outcome."""
    from datetime import date

    import numpy as np

    from htresearch.singlecase import Drawing
    from htresearch.singlecase.lottery import PhaseLottery

    lottery = PhaseLottery(len(frame), (task["given"]["shortest"],) * 4)
    changes = tuple(np.flatnonzero(np.diff(frame["treated"])) + 1)
    yield _p_value(frame, Drawing(lottery, changes, date(2026, 9, 1)), task)


def turns(frame, task):
    """A randomisation test of records in any order, every outcome."""
    from datetime import date

    from htresearch.singlecase import Drawing
    from htresearch.singlecase.sequences import SequenceLottery

    lottery = SequenceLottery(len(frame), int(frame["treated"].sum()), None)
    yield _p_value(frame, Drawing(lottery, tuple(frame["treated"]), date(2026, 9, 1)), task)


def all_indicators(path, task):
    """Every indicator of every school and term."""
    yield _indicators(path, None)


def some_indicators(path, task):
    """The indicators that are named."""
    yield _indicators(path, task["given"]["only"])


def _indicators(path, only):
    """Compute indicators of a study that is known to be sound, and add up their denominators."""
    from htresearch.corps import indicators
    from htresearch.study.open import Study
    from htresearch.study.store import open_store

    frame = indicators(Study(open_store(path)), only=only).tidy()
    return frame.loc[frame["group"] == "", "denominator"].sum()


def _p_value(frame, drawing, task):
    from htresearch.singlecase import randomisation_test

    return randomisation_test(frame["value"], drawing, statistic=task["given"]["statistic"]).tidy()["p_value"][0]
