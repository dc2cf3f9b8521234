"""How often does each method find an effect in a single case where there is none?

    python benchmarks/single_cases.py --series 5000 --slow 2000

AB designs of 20 to 30 records, at least 3 in each phase, without any effect: the number of records is drawn anew for
every series, and so is the start, from all that the rule allows. Series are normal with mean 20 and standard
deviation 4 (so that ratios make sense), stationary, of first-order autocorrelation 0, .3 and .5. A method errs if it
says that treatment made a difference:

- randomisation tests: p of at most .05, one-sided (two-sided where said), by each statistic;
- "start chosen": the same test of means, but the treatment was begun right after the worst record, and tested as if
  the start had been drawn;
- methods with an interval: the 95 % interval leaves out the value of no effect;
- methods with a p: p of at most .05, two-sided; the conservative dual criterion: "systematic", one-sided.

Randomisation tests, the Mann-Whitney test, NAP and piecewise regression by least squares run over all series; the
rest over the first `--slow` of them, as each takes some milliseconds. Every series has a seed of its own, so that any
one of them can be made again (`draw`). Sums over chunks of series are appended to
``benchmarks/single_cases.parts.csv``, and a run that was broken off goes on from there; delete that file to begin
anew. Results: ``benchmarks/single_cases.csv`` and the figures beside it. ``--draw`` makes the figures from the CSV
alone.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy import stats

import htresearch as ht
from htresearch.language import LANGUAGES, Text, label, speaking
from htresearch.singlecase.lottery import PhaseLottery
from htresearch.singlecase.many_series import normal_series, p_by_start
from htresearch.singlecase.power import nap_interval_z, piecewise_level_t
from htresearch.singlecase.reference import STATISTICS, PhaseSeries

AUTOCORRELATIONS = (0.0, 0.3, 0.5)
SHORTEST = (3, 3)
RECORDS = (20, 30)
CHUNK = 250
KEY = ["speed", "autocorrelation", "chunk"]
#: The result, in the order of the table; what it is called; whether it rests on a draw.
NAMES = {
    **{
        f"randomisation_{s}": Text(f"随机化检验：{{{s}}}", f"Randomisation test, {{{s}}}").format(
            **{s: Text(label(t).zh, label(t).en[0].lower() + label(t).en[1:] if s != "nap" else "NAP")}
        )
        for s, t in zip(
            STATISTICS,
            (
                "median_difference",
                "mean_difference",
                "trimmed_mean_difference",
                "nap",
                "level_change",
                "slope_change",
            ),
            strict=True,
        )
    },
    "randomisation_two_sided": Text("随机化检验：均值之差，双侧", "Randomisation test, means, two-sided"),
    "start_chosen": Text("起点是挑的，却照抽签的检验", "Start chosen, tested as if drawn"),
    "mann_whitney": Text("Mann-Whitney 检验", "Mann-Whitney test"),
    "nap_interval": Text("NAP 与 Tau 的区间", "NAP and Tau, interval"),
    "tau_u": Text("Tau-U（AB-A）", "Tau-U (AB-A)"),
    "tau_bc": Text("基线校正 Tau 的区间", "Baseline-corrected Tau, interval"),
    "cdc": Text("保守双重标准", "Conservative dual criterion"),
    "smd": Text("个案内标准化均差的区间", "Within-case SMD, interval"),
    "lrr": Text("对数反应比的区间", "Log response ratio, interval"),
    "lrm": Text("中位数对数比的区间", "Log ratio of medians, interval"),
    "piecewise_level": Text("分段回归：水平变化，OLS", "Piecewise regression, level, OLS"),
    "piecewise_ar1": Text("分段回归：水平变化，AR(1)", "Piecewise regression, level, AR(1)"),
    "piecewise_newey_west": Text("分段回归：水平变化，Newey-West", "Piecewise regression, level, Newey-West"),
}


def draw(autocorrelation: float, number: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return a series, all starts that could have been drawn, and the place among them of the one that was."""
    rng = np.random.default_rng([number, round(100 * autocorrelation)])
    n = int(rng.integers(*RECORDS, endpoint=True))
    values = 20 + 4 * normal_series(rng, 1, n, autocorrelation)[0]
    starts = PhaseLottery(n, SHORTEST).everything()[:, 0]
    return values, starts, int(rng.integers(len(starts)))


def fast(values: np.ndarray, starts: np.ndarray, drawn: int) -> dict[str, bool]:
    """Return what each method that takes no time finds."""
    row, at = values[None], np.array([drawn])
    start, errs, series = int(starts[drawn]), {}, PhaseSeries(values - np.median(values))
    for name in STATISTICS:
        found = series.statistic(starts[:, None], name)[None]
        errs[f"randomisation_{name}"] = _refuses(p_by_start(found, at, "improvement")[0])
        if name == "mean":
            errs["randomisation_two_sided"] = _refuses(p_by_start(found, at, "two-sided")[0])
            worst = np.array([int(values[starts - 1].argmin())])
            errs["start_chosen"] = _refuses(p_by_start(found, worst, "improvement")[0])
    before, after = values[:start], values[start:]
    errs["mann_whitney"] = _refuses(stats.mannwhitneyu(after, before).pvalue)
    errs["nap_interval"] = bool(abs(nap_interval_z(row, start)[0][0]) > stats.norm.ppf(0.975))
    t, df = piecewise_level_t(row, start)
    errs["piecewise_level"] = _refuses(2 * stats.t.sf(abs(t[0]), df))
    return errs


