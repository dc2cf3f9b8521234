"""What each indicator is: the definitions of ``indicators.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from htresearch.language import Text

#: Tables that every indicator needs: who leads which class, where and when.
BASE = ("schools", "terms", "classes", "appointments")
#: How units are said.
UNITS = {
    "share": Text("比例", "share"),
    "per_100": Text("每百人", "per 100"),
    "hours": Text("小时", "hours"),
    "yuan": Text("元", "yuan"),
    "points": Text("分", "points"),
    "years": Text("年", "years"),
    "sd": Text("标准差", "SD"),
    "pupils": Text("人", "pupils"),
    "times": Text("次数", "times"),
    "ratio": Text("倍", "ratio"),
}


@dataclass(frozen=True)
class Definition:
    """What an indicator counts.

    Attributes
    ----------
    id : str
        Its name in results, and in the table ``targets``.
    clauses : tuple of str
        The clauses of the notice that it speaks to.
    name, definition, numerator, denominator, caution : Text
        In both languages.
    unit : str
        A key of `UNITS`.
    direction : str
        ``"higher"`` or ``"lower"`` is better, ``"zero"`` is the target, or ``"neither"``.
    interval : str
        ``"wilson"``, ``"ratio"``, ``"rates"`` or ``"none"``.
    of : str
        What is counted: teachers, classes, students …
    tables, columns : tuple of str
        What it can't do without, besides `BASE`.
    groups : tuple of str
        The breakdowns it comes with.
    """

    id: str
    clauses: tuple[str, ...]
    name: Text
    definition: Text
    numerator: Text
    denominator: Text
    unit: str
    direction: str
    interval: str
    of: str
    caution: Text
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    groups: tuple[str, ...] = field(default=())

    @property
    def per(self) -> float:
        """By what a share is multiplied."""
        return 100.0 if self.unit == "per_100" else 1.0

    @property
    def heading(self) -> Text:
        """Its name with its unit, where the name does not say that already."""
        if self.unit in ("share", "per_100", "times"):
            return self.name
        return Text("{name}（{unit}）", "{name} ({unit})").format(name=self.name, unit=UNITS[self.unit])


def definitions() -> dict[str, Definition]:
    """Return every indicator's definition.

    Returns
    -------
    dict
        By the indicator's id, in the order in which results list them.

    Examples
    --------
    >>> import htresearch as ht
    >>> known = ht.corps.definitions()
    >>> known["failed_in_post"].direction
    'zero'
    """
    return dict(_read()[1])


def words() -> dict[str, Text]:
    """Return the terms that the definitions use, each with its meaning."""
    return dict(_read()[0])


@cache
def _read() -> tuple[Mapping[str, Text], Mapping[str, Definition]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(files("htresearch.corps").joinpath("indicators.yaml").read_text(encoding="utf-8"), loader)
    said = {name: Text(**meaning) for name, meaning in content["words"].items()}
    return said, {name: Definition(id=name, **_entry(entry)) for name, entry in content["indicators"].items()}


def _entry(entry: Mapping[str, object]) -> dict[str, object]:
    def value(given: object) -> object:
        if isinstance(given, dict):
            return Text(**given)
        return tuple(given) if isinstance(given, list) else given

    return {name: value(given) for name, given in entry.items()}


def handbook(spoken: str) -> str:
    """Return the page of the documentation that lists every indicator.

    Parameters
    ----------
    spoken
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        Markdown.
    """

    def say(text: Text) -> str:
        return getattr(text, spoken)

    parts = [f"# {say(_TITLE)}\n", f"{say(_LEAD)}\n", *(f"- {say(meaning)}" for meaning in words().values())]
    for one in definitions().values():
        parts.append(f"\n## {say(one.name)}\n\n`{one.id}` · {', '.join(one.clauses)} · {say(UNITS[one.unit])}\n")
        parts.append(f"{say(one.definition)}\n")
        parts.append(f"- {say(_PARTS[0])}{say(one.numerator)}\n- {say(_PARTS[1])}{say(one.denominator)}")
        if one.groups:
            parts.append(f"- {say(_PARTS[2])}{', '.join(f'`{group}`' for group in one.groups)}")
        parts.append(f"- {say(_PARTS[3])}{say(one.caution)}")
    return "\n".join(parts) + "\n"


_TITLE = Text("指标手册", "The indicators")
_LEAD = Text(
    "`ht.corps.indicators` 计算的每一个指标：数什么、除以什么、读的时候当心什么。定义里的词都按下面的意思使用。",
    "Every indicator that `ht.corps.indicators` computes: what is counted, over what, and what to beware of. "
    "The words of the definitions mean:",
)
_PARTS = (
    Text("分子：", "Numerator: "),
    Text("分母：", "Denominator: "),
    Text("分组：", "Breakdowns: "),
    Text("当心：", "Caution: "),
)
