"""Piecewise regression of several cases at once: the average change of level and slope, and how cases differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.multilevel import fit_multilevel
from htresearch.result import Estimates
from htresearch.singlecase.cases import Case, read_cases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.multilevel import MultilevelFit

RANDOM = ("level", "slope", "trend")
INFERENCES = ("satterthwaite", "kenward-roger", "cr2")


@dataclass(frozen=True)
class MultilevelPiecewise(Estimates):
    """Average intercept, trend, level and slope of several cases.

    Attributes
    ----------
    fit : MultilevelFit
        The whole model, with everything that can be asked of it.
    cases : tuple of Case
        The observations used.
    """

    fit: MultilevelFit = field(default=None, repr=False)
    cases: tuple[Case, ...] = field(default=(), repr=False)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw every case, time counted from its change, with the average lines."""
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.subplots(figsize=(6.8, 4.0))[1]
        for one in self.cases:
            clock = one.times - one.starts[1]
            for p in range(len(one.labels)):
                here = one.phase == p
                ax.plot(
                    clock[here], one.values[here], ".-", color="C0" if p % 2 == 0 else "C1", alpha=0.35, linewidth=0.8
                )
        found = self.frame.set_index("term")["estimate"]
        if "level" in found:
            before = float(np.mean([one.starts[1] - one.starts[0] for one in self.cases]))
            after = float(np.mean([one.lasts[1] - one.starts[1] for one in self.cases]))
            change = found["intercept"] + found["trend"] * before
            ax.plot([-before, 0], [found["intercept"], change], color="C0", linewidth=3)
            start = change + found["level"]
            ax.plot([0, after], [start, start + (found["trend"] + found["slope"]) * after], color="C1", linewidth=3)
        ax.axvline(-0.5, color="0.4", linestyle="--", linewidth=1)
        ax.set_xlabel(str(Text("距改变的时间", "Time since the change")))
        ax.set_ylabel(str(Text("观察值", "Observed value")))
        return ax


