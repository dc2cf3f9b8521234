"""Measurement models as lavaan writes them, read into rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from htresearch.checks import require
from htresearch.errors import Fault, ModelError, UnsupportedError
from htresearch.language import Text

_NAME = re.compile(r"[^\W\d][\w.]*")


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
    """

    left: str
    operator: str
    right: str
    fixed: float | None = None
    free: bool = False
    label: str = ""


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
    """Read a measurement model: ``=~``, ``~~`` and ``~ 1`` with ``1*``, ``NA*`` and ``label*``.

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
        for name in (part.strip() for part in left.split("+")):
            for term in (part.strip() for part in right.split("+")):
                row = _row(name, operator, term)
                if row is None:
                    faults.append(_unreadable(line))
                else:
                    rows.append(row)
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
    return re.fullmatch(r"(?:[^*+]+\*)?\s*1", right.strip()) is not None


def _row(left: str, operator: str, term: str) -> Row | None:
    *before, right = (part.strip() for part in term.split("*"))
    if not _NAME.fullmatch(left) or len(before) > 1:
        return None
    if operator == "~1":
        right = ""
    elif not _NAME.fullmatch(right):
        return None
    if not before:
        return Row(left, operator, right)
    if before[0] == "NA":
        return Row(left, operator, right, free=True)
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", before[0]):
        return Row(left, operator, right, fixed=float(before[0]))
    if _NAME.fullmatch(before[0]):
        return Row(left, operator, right, label=before[0])
    return None


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
