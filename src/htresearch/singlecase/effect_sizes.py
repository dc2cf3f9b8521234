"""All effect sizes of all cases in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, Fault, HTResearchError
from htresearch.language import Text, label, listing, speaking
from htresearch.result import Estimates
from htresearch.singlecase.effect import EffectSize, positive
from htresearch.singlecase.gradual import gradual_effects
from htresearch.singlecase.medians import lrm
from htresearch.singlecase.overlap import nap, pem, pnd
from htresearch.singlecase.parametric import pogo, smd
from htresearch.singlecase.phase_pairs import PhasePair, phase_pairs
from htresearch.singlecase.ratios import SCALES, TOP, lor, lrr
from htresearch.singlecase.removal import ird, pand
from htresearch.singlecase.tau import tau, tau_bc, tau_u
from htresearch.singlecase.trend import cdc, pet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Every index in the order of the table.
INDICES = (
    "nap",
    "tau",
    "tau_u",
    "tau_bc",
    "pnd",
    "pem",
    "pet",
    "pand",
    "ird",
    "cdc",
    "smd",
    "hedges_g",
    "lrr",
    "lrr_decreasing",
    "lrm",
    "lor",
    "pogo",
    "gradual_effects",
)
_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
_NULL = {"nap": 0.5, "pem": 0.5, "pet": 0.5, "pnd": np.nan, "pand": np.nan, "cdc": np.nan}

#: On another scale than the indices they would be drawn beside, or with improvement on the other side.
_APART = ("pogo", "gradual_delay", "lrr_decreasing")


class EffectSizes(Estimates):
    """Effect sizes of several cases: the columns that name the case come first."""

    zero = False

    def __post_init__(self):
        super().__post_init__()
        named = [c for c in ("case", "pair") if c in self.frame]
        object.__setattr__(self, "frame", self.frame[named + [c for c in self.frame if c not in named]])

    def plot(
        self, ax: Axes | None = None, terms: list[str] | None = None, index: str | None = None, case: object = None
    ) -> Axes:
        """Draw one index for every case, or the indices of one case, each estimate with its interval.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        terms
            Which indices of the one case; those whose no effect is 0 and improvement above it if not given.
        index
            The index to draw for every case; the first one if there are several cases and no `case` is given.
        case
            The case whose indices are drawn.

        Raises
        ------
        ArgumentError
            If there is no such index or case, or nothing to draw.
        """
        several = self.frame["case"].nunique() * self.frame["pair"].nunique() > 1
        if index is None and case is None and terms is None and several:
            index = str(self.frame["term"].iloc[0])
        rows = self.frame if index is None else self.frame[self.frame["term"] == index]
        if case is None and index is None:
            case = self.frame["case"].iloc[0]
        if case is not None:
            rows = rows[rows["case"] == case]
        if index is None:
            wanted = terms or [t for t in rows["term"] if _NULL.get(t, 0.0) == 0 and t not in _APART]
            rows = rows.dropna(subset=["estimate"])
            rows = rows[rows["term"].isin(wanted)]
        if rows.empty:
            raise ArgumentError(_nothing_drawn(index, case, self.frame))
        return _forest(rows, index, ax)


def effect_sizes(
    frame: pd.DataFrame,
    phase: str = "phase",
    value: str = "value",
    case: str = "case",
    time: str | None = None,
    baseline: object = None,
    improvement: str | Mapping = "increase",
    indices: Iterable[str] | None = None,
    phases: str = "pairs",
    scale: str = "count",
    intervals: float | None = None,
    observation_length: float | None = None,
    goal: float | Mapping | None = None,
    conf_level: float = 0.95,
) -> EffectSizes:
    """Estimate every effect size of every case.

    Parameters
    ----------
    frame
        A row per observation.
    phase, value, case, time
        Names of its columns. Without a column ``"case"`` all rows are one case. `time` orders the observations of a
        case; rows are in order if it is not given.
    baseline
        The label of baseline phases, or several; that of each case's first phase if not given. Labels that differ
        only in a number at their end (A1, A2) are one.
    improvement
        ``"increase"`` or ``"decrease"``, the name of a column that says which, or a mapping from case to direction.
    indices
        Names out of `INDICES`; all if not given.
    phases
        Where a case has more than two phases (ABAB): ``"pairs"`` compares each baseline phase with the treatment
        phase right after it, ``"pooled"`` all baseline observations with all treatment observations.
    scale, intervals, observation_length
        What the values are: see `lrr`, `lor` and `gradual_effects`.
    goal
        Level aimed at, one or a mapping from case to it: see `pogo`.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSizes
        `.tidy()`: a row per case, pair of phases and index: case, pair, term, estimate, std_error, statistic,
        p_value, conf_low, conf_high, n_baseline, n_treatment, improvement, reason. An index that cannot be computed
        is missing, with its reason. `.glance()`: cases, pairs, indices, observations, missing, not_computed.

    Raises
    ------
    ArgumentError
        If a column is not there or holds what it cannot, or an option is none of those above.

    Notes
    -----
    Indices differ in scale and meaning: choose one before looking, and give that one. Twenty numbers about the same
    observations are no twenty findings.

    References
    ----------
    Pustejovsky, J. E. (2019). Procedural sensitivities of effect sizes for single-case designs with directly observed
    behavioral outcome measures. Psychological Methods, 24, 217-235. https://doi.org/10.1037/met0000179

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({"case": ["a"] * 8, "phase": list("AAAABBBB"), "value": [3, 4, 3, 5, 6, 7, 5, 8]})
    >>> ht.singlecase.effect_sizes(frame, indices=["nap", "pnd"]).tidy()[["case", "term", "estimate"]]
      case term  estimate
    0    a  nap   0.96875
    1    a  pnd   0.75000
    """
    chosen = _chosen(indices)
    checks.require(
        checks.one_of("scale", scale, SCALES),
        positive("intervals", intervals),
        positive("observation_length", observation_length),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    pairs, note = phase_pairs(frame, phase, value, case, time, baseline, improvement, phases)
    options = {"scale": scale, "intervals": intervals, "observation_length": observation_length, "goal": goal}
    rows: list[dict] = []
    said: dict[Text, tuple[dict, dict]] = {}
    for pair in pairs:
        for name in chosen:
            new, notes = _rows(name, pair, options, conf_level)
            rows += new
            for text in notes:
                names, cases = said.setdefault(text, ({}, {}))
                names[name], cases[str(pair.case)] = label(name), None
    columns = ["case", "pair", "term", *_NUMBERS, "n_baseline", "n_treatment", "improvement", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    about = {
        "cases": [table["case"].nunique()],
        "pairs": [len(pairs)],
        "indices": [len(chosen)],
        "observations": [sum(_observed(x) for p in pairs for x in (p.baseline, p.treatment))],
        "missing": [sum(len(x) - _observed(x) for p in pairs for x in (p.baseline, p.treatment))],
        "not_computed": [int(table["estimate"].isna().sum())],
    }
    if about["missing"][0]:
        note.append(
            Text("缺失的观察未计入：共 {n} 次。", "Missing observations do not count: {n} in all.").format(
                n=about["missing"][0]
            )
        )
    every = len({str(p.case) for p in pairs})
    note += [_about(text, names, cases, len(chosen), every) for text, (names, cases) in said.items()]
    return EffectSizes(table, pd.DataFrame(about), tuple(dict.fromkeys(note)), "https://doi.org/10.1037/met0000179")


def _rows(name: str, pair: PhasePair, options: dict, conf_level: float) -> tuple[list[dict], tuple[Text, ...]]:
    """Return the rows of one index of one pair of phases, and its notes."""
    about = {
        "case": pair.case,
        "pair": pair.pair,
        "n_baseline": _observed(pair.baseline),
        "n_treatment": _observed(pair.treatment),
        "improvement": pair.improvement,
    }
    terms = ("gradual_immediate", "gradual_total", "gradual_delay") if name == "gradual_effects" else (name,)
    try:
        found = _compute(name, pair, options, conf_level)
    except HTResearchError as error:
        return [{**about, "term": t, **dict.fromkeys(_NUMBERS, np.nan), "reason": _in_both(error)} for t in terms], ()
    rows = []
    for _, row in found.frame.iterrows():
        numbers = {c: row.get(c, np.nan) for c in _NUMBERS}
        reason = _reason(found) if np.isnan(numbers["estimate"]) else None
        rows.append({**about, "term": row["term"], **numbers, "reason": reason})
    return rows, _own_notes(found)


def _reason(found: EffectSize) -> Text:
    """Return why an index is missing: the last thing it says about itself."""
    return _own_notes(found)[-1]


def _own_notes(found: EffectSize) -> tuple[Text, ...]:
    """Return the notes but for the last one where it counts missing observations, which the table counts once."""
    counted = bool(found.summary[["missing_baseline", "missing_treatment"]].to_numpy().any())
    return found.note[:-1] if counted else found.note


def _compute(name: str, pair: PhasePair, options: dict, conf_level: float) -> EffectSize:
    scale, intervals = options["scale"], options["intervals"]
    phases = {"baseline": pair.baseline, "treatment": pair.treatment, "improvement": pair.improvement}
    plain: dict[str, Callable] = {"pnd": pnd, "pem": pem, "pet": pet, "pand": pand, "ird": ird, "cdc": cdc}
    if name in plain:
        return plain[name](**phases)
    phases["conf_level"] = conf_level
    if name in (with_level := {"nap": nap, "tau": tau, "tau_u": tau_u, "tau_bc": tau_bc, "smd": smd, "lrm": lrm}):
        return with_level[name](**phases)
    if name == "hedges_g":
        return smd(**phases, std_dev="pooled")
    if name in ("lrr", "lrr_decreasing"):
        form = "increasing" if name == "lrr" else "decreasing"
        return lrr(
            **phases,
            form=form,
            scale=scale,
            intervals=intervals,
            observation_length=options["observation_length"],
        )
    if name == "lor":
        if scale not in TOP:
            raise ArgumentError(_no_share(scale))
        return lor(**phases, scale=scale, intervals=intervals)
    if name == "pogo":
        goal = options["goal"]
        return pogo(**phases, goal=goal.get(pair.case) if isinstance(goal, Mapping) else goal)
    return gradual_effects(**phases, scale="count" if scale == "rate" else scale)


def _forest(rows: pd.DataFrame, index: str | None, ax: Axes | None) -> Axes:
    """Draw rows from the top, by case or by index."""
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(figsize=(6.8, 0.3 * len(rows) + 1.2))[1]
    if index is None:
        names = [str(label(t)) for t in rows["term"]]
    else:
        several = (rows["pair"] != rows["pair"].iloc[0]).any()
        names = [f"{c} · {p}" if several else str(c) for c, p in zip(rows["case"], rows["pair"], strict=True)]
    height = np.arange(len(rows))[::-1]
    null = 0.0 if index is None else _NULL.get(index, 0.0)
    if not np.isnan(null):
        ax.axvline(null, color="0.3", linewidth=1, zorder=1)
    ax.grid(axis="y", visible=False)
    ax.hlines(
        height, rows["conf_low"].fillna(rows["estimate"]), rows["conf_high"].fillna(rows["estimate"]), "C0", lw=2
    )
    ax.plot(rows["estimate"], height, "o", color="C0")
    ax.set_yticks(height, names)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    said = Text("估计值与置信区间", "Estimate with confidence interval")
    what = said if index is None else Text("{what}：{said}", "{what}: {said}").format(what=label(index), said=said)
    ax.set_xlabel(str(what))
    return ax


# --- refusals and notes ---------------------------------------------------------------------------------------------


def _chosen(indices: Iterable[str] | None) -> list[str]:
    if indices is None:
        return list(INDICES)
    wanted = [indices] if isinstance(indices, str) else list(indices) if isinstance(indices, Iterable) else [indices]
    checks.require(
        *(checks.one_of("indices", name if isinstance(name, str) else repr(name), INDICES) for name in wanted),
        None
        if wanted
        else Fault(
            checks.argument("indices"), Text("没有选任何指标", "names no index"), Text("请至少选一个", "Name one")
        ),
    )
    return list(dict.fromkeys(wanted))


def _observed(values: np.ndarray) -> int:
    return int((~np.isnan(values)).sum())


def _in_both(error: HTResearchError) -> Text:
    said = []
    for language in ("zh", "en"):
        with speaking(language):
            said.append(str(error))
    return Text(*said)


def _about(text: Text, names: dict, cases: dict, indices: int, every: int) -> Text:
    """Say of which indices and cases something is true, where it is not of all."""
    about = [] if len(names) == indices else [listing(names.values())]
    if len(cases) < every:
        about.append(Text("案例 {cases}", "case {cases}").format(cases=listing(cases)))
    for part in reversed(about):
        text = Text("{part}：{text}", "{part}: {text}").format(part=part, text=text)
    return text


def _no_share(scale: str) -> Fault:
    return Fault(
        checks.argument("scale"),
        Text("对数比值比只适用于百分数或比例", "a log odds ratio needs percentages or proportions"),
        Text('值若是百分数，请写 scale="percentage"', 'If the values are percentages, say scale="percentage"'),
        scale,
    )


def _nothing_drawn(index: object, case: object, frame: pd.DataFrame) -> Fault:
    return Fault(
        checks.argument("index" if index is not None else "case"),
        Text("没有可画的估计值", "there is nothing to draw"),
        Text("指标有：{terms}；案例有：{cases}", "Indices: {terms}; cases: {cases}").format(
            terms=listing(dict.fromkeys(frame["term"])), cases=listing(dict.fromkeys(frame["case"].astype(str)))
        ),
        index if index is not None else str(case),
    )
