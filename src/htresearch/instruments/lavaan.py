"""The measurement model of an instrument as text for lavaan, R's package for structural equation models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill

from htresearch import checks
from htresearch.errors import Fault
from htresearch.instruments.instrument import Instrument
from htresearch.language import Text, listing

#: With more categories than these, answers are as good as continuous (Rhemtulla et al., 2012).
_CATEGORIES = 7


@dataclass(frozen=True)
class Model:
    """A measurement model.

    Attributes
    ----------
    text : str
        lavaan's model syntax: a line for each scale.
    ordered : tuple of str
        The items whose answers are ordered categories, for the argument `ordered` of ``lavaan::cfa``.
    """

    text: str
    ordered: tuple[str, ...]

    @property
    def script(self) -> str:
        """R code that fits the model to a data frame `answers`."""
        lines = ["library(lavaan)", f"model <- '\n{self.text}'", "fit <- cfa(", "  model,", "  data = answers,"]
        if self.ordered:
            named = ", ".join(f'"{name}"' for name in self.ordered)
            indent = " " * 4
            lines += ["  ordered = c(", fill(named, 100, initial_indent=indent, subsequent_indent=indent), "  ),"]
        return "\n".join(
            [*lines, "  std.lv = TRUE", ")", "summary(fit, fit.measures = TRUE, standardized = TRUE)", ""]
        )


def model(instrument: Instrument, scales: Iterable[str] | None = None) -> Model:
    """Return the measurement model of an instrument: every scale a factor, with its items.

    Items stand as they were answered: one that is keyed the other way is expected to load negatively, and a comment
    says so.

    Parameters
    ----------
    instrument
        As `htresearch.load_instrument` returns it.
    scales
        Names of scales; all if not given.

    Returns
    -------
    Model
        Its `text` is the model, `ordered` the items with ordered categories, `script` R code that fits it.

    Raises
    ------
    ArgumentError
        If a scale is unknown, or the instrument has none.

    References
    ----------
    Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software, 48(2),
    1-36. https://doi.org/10.18637/jss.v048.i02

    Rhemtulla, M., Brosseau-Liard, P. E., & Savalei, V. (2012). When can categorical variables be treated as
    continuous? Psychological Methods, 17(3), 354-373. https://doi.org/10.1037/a0029315

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> measured = ht.instruments.lavaan.model(instrument, ["stay"])
    >>> with ht.language.speaking("en"):
    ...     print(ht.instruments.lavaan.model(instrument, ["stay"]).text)
    # Intention to stay; reversed: stay_3
    stay =~ stay_1 + stay_2 + stay_3
    <BLANKLINE>
    >>> measured.ordered
    ('stay_1', 'stay_2', 'stay_3')
    """
    wanted = tuple(instrument.scales) if scales is None else tuple(dict.fromkeys(scales))
    checks.require(*(checks.one_of("scales", name, tuple(instrument.scales)) for name in wanted))
    checks.require(_some(instrument, wanted))
    lines, measured = [], {}
    for scale in (instrument.scales[name] for name in wanted):
        turned = [name for name, weight in scale.items.items() if weight == -1]
        note = Text("；反向：{all}", "; reversed: {all}").format(all=listing(turned)) if turned else ""
        # A line break in a label would end the comment, a quotation mark R's string.
        label = " ".join(str(scale.label).split()).replace("'", "’")
        lines += [f"# {label}{note}", f"{scale.id} =~ {' + '.join(scale.items)}"]
        measured |= scale.items
    choices = {name: instrument.items[name].values for name in measured}
    return Model(
        "".join(f"{line}\n" for line in lines),
        tuple(name for name, values in choices.items() if 0 < len(values) <= _CATEGORIES),
    )


def _some(instrument: Instrument, wanted: tuple[str, ...]) -> Fault | None:
    if wanted:
        return None
    return Fault(
        checks.argument("scales"),
        Text("没有量表，写不出测量模型", "there is no scale to make a measurement model of"),
        Text(
            "请选一个有量表的问卷，或在 {id}.yaml 中补上 scales",
            "Take an instrument with scales, or add them to {id}.yaml",
        ).format(id=instrument.id),
    )
