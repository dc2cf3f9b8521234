"""How people fill in a form: answers from their scales, plain questions, skips, and answers given without reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from htresearch.study.answer_truth import CARELESS, ScaleTruth

if TYPE_CHECKING:
    from htresearch.instruments import Instrument, Item, Question

#: No answer, among indices into the words of a column.
NOTHING = -1
#: A choice that excludes the others: none of these, nobody.
_NONE_OF_THESE = re.compile(r"^(都没有|以上都|没有|谁也不)")
_COMMENTS = {
    "teacher": ("希望多一些实际案例", "表格太多，能减就减", "有经验的同事帮了我很多", "希望培训放在学期初", "没有了"),
    "pupil": ("我喜欢我们班", "希望作业少一点", "没有"),
    "parent": ("老师很负责", "希望家长会讲得具体些", "希望多一些家庭教育方面的活动", "没有"),
}


@dataclass
class Column:
    """The answers to one item: indices into `words`, `NOTHING` where there is none."""

    index: np.ndarray
    words: list[str]


@dataclass
class People:
    """Those who fill in a form.

    Attributes
    ----------
    theta : mapping of str to numpy.ndarray
        Their values on the scales.
    secondary : numpy.ndarray of bool
    careless : numpy.ndarray of int
        -1, or the number of a kind in `CARELESS`.
    facts : mapping of str to numpy.ndarray
        What they answer to plain items, as values of choices or numbers.
    absent : mapping of str to numpy.ndarray of bool
        Who has nothing to answer to an item.
    opened : numpy.datetime64
        The first day of the round.
    blank : float
        Share of items that are left out.
    """

    theta: Mapping[str, np.ndarray]
    secondary: np.ndarray
    careless: np.ndarray
    opened: np.datetime64
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)
    absent: Mapping[str, np.ndarray] = field(default_factory=dict)
    blank: float = 0.0

    def __len__(self) -> int:
        return len(self.secondary)


def fill_in(
    rng: np.random.Generator, instrument: Instrument, scales: Mapping[str, ScaleTruth], people: People
) -> dict[str, Column]:
    """Return the column of every item that does not say who or where somebody is."""
    measured = {item: (name, truth) for name, scale in scales.items() for item, truth in scale.items.items()}
    columns: dict[str, Column] = {}
    reading = _Careless(rng, people.careless)
    for question in instrument.questions:
        asked = _asked(question, columns, instrument, len(people))
        for item in question.items:
            if item.identifies:
                continue
            if item.id in people.facts:
                column = _fact(item, people.facts[item.id])
            elif item.id in measured:
                name, truth = measured[item.id]
                column = _scaled(rng, item, people, people.theta[name], truth)
            else:
                column = _PLAIN[item.type](rng, item, people, instrument.respondent)
            if item.type == "single" and len(item.values) > 2 and item.id not in people.facts:
                column.index = reading.instead(column.index, len(item.values))
            if item.id in people.absent:
                column.index[people.absent[item.id]] = NOTHING
            column.index[~asked | (rng.random(len(people)) < _blank(question, item, people.blank))] = NOTHING
            columns[item.id] = column
    return columns


def _blank(question: Question, item: Item, share: float) -> float:
    if question.optional:
        return 0.85
    return share + 0.02 * any(choice.missing for choice in item.choices)


def _asked(question: Question, columns: Mapping[str, Column], instrument: Instrument, n: int) -> np.ndarray:
    asked = np.ones(n, bool)
    for name, values in question.when.items():
        allowed = [instrument.items[name].values.index(v) for v in values if v in instrument.items[name].values]
        asked &= np.isin(columns[name].index, allowed)
    return asked


def _words(item: Item) -> list[str]:
    return [str(value) for value in item.values]


# --- answers that come from a scale -------------------------------------------------------------------------------


def _scaled(rng: np.random.Generator, item: Item, people: People, theta: np.ndarray, truth) -> Column:
    error = rng.normal(0, 1, len(theta))
    latent = truth.loading * theta + np.sqrt(1 - truth.loading**2) * error
    index = np.searchsorted(truth.thresholds, latent).astype(np.int32)
    if truth.secondary:
        other = truth.secondary
        latent = other.loading * theta + np.sqrt(1 - other.loading**2) * error
        index = np.where(people.secondary, np.searchsorted(other.thresholds, latent), index).astype(np.int32)
    if item.type == "number":
        low, high = _bounds(item)
        middle, spread = (low + high) / 2, (high - low) / 6
        return _fact(item, np.clip(np.round(middle + spread * latent), low, high))
    return Column(index, _words(item))


class _Careless:
    """Replace answers item by item, in the order of the form, by what people answer who do not read it."""

    def __init__(self, rng: np.random.Generator, kind: np.ndarray):
        self.rng = rng
        self.rows = {name: np.flatnonzero(kind == number) for number, name in enumerate(CARELESS)}
        self.height = rng.beta(3, 2, len(kind))  # where on the form they tick
        self.turn = 0

    def instead(self, index: np.ndarray, choices: int) -> np.ndarray:
        rng, rows = self.rng, self.rows
        index = index.copy()
        self.turn += 1
        there = np.minimum((self.height * choices).astype(np.int32), choices - 1)
        index[rows["longstring"]] = there[rows["longstring"]]
        # One step up and down, never beyond the form.
        low = np.minimum(there, choices - 2)
        index[rows["alternating"]] = (low + self.turn % 2)[rows["alternating"]]
        index[rows["random"]] = rng.integers(0, choices, len(rows["random"]))
        hurried = rows["speeding"][rng.random(len(rows["speeding"])) < 0.5]
        index[hurried] = rng.integers(0, choices, len(hurried))
        return index


# --- plain questions ------------------------------------------------------------------------------------------------


def _fact(item: Item, values: np.ndarray) -> Column:
    if item.type == "single":
        order = np.argsort(item.values)
        found = order[np.searchsorted(np.asarray(item.values)[order], values.astype(int))]
        return Column(found.astype(np.int32), _words(item))
    words, index = np.unique(values.astype(int), return_inverse=True)
    return Column(index.astype(np.int32), [str(word) for word in words])


def _bounds(item: Item) -> tuple[float, float]:
    return item.minimum if item.minimum is not None else 0, item.maximum if item.maximum is not None else 10


def _single(rng: np.random.Generator, item: Item, people: People, _: str) -> Column:
    return Column(rng.binomial(len(item.values) - 1, 0.5, len(people)).astype(np.int32), _words(item))


def _number(rng: np.random.Generator, item: Item, people: People, _: str) -> Column:
    low, high = _bounds(item)
    return _fact(item, np.clip(np.round(rng.normal((low + high) / 2, (high - low) / 7, len(people))), low, high))


def _multiple(rng: np.random.Generator, item: Item, people: People, _: str) -> Column:
    values, n = np.asarray(item.values), len(people)
    alone = np.array([bool(_NONE_OF_THESE.match(c.label.zh)) for c in item.choices if not c.missing])
    chosen = rng.random((n, len(values))) < np.where(alone, 0.0, np.linspace(0.6, 0.15, len(values)))
    none = ~chosen.any(axis=1)
    rest = np.flatnonzero(alone) if alone.any() else np.arange(len(values))
    chosen[none, rng.choice(rest, none.sum())] = True
    return _joined([";".join(str(v) for v in values[row]) for row in chosen])


def _ranking(rng: np.random.Generator, item: Item, people: People, _: str) -> Column:
    values = np.asarray(item.values)
    # Earlier choices are somewhat better liked; of a long list three are put in order.
    liking = rng.gumbel(0, 1, (len(people), len(values))) - 0.25 * np.arange(len(values))
    order = np.argsort(-liking, axis=1)[:, : len(values) if len(values) <= 4 else 3]
    return _joined([";".join(str(v) for v in values[row]) for row in order])


def _text(rng: np.random.Generator, item: Item, people: People, respondent: str) -> Column:
    words = list(_COMMENTS[respondent])
    return Column(rng.integers(0, len(words), len(people)).astype(np.int32), words)


def _date(rng: np.random.Generator, item: Item, people: People, _: str) -> Column:
    return _joined([str(day) for day in people.opened - rng.integers(1, 30, len(people))])


def _joined(answers: list[str]) -> Column:
    words, index = np.unique(np.array(answers, dtype=str), return_inverse=True)
    return Column(index.astype(np.int32), [str(word) for word in words])


_PLAIN = {
    "single": _single,
    "number": _number,
    "multiple": _multiple,
    "ranking": _ranking,
    "text": _text,
    "date": _date,
}
