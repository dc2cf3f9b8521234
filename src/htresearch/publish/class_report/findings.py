"""What a study's records amount to: every number of the report, before a word is said about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import singlecase
from htresearch.errors import HTResearchError
from htresearch.intake.class_study import ClassStudy
from htresearch.language import Text
from htresearch.publish.class_report.chance import Chance, of_the_draw
from htresearch.publish.class_report.quantity import Moment, Quantity
from htresearch.result import Estimates
from htresearch.singlecase.series import read_phases

#: Records further apart than this, in days, are not called days.
_DAILY = 4
#: From here on one phase is called the better one in words; between it and its mirror neither is.
CLEARLY = 0.6
#: With fewer observations than this in a phase, every number is a first impression.
FEW = 3
#: The first phase counts as getting better from this Tau with time on, of at least so many observations.
RISING, RISING_FROM = 0.4, 4
#: A first phase this near the best that a share can be leaves little room.
FULL = 0.9
#: What a scale of a plan is called where observers are compared.
_OBSERVED = {"count": "count", "share": "share", "amount": "duration"}


@dataclass(frozen=True)
class Level:
    """One phase or one stretch of it: how many records, how many with a value, where these lie."""

    phase: str
    records: int
    observed: int
    median: float
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, phase: str, values: list[float]) -> Level:
        """Take it from the values in time order, NaN where missing."""
        seen = np.array([value for value in values if not math.isnan(value)])
        if not len(seen):
            return cls(phase, len(values), 0, *[math.nan] * 4)
        where = (np.median(seen), seen.mean(), seen.min(), seen.max())
        return cls(phase, len(values), len(seen), *map(float, where))


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval, NaN where it cannot be had."""

    estimate: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Done:
    """How often things were done as planned: yes, no, not written down."""

    yes: int
    no: int
    unknown: int


@dataclass(frozen=True)
class Agreement:
    """How two recorders agree.

    Attributes
    ----------
    both, of
        How many records both made, of how many.
    share
        The usual index for such values, from 0 to 1; NaN where there is none.
    exact
        How many of `both` are the same.
    reached
        Whether `share` is what is conventionally asked for.
    """

    both: int
    of: int
    share: Interval
    exact: int
    reached: bool


@dataclass(frozen=True, eq=False)
class Findings:
    """All numbers of a report.

    Attributes
    ----------
    study
        What they were taken from.
    quantity, moment
        How values and records are said.
    before, after
        The levels of the two phases; of a phase that comes back, all its stretches together.
    runs
        The levels of all stretches in time order.
    nap
        How often an observation of the second phase is better than one of the first, ties half.
    tau, change
        The same from -1 to 1; and the change of the mean, as a log ratio or in standard deviations.
    change_kind
        ``"lrr"`` or ``"smd"``.
    trend
        Tau of the first phase with time, positive for getting better; None where it has too few observations.
    chance
        The randomisation test; only where the start or the order was drawn.
    done_before, done_after
        Whether things were done as planned, by phase.
    agreement
        None where nobody recorded a second time.
    standards
        As `htresearch.singlecase.standards` gives them; None where there is but one phase.
    note
        What the numbers leave out or assume.
    """

    study: ClassStudy
    quantity: Quantity
    moment: Moment
    before: Level
    after: Level
    runs: tuple[Level, ...]
    nap: Interval | None
    tau: Interval | None
    change: Interval | None
    change_kind: str
    trend: float | None
    steady: bool | None
    chance: Chance | None
    done_before: Done
    done_after: Done
    agreement: Agreement | None
    standards: singlecase.Standards | None
    note: tuple[Text, ...]

    @property
    def better(self) -> int:
        """1 where the second phase is clearly better, -1 where it is clearly worse, 0 where neither can be said."""
        if self.nap is None:
            return 0
        share = self.nap.estimate
        return 1 if share >= CLEARLY else -1 if share <= 1 - CLEARLY else 0

    @property
    def few(self) -> bool:
        """Whether a phase has so few observations that every number is a first impression."""
        return min(self.before.observed, self.after.observed) < FEW

    @property
    def begun(self) -> bool:
        """Whether every phase of the plan has begun."""
        return len(self.runs) >= (4 if self.study.plan.design == "ABAB" else 2)

    @property
    def shortest(self) -> int:
        """How many observations the shortest phase has; by turns, each of the two is one phase."""
        if self.study.plan.design == "alternating":
            return min(self.before.observed, self.after.observed)
        return min((run.observed for run in self.runs), default=0)

    @property
    def complete(self) -> bool:
        """Whether every phase of the plan has an observation."""
        return self.begun and self.shortest > 0

    @property
    def rising(self) -> bool:
        """Whether the first phase was getting better before anything was changed."""
        return self.trend is not None and self.trend >= RISING

    @property
    def unsteady(self) -> bool:
        """Whether the first phase went up and down a good deal."""
        return self.steady is False

    @property
    def full(self) -> bool:
        """Whether the first phase was so near its best that little room was left."""
        plan, middle = self.study.plan, self.before.median
        if plan.improvement == "increase":
            return plan.out_of is not None and middle >= FULL * plan.out_of
        return plan.scale != "amount" and middle <= (1 - FULL) * (plan.out_of or 0)

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.study.plan.improvement == "increase" else -1

    @property
    def switches(self) -> tuple[int, ...]:
        """For each change of phase: 1 as hoped, -1 the other way, 0 none; the way back is hoped to be worse."""
        hoped = []
        for first, second in zip(self.runs, self.runs[1:], strict=False):
            way = self.sign * (1 if second.phase == "B" else -1)
            difference = second.median - first.median
            hoped.append(0 if math.isnan(difference) else int(np.sign(way * difference)))
        return tuple(hoped)


