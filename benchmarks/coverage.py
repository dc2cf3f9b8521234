"""How often do 95 % intervals of a multilevel model hold the truth, over many simulated districts?

    python benchmarks/coverage.py --districts 10000 --workers 1

Pupils in classes in schools, ``y ~ treated_class + treated_school + (1 | school/class)``, REML, one fit per district.
Half of each school's classes are treated, and some of the schools; the intraclass correlations are drawn anew for
every district (school .05 to .10, class .10 to .15 of a variance of 1). Designs:

- ``balanced``: 26 schools of 14 classes of 38 pupils, 13 schools treated;
- ``five_treated``: 26 schools of 8 to 20 classes of 30 to 45 pupils, 5 schools treated;
- ``ten_schools``: 10 such schools, 5 treated.

Errors:

- ``normal``: as modelled;
- ``skewed``: pupils, classes and schools follow χ² with 3 degrees of freedom, centred (skewness 1.63);
- ``unequal_schools``: variances of pupils and classes differ by school by a log-normal factor of mean 1 (standard
  deviation of its logarithm .7: its ninth decile is six times its first);
- ``unequal_arms``: class effects vary three times as much in treated classes, school effects in treated schools.

Every district has a seed of its own, so that any one of them can be made again (`draw`). Sums over chunks of
districts are appended to ``benchmarks/coverage.parts.csv``, and a run that was broken off goes on from there; delete
that file to begin anew. Results: ``benchmarks/coverage.csv`` and the figures beside it. ``--draw`` makes the figures
from the CSV alone.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy import stats

import htresearch as ht
from htresearch.language import LANGUAGES, Text, speaking
from htresearch.multilevel.crossproducts import INTERCEPT, from_rows
from htresearch.multilevel.degrees import KenwardRoger, Normal, Satterthwaite
from htresearch.multilevel.reml import solve_products
from htresearch.multilevel.robust import ClusterRobust


@dataclass(frozen=True)
class Design:
    """Schools, how many of them are treated, and the ranges of classes per school and pupils per class."""

    schools: int
    treated: int
    classes: tuple[int, int] = (8, 20)
    pupils: tuple[int, int] = (30, 45)


DESIGNS = {
    "balanced": Design(26, 13, (14, 14), (38, 38)),
    "five_treated": Design(26, 5),
    "ten_schools": Design(10, 5),
}
ERRORS = ("normal", "skewed", "unequal_schools", "unequal_arms")
EFFECTS = {"class": 0.2, "school": 0.1}
INFERENCES = {
    "satterthwaite": Satterthwaite,
    "kenward-roger": KenwardRoger,
    "cr2": lambda solution: ClusterRobust(solution, np.arange(solution.products.nest.sizes[0])),
    "normal": Normal,
}
CHUNK = 250
KEY = ["design", "errors", "chunk"]


def draw(design: str, errors: str, seed: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return a district: columns [1, treated class, treated school, y] by pupil, and their school and class."""
    rng = np.random.default_rng([seed, list(DESIGNS).index(design), ERRORS.index(errors)])
    plan = DESIGNS[design]
    classes = rng.integers(*plan.classes, plan.schools, endpoint=True)
    school = np.repeat(np.arange(plan.schools), classes)
    size = rng.integers(*plan.pupils, len(school), endpoint=True)
    pupil = np.repeat(np.arange(len(school)), size)
    treated_school = rng.permutation(plan.schools) < plan.treated
    # Half of a school's classes at random; which half the odd one belongs to is drawn too.
    place = np.lexsort((rng.random(len(school)), school)).argsort() - (np.cumsum(classes) - classes)[school]
    treated_class = 2 * place + rng.integers(0, 2, plan.schools)[school] < classes[school]

    of_school, of_class = rng.uniform(0.05, 0.10), rng.uniform(0.10, 0.15)
    variances = np.full(plan.schools, of_school), np.full(len(school), of_class)
    residual = np.full(len(school), 1 - of_school - of_class)
    if errors == "unequal_schools":
        factor = np.exp(0.7 * rng.normal(size=plan.schools) - 0.7**2 / 2)[school]
        variances, residual = (variances[0], variances[1] * factor), residual * factor
    if errors == "unequal_arms":
        variances = variances[0] * np.where(treated_school, 3, 1), variances[1] * np.where(treated_class, 3, 1)

    def effects(variance: np.ndarray) -> np.ndarray:
        if errors == "skewed":
            return np.sqrt(variance) * (rng.chisquare(3, len(variance)) - 3) / np.sqrt(6)
        return np.sqrt(variance) * rng.normal(size=len(variance))

    mean = EFFECTS["class"] * treated_class + EFFECTS["school"] * treated_school[school]
    mean = mean + effects(variances[0])[school] + effects(variances[1])
    y = mean[pupil] + effects(residual[pupil])
    columns = np.column_stack([np.ones(len(y)), treated_class[pupil], treated_school[school][pupil], y])
    return columns, (school[pupil], pupil)


