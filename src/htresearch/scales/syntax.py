"""Measurement models as lavaan writes them, read into rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from htresearch.checks import require
from htresearch.errors import Fault, ModelError, UnsupportedError
from htresearch.language import Text

_NAME = re.compile(r"[^\W\d][\w.]*")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


@dataclass(frozen=True)
class Row:
    """One parameter as it was written.

    Attributes
    ----------
    left, operator, right : str
        ``"=~"`` for a loading, ``"~~"`` for a (co)variance, ``"~1"`` for an intercept or a mean, where `right` is
        empty.
    fixed : float or None
        The value it is held at.
    free : bool
        Whether ``NA*`` frees what would be fixed.
    label : str
        Parameters with one label are equal.
    by_group : tuple of Row
        What ``c(...)*`` says of each group, where it differs.
    """

    left: str
    operator: str
    right: str
    fixed: float | None = None
    free: bool = False
    label: str = ""
    by_group: tuple[Row, ...] = ()

    def of_group(self, group: int) -> Row:
        """Return what is written of one group."""
        return self.by_group[group] if self.by_group else self


@dataclass(frozen=True)
class MeasurementModel:
    """Factors, the items in the order of their first mention, and all that was written of them."""

    factors: tuple[str, ...]
    items: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def means(self) -> bool:
        """Whether an intercept or a mean is written."""
        return any(row.operator == "~1" for row in self.rows)

    def indicators(self, factor: str) -> list[str]:
        """Return the items that load on a factor."""
        return [row.right for row in self.rows if row.operator == "=~" and row.left == factor]


def parse_model(text: str) -> MeasurementModel:
    """Read a measurement model: ``=~``, ``~~`` and ``~ 1`` with ``1*``, ``NA*``, ``label*``, by group ``c(1, NA)*``.

    As in lavaan, a statement may name a parameter twice to say two things of it (``NA*t1 + a*t1``). Starting values
    (``start(.8)*``, ``.8?``) are read and passed over: the maximum does not depend on them.

    Raises
    ------
    ModelError
        If a line cannot be read; every such line is named.
    UnsupportedError
        If the text asks for what lavaan can and this cannot: regressions, factors of factors, thresholds, defined
        parameters, constraints.
    """
    rows: list[Row] = []
    faults: list[Fault] = []
    beyond: list[Fault] = []
    for line in _statements(str(text)):
        found = re.match(r"^(.*?)\s*(=~|~~|:=|==|~\*~|~|\||<|>)\s*(.*)$", line)
        if not found:
            faults.append(_unreadable(line))
            continue
        left, operator, right = found.groups()
        if operator not in ("=~", "~~") and not (operator == "~" and _only_intercept(right)):
            beyond.append(_beyond(line))
            continue
        operator = "~1" if operator == "~" else operator
        here: dict[tuple[str, str], Row] = {}
        for name in (part.strip() for part in left.split("+")):
            for term in (part.strip() for part in right.split("+")):
                row = _row(name, operator, term)
                said = here.get((row.left, row.right)) if row else None
                merged = row if said is None or row is None else _together(said, row)
                if row is None:
                    faults.append(_unreadable(line))
                elif merged is None:
                    rows.append(row)  # found to be written twice below
                else:
                    here[row.left, row.right] = merged
        rows += here.values()
    require(*dict.fromkeys(faults), error=ModelError)
    factors = tuple(dict.fromkeys(row.left for row in rows if row.operator == "=~"))
    beyond += [_beyond(f"{row.left} =~ {row.right}") for row in rows if row.operator == "=~" and row.right in factors]
    require(*beyond, error=UnsupportedError)
    items = tuple(dict.fromkeys(row.right for row in rows if row.operator == "=~"))
    require(*_faults(rows, factors, items), error=ModelError)
    return MeasurementModel(factors, items, tuple(rows))


def _statements(text: str) -> list[str]:
    """Return one statement a piece: comments off, lines that end or begin with an operator joined."""
    bare = re.sub(r"[#!].*", "", text)
    bare = re.sub(r"(=~|~~|~|\+|\*)[ \t]*\n\s*", r"\1 ", bare)
    bare = re.sub(r"\n\s*(\+|\*)", r" \1", bare)
    return [line.strip() for line in re.split(r"[\n;]", bare) if line.strip()]


def _only_intercept(right: str) -> bool:
    return all(re.fullmatch(r"(?:[^*]+[*?])?\s*1", term.strip()) for term in right.split("+"))


def _row(left: str, operator: str, term: str) -> Row | None:
    *before, right = (part.strip() for part in re.split(r"[*?]", term))
    if not _NAME.fullmatch(left) or len(before) > 1:
        return None
    if operator == "~1":
        right = ""
    elif not _NAME.fullmatch(right):
        return None
    if not before or "?" in term or re.fullmatch(rf"start\s*\(\s*{_NUMBER}\s*\)", before[0]):
        return Row(left, operator, right)
    several = re.fullmatch(r"c\s*\((.*)\)", before[0])
    if several is None:
        return _modified(left, operator, right, before[0])
    found = [_modified(left, operator, right, part.strip()) for part in several[1].split(",")]
    return None if None in found else Row(left, operator, right, by_group=tuple(r for r in found if r is not None))


def _modified(left: str, operator: str, right: str, modifier: str) -> Row | None:
    """Return a row with what stands before the asterisk."""
    if modifier == "NA":
        return Row(left, operator, right, free=True)
    if re.fullmatch(_NUMBER, modifier):
        return Row(left, operator, right, fixed=float(modifier)) if abs(float(modifier)) < 1e50 else None
    label = re.sub(r"""^label\s*\((.*)\)$""", r"\1", modifier).strip()
    quoted = re.fullmatch(r"""(["'])(.*)\1""", label)
    label = quoted[2] if quoted else label
    return Row(left, operator, right, label=label) if _NAME.fullmatch(label) else None


def _together(one: Row, other: Row) -> Row | None:
    """Return what two mentions of a parameter in a statement say, or None if they say the same thing twice."""
    twice = one == other or (one.fixed is not None and other.fixed is not None) or (one.label and other.label)
    against = (one.free and other.fixed is not None) or (other.free and one.fixed is not None)
    if twice or against or one.by_group or other.by_group:
        return None
    return replace(
        one,
        fixed=other.fixed if one.fixed is None else one.fixed,
        free=one.free or other.free,
        label=one.label or other.label,
    )


def _unreadable(line: str) -> Fault:
    return Fault(
        Text("模型中的“{line}”", "In the model, “{line}”").format(line=line),
        Text("看不懂", "cannot be read"),
        Text(
            "写法如 trust =~ t1 + t2 + t3、t1 ~~ t2、t1 ~ 1，系数前可写 1*、NA* 或 名称*",
            "Write trust =~ t1 + t2 + t3, t1 ~~ t2 or t1 ~ 1, with 1*, NA* or name* before a term",
        ),
    )


def _beyond(line: str) -> Fault:
    return Fault(
        Text("模型中的“{line}”", "In the model, “{line}”").format(line=line),
        Text(
            "这里只做测量模型（=~、~~、~ 1），不做回归、高阶因子、门槛和自定约束",
            "only measurement models are fitted here (=~, ~~, ~ 1), no regressions, factors of factors, thresholds "
            "or constraints",
        ),
        Text(
            "请用 scales.lavaan_script 导出，在 R 中用 lavaan 估计",
            "Export it with scales.lavaan_script for lavaan in R",
        ),
    )


def _faults(rows: list[Row], factors: tuple[str, ...], items: tuple[str, ...]) -> list[Fault]:
    """Refuse a model without factors, names that are neither items nor factors, and what is written twice."""
    if not factors:
        return [
            Fault(
                Text("模型", "The model"),
                Text("没有因子", "has no factor"),
                Text("请写上如 trust =~ t1 + t2 + t3", "Write, say, trust =~ t1 + t2 + t3"),
            )
        ]
    faults, seen = [], set()
    for row in rows:
        place = Text("模型中的 {row}", "In the model, {row}").format(
            row=f"{row.left} {row.operator} {row.right}".strip()
        )
        unknown = [n for n in (row.left, row.right) if n and n not in factors and n not in items]
        if unknown:
            faults.append(
                Fault(
                    place,
                    Text("{name} 既不是因子，也没有因子用到", "{name} is no factor, nor an item of one").format(
                        name=unknown[0]
                    ),
                    Text("请改名，或用 =~ 把它放进一个因子", "Correct the name, or put it into a factor with =~"),
                )
            )
        mixed = row.operator == "~~" and (row.left in factors) != (row.right in factors)
        if mixed and not unknown:
            faults.append(
                Fault(
                    place,
                    Text("因子与题目的残差不能相关", "a factor cannot covary with the residual of an item"),
                    Text("请用 =~ 让题目归于因子", "Let the item load on the factor with =~"),
                )
            )
        key = (row.operator, *(sorted((row.left, row.right)) if row.operator == "~~" else (row.left, row.right)))
        if key in seen:
            faults.append(Fault(place, Text("写了两次", "is written twice"), Text("请删去一个", "Remove one")))
        seen.add(key)
    return faults


def unlike_groups(model: MeasurementModel, n_groups: int, equal: Collection[str] = ()) -> list[Fault]:
    """Refuse ``c(...)`` with more or fewer values than there are groups, and of what is to be equal in all groups."""
    faults = []
    for row in (row for row in model.rows if row.by_group):
        place = Text("模型中的 {row}", "In the model, {row}").format(
            row=f"{row.left} {row.operator} {row.right}".strip()
        )
        of = {"=~": "loadings", "~~": "residuals"}.get(row.operator)
        of = of or ("means" if row.left in model.factors else "intercepts")
        if len(row.by_group) != n_groups:
            said = Text("c(…) 中有 {k} 个值，而组数为 {n}", "c(…) holds {k} values for {n} groups")
            fix = Text("请按组的次序每组写一个", "Write one for each group, in their order")
            faults.append(Fault(place, said.format(k=len(row.by_group), n=n_groups), fix))
        elif of in equal:
            said = Text(
                "既按组写了 c(…)，又要求组间相等", "has values by group, c(…), and shall be equal in all groups"
            )
            fix = Text("请去掉 c(…)，或不在 equal 中写 {of}", "Leave out c(…), or {of} from equal").format(of=of)
            faults.append(Fault(place, said, fix))
    return faults