def find(study: ClassStudy) -> Findings:
    """Compute every number of a study's report.

    What cannot be computed, as there are too few records, is None or NaN; the words that follow say so.
    """
    plan, records = study.plan, study.records
    before, after = (Level.of(phase, study.values(phase)) for phase in "AB")
    values = records["value"].astype(float).tolist()
    nap = tau = change = None
    kind = _kind(study, before, after)
    note: list[Text] = []
    if before.observed and after.observed:
        pair = study.values("A"), study.values("B")
        nap = _estimated(note, singlecase.nap, *pair, plan.improvement)
        tau = _estimated(note, singlecase.tau, *pair, plan.improvement)
        if kind == "lrr":
            change = _ratio(note, pair, plan.scale)
        else:
            change = _estimated(note, singlecase.smd, *pair, plan.improvement)
    return Findings(
        study=study,
        quantity=Quantity.of(plan, values),
        moment=_moment(records),
        before=before,
        after=after,
        runs=_runs(records),
        nap=nap,
        tau=tau,
        change=change,
        change_kind=kind,
        trend=_trend(study),
        steady=_steady(study) if before.observed else None,
        chance=of_the_draw(study, note) if before.observed and after.observed else None,
        done_before=_done(records, "A"),
        done_after=_done(records, "B"),
        agreement=_agreement(study),
        standards=_standards(study),
        note=tuple(dict.fromkeys(note)),
    )


def _kind(study: ClassStudy, before: Level, after: Level) -> str:
    """A ratio of means where values are counted from 0 and neither mean is 0; standard deviations otherwise."""
    ratio = study.plan.scale != "amount" and min(before.mean, after.mean) > 0
    return "lrr" if ratio else "smd"


def _moment(records: pd.DataFrame) -> Moment:
    days = pd.to_datetime(records["date"])
    apart = days.diff().dt.days.dropna()
    return Moment(bool(days.notna().all() and days.is_unique and (apart.empty or apart.median() <= _DAILY)))


def _runs(records: pd.DataFrame) -> tuple[Level, ...]:
    """The stretches of one phase after another, in time order."""
    turns = (records["phase"] != records["phase"].shift()).cumsum()
    return tuple(
        Level.of(str(rows["phase"].iloc[0]), rows["value"].astype(float).tolist())
        for _, rows in records.groupby(turns, sort=True)
    )


