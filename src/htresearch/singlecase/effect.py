"""What every effect size of one case returns: one row, with the value that stands for no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase.series import Phases, Values, read_phases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNDEFINED = (np.nan, np.nan)


class EffectSize(Estimates):
    """One effect size of one case.

    `.tidy()`: term, estimate, std_error, conf_low, conf_high, then columns of its own. `.glance()`: n_baseline,
    n_treatment, missing_baseline, missing_treatment, improvement, null_value (no effect; missing where the index has
    no such value).
    """

    zero = False  # the line of no effect is drawn where that index has it, which need not be 0

    @property
    def null(self) -> float:
        """The value that stands for no effect, NaN where the index has none."""
        return float(self.summary["null_value"].iloc[0])

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the estimate with its interval, and a line at the value that stands for no effect."""
        ax = super().plot(ax, terms)
        if not np.isnan(self.null):
            ax.axvline(self.null, color="0.3", linewidth=1, zorder=1)
        return ax


def read(baseline: Values, treatment: Values, improvement: str, conf_level: float, *faults: Fault | None) -> Phases:
    """Read two phases, and raise what is wrong with them together with everything wrong with the options."""
    options = [f for f in (*faults, checks.between("conf_level", conf_level, 0, 1, open_ends=True)) if f is not None]
    try:
        phases = read_phases(baseline, treatment, improvement)
    except ArgumentError as error:
        raise ArgumentError(*error.faults, *options) from None
    checks.require(*options, *_beyond(phases))
    return phases


def _beyond(phases: Phases) -> Iterator[Fault]:
    """Refuse values of whose squares and ratios a computer loses count; no class is observed with them."""
    for name in ("baseline", "treatment"):
        size = np.abs(getattr(phases, name))
        off = getattr(phases, name)[(size > 1e50) | ((size > 0) & (size < 1e-50))]
        if len(off):
            yield Fault(
                checks.argument(name),
                Text("数值过大或过小，无法计算", "too large or too small to compute with"),
                Text("请核对，或换一个单位", "Check it, or use another unit"),
                float(off[0]),
            )


def effect(
    term: str,
    phases: Phases,
    estimate: float,
    std_error: float = np.nan,
    interval: tuple[float, float] = _UNDEFINED,
    *,
    note: Sequence[Text] = (),
    source: str,
    null: float = np.nan,
    **own: object,
) -> EffectSize:
    """Put one estimate into its frame, with the notes about the phases after those about the method."""
    numbers = np.array([estimate, std_error, *interval], dtype=float)
    row = dict(zip(("estimate", "std_error", "conf_low", "conf_high"), numbers, strict=True))
    frame = pd.DataFrame([{"term": term, **row, **own}])
    return EffectSize(frame, summary(phases, null), tuple(dict.fromkeys([*note, *phases.note])), source)


def summary(phases: Phases, null: float) -> pd.DataFrame:
    """Return the one row of `.glance()`."""
    return pd.DataFrame(
        {
            "n_baseline": [len(phases.baseline)],
            "n_treatment": [len(phases.treatment)],
            "missing_baseline": [phases.missing[0]],
            "missing_treatment": [phases.missing[1]],
            "improvement": ["increase" if phases.sign > 0 else "decrease"],
            "null_value": [float(null)],
        }
    )


def mean_and_variance(values: np.ndarray) -> tuple[np.float64, np.float64]:
    """Return mean and variance; of equal values exactly themselves and 0, which rounding would miss."""
    if np.ptp(values) == 0:
        return values[0], np.float64(0.0 if len(values) > 1 else np.nan)
    return values.mean(), values.var(ddof=1)


def normal_interval(estimate: float, std_error: float, conf_level: float) -> tuple[float, float]:
    """Return estimate and normal quantile times standard error."""
    reach = float(stats.norm.ppf((1 + conf_level) / 2)) * std_error
    return estimate - reach, estimate + reach


def yes_or_no(name: str, value: object) -> Fault | None:
    """Refuse what is neither True nor False."""
    if isinstance(value, bool | np.bool_):
        return None
    return Fault(
        checks.argument(name),
        Text("须为 True 或 False", "must be True or False"),
        Text("请选一个", "Choose one"),
        value,
    )


def positive(name: str, value: object) -> Fault | None:
    """Refuse what is not a positive number, unless it is None."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if value is None or (number and 0 < value < np.inf):
        return None
    return Fault(
        checks.argument(name),
        Text("须为大于 0 的数", "must be a number above 0"),
        Text("请给一个正数，不知道则不写", "Give a positive number, or leave it out"),
        value,
    )


def few(letter: str, count: int, needed: int, what: Text) -> Text:
    """Say that a phase is too short for something."""
    phase = Text("改变前", "the baseline") if letter == "A" else Text("改变后", "the treatment phase")
    return Text(
        "{phase}只有 {count} 次观察，{what}至少需要 {needed} 次，故未计算。",
        "{what} is not computed: {phase} has {count} observation(s), and it needs {needed}.",
    ).format(phase=phase, count=count, needed=needed, what=what)
