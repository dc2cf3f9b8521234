"""Are reliabilities, loadings and the reliability of class means recovered, and careless answers found?

    python benchmarks/scales.py --samples 2000

Answers come from known scales. ``scales.csv`` has, for each quantity and sample, the truth, the mean estimate, the
bias in per cent and how often the 95 % interval holds the truth; ``careless.csv`` has, for each kind of careless
answers, how many are flagged, and how many of the others.

Items: five that measure a trait with loadings .8, .7, .6, .5 and .7, as normal variables and cut into five answers
(where the truth is that of the cut answers, from a sample of two million; the loadings from their polychoric
correlations are held against those of the normal variables). Classes: 8 to 15 pupils, a share of .15 of
the variance between them. Careless: the head teachers' survey, 2 % of each kind among 1,000.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import htresearch as ht

LOADINGS = np.array([0.8, 0.7, 0.6, 0.5, 0.7])
THRESHOLDS = np.array([-1.5, -0.7, 0.2, 1.1])
KINDS = ("longstring", "alternating", "random", "speeding", "copied")
HERE = Path(__file__).parent
ITEMS = [f"q{i}" for i in range(1, len(LOADINGS) + 1)]


def answers(rng: np.random.Generator, n: int, ordinal: bool) -> pd.DataFrame:
    """Return answers to one scale."""
    unique = np.sqrt(1 - LOADINGS**2)
    drawn = rng.normal(size=(n, 1)) * LOADINGS + rng.normal(size=(n, len(LOADINGS))) * unique
    return pd.DataFrame(np.searchsorted(THRESHOLDS, drawn) + 1.0 if ordinal else drawn, columns=ITEMS)


@dataclass
class Tally:
    """Estimates of one quantity and whether their intervals hold the truth."""

    truth: float
    estimates: list
    held: list

    def add(self, row: pd.Series) -> None:
        """Count one estimate."""
        self.estimates.append(row["estimate"])
        self.held.append(row["conf_low"] <= self.truth <= row["conf_high"])

    def record(self) -> dict:
        """Return what the table shows."""
        mean = float(np.mean(self.estimates))
        return {
            "truth": self.truth,
            "mean_estimate": mean,
            "bias_percent": 100 * (mean / self.truth - 1),
            "coverage": float(np.mean(self.held)) if self.held else np.nan,
            "samples": len(self.estimates),
        }


def measured(model: str, frame: pd.DataFrame) -> pd.Series:
    """Return the loadings that the measurement model finds."""
    rows = ht.scales.cfa(model, frame, std_lv=True).tidy()
    return rows[rows["operator"] == "=~"].set_index("right")["estimate"]


def reliability(samples: int, n: int, ordinal: bool) -> list[dict]:
    """Alpha with each interval, omega with each, and the loadings of a measurement model."""
    if ordinal:
        large = answers(np.random.default_rng(0), 2_000_000, True)
        truth_alpha = ht.scales.alpha(large).tidy()["estimate"][0]
        truth_omega = ht.scales.omega(large).tidy()["estimate"][0]
    else:
        common, unique = LOADINGS.sum() ** 2, (1 - LOADINGS**2).sum()
        truth_omega = common / (common + unique)
        k = len(LOADINGS)
        truth_alpha = k / (k - 1) * (1 - k / (common + unique))
    tallies = {("alpha", i): Tally(truth_alpha, [], []) for i in ("adf", "normal", "feldt")}
    tallies |= {("omega", i): Tally(truth_omega, [], []) for i in ("robust", "normal")}
    model = f"trait =~ {' + '.join(ITEMS)}"
    true_loadings = measured(model, large) if ordinal else pd.Series(LOADINGS, ITEMS)
    tallies |= {(f"loading {name}", "normal"): Tally(float(x), [], []) for name, x in true_loadings.items()}
    if ordinal:
        tallies |= {
            (f"loading {name}, polychoric", ""): Tally(float(x), [], [])
            for name, x in zip(ITEMS, LOADINGS, strict=True)
        }
    for seed in range(samples):
        sample = answers(np.random.default_rng([1, seed]), n, ordinal)
        for (name, way), tally in tallies.items():
            if name in ("alpha", "omega"):
                tally.add(getattr(ht.scales, name)(sample, interval=way).tidy().iloc[0])
        rows = ht.scales.cfa(model, sample, std_lv=True).tidy().set_index("right")
        rows = rows[rows["operator"] == "=~"]
        for name in ITEMS:
            tallies[f"loading {name}", "normal"].add(rows.loc[name])
        if ordinal:
            found = ht.scales.efa(sample, 1, kind="polychoric").loadings
            for name in ITEMS:
                tallies[f"loading {name}, polychoric", ""].estimates.append(found.loc[name].item())
    kind = "five answers" if ordinal else "normal"
    return [{"quantity": q, "interval": way, "data": kind, "n": n, **t.record()} for (q, way), t in tallies.items()]


def class_means(samples: int, classes: int) -> list[dict]:
    """The reliability of a class mean, and the share of variance between classes."""
    sizes = np.random.default_rng(2).integers(8, 16, classes)
    group = np.repeat(np.arange(classes), sizes)
    mean = sizes.mean()
    tallies = {
        "group_mean_reliability": Tally(float(np.mean(0.15 * sizes / (0.15 * sizes + 0.85))), [], []),
        "icc1": Tally(0.15, [], []),
        "icc2": Tally(float(0.15 * mean / (0.15 * mean + 0.85)), [], []),
    }
    for seed in range(samples):
        rng = np.random.default_rng([3, seed])
        x = rng.normal(0, 0.15**0.5, classes)[group] + rng.normal(0, 0.85**0.5, len(group))
        rows = ht.scales.agreement(pd.DataFrame({"x": x, "class": group}), "x", "class").tidy().set_index("term")
        for name, tally in tallies.items():
            tally.add(rows.loc[name])
    return [
        {"quantity": q, "interval": "F", "data": "normal", "n": classes, **t.record()} for q, t in tallies.items()
    ]


def survey(rng: np.random.Generator, instrument, n: int, share: float = 0.02) -> tuple[pd.DataFrame, np.ndarray]:
    """Return answers to a whole form, and who of them is careless in which way."""
    kind = np.full(n, "", dtype=object)
    for place, name in enumerate(KINDS):
        kind[place * round(share * n) : (place + 1) * round(share * n)] = name
    tone, height = rng.normal(size=n), rng.integers(1, 6, n)
    copied = np.flatnonzero(kind == "copied")
    columns = {}
    for scale in instrument.scales.values():
        trait = 0.55 * tone + np.sqrt(1 - 0.55**2) * rng.normal(size=n)
        for name, key in scale.items.items():
            loading = 0.7 if key > 0 else 0.6
            latent = 0.3 + key * (loading * trait + np.sqrt(1 - loading**2) * rng.normal(size=n))
            columns[name] = 1.0 + np.searchsorted([-1.5, -0.5, 0.5, 1.5], latent)
    for turn, name in enumerate(name for name in instrument.items if name in columns):
        column = columns[name]
        column[kind == "longstring"] = height[kind == "longstring"]
        column[kind == "alternating"] = np.minimum(height, 4)[kind == "alternating"] + turn % 2
        blind = (kind == "random") | ((kind == "speeding") & (rng.random(n) < 0.5))
        column[blind] = rng.integers(1, 6, int(blind.sum()))
        own = rng.random(len(copied)) < 0.03
        column[copied] = np.where(own, column[copied], column[copied - n // 2])
        column[rng.random(n) < 0.01] = np.nan
    seconds = len(columns) * 5 * np.exp(rng.normal(0, 0.35, n))
    seconds = np.where(kind == "speeding", len(columns) * rng.uniform(0.7, 1.5, n), seconds)
    return pd.DataFrame({"duration_s": seconds, **columns}), kind


def careless(samples: int, n: int) -> pd.DataFrame:
    """How many of each kind are flagged, and by which index."""
    instrument = ht.load_instrument(HERE.parent / "surveys" / "head_teacher.yaml")
    found = []
    for seed in range(samples):
        frame, kind = survey(np.random.default_rng([4, seed]), instrument, n)
        table = ht.scales.careless(frame, instrument)
        flags = pd.DataFrame({"any": table["flag"]})
        for name, cut in table.cutoffs.items():
            flags[name] = table[name] < cut if name == "seconds_per_item" else table[name] >= cut
        found.append(flags.astype(float).groupby(np.where(kind == "", "none", kind)).mean())
    return pd.concat(found).groupby(level=0).mean().rename_axis("kind").reset_index().assign(samples=samples)


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    rows = []
    for n in (200, 1000):
        rows += reliability(given.samples, n, ordinal=False) + reliability(given.samples, n, ordinal=True)
    for classes in (100, 500):
        rows += class_means(given.samples, classes)
    table = pd.DataFrame(rows)
    table.round(4).to_csv(given.out / "scales.csv", index=False)
    flagged = careless(max(given.samples // 20, 5), 1000)
    flagged.round(3).to_csv(given.out / "careless.csv", index=False)
    print(table.round(3).to_string(index=False), flagged.round(3).to_string(index=False), sep="\n\n")


if __name__ == "__main__":
    main()
