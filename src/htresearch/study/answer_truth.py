"""What is true about the answers of a simulated district: what scales are made of, and how items measure them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import comb, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from htresearch.study.truth import Truth

if TYPE_CHECKING:
    from htresearch.instruments import Instrument

KINDS = ("teacher", "pupil", "parent")
#: How some people fill in a form without reading it.
CARELESS = ("longstring", "alternating", "random", "speeding")

#: Loadings and shifts of thresholds recur along a scale; an item keyed the other way measures less well, as usual.
_LOADINGS = (0.80, 0.70, 0.75, 0.65, 0.72)
_REVERSED = 0.60
_SHIFTS = (0.0, 0.25, -0.20, 0.35, -0.30)
#: The mean answer on a form, as a share of the way from the first choice to the last.
_MEAN_ANSWER = 0.62
#: Correlations of the standardised sources that appear in one scale.
_CORRELATIONS = {frozenset(("quality", "burnout")): -0.207, frozenset(("workload", "burnout")): 0.519}


@dataclass(frozen=True)
class Sources:
    """What a scale is made of: coefficients of hidden values, each in standard deviations (hours in tens).

    `level` shifts the answers; `tone` says whether a person who sees everything in a good light answers higher.
    """

    of: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.0
    tone: int = 1

    @property
    def residual_sd(self) -> float:
        """What is left so that the scale has variance 1 (hours aside: they grow from term to term)."""
        stated = {name: c for name, c in self.of.items() if not name.startswith("hours_")}
        known = sum(
            a * b * (1.0 if x == y else _CORRELATIONS.get(frozenset((x, y)), 0.0))
            for x, a in stated.items()
            for y, b in stated.items()
        )
        return sqrt(max(1 - known, 0.0))


_SOURCES: dict[str, dict[str, Sources]] = {
    "teacher": {
        "ideas": Sources({"quality": 0.25, "hours_ideas": 0.25}, 0.3),
        "methods": Sources({"quality": 0.35, "hours_methods": 0.25}),
        "moral": Sources({"quality": 0.30, "hours_moral_education": 0.25}),
        "research": Sources({"quality": 0.20, "hours_research": 0.45}, -0.4),
        "efficacy": Sources({"efficacy": 1.0}),  # the mediator itself
        "workload": Sources({"workload": 0.85}, 0.2, -1),
        "burnout": Sources({"burnout": 0.85}, -0.6, -1),
        "support": Sources({"leadership": 0.45, "workload": -0.20}),
        "fair_appraisal": Sources({"appraisal": 0.45, "leadership": 0.25}, -0.1),
        "fair_incentives": Sources({"pay": 0.35, "leadership": 0.20}, -0.5),
        "usefulness": Sources({"keen": 0.35, "quality": 0.15}, 0.2),
        "stay": Sources({"burnout": -0.50, "pay": 0.20}, -0.2),
    },
    "pupil": {
        "relation": Sources({"climate": 0.45}, 0.2),
        "peers": Sources({"climate": 0.30}, 0.3),
        "order": Sources({"climate": 0.42}),
        "belonging": Sources({"climate": 0.40}, 0.2),
        "load": Sources({"climate": -0.15, "ability": -0.20}, -0.1, -1),
        "wellbeing": Sources({"climate": 0.25}, 0.3),
        "worry": Sources({"climate": -0.20}, -0.6, -1),
        "study_habits": Sources({"climate": 0.20, "ability": 0.30}),
        "daily_habits": Sources({"climate": 0.12, "ability": 0.10}),
    },
    "parent": {
        "communication": Sources({"climate": 0.35, "quality": 0.15}),
        "trust": Sources({"climate": 0.40}, 0.3),
        "family": Sources({"ability": 0.15}, 0.1),
        "participation": Sources({"climate": 0.20, "leadership": 0.20}),
    },
}


@dataclass(frozen=True)
class AnswerTruth:
    """The parameters of the survey rounds.

    Attributes
    ----------
    efficacy_on_outcome, climate_on_outcome
        What a standard deviation of the class's head teacher's self-efficacy and of class climate is worth, in
        standard deviations of a pupil's score.
    efficacy_of_class, efficacy_of_term, climate_of_class, climate_of_term
        Variances of what the two have of their own, lasting with the class and passing with the term. These are what
        the outcomes' class effects and luck of a term are in part made of.
    response, response_per_sd_of_burnout
        Log odds of answering, by kind of respondent, and what a standard deviation of the head teacher's burnout
        changes in them.
    """

    pupils_per_class: int = 12
    parents_per_class: int = 8
    lowest_grade_of_pupils: int = 3
    careless_share: float = 0.05
    left_blank: float = 0.01
    general_share: float = 0.30
    lasting_share: float = 0.60
    response: Mapping[str, float] = field(default_factory=lambda: {"teacher": 1.9, "pupil": 2.8, "parent": 1.0})
    response_per_sd_of_burnout: Mapping[str, float] = field(
        default_factory=lambda: {"teacher": -0.5, "pupil": -0.3, "parent": -0.3}
    )
    efficacy_on_outcome: float = 0.05
    climate_on_outcome: float = 0.06
    efficacy_by_quality: float = 0.40
    efficacy_by_burnout: float = -0.25
    efficacy_of_class: float = 0.42
    efficacy_of_term: float = 0.316
    climate_by_quality: float = 0.40
    climate_by_burnout: float = -0.20
    climate_of_class: float = 0.45
    climate_of_term: float = 0.317

    def per_10_research_hours(self, truth: Truth) -> tuple[float, float]:
        """Return what 10 hours of research training add to self-efficacy and to climate.

        Half of the mediated part runs through each.
        """
        weight = truth.theme_weights("academic")["research"]
        mediated = truth.mediated_share * weight * truth.training_per_10_hours
        return mediated / 2 / self.efficacy_on_outcome, mediated / 2 / self.climate_on_outcome


@dataclass(frozen=True)
class ItemTruth:
    """How an item measures its scale: answer = number of thresholds below loading × scale + error, variance 1.

    The loading is negative for an item keyed the other way. `secondary` holds what differs in secondary schools.
    """

    loading: float
    thresholds: tuple[float, ...]
    secondary: ItemTruth | None = None


@dataclass(frozen=True)
class ScaleTruth:
    """A scale of an instrument: what it is made of, and its items."""

    id: str
    sources: Sources
    items: Mapping[str, ItemTruth]


def scale_truths(instruments: Sequence[Instrument]) -> dict[str, dict[str, ScaleTruth]]:
    """Return the truth of every scale, by instrument; exactly one is not invariant, where one is long enough."""
    odd = not_invariant(instruments)
    found = {}
    for instrument in instruments:
        known = _SOURCES[instrument.respondent]
        found[instrument.id] = {
            name: ScaleTruth(
                name,
                known.get(name, Sources()),
                _items(instrument, name, known.get(name, Sources()).level, odd == (instrument.id, name)),
            )
            for name in instrument.scales
        }
    return found


def not_invariant(instruments: Sequence[Instrument]) -> tuple[str, str] | None:
    """Return instrument and name of the scale that measures otherwise in secondary schools."""
    long_enough = [
        (instrument.id, name)
        for instrument in instruments
        for name, scale in instrument.scales.items()
        if sum(weight == 1 for weight in scale.items.values()) >= 3
    ]
    wanted = ("class_climate", "belonging")
    return wanted if wanted in long_enough else next(iter(long_enough), None)


def _items(instrument: Instrument, name: str, level: float, odd: bool) -> dict[str, ItemTruth]:
    weights = instrument.scales[name].items
    upright = [item for item, weight in weights.items() if weight == 1]
    found = {}
    for number, (item, weight) in enumerate(weights.items()):
        loading = _LOADINGS[number % len(_LOADINGS)] if weight == 1 else -_REVERSED
        cuts = _thresholds(max(len(instrument.items[item].values), 2), _SHIFTS[number % len(_SHIFTS)] - level)
        # Of a threshold t for the scale, an item keyed the other way has -t, in the opposite order.
        cuts = cuts if weight == 1 else tuple(-t for t in reversed(cuts))
        secondary = None
        if odd and item == upright[1]:
            secondary = ItemTruth(loading / 2, cuts)  # it says less about the scale
        elif odd and item == upright[2]:
            secondary = ItemTruth(loading, tuple(round(t + 0.8, 3) for t in cuts))  # it takes more to agree
        found[item] = ItemTruth(loading, cuts, secondary)
    return found


def _thresholds(choices: int, shift: float) -> tuple[float, ...]:
    """Return thresholds that spread the answers of a standard normal scale binomially over the choices."""
    last, p, total, cuts = choices - 1, _MEAN_ANSWER, 0.0, []
    for k in range(last):
        total += comb(last, k) * p**k * (1 - p) ** (last - k)
        cuts.append(round(NormalDist().inv_cdf(total) + shift, 3))
    return tuple(cuts)


def as_record(
    truth: Truth, answers: AnswerTruth, instruments: Sequence[Instrument], left_out: Mapping[str, str]
) -> dict:
    """Return everything as plain data, for ``truth.json``."""
    efficacy, climate = answers.per_10_research_hours(truth)
    mediated = efficacy * answers.efficacy_on_outcome + climate * answers.climate_on_outcome
    worth = {
        d: truth.theme_weights(d)["research"] * truth.training_per_10_hours for d in ("academic", "moral", "habits")
    }
    scales = scale_truths(instruments)
    odd = not_invariant(instruments)
    return {
        "waves": "every second term, the last one among them",
        "unit": "standard deviations of a scale; hours in tens",
        "parameters": asdict(answers),
        "careless_kinds": list(CARELESS),
        "instruments": {
            instrument.id: {
                "version": instrument.version,
                "respondent": instrument.respondent,
                "scales": {name: _scale_record(scale) for name, scale in scales[instrument.id].items()},
            }
            for instrument in instruments
        },
        "not_invariant": odd
        and {
            "instrument": odd[0],
            "scale": odd[1],
            "between": ["primary", "secondary"],
            "items": {
                item: {"loading": t.secondary.loading, "thresholds": list(t.secondary.thresholds)}
                for item, t in scales[odd[0]][odd[1]].items.items()
                if t.secondary
            },
        },
        "mediation": {
            "through": ["efficacy", "climate"],
            "efficacy_per_10_research_hours": round(efficacy, 6),
            "climate_per_10_research_hours": round(climate, 6),
            "efficacy_on_outcome": answers.efficacy_on_outcome,
            "climate_on_outcome": answers.climate_on_outcome,
            "mediated_per_10_research_hours": round(mediated, 6),
            "share_of_research_training": {domain: round(mediated / total, 4) for domain, total in worth.items()},
            "found_by": "none but by assumption: quality and burnout move mediators and outcomes alike",
        },
        "left_out": dict(left_out),
    }


def _scale_record(scale: ScaleTruth) -> dict:
    return {
        "sources": dict(scale.sources.of),
        "residual_sd": round(scale.sources.residual_sd, 4),
        "items": {
            name: {"loading": item.loading, "thresholds": list(item.thresholds)} for name, item in scale.items.items()
        },
    }