def intervals(columns: np.ndarray, codes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, bool, bool]:
    """Return estimates by effect, reaches of intervals by inference and effect, whether singular, whether converged.

    Formulas and tables are left out; all else is what `fit_multilevel` and `tidy` do.
    """
    products = from_rows(columns, columns[:, :1], codes, (INTERCEPT, *EFFECTS, "y"), (INTERCEPT,))
    solution = solve_products(products, [(0, (0,)), (1, (0,))], reml=True)
    contrasts = np.eye(3)[1:]
    reaches = []
    for inference in INFERENCES.values():
        way = inference(solution)
        std_error = np.sqrt(np.diag(way.covariance)[1:])
        reaches.append(stats.t.ppf(0.975, way.df(contrasts)) * std_error)
    return solution.beta[1:], np.array(reaches), solution.singular, solution.converged


def chunk(task: tuple[str, str, int]) -> pd.DataFrame:
    """Return the sums over one chunk of districts, a row per effect and inference."""
    design, errors, number = task
    held, width = np.zeros((2, len(INFERENCES), len(EFFECTS)))
    singular = unconverged = 0
    truth = np.array(list(EFFECTS.values()))
    for seed in range(number * CHUNK, (number + 1) * CHUNK):
        estimate, reach, on_boundary, converged = intervals(*draw(design, errors, seed))
        held += np.abs(estimate - truth) <= reach
        width += 2 * reach
        singular += on_boundary
        unconverged += not converged
    rows = pd.DataFrame(list(product(INFERENCES, EFFECTS)), columns=["inference", "effect"])
    sums = {"held": held.ravel().astype(int), "width": width.ravel(), "singular": singular}
    cell = {"design": design, "errors": errors, "chunk": number, "districts": CHUNK}
    return rows.assign(**cell, **sums, unconverged=unconverged)


