"""The rules by which a number may leave: presets in one commented file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing

PRESETS = ("public", "public-minors", "internal")


@dataclass(frozen=True)
class Rules:
    """When a number may leave; ``rules.yaml`` says why each is what it is.

    Attributes
    ----------
    name : str
        The preset, or the file.
    threshold : int
        Persons behind a number.
    teachers, schools : int
        Teachers behind a number about pupils; schools behind a number that names none.
    dominance : float
        The two largest units have less than this share of the whole; 1 is no limit.
    p_ratio : float
        What is left beside the two largest, as a share of the largest, is at least this.
    zero_cells : bool
        Whether cells with nobody, or with everybody, may be shown.
    known : tuple of str
        Columns that anyone can see, about which zero and full cells tell nothing new.
    minimum_maximum : bool
        Whether extremes may be shown, if `threshold` persons share them.
    quantiles : tuple of float
        The quantiles allowed; empty: all with `threshold` persons on both sides.
    residual_df : int
        Residual degrees of freedom of a model.
    rounding_base : int
        The base of controlled rounding.
    protection_relative, protection_absolute : float
        A suppressed cell may not be computed closer than this share of it, nor than this many.
    mark : bool
        Whether every page must say that it stays inside.
    """

    name: str
    threshold: int
    teachers: int
    schools: int
    dominance: float
    p_ratio: float
    zero_cells: bool
    known: tuple[str, ...]
    minimum_maximum: bool
    quantiles: tuple[float, ...]
    residual_df: int
    rounding_base: int
    protection_relative: float
    protection_absolute: float
    mark: bool

    def __post_init__(self):
        for name in ("known", "quantiles"):
            given = getattr(self, name)
            several = tuple(given) if isinstance(given, list | tuple) else () if given is None else (given,)
            object.__setattr__(self, name, several)
        checks.require(*_faults(self))

    def protection(self, value: float) -> float:
        """Return how far from a suppressed value, on either side, every estimate of it must be able to lie."""
        return max(self.protection_relative * abs(value), self.protection_absolute)

    def as_dict(self) -> dict:
        """Return the rules as plain values, for a decision record."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


def _faults(rules: Rules) -> list[Fault | None]:
    whole = [
        checks.integer(name, getattr(rules, name), 1)
        for name in ("threshold", "teachers", "schools", "residual_df", "rounding_base")
    ]
    shares = [
        checks.between(name, getattr(rules, name), 0, 1) for name in ("dominance", "p_ratio", "protection_relative")
    ]
    flags = [
        checks.one_of(name, getattr(rules, name), (True, False)) for name in ("zero_cells", "minimum_maximum", "mark")
    ]
    quantiles = [checks.between("quantiles", q, 0, 1, open_ends=True) for q in rules.quantiles]
    return [
        *whole,
        *shares,
        *flags,
        *quantiles,
        checks.between("protection_absolute", rules.protection_absolute, 0, 1e12),
    ]


@cache
def _blocks(text: str) -> dict:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not found or not isinstance(found, dict) or not all(isinstance(block, dict) for block in found.values()):
        checks.require(
            Fault(
                checks.argument("rules"),
                Text("规则文件须是若干组“名称: 值”", "a file of rules holds blocks of `name: value`"),
                Text("请照 rules.yaml 的样子写", "Write it as rules.yaml is written"),
            )
        )
    return found


def load_rules(name: str | Path | Rules | None = None) -> Rules:
    """Return the rules of a preset or of a file.

    Parameters
    ----------
    name
        ``"public"`` (also if ``None``), ``"public-minors"``, ``"internal"``; the path of a YAML file of one block
        written as in ``rules.yaml`` (``like:`` may name a preset); or rules, which are returned.

    Returns
    -------
    Rules

    Raises
    ------
    ArgumentError
        If there is no such preset or file, or if a rule is unknown, missing or out of range.

    References
    ----------
    Hundepool, A., et al. (2012). *Statistical Disclosure Control*. https://doi.org/10.1002/9781118348239

    Examples
    --------
    >>> load_rules("public").threshold, load_rules("public-minors").threshold
    (10, 20)
    """
    if isinstance(name, Rules):
        return name
    name = "public" if name is None else name
    presets = _blocks(files("htresearch.disclosure").joinpath("rules.yaml").read_text(encoding="utf-8"))
    if isinstance(name, str) and name in presets:
        return _complete(name, presets[name], presets)
    if not isinstance(name, str | Path) or not Path(name).is_file():
        checks.require(checks.one_of("rules", name if isinstance(name, str) else str(name), PRESETS))
    blocks = _blocks(Path(name).read_text(encoding="utf-8"))
    if len(blocks) != 1:
        checks.require(checks.one_of("rules", listing(blocks), ()))
    (title, block), *_ = blocks.items()
    return _complete(str(title), block, presets)


def _complete(name: str, block: dict, presets: dict) -> Rules:
    values = dict(block)
    like = values.pop("like", None)
    if like is not None:
        checks.require(checks.one_of("like", like, PRESETS))
        values = {**_complete(like, presets[like], presets).as_dict(), **values}
        values.pop("name")
    known = [f.name for f in fields(Rules) if f.name != "name"]
    checks.require(*checks.columns("rules", values, known), *checks.columns("rules", known, values))
    return Rules(name=name, **values)
