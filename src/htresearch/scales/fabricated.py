"""Made-up answers with the alpha that was ordered, to see what a reliability cannot show and other checks can."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.scales.reliability import alpha_of, moments
from htresearch.scales.score import keyed

if TYPE_CHECKING:
    from htresearch.instruments import Instrument

KINDS = ("one_number", "hurried", "copies")
#: Correlation of two scales where each has a number of its own.
_BETWEEN = 0.3
#: Respondents copied from one sheet.
_COPIES = 25


def fabricated(
    instrument: Instrument, n: int = 500, kind: str = "one_number", alpha: float = 0.9, seed: int = 1
) -> pd.DataFrame:
    """Make up answers as programs do that fill in questionnaires for a wanted alpha.

    For exercises and for trying out checks: nobody gave these answers, and the identifiers say so.

    Parameters
    ----------
    instrument
        As `htresearch.load_instrument` returns it; the items of its scales are filled in.
    n
        How many respondents.
    kind
        ``"one_number"``: one random number a respondent stands behind all items, whatever scale they belong to;
        ``"hurried"``: every scale has its own number, but a sheet takes less than a second an item; ``"copies"``: the
        same, in good time, but some 25 respondents share a sheet with at most two answers changed.
    alpha
        The mean of Cronbach's alpha over the scales, above 0 and below 1; it is met as nearly as the items allow.
    seed
        Of the random numbers.

    Returns
    -------
    pandas.DataFrame
        respondent_id, duration_s, and the items as answered, those keyed the other way included.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or the scales have no items with listed answers.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> made_up = ht.scales.fabricated(instrument, kind="copies")
    >>> ht.scales.careless(made_up, instrument)["flag"].mean().round(2).item()
    1.0
    """
    items = [
        name
        for name, item in instrument.items.items()
        if len(item.values) > 1 and any(name in scale.items for scale in instrument.scales.values())
    ]
    checks.require(
        checks.integer("n", n, 2 * _COPIES),
        checks.one_of("kind", kind, KINDS),
        checks.between("alpha", alpha, 0, 1, open_ends=True),
        checks.integer("seed", seed, 0),
        None if items else _no_items(instrument),
    )
    random = np.random.default_rng(seed)
    draw = _Draw(instrument, items, n, kind, random)
    low, high = 0.01, 0.999
    for _ in range(40):  # alpha rises with the loading
        middle = (low + high) / 2
        low, high = (middle, high) if draw.alpha(middle) < alpha else (low, middle)
    per_item = random.uniform(0.3, 0.9, n) if kind == "hurried" else 7 * np.exp(random.normal(0, 0.3, n))
    frame = pd.DataFrame(draw.answers(low)).astype("Int64")
    frame.insert(0, "duration_s", np.round(per_item * len(items)).astype(int))
    frame.insert(0, "respondent_id", [f"made-up-{i + 1:05d}" for i in range(n)])
    return frame


class _Draw:
    """The random numbers behind the sheets, drawn once, so that only the loading moves the answers."""

    def __init__(self, instrument: Instrument, items: list[str], n: int, kind: str, random: np.random.Generator):
        sheets = max(n // _COPIES, 2) if kind == "copies" else n
        common = random.normal(size=sheets)
        of_scales = {
            name: np.sqrt(_BETWEEN) * common + np.sqrt(1 - _BETWEEN) * random.normal(size=sheets)
            for name in instrument.scales
        }
        self.instrument, self.items = instrument, items
        self.scales = [scale for scale in instrument.scales.values() if set(scale.items) <= set(items)]
        self.numbers, self.errors = {}, {name: random.normal(size=sheets) for name in items}
        for scale in instrument.scales.values():
            for name, key in scale.items.items():
                self.numbers[name] = key * (common if kind == "one_number" else of_scales[scale.id])
        self.sheet = np.arange(n) % sheets
        self.changed = {name: np.zeros(n, int) for name in items}
        if kind == "copies":
            for row in range(n):
                for name in random.choice(items, 2, replace=False):
                    self.changed[name][row] = random.integers(-1, 2)

    def answers(self, loading: float) -> dict[str, np.ndarray]:
        """Return the answers at one loading of all items."""
        found = {}
        for name in self.items:
            values = np.array(sorted(self.instrument.items[name].values))
            cuts = [NormalDist().inv_cdf((k + 1) / len(values)) for k in range(len(values) - 1)]
            meant = loading * self.numbers[name] + np.sqrt(1 - loading**2) * self.errors[name]
            place = np.searchsorted(1.3 * np.array(cuts), meant)[self.sheet] + self.changed[name]
            found[name] = values[np.clip(place, 0, len(values) - 1)]
        return found

    def alpha(self, loading: float) -> float:
        """Return the mean alpha of the scales at one loading."""
        return float(np.mean(list(self._alphas(self.answers(loading)))))

    def _alphas(self, answers: dict[str, np.ndarray]) -> Iterator[float]:
        for scale in self.scales:
            columns = [column for _, column in keyed(answers, scale, self.instrument.items)]
            if len(columns) > 1:
                yield alpha_of(moments(np.column_stack(columns).astype(float))[0])


def _no_items(instrument: Instrument) -> Fault:
    return Fault(
        checks.argument("instrument"),
        Text(
            "《{title}》的量表中没有列出选项的题目", "the scales of “{title}” have no items with listed answers"
        ).format(title=instrument.title),
        Text("请换一份有量表的问卷", "Take an instrument with scales"),
    )