def run(districts: int, workers: int) -> pd.DataFrame:
    """Do the chunks that are not yet on disk, keep each as it is done, and return all."""
    parts = Path(__file__).with_suffix(".parts.csv")
    done = set() if not parts.exists() else set(pd.read_csv(parts)[KEY].itertuples(index=False, name=None))
    chunks = -(-districts // CHUNK)
    every = [(*cell, number) for number in range(chunks) for cell in product(DESIGNS, ERRORS)]
    tasks = [task for task in every if task not in done]
    with ProcessPoolExecutor(workers) as pool:
        for number, sums in enumerate(pool.map(chunk, tasks), 1):
            sums.to_csv(parts, mode="a", header=not parts.exists(), index=False, lineterminator="\n")
            print(f"\r{number}/{len(tasks)}", end="", flush=True)
    print()
    found = pd.read_csv(parts)
    return found[found["chunk"] < chunks]


def summarise(parts: pd.DataFrame) -> pd.DataFrame:
    """Return coverage with its Monte Carlo standard error, mean width, shares of singular and unconverged fits."""
    sums = parts.groupby(["design", "errors", "effect", "inference"], sort=False).sum().drop(columns="chunk")
    share = sums.div(sums["districts"], axis=0)
    table = pd.DataFrame(
        {
            "districts": sums["districts"],
            "coverage": share["held"],
            "std_error": np.sqrt(share["held"] * (1 - share["held"]) / sums["districts"]),
            "width": share["width"],
            "singular": share["singular"],
            "unconverged": share["unconverged"],
        }
    ).reset_index()
    order = {"design": DESIGNS, "errors": ERRORS, "effect": EFFECTS, "inference": INFERENCES}
    return table.sort_values(list(order), key=lambda column: column.map(list(order[column.name]).index))


_WORDS = {
    "balanced": Text("26 所学校，均衡，13 所参加", "26 schools, balanced, 13 treated"),
    "five_treated": Text("26 所学校，5 所参加", "26 schools, 5 treated"),
    "ten_schools": Text("10 所学校，5 所参加", "10 schools, 5 treated"),
    "normal": Text("正态，与模型一致", "normal, as modelled"),
    "skewed": Text("偏态", "skewed"),
    "unequal_schools": Text("各校方差不同", "variances differ by school"),
    "unequal_arms": Text("参加者的方差是三倍", "the treated vary three times as much"),
    "class": Text("班级层面的效应", "class-level effect"),
    "school": Text("学校层面的效应", "school-level effect"),
}
_INFERENCES = {
    "satterthwaite": "Satterthwaite",
    "kenward-roger": "Kenward-Roger",
    "cr2": Text("CR2（按学校）", "CR2, by school"),
    "normal": Text("正态（自由度无穷大）", "Normal (df infinite)"),
}


def draw_figure(table: pd.DataFrame, path: Path) -> None:
    """Draw coverage by design, effect, inference and errors, in the language now spoken."""
    ht.theme()
    figure, axes = plt.subplots(
        len(DESIGNS), len(EFFECTS), figsize=(8.8, 7.8), sharex=True, sharey=True, layout="constrained"
    )
    for (design, effect), ax in zip(product(DESIGNS, EFFECTS), axes.flat, strict=True):
        said = {"design": _WORDS[design], "effect": _WORDS[effect]}
        ax.axvspan(94, 96, color="0.9", zorder=0)
        ax.axvline(95, color="0.5", linewidth=1, zorder=1)
        ax.grid(axis="y", visible=False)
        for i, errors in enumerate(ERRORS):
            rows = table[(table["design"] == design) & (table["effect"] == effect) & (table["errors"] == errors)]
            rows = rows.set_index("inference").loc[list(INFERENCES)]
            height = np.arange(len(INFERENCES))[::-1] + 0.18 * ((len(ERRORS) - 1) / 2 - i)
            ax.errorbar(
                100 * rows["coverage"],
                height,
                xerr=196 * rows["std_error"],
                fmt="os^D"[i],
                markersize=5,
                markerfacecolor=f"C{i}" if i < 2 else "white",
                color=f"C{i}",
                linewidth=1,
                label=str(_WORDS[errors]),
            )
        ax.set_yticks(range(len(INFERENCES))[::-1], [str(_INFERENCES[name]) for name in INFERENCES])
        ax.set_title(str(Text("{design}：{effect}", "{design}: {effect}").format(**said)), fontsize=10)
    for ax in axes[-1]:
        ax.set_xlabel(str(Text("95 % 区间包含真值的比例（%）", "95 % intervals that hold the truth (%)")))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    title = str(Text("误差与随机效应", "Errors and random effects"))
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), title=title)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Run the study, or go on with it, and write the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--districts", type=int, default=10_000, help=f"in each cell, a multiple of {CHUNK}")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--draw", action="store_true", help="make the figures only")
    given = parser.parse_args()
    out = Path(__file__).with_suffix(".csv")
    if not given.draw:
        table = summarise(run(given.districts, given.workers))
        table.round(5).to_csv(out, index=False, lineterminator="\n")
    table = pd.read_csv(out)
    print(table.to_string(index=False))
    for spoken in LANGUAGES:
        with speaking(spoken):
            draw_figure(table, out.with_name("coverage.png" if spoken == "en" else "coverage.zh-CN.png"))


if __name__ == "__main__":
    main()
