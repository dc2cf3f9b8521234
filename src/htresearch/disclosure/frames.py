"""Checking plain frames and series: they pass only if they say what they are and how many stand behind each row."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure import asserted, reasons, recomputed
from htresearch.disclosure.check import register
from htresearch.disclosure.labels import PERSONAL, is_identifying
from htresearch.disclosure.reading import EXTREMES
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import ASSERTED, VERIFIED, Finding, Verdicts, decide
from htresearch.errors import Fault
from htresearch.language import Text, label

#: What a plain frame may hold. Sums and ratios are not among them: who makes up most of one cannot be seen from it.
STATISTICS = ("count", "percentage", "share", "mean", "sd", "median", "quantile", "correlation", "survival")
#: How many stand behind a row.
COUNTS = ("n_students", "n_teachers", "n_schools", "n_persons")
#: What a regression calls its first coefficient.
_INTERCEPTS = frozenset({"Intercept", "(Intercept)", "const"})
_SURVIVAL = ("n_risk", "n_events")
#: Columns, and labels of rows, that hold extremes whatever the frame is said to be; as `describe` and `agg` write.
_EXTREMES = frozenset(
    {*EXTREMES, "minimum", "maximum", "idxmin", "idxmax", "nth", "最小值", "最大值", "最低", "最高"}
)
#: So many whole numbers that follow on one another are no statistic.
_ENOUGH = 5
_NO_GROUP = Text(
    "keys 所指的整数列不像组别：没有它各行也分得清，或各数没有规律，可能是数值。",
    "Whole numbers that keys= names are no groups: rows are told apart without them, or they go in no even steps and "
    "may be amounts.",
)
_NUMBERED = Text("有一列是逐行的编号：一行可能就是一个人。", "One column numbers the rows: a row may be a person.")
#: The same in words, wherever they stand in a name.
_EXTREME = re.compile(
    r"最[高低大小好差多少早晚优劣]|(?:^|[^a-z])(?:max|min|(?:max|min)imum|highest|lowest|largest|smallest|best|worst|top|peak)"
    r"(?:$|[^a-z])",
    re.IGNORECASE,
)
#: Columns of spread, in which 0 says that all are alike.
_SPREAD = frozenset({"sd", "std", "std_dev", "var", "variance", "标准差"})
#: Columns that name places, from which it follows that schools need not be counted.
_SCHOOL = "school_id"


@register(pd.DataFrame)
def check_frame(
    frame: pd.DataFrame,
    rules: Rules,
    statistic: object = None,
    counts: object = None,
    keys: object = (),
    q: float | None = None,
    microdata: pd.DataFrame | None = None,
    value: object = None,
    person: str = "student_id",
    teacher: str | None = "teacher_id",
    school: str | None = "school_id",
    weight: str | None = None,
    second: str | None = None,
) -> Verdicts:
    """Return the verdict on a plain frame: on each of its numbers beside the microdata, else on each of its rows.

    With `microdata` every number is computed anew, and who stands behind it is counted. Without them the counts are
    what the caller asserts: the verdict, its record and its page say so, and counts that cannot be true are refused.

    Parameters
    ----------
    frame
        Its words, its index and the columns in `keys` say what a row is; ``n_students``, ``n_teachers``,
        ``n_schools`` how many stand behind it; every other number is what is to be shown. Where rows are teachers,
        there is no ``n_students``.
    rules
        The rules.
    statistic
        What the numbers are, one of `STATISTICS`: a ``"percentage"`` is 0 to 100, a ``"share"`` 0 to 1;
        ``"survival"`` has columns ``n_risk`` and ``n_events``, a row per time in order. With `microdata` also what
        `tabulate` knows, and a mapping by column; ``"count"`` of a column counts who has a value, as pandas does.
    counts
        The counts, if they are no columns: a frame with as many rows; or numbers by name, where the same persons
        stand behind every row, as behind several variables of one group.
    keys
        Columns of numbers that say what a row is, such as a year.
    q
        Which quantile.
    microdata
        The rows that the frame was made from. Their columns name the groups of the frame.
    value
        With `microdata`: which of their columns is summarised, where the frame calls it otherwise.
    person, teacher, school, weight, second
        With `microdata`: as in `tabulate`.
    """
    keys = (keys,) if isinstance(keys, str) else tuple(keys or ())
    method = statistic if isinstance(statistic, str) else ("" if statistic is None else type(statistic).__name__)
    if microdata is not None:
        data = recomputed.Microdata(microdata, value, person, teacher, school, weight, second)
        terms, findings = recomputed.findings_on(frame, rules, statistic, q, keys, data)
        return decide(terms, _graded(findings), rules, kind="table", method=method, counts=VERIFIED)
    plain = _flat(frame)
    checks.require(*checks.columns("keys", keys, [_bare(c) for c in plain]))
    behind = _behind(plain, counts)
    terms = [_term(number, labels) for number, labels in enumerate(_labels(plain, keys, rules.known))]
    findings = list(_findings(plain, rules, statistic, behind, keys, q))
    across = {str(name) for name in frame.columns.names if name is not None}
    findings += [reasons.finding(None, "label")] if across & PERSONAL else []
    if behind is not None and statistic in STATISTICS if isinstance(statistic, str) else False:
        labels, shown = plain[_words(plain, keys, rules.known)], plain[_values(plain, keys, rules.known)]
        shown = shown.apply(lambda column: pd.to_numeric(column.astype(object), errors="coerce").astype(float))
        one_group = isinstance(counts, Mapping)
        findings += _numbering(plain, labels, shown, keys, rules.known, statistic)
        findings += asserted.findings_on(behind, labels.rename(columns=_bare), shown, statistic, rules, one_group)
        findings += [reasons.finding(None, "teachers", teachers=rules.teachers)] if "class_id" in across else []
    return decide(terms, _graded(findings), rules, kind="table", method=method, counts=ASSERTED)


def _numbering(
    plain: pd.DataFrame,
    labels: pd.DataFrame,
    shown: pd.DataFrame,
    keys: tuple[str, ...],
    known: tuple[str, ...],
    statistic: str,
) -> Iterator[Finding]:
    """Refuse whole numbers that are said to name groups and do not, and those that number the rows.

    A number names a group if rows cannot be told apart without it. If it alone tells them apart, as years and grades
    do, it goes up in even steps; the amounts of groups do not.
    """
    for column in labels if len(plain) > 2 else ():
        if not _is_number(plain[column]) or _bare(column) in known or column not in keys:
            continue
        others = labels.drop(columns=column)
        needed = others.shape[1] == 0 or bool(others.astype(str).duplicated().any())
        numbers = pd.to_numeric(plain[column].astype(object), errors="coerce").astype(float)
        steps = np.diff(np.unique(numbers.dropna()))
        even = len(steps) == 0 or bool((steps == steps[0]).all()) or steps.sum() <= 2 * len(steps)
        ordered = numbers.is_monotonic_increasing or numbers.is_monotonic_decreasing
        if not needed or not even or (numbers.is_unique and not ordered):
            yield Finding(None, "rows", _NO_GROUP, reasons.RULES["rows"][1])
    for column in shown if statistic != "count" and len(plain) >= _ENOUGH else ():
        numbers = shown[column].dropna().sort_values().to_numpy()
        if len(numbers) == len(plain) and (np.diff(numbers) == 1).all() and (numbers % 1 == 0).all():
            yield Finding(None, "rows", _NUMBERED, reasons.RULES["rows"][1])


def check_series(series: pd.Series, rules: Rules, **what: object) -> Verdicts:
    """Return the verdict on each value of a series; see `check_frame`."""
    return check_frame(series.to_frame("estimate" if series.name is None else series.name), rules, **what)


# What a frame can be told, a series can.
check_series.__signature__ = inspect.signature(check_frame)
register(pd.Series)(check_series)


def _graded(findings: list[Finding]) -> list[Finding]:
    """Sort findings, the gravest first."""
    return sorted(findings, key=lambda f: reasons.ORDER.index(f.rule))


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its index as columns named ``index:…`` and one name per column."""
    plain = frame.reset_index(drop=True)
    plain.columns = ["/".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    plain.columns = [c if not plain.columns[:i].isin([c]).any() else f"{c}/{i}" for i, c in enumerate(plain.columns)]
    unnamed = frame.index.names == [None] and frame.index.is_unique and pd.api.types.is_integer_dtype(frame.index)
    if unnamed:
        return plain  # numbers of rows
    index = frame.index.to_frame(index=False)
    index.columns = [f"index:{'' if n is None else n}" for n in frame.index.names]
    return pd.concat([index, plain], axis=1)


def _bare(name: str) -> str:
    return name.removeprefix("index:")


def _behind(plain: pd.DataFrame, counts: object) -> pd.DataFrame | None:
    """Return the counts as numbers, a row per row; ``None`` where there are none that can be believed."""
    if isinstance(counts, Mapping):
        checks.require(*(_one_number(name, given, plain) for name, given in counts.items()))
        counts = pd.DataFrame({n: np.broadcast_to(np.asarray(g), len(plain)) for n, g in counts.items()})
    if counts is None:
        counts = plain
    checks.require(checks.data_frame("counts", counts), _length(plain, counts))
    found = counts[[c for c in COUNTS if c in counts]].reset_index(drop=True)
    # A table that was made plain calls them persons.
    found = (
        found.drop(columns="n_persons", errors="ignore")
        if "n_students" in found
        else found.rename(columns={"n_persons": "n_students"})
    )
    numbers = pd.DataFrame({c: pd.to_numeric(found[c], errors="coerce") for c in found})
    whole = not numbers.empty and np.isfinite(numbers.to_numpy(float)).all() and (numbers % 1 == 0).all(axis=None)
    return numbers if whole and (numbers >= 0).all(axis=None) else None


def _one_number(name: object, given: object, plain: pd.DataFrame) -> Fault | None:
    if np.ndim(given) == 0 or (np.ndim(given) == 1 and len(given) == len(plain)):
        return None
    return Fault(
        checks.argument("counts"),
        Text(f"“{name}”的个数与表的行数不同", f"{name!r} has another number of values than the table has rows"),
        Text("每行给一个数，或给一个对各行都成立的数", "Give a number for each row, or one that holds for all"),
    )


def _length(plain: pd.DataFrame, counts: object) -> Fault | None:
    if not hasattr(counts, "columns") or len(counts) == len(plain):
        return None
    return Fault(
        checks.argument("counts"),
        Text("行数与表不同", "has another number of rows than the table"),
        Text("每行各给一组人数", "Give the counts of each row"),
        len(counts),
    )


def _is_number(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return True
    # Numbers kept as objects or as text are numbers that are shown all the same.
    return column.notna().any() and bool(pd.to_numeric(column.astype(object), errors="coerce").notna().any())


def _values(plain: pd.DataFrame, keys: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """Return the columns whose numbers are shown: all but counts and what says what a row is.

    What says what a row is, is a name or a whole number: a year, a grade.
    """
    named = (*keys, *known)
    return [
        c
        for c in plain
        if _bare(c) not in COUNTS and _is_number(plain[c]) and not (_bare(c) in named and _is_whole(plain[c]))
    ]


def _is_whole(column: pd.Series) -> bool:
    numbers = pd.to_numeric(column.astype(object), errors="coerce").dropna().astype(float)
    return bool((numbers % 1 == 0).all())


def _words(plain: pd.DataFrame, keys: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """Return the columns that say what a row is."""
    shown = {*_values(plain, keys, known), *COUNTS}
    return [c for c in plain if c not in shown]


def _labels(plain: pd.DataFrame, keys: tuple[str, ...], known: tuple[str, ...]) -> Iterator[list[str]]:
    """Give the words that say what each row is."""
    for row in plain[_words(plain, keys, known)].itertuples(index=False):
        yield [str(value) for value in row]


def _term(number: int, labels: list[str]) -> str:
    row = str(Text(f"第 {number + 1} 行", f"row {number + 1}"))
    if not labels or any(is_identifying(text) for text in labels):
        return row  # what identifies is not repeated
    return f"{row} ({', '.join(str(label(text)) for text in labels)})"


def _findings(
    plain: pd.DataFrame,
    rules: Rules,
    statistic: object,
    behind: pd.DataFrame | None,
    keys: tuple[str, ...],
    q: float | None,
) -> Iterator[Finding]:
    if PERSONAL & set(map(_bare, plain)) or any(map(is_identifying, plain.columns)):
        yield reasons.finding(None, "label")
    for row, labels in enumerate(_texts(plain)):
        if any(map(is_identifying, labels)):
            yield reasons.finding(row, "label")
        if any(text.strip().lower() in _EXTREMES for text in labels):
            yield reasons.finding(row, "extreme")
        if any(text.strip() in _INTERCEPTS for text in labels):
            yield reasons.finding(None, "model")
    shown = _values(plain, keys, rules.known)
    if any(part.lower() in _EXTREMES for name in plain for part in _parts(name)) or any(map(_EXTREME.search, shown)):
        yield reasons.finding(None, "extreme")
    if statistic is None:
        yield reasons.finding(None, "provenance")
        return
    if statistic not in STATISTICS if isinstance(statistic, str) else True:
        name = statistic if isinstance(statistic, str) else getattr(statistic, "__name__", type(statistic).__name__)
        rule = {"sum": "money", "ratio": "money", **dict.fromkeys(_EXTREMES, "extreme")}.get(
            name, "unknown_statistic"
        )
        yield reasons.finding(None, rule, name=name)
        return
    if behind is None or not {"n_students", "n_teachers"} & set(behind):
        yield reasons.finding(None, "provenance")
        return
    yield from _units(plain, rules, behind)
    yield from _numbers(plain, rules, statistic, behind, keys, q)


def _texts(plain: pd.DataFrame) -> Iterator[list[str]]:
    words = [c for c in plain if not pd.api.types.is_numeric_dtype(plain[c])]
    for row in plain[words].itertuples(index=False):
        yield [str(value) for value in row if value is not None]


def _parts(name: str) -> list[str]:
    return [part for piece in _bare(name).split("/") for part in (piece, piece.split("_")[-1])]


def _units(plain: pd.DataFrame, rules: Rules, behind: pd.DataFrame) -> Iterator[Finding]:
    persons = "n_students" if "n_students" in behind else "n_teachers"
    wanted = {persons: ("threshold", rules.threshold)}
    if persons == "n_students" and rules.teachers > 1:
        wanted["n_teachers"] = ("teachers", rules.teachers)
    if _SCHOOL not in map(_bare, plain) and rules.schools > 1:
        wanted["n_schools"] = ("schools", rules.schools)
    for column, (rule, least) in wanted.items():
        # A count that is not given is nobody.
        few = behind[column] < least if column in behind else pd.Series(True, index=behind.index)
        for row in np.flatnonzero(few):
            yield reasons.finding(int(row), rule, **{rule: least})


def _numbers(
    plain: pd.DataFrame, rules: Rules, statistic: str, behind: pd.DataFrame, keys: tuple[str, ...], q: float | None
) -> Iterator[Finding]:
    persons = behind["n_students" if "n_students" in behind else "n_teachers"].astype(float)
    shown = _values(plain, keys, rules.known)
    if statistic == "survival":
        yield from _survival(plain, rules)
        return
    if not shown and statistic != "count":
        yield reasons.finding(None, "provenance")
    for column in shown:
        values = pd.to_numeric(plain[column].astype(object), errors="coerce").astype(float)
        for rule, broken in _column(column, values, persons, statistic, rules, q):
            for row in np.flatnonzero(broken.to_numpy(bool)):
                yield reasons.finding(int(row), rule, threshold=rules.threshold)


def _column(
    column: str, values: pd.Series, persons: pd.Series, statistic: str, rules: Rules, q: float | None
) -> Iterator[tuple[str, pd.Series]]:
    """Give the rules on the numbers of one column."""
    yield "missing", ~np.isfinite(values)
    if _SPREAD & set(_parts(column)):
        yield "constant", values == 0
    if statistic == "count":
        yield "range", (values < 0) | (values % 1 != 0)
        yield "zero", (values == 0) & (not rules.zero_cells)
        yield "threshold", (values > 0) & (values < rules.threshold)
    elif whole := _whole(column, values, statistic):
        yield "range", (values < 0) | (values > whole)
        having = values / whole * persons
        for part in (having, persons - having):
            # Half a person is granted to rounding, to the stricter side.
            few = part < rules.threshold - 1e-6
            yield "two_values", few & ~((part < 1e-9) & rules.zero_cells)
    elif statistic in ("median", "quantile"):
        q = 0.5 if statistic == "median" else q
        checks.require(checks.between("q", q, 0, 1, open_ends=True))
        yield "quantile", pd.Series(_other_quantile(column, q), index=values.index)
        yield "sides", persons * min(q, 1 - q) < rules.threshold - 1e-9
        allowed = not rules.quantiles or any(abs(q - a) < 1e-12 for a in rules.quantiles)
        yield "quantile", pd.Series(not allowed, index=values.index)
    elif statistic == "sd":
        yield "range", values < 0
        yield "constant", values == 0
    elif statistic == "correlation":
        yield "range", values.abs() > 1 + 1e-9
        yield "perfect", values.abs() >= 1 - 1e-9
        yield "residual_df", persons - 2 < rules.residual_df
    elif statistic == "mean" and column.endswith("_yuan"):
        yield "money", pd.Series(True, index=values.index)  # a mean of money is a sum of it


def _whole(column: str, values: pd.Series, statistic: str) -> float:
    """Return what is all persons where numbers are parts of them, else 0: a mean of yes and no is such a part."""
    if statistic in ("percentage", "share"):
        return 100 if statistic == "percentage" else 1
    if statistic != "mean" or values.isna().any() or not values.between(0, 100).all():
        return 0
    if values.max() <= 1:
        return 1
    return 100 if re.search(r"率|比例|占比|百分|%|percent|share|rate(?:$|[^a-z])", column, re.IGNORECASE) else 0


def _other_quantile(column: str, q: float) -> bool:
    """Tell whether a column is called by another quantile: ``25%``, or 0.25 as pandas calls it."""
    for part in _parts(column):
        said = re.fullmatch(r"(0?\.\d+)|(\d+(?:\.\d+)?)%", part)
        if said and abs((float(said[1]) if said[1] else float(said[2]) / 100) - q) > 1e-9:
            return True
    return False


def _survival(plain: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    """Give the steps of a curve that are a few persons: of those who had the event, left early, or are left."""
    if not set(_SURVIVAL) <= set(plain):
        yield reasons.finding(None, "provenance")
        return
    risk, events = (pd.to_numeric(plain[c], errors="coerce").astype(float) for c in _SURVIVAL)
    words = [c for c in plain if not _is_number(plain[c])]
    of = plain[words].astype(str).agg("/".join, axis=1) if words else pd.Series("", index=plain.index)
    left = risk.groupby(of).shift(-1)
    censored = (risk - events - left).where(left.notna(), risk - events)
    for parts in (events, censored, risk):
        few = ~((parts == 0) | (parts >= rules.threshold))
        for row in np.flatnonzero(few):
            yield reasons.finding(int(row), "steps")