def _estimated(note: list[Text], method: Callable[..., Estimates], *phases: object) -> Interval | None:
    """The one estimate of a method; None where these records do not allow it."""
    result = method(*phases)
    note.extend(said for said in result.note if said not in read_phases(*phases).note)  # gaps are counted elsewhere
    return _interval(result)


def _interval(result: Estimates) -> Interval | None:
    row = result.tidy().iloc[0]
    if math.isnan(row["estimate"]):
        return None
    return Interval(*(float(row[column]) for column in ("estimate", "conf_low", "conf_high")))


def _ratio(note: list[Text], pair: tuple[list[float], list[float]], scale: str) -> Interval | None:
    """The log ratio of the means, up where there is more, whichever way is better.

    Without the correction for short phases: the means stand in the table above, and readers do divide them.
    """
    result = singlecase.lrr(*pair, scale="count" if scale == "count" else "other", bias_correct=False)
    if result.tidy()["truncated"].iloc[0]:
        note.append(
            Text(
                "有一段几乎没有起伏或接近 0，百分比变化的区间按能有的最小起伏计算。",
                "A phase hardly varies or is close to 0; the interval of the change in per cent takes the "
                "least variation "
                "it could have.",
            )
        )
    return _interval(result)


def _done(records: pd.DataFrame, phase: str) -> Done:
    said = records.loc[records["phase"] == phase, "as_planned"]
    known = said.dropna().astype(bool)
    return Done(int(known.sum()), int((~known).sum()), int(said.isna().sum()))


def _steady(study: ClassStudy) -> bool | None:
    """Whether most values of the first stretch lie near its median, and whether it has enough of them to tell."""
    records, turns = study.records, study.plan.design == "alternating"
    values = records["value"].astype(float).tolist()
    seen = singlecase.visual_analysis(values, records["phase"].tolist(), alternating=turns).by_phase().iloc[0]
    return None if seen["n"] < RISING_FROM else bool(seen["level_stability"] >= singlecase.visual.STABLE)


def _agreement(study: ClassStudy) -> Agreement | None:
    records = study.records
    one, two = (records[name].astype(float) for name in ("value", "second_value"))
    both = one.notna() & two.notna()
    if not both.any():
        return None
    kept = int(both.sum()), int(one.notna().sum())
    same = int(((one - two).abs()[both] < 1e-9).sum())
    try:
        row = (
            singlecase.observer_agreement(one.tolist(), two.tolist(), scale=_OBSERVED[study.plan.scale])
            .tidy()
            .iloc[0]
        )
    except HTResearchError:  # numbers below 0 have no such index
        return Agreement(*kept, Interval(math.nan), same, same / kept[0] >= 0.8)
    share = Interval(*(float(row[name]) for name in ("estimate", "conf_low", "conf_high")))
    return Agreement(*kept, share, same, bool(row["reached"]))


def _trend(study: ClassStudy) -> float | None:
    """Tau of the first stretch with time, positive for getting better."""
    from scipy.stats import kendalltau

    first = study.records[(study.records["phase"] == "A") & (study.records["run"] == 1)].dropna(subset="value")
    if study.plan.design == "alternating" or len(first) < RISING_FROM or first["value"].nunique() < 2:
        return None
    tau = float(kendalltau(first["session"].astype(float), first["value"].astype(float)).statistic)
    return tau if study.plan.improvement == "increase" else -tau


def _standards(study: ClassStudy) -> singlecase.Standards | None:
    """The verdicts of the standards; None where there is but one phase."""
    plan = study.plan
    options = {
        "case": None,
        "second": "second_value" if study.records["second_value"].notna().any() else None,
        "manipulated": True,  # head teachers decide themselves when to begin
        "scale": _OBSERVED[plan.scale],
    }
    for design in (plan.design, None):  # an ABAB that is not finished is an AB so far
        try:
            return singlecase.standards(study.records, design=design, **options)
        except HTResearchError:
            continue
    return None