def slow(values: np.ndarray, starts: np.ndarray, drawn: int) -> dict[str, bool]:
    """Return what each of the other methods finds."""
    case = ht.singlecase
    phases = values[: starts[drawn]], values[starts[drawn] :]
    errs = {"tau_u": _refuses(case.tau_u(*phases).tidy()["p_value"][0])}
    for name in ("tau_bc", "smd", "lrr", "lrm"):
        row = getattr(case, name)(*phases).tidy().iloc[0]
        errs[name] = bool(row["conf_low"] > 0 or row["conf_high"] < 0)
    errs["cdc"] = bool(case.cdc(*phases).tidy()["systematic"][0])
    labels = ["A"] * len(phases[0]) + ["B"] * len(phases[1])
    for name, way in (("piecewise_ar1", "ar1"), ("piecewise_newey_west", "newey-west")):
        table = case.piecewise(values, labels, autocorrelation=way).tidy().set_index("term")
        errs[name] = _refuses(table.loc["level", "p_value"])
    return errs


def _refuses(p: float) -> bool:
    return bool(p <= 0.05 + 1e-12)


def chunk(speed: str, autocorrelation: float, number: int) -> pd.DataFrame:
    """Return the errors over one chunk of series, a row per method."""
    ways = {"fast": fast, "slow": slow}
    found = [ways[speed](*draw(autocorrelation, i)) for i in range(number * CHUNK, (number + 1) * CHUNK)]
    errors = pd.DataFrame(found).sum().rename_axis("method").rename("errors").reset_index()
    return errors.assign(speed=speed, autocorrelation=autocorrelation, chunk=number, series=CHUNK)


def run(series: int, slow_series: int) -> pd.DataFrame:
    """Do the chunks that are not yet on disk, keep each as it is done, and return all."""
    parts = Path(__file__).with_suffix(".parts.csv")
    done = set() if not parts.exists() else set(pd.read_csv(parts)[KEY].itertuples(index=False, name=None))
    wanted = {"fast": -(-series // CHUNK), "slow": -(-slow_series // CHUNK)}
    every = [(speed, rho, i) for speed in wanted for i, rho in product(range(wanted[speed]), AUTOCORRELATIONS)]
    tasks = [task for task in every if task not in done]
    for number, task in enumerate(tasks, 1):
        chunk(*task).to_csv(parts, mode="a", header=not parts.exists(), index=False, lineterminator="\n")
        print(f"\r{number} of {len(tasks)} chunks", end="", flush=True)
    return pd.read_csv(parts)


def summary(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the rate of each method at each autocorrelation, with its simulation error."""
    keys = ["method", "autocorrelation"]
    table = sums.groupby(keys, as_index=False)[["errors", "series"]].sum()
    table["rate"] = table["errors"] / table["series"]
    table["std_error"] = np.sqrt(table["rate"] * (1 - table["rate"]) / table["series"])
    order = {name: place for place, name in enumerate(NAMES)}
    return table.sort_values(keys, key=lambda c: c.map(order) if c.name == "method" else c).reset_index(drop=True)


def figure(table: pd.DataFrame, language: str, path: Path) -> None:
    """Draw the rates, a row per method."""
    with speaking(language):
        ht.theme()
        ax = plt.subplots(figsize=(7.2, 6.4), layout="constrained")[1]
        methods = list(reversed(NAMES))
        for number, (rho, rows) in enumerate(table.groupby("autocorrelation")):
            rows = rows.set_index("method").reindex(methods)
            name = Text(f"自相关 {rho:g}", f"autocorrelation {rho:g}")
            height = np.arange(len(methods)) + 0.2 * (1 - number)
            ax.errorbar(100 * rows["rate"], height, xerr=196 * rows["std_error"], fmt="osD"[number], label=str(name))
        ax.axvline(5, color="0.3", linewidth=1, zorder=1)
        ax.set_yticks(range(len(methods)), [str(NAMES[m]) for m in methods])
        ax.set_xlim(0)
        ax.set_xlabel(str(Text("没有效果时误报的比例（%）", "False alarms where there is no effect (%)")))
        ax.legend(loc="lower right")
        ax.figure.savefig(path, metadata={"Software": None})
        plt.close(ax.figure)


def main() -> None:
    """Run what is asked for, write the CSV, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=5000)
    parser.add_argument("--slow", type=int, default=2000)
    parser.add_argument("--draw", action="store_true")
    given = parser.parse_args()
    results = Path(__file__).with_suffix(".csv")
    if not given.draw:
        table = summary(run(given.series, given.slow))
        table.to_csv(results, index=False, float_format="%.6g", lineterminator="\n")
    table = pd.read_csv(results)
    for language in LANGUAGES:
        middle = "" if language == "en" else ".zh-CN"
        figure(table, language, results.with_name(f"single_cases{middle}.png"))
    print()
    rates = table.set_index(["method", "autocorrelation"])["rate"].unstack().loc[list(NAMES)]  # noqa: PD010
    print((100 * rates).round(1))


if __name__ == "__main__":
    main()
