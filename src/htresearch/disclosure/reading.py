"""Reading what `tabulate` was asked for: columns, statistic, units."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure.units import is_of_teachers
from htresearch.errors import Fault
from htresearch.language import Text, listing

#: What can be computed and checked.
STATISTICS = ("count", "percentage", "sum", "mean", "sd", "median", "quantile", "correlation", "ratio")
#: What is one person's value: computed, and refused in public.
EXTREMES = ("min", "max", "first", "last")
MISSING = "(missing)"

#: The column that the schema has for a unit, by which a unit given by another column is counted as well.
SCHEMA = {
    "person": ("student_id", "respondent_id", "teacher_id"),
    "teacher": ("teacher_id", "class_id"),
    "school": ("school_id",),
}
#: What a teacher's state may change with.
TIMES = ("term_id", "term_index", "wave", "class_id")
#: A column is two-valued if two values make up this share of it: a few others thrown in hide nothing.
TWO_VALUED = 0.95
#: Names that the cells of a table have of their own.
RESERVED = frozenset(
    {*SCHEMA, "value", "second", "weight", "size", "cell", "everyone", "estimate", "total", "constant"}
)
_NAMES = {"std": "sd", "average": "mean", "avg": "mean", "minimum": "min", "maximum": "max", "n": "count"}


@dataclass(frozen=True, eq=False)
class Data:
    """Microdata in plain columns: keys, ``person``, ``teacher``, ``school``, ``value``, ``second``, ``weight``."""

    work: pd.DataFrame
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    statistic: str
    asked: str
    teacher: str | None
    school: str | None
    q: float | None
    signed: bool
    two_valued: bool
    n_values: int
    own_value: bool
    weighted: bool
    of_teachers: bool
    teachers_are_persons: bool
    note: tuple[Text, ...]

    @property
    def keys(self) -> list[str]:
        """The key columns, from coarse to fine."""
        return [*self.rows, *self.columns]


def names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) or not isinstance(given, Sequence) else tuple(given)


def read(
    frame: pd.DataFrame,
    rows: object,
    columns: object,
    value: str | None,
    statistic: str | Callable,
    person: str,
    teacher: str | None,
    school: str | None,
    q: float | None,
    second: str | None,
    weight: str | None,
) -> Data:
    """Read the arguments of `tabulate`; every fault at once."""
    rows, columns = names(rows), names(columns)
    asked = statistic if isinstance(statistic, str) else getattr(statistic, "__name__", type(statistic).__name__)
    kind = _NAMES.get(asked, asked) if isinstance(statistic, str) else "unknown"
    if kind not in (*STATISTICS, *EXTREMES):
        kind = "unknown"
    q = 0.5 if kind == "median" else q
    note: list[Text] = []
    teacher = _unit("teacher", teacher, frame, person, note)
    school = _unit("school", school, frame, person, note)
    single = [("person", person), ("value", value), ("second", second), ("weight", weight)]
    wanted = [("rows", rows), ("columns", columns)]
    # A list is no column's name: it is refused as it is written.
    wanted += [(n, (c if isinstance(c, Hashable) else str(c),)) for n, c in single if c is not None or n == "person"]
    checks.require(
        *[fault for name, asked_for in wanted for fault in checks.columns(name, asked_for, frame.columns)],
        *_needs(kind, rows, columns, value, second, weight, q),
        _nothing(frame),
    )
    numbers = {
        name: _numbers(name, frame[c]) for name, c in (("value", value), ("second", second), ("weight", weight)) if c
    }
    checks.require(*[fault for _, fault in numbers.values()], _negative(numbers.get("weight")))
    work = pd.DataFrame({key: _labels(frame[key], note, key) for key in (*rows, *columns)}, index=frame.index)
    for unit, column in (("person", person), ("teacher", teacher), ("school", school)):
        work[unit] = np.nan if column is None else pd.factorize(frame[column])[0]
        work[unit] = work[unit].where(work[unit] >= 0)
        double = next((c for c in SCHEMA[unit] if c in frame.columns), None)
        if column is not None and double not in (None, column):
            work[f"{unit}+"] = pd.Series(pd.factorize(frame[double])[0], index=frame.index).replace(-1, np.nan)
    for name, (values, _) in numbers.items():
        work[name] = values
    for column in TIMES:
        if column in frame.columns:
            work[f"time:{column}"] = pd.factorize(frame[column])[0]
    work = _kept(work, kind, note)
    checks.require(_two(kind, work))
    found = work["value"] if "value" in work else pd.Series(dtype=float)
    common = found.value_counts(normalize=True)
    return Data(
        work=work.reset_index(drop=True),
        rows=rows,
        columns=columns,
        statistic=kind,
        asked=str(asked),
        teacher=teacher,
        school=school,
        q=q,
        signed=bool((found < 0).any()),
        two_valued=bool(common.head(2).sum() >= TWO_VALUED),
        n_values=len(common),
        own_value=value is not None,
        weighted=weight is not None,
        teachers_are_persons=_are_persons(frame, person, teacher),
        of_teachers=person != teacher and any(is_of_teachers(work, c) for c in ("value", "second")),
        note=tuple(note),
    )


def _unit(unit: str, column: str | None, frame: pd.DataFrame, person: str, note: list[Text]) -> str | None:
    """Return the column of a unit: the one given, else what stands in for it, else none."""
    if column is None or column in frame.columns:
        return column
    stand_in = next((c for c in SCHEMA[unit] if c in frame.columns and c != person), None)
    if stand_in:
        note.append(
            Text(
                f"没有“{column}”这一列，以“{stand_in}”代替。",
                f"There is no column {column!r}; {stand_in!r} stands in for it.",
            )
        )
    return stand_in


def _needs(kind, rows, columns, value, second, weight, q) -> list[Fault | None]:
    """Return what the arguments lack or hold twice."""
    faults: list[Fault | None] = []
    keys = [*rows, *columns]
    twice = sorted({str(k) for k in keys if keys.count(k) > 1})
    if twice:
        faults.append(
            Fault(
                checks.argument("columns"),
                Text("{all}写了两次", "{all} stands twice").format(all=listing(twice)),
                Text("每列只用一次", "Use each column once"),
            )
        )
    faults += [
        Fault(
            checks.argument("rows"),
            Text("“{key}”另有所指", "{key!r} means something else here").format(key=str(key)),
            Text("请先给这一列换个名称", "Give the column another name first"),
        )
        for key in keys
        if key in RESERVED or str(key).startswith("n_")
    ]
    if not rows:
        faults.append(_lack("rows", Text("请给至少一列", "Give at least one column")))
    if value is None and kind in (*STATISTICS[2:], *EXTREMES):
        faults.append(_lack("value", Text("请写明要汇总哪一列", "Say which column is summarised")))
    if value is None and kind == "percentage" and not columns:
        faults.append(_lack("columns", Text("请给 value，或给 columns", "Give a value, or columns")))
    if kind in ("correlation", "ratio") and second is None:
        faults.append(_lack("second", Text("请写明另一列", "Name the other column")))
    if kind == "quantile":
        faults.append(checks.between("q", q, 0, 1, open_ends=True))
    if weight is not None and kind not in ("sum", "mean", "percentage", "ratio"):
        faults.append(
            Fault(
                checks.argument("weight"),
                Text("这种统计量不加权", "this statistic takes no weights"),
                Text("请去掉 weight", "Leave the weight out"),
                weight,
            )
        )
    return faults


def _lack(name: str, fix: Text) -> Fault:
    return Fault(checks.argument(name), Text("缺少", "is missing"), fix)


def _nothing(frame: pd.DataFrame) -> Fault | None:
    if len(frame):
        return None
    return Fault(
        checks.argument("frame"),
        Text("没有一行数据", "has no rows"),
        Text("请检查筛选条件", "Look at how it was filtered"),
    )


def _numbers(name: str, column: pd.Series) -> tuple[pd.Series, Fault | None]:
    """Return a column as floats, and what is wrong with it."""
    fix = Text("请先转换成数字", "Turn it into numbers first")
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        read = pd.to_numeric(column.astype(object), errors="coerce")
        if read.isna().sum() > column.isna().sum() or pd.api.types.is_datetime64_any_dtype(column):
            return read, Fault(checks.argument(name), Text("不是数字", "does not hold numbers"), fix, column.name)
        column = read
    values = pd.Series(column.to_numpy("float64", na_value=np.nan), index=column.index)
    if np.isinf(values).any():
        return values, Fault(checks.argument(name), Text("含无穷大", "holds infinite values"), fix, column.name)
    return values, None


def _negative(weight: tuple[pd.Series, Fault | None] | None) -> Fault | None:
    if weight is None or weight[1] is not None or not (weight[0] < 0).any():
        return None
    return Fault(
        checks.argument("weight"),
        Text("含负数", "holds negative values"),
        Text("权重不能为负", "A weight is not negative"),
    )


def _labels(column: pd.Series, note: list[Text], name: str) -> pd.Series:
    """Return a key column with its missing values named."""
    gaps = int(column.isna().sum())
    if gaps:
        note.append(
            Text(
                f"“{name}”缺失的 {gaps} 行单列一类。",
                f"The {gaps} rows without {name!r} are a category of their own.",
            )
        )
    return column.astype(object).where(column.notna(), MISSING)


def _are_persons(frame: pd.DataFrame, person: str, teacher: str | None) -> bool:
    """Tell whether rows are teachers; pupils who are called so beside a column of teachers or classes are not."""
    if person == "teacher_id":
        return True
    others = {*SCHEMA["teacher"], *SCHEMA["person"][:2]} & set(frame.columns)
    return person == teacher and not others


def _two(kind: str, work: pd.DataFrame) -> Fault | None:
    if kind != "percentage" or "value" not in work or work["value"].nunique() <= 2:
        return None
    return Fault(
        checks.argument("value"),
        Text("有两种以上的取值，不能算百分比", "has more than two values and makes no percentage"),
        Text("请先变成是与否；各类的百分比请用 columns", "Turn it into yes and no; for a share of each use columns"),
    )


def _kept(work: pd.DataFrame, kind: str, note: list[Text]) -> pd.DataFrame:
    """Leave out rows that enter no statistic, counted."""
    needed = [c for c in ("value", "second", "weight") if c in work]
    keep = work[needed].notna().all(axis=1)
    if "weight" in work:
        keep &= work["weight"] > 0  # who has no weight stands behind nothing
    gone = int((~keep).sum())
    if gone:
        note.append(
            Text(f"{gone} 行没有数值或没有权重，未计入。", f"{gone} rows without a value or a weight do not count.")
        )
    return work[keep]