def piecewise_multilevel(
    frame: pd.DataFrame,
    case: str = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
    random: tuple[str, ...] = ("level",),
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
) -> MultilevelPiecewise:
    """Fit one piecewise regression to several cases, whose levels and changes differ at random.

    Parameters
    ----------
    frame
        A row per observation. A phase is a run of one label within a case; every case has as many.
    case, phase, value, time
        Columns. Without a time rows count as sessions in their order.
    random
        What differs between cases beside the intercept: any of ``"level"``, ``"slope"``, ``"trend"``; ``()`` for the
        intercept alone.
    inference
        ``"satterthwaite"``, ``"kenward-roger"`` or ``"cr2"`` (by case), as in `MultilevelFit.tidy`.
    conf_level
        Between 0 and 1.

    Returns
    -------
    MultilevelPiecewise
        `.tidy()`: ``intercept``, ``trend``, ``level``, ``slope`` (with more than two phases ``level[B]``,
        ``slope[B]``, ``level[A2]`` and so on, each against the phase before), coded as in `piecewise`, with the
        standard deviation between cases as between_case_sd where the term is random. `.glance()`: n, n_cases,
        n_phases, sigma, log_likelihood, criterion, singular. `.fit` is the model itself.

    Raises
    ------
    ColumnError, ArgumentError
        If columns are missing or hold what cannot be used, or cases have different numbers of phases.
    ModelError
        If the data cannot carry the model.

    References
    ----------
    Van den Noortgate, W., & Onghena, P. (2003). Hierarchical linear models for the quantitative integration of effect
    sizes in single-case research. Behavior Research Methods, Instruments, & Computers, 35, 1-10.
    https://doi.org/10.3758/BF03195492

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame({"case": np.repeat(list("pqrst"), 20), "phase": (["A"] * 8 + ["B"] * 12) * 5})
    >>> frame["value"] = 10 + 4 * (frame["phase"] == "B") + rng.normal(0, 1, 100)
    >>> found = ht.singlecase.piecewise_multilevel(frame, random=())
    >>> found.tidy()["term"].tolist()
    ['intercept', 'trend', 'level', 'slope']
    """
    checks.require(
        *_not_random(random),
        checks.one_of("inference", inference, INFERENCES),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    cases, note = read_cases(frame, case, phase, value, time, fewest=2)
    checks.require(_unlike(cases))
    names, table = _columns(cases)
    fixed = list(names)
    chosen = [column for column, term in names.items() if term.partition("[")[0] in random]
    within = " + ".join(["1", *chosen])
    fit = fit_multilevel(f"value ~ {' + '.join(fixed)} + ({within} | case)", table)
    found = fit.estimates(inference, conf_level)
    frame_found = _named(found.tidy(), names, fit)
    summary = pd.DataFrame(
        {
            "n": [len(table)],
            "n_cases": [len(cases)],
            "n_phases": [len(cases[0].labels)],
            "sigma": [float(fit.variance_components.set_index("group")["std_dev"]["Residual"])],
            "log_likelihood": [fit.log_likelihood],
            "criterion": [fit.criterion],
            "singular": [fit.singular],
        }
    )
    return MultilevelPiecewise(
        frame_found, summary, (*note, _CODING, _alike(cases, fit), *found.note), found.source, fit, tuple(cases)
    )


def _columns(cases: list[Case]) -> tuple[dict[str, str], pd.DataFrame]:
    """Return the columns of the model with the term of each, and a row per observation."""
    k = len(cases[0].labels)
    names = {"trend": "trend"}
    for p in range(1, k):
        ending = "" if k == 2 else f"[{cases[0].names[p]}]"
        names |= {f"level_{p}": f"level{ending}", f"slope_{p}": f"slope{ending}"}
    parts = []
    for one in cases:
        rows = {"case": one.name, "value": one.values, "trend": one.times - one.starts[0]}
        for p in range(1, k):
            # From its start on: each level and slope is the change against the phase before.
            since = (one.phase >= p).astype(float)
            rows |= {f"level_{p}": since, f"slope_{p}": since * (one.times - one.starts[p])}
        parts.append(pd.DataFrame(rows))
    return names, pd.concat(parts, ignore_index=True)


def _named(tidy: pd.DataFrame, names: dict[str, str], fit: MultilevelFit) -> pd.DataFrame:
    components = fit.variance_components
    between = components[components["group"] == "case"].set_index("term")["std_dev"]
    columns = [column for column in tidy.columns if not column.startswith("n_")]
    return tidy[columns].assign(
        term=["intercept" if t == "(Intercept)" else names[t] for t in tidy["term"]],
        between_case_sd=[float(between[t]) if t in between.index else np.nan for t in tidy["term"]],
    )


# --- refusals and notes ---------------------------------------------------------------------------------------------

_CODING = Text(
    "时间从每个个案第一次观察的 0 起算，各阶段的斜率从该阶段第一次的 0 起算；每个阶段与前一阶段相比。",
    "Time counts from 0 at each case's first session, a slope's clock from 0 at the first session of its phase; each "
    "phase is compared with the one before.",
)


def _alike(cases: list[Case], fit: MultilevelFit) -> Text:
    """Say how much residuals resemble those before them, which the model takes as independent."""
    rest = np.asarray(fit.residuals(), dtype=float)
    ends = np.cumsum([0, *[len(one.values) for one in cases]])
    own = [rest[a:b] for a, b in pairwise(ends)]
    squares = float(rest @ rest)
    phi = sum(float(r[1:] @ r[:-1]) for r in own) / squares if squares else 0.0
    return Text(
        f"个案之内的残差看作彼此独立；其一阶自相关为 {phi:.2f}" + ("，偏大：标准误偏小。" if phi > 0.2 else "。"),
        f"Residuals within cases are taken as independent; their lag-1 autocorrelation is {phi:.2f}"
        + (", which is large: standard errors are too small." if phi > 0.2 else "."),
    )


def _not_random(random: object) -> list[Fault | None]:
    if isinstance(random, (tuple, list)):
        return [checks.one_of("random", name, RANDOM) for name in random]
    return [
        Fault(
            checks.argument("random"),
            Text("须为名称的元组", "must be a tuple of names"),
            Text('例如 ("level",) 或 ()', 'For example ("level",) or ()'),
            random if isinstance(random, str) else type(random).__name__,
        )
    ]


def _unlike(cases: list[Case]) -> Fault | None:
    numbers = {len(one.labels) for one in cases}
    if len(numbers) == 1 and min(numbers) >= 2:
        return None
    return Fault(
        checks.argument("phase"),
        Text(
            "每个个案须有同样多的阶段，至少两个",
            "every case must have as many phases, at least two",
        ),
        Text("现有：{all}", "There are: {all}").format(
            all=listing([f"{one.name} {'-'.join(one.labels)}" for one in cases[:10]])
        ),
    )
