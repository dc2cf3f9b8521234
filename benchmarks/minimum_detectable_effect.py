"""Does an effect of the minimum detectable size come out significant as often as planned?

    python benchmarks/minimum_detectable_effect.py --replicates 2000

Each replicate simulates a small district with an effect of exactly the minimum detectable size at 80 % power, fits
the multilevel model that belongs to the design, and tests the effect at .05, two-sided, with Satterthwaite degrees of
freedom. ``rejected_null`` is how often the same tests reject the true effect: without an effect, that is how often
they would reject. The result goes to ``benchmarks/minimum_detectable_effect.csv``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import htresearch as ht

#: Name, model, and the design in the words of `minimum_detectable_effect`.
DESIGNS = {
    "schools randomised, 2 levels": (
        "y ~ treated + (1 | school)",
        {"levels": 2, "treatment_level": 2, "schools": 24, "pupils_per_school": 20, "icc_school": 0.2},
    ),
    "schools randomised, 3 levels": (
        "y ~ treated + (1 | school/class)",
        {"levels": 3, "treatment_level": 3, "schools": 24, "classes_per_school": 4, "pupils_per_class": 10}
        | {"icc_school": 0.15, "icc_class": 0.1},
    ),
    "pupils randomised in schools, random": (
        "y ~ treated + (treated || school)",
        {"levels": 2, "treatment_level": 1, "schools": 24, "pupils_per_school": 20, "icc_school": 0.2}
        | {"blocks": "random", "omega_school": 0.5},
    ),
    "classes randomised in schools, random": (
        "y ~ treated + (treated || school) + (1 | school:class)",
        {"levels": 3, "treatment_level": 2, "schools": 24, "classes_per_school": 6, "pupils_per_class": 10}
        | {"icc_school": 0.15, "icc_class": 0.1, "blocks": "random", "omega_school": 0.8},
    ),
    "classes randomised in schools, one effect": (
        "y ~ treated + C(school) + (1 | school:class)",
        {"levels": 3, "treatment_level": 2, "schools": 20, "classes_per_school": 2, "pupils_per_class": 15}
        | {"icc_school": 0.15, "icc_class": 0.1, "blocks": "constant"},
    ),
}


def district(design: dict, effect: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return one simulated district; half of the units of the randomised level are treated, in every block."""
    schools, classes = design["schools"], design.get("classes_per_school", 1)
    pupils = design.get("pupils_per_class", design.get("pupils_per_school"))
    school = np.repeat(np.arange(schools), classes * pupils)
    class_ = np.repeat(np.arange(schools * classes), pupils)
    # Blocks hold as many treated as control units; whole schools are treated at random.
    within = {1: np.arange(len(school)), 2: class_, 3: school}[design["treatment_level"]]
    if design["treatment_level"] == design["levels"]:
        within = rng.permutation(schools)[school]
    treated = (within % 2).astype(float)
    icc_school, icc_class = design["icc_school"], design.get("icc_class", 0)
    y = rng.normal(0, np.sqrt(icc_school), schools)[school]
    y += rng.normal(0, np.sqrt(icc_class), schools * classes)[class_]
    y += rng.normal(0, np.sqrt(1 - icc_school - icc_class), len(school))
    spread = np.sqrt(design.get("omega_school", 0) * icc_school)
    # Centred treatment, so that the school's own variance is the same in both arms together.
    y += effect * treated + rng.normal(0, spread, schools)[school] * (treated - 0.5)
    return pd.DataFrame({"school": school, "class": class_, "treated": treated - 0.5, "y": y})


def rejections(formula: str, design: dict, effect: float, rng: np.random.Generator) -> tuple[bool, bool]:
    """Tell whether 0 and whether the true effect are rejected at .05 in one district."""
    fit = ht.fit_multilevel(formula, district(design, effect, rng))
    found = fit.tidy(inference="satterthwaite").set_index("term").loc["treated"]
    critical = stats.t.isf(0.025, found["df"]) * found["std_error"]
    return abs(found["estimate"]) > critical, abs(found["estimate"] - effect) > critical


def main() -> None:
    """Run every design and print the share of rejections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    replicates = parser.parse_args().replicates
    rows = []
    for number, (name, (formula, design)) in enumerate(DESIGNS.items()):
        planned = ht.minimum_detectable_effect(**design).tidy().loc[0]
        rng = np.random.default_rng([number, 1])
        tests = [rejections(formula, design, planned["mdes"], rng) for _ in range(replicates)]
        power, null = np.mean(tests, axis=0)
        rows.append(
            {
                "design": name,
                "model": formula,
                "mdes": planned["mdes"],
                "df": planned["df"],
                "replicates": replicates,
                "planned": planned["power"],
                "rejected": power,
                "std_error": np.sqrt(planned["power"] * (1 - planned["power"]) / replicates),
                "rejected_null": null,
            }
        )
        print(pd.DataFrame(rows[-1:]).round(4).to_string(header=number == 0, index=False), flush=True)
    result = Path(__file__).with_suffix(".csv")
    pd.DataFrame(rows).round(6).to_csv(result, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
