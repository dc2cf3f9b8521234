"""Answers to an instrument read from an export: one frame whatever the source, and a receipt of what was done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.instruments import Instrument, load_instrument
from htresearch.intake.matching import match
from htresearch.intake.modes import NAMES
from htresearch.intake.reading import Answers, Reading
from htresearch.intake.screening import EXCLUDED, RULES
from htresearch.intake.sources import SOURCES, open_export
from htresearch.intake.times import moment
from htresearch.language import Text


def read_responses(
    path: str | Path, instrument: Instrument | str | Path, source: str | None = None, **how: object
) -> pd.DataFrame:
    """Read the answers to an instrument from an export.

    The exports of 问卷星 (by text, by option number or by score) and 腾讯问卷, SPSS and Stata files, and plain tables
    (xlsx, xls, csv) give the same frame. Items that identify (names, phones, school, class) are not in it, and what
    identifies somebody in a text answer is replaced by a mark. Columns are matched by number and words; where they
    do not match exactly, the error asks, with the nearest items.

    Parameters
    ----------
    path
        The file.
    instrument
        The instrument, or its YAML file.
    source
        ``"wenjuanxing"``, ``"tencent"``, ``"sav"``, ``"dta"``, ``"csv"`` or ``"xlsx"``; None finds it from the file.
    **how
        What `htresearch.intake.read` takes besides: `sheet`, `mode`, `columns`, `without`, `numbers`, `opened_on`,
        `closed_on`, `exclude`, `tests`.

    Returns
    -------
    pandas.DataFrame
        respondent_id, submitted_at, duration_s (seconds), then a column for each item: single choices ``Int64``,
        numbers ``Int64`` or ``Float64``, several choices and rankings text such as ``"1;3"``, text, dates. Answers
        missing for whatever reason are NA. ``attrs["notes"]`` says in words what was left out or made missing;
        `htresearch.intake.read` gives the receipt.

    Raises
    ------
    IntakeError
        If the file cannot be read for certain; every fault is listed, with what to do.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> file = Path(tempfile.mkdtemp()) / "climate.csv"
    >>> _ = file.write_text("id,class_code,relation_1,relation_2\\n1,3-2,4,5\\n2,3-2,从不,9\\n", encoding="utf-8")
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> without = [i for i in instrument.items if i not in ("class_code", "relation_1", "relation_2")]
    >>> ht.read_responses(file, instrument, without=without, mode="score")[["respondent_id", "relation_1"]]
      respondent_id  relation_1
    0             1           4
    1             2        <NA>
    """
    answers = read(path, instrument, source, **how)
    frame = answers.frame
    receipt = answers.receipt
    said = [
        Text("{rule}：{n}", "{rule}: {n}").format(rule=e.rule, n=e.count)
        for e in (*receipt.exclusions, *receipt.findings)
    ]
    frame.attrs["notes"] = [str(text) for text in (*said, *receipt.notes)]
    return frame


def read(
    path: str | Path,
    instrument: Instrument | str | Path,
    source: str | None = None,
    *,
    sheet: str | None = None,
    mode: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    without: Collection[str] = (),
    numbers: bool = True,
    opened_on: object = None,
    closed_on: object = None,
    exclude: Collection[str] = EXCLUDED,
    tests: Collection[str] = (),
    names: Iterable[str] = (),
    people: Callable[[pd.DataFrame], pd.Series] | None = None,
) -> Answers:
    """Read the answers to an instrument, those that identify apart, with a receipt.

    Parameters
    ----------
    path, instrument, source
        As in `htresearch.read_responses`.
    sheet
        Which sheet of a workbook.
    mode
        How closed answers are written, where the file does not tell: ``"text"``, ``"number"`` (of the option) or
        ``"score"``.
    columns
        Answers to what was asked: header or its cell to the name of an item, to ``item_value`` for one choice of an
        item with several answers, or to None for a column that is not to be read.
    without
        Items that the form did not ask.
    numbers
        Whether the numbers of questions must agree too; False where a form was renumbered.
    opened_on, closed_on
        First and last day of the round.
    exclude
        Rules of `htresearch.intake.screening.RULES` by which rows are left out; the others are only reported.
    tests
        Sources, IP addresses or accounts whose answers are tests.
    names
        Names that are to be taken out of text answers, besides those that the file itself asks for.
    people
        Says from the answers that identify who each row is of, NA where that is unknown; without it, equal names and
        schools are one person.

    Returns
    -------
    Answers
        The answers, what identifies apart, and the receipt.

    Raises
    ------
    IntakeError
        If the file cannot be read for certain.
    ArgumentError
        If an argument is none of its possible values.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> folder = Path(tempfile.mkdtemp())
    >>> study = ht.simulate(folder / "d", 1, 3, 1, measures=["run"], surveys="surveys")
    >>> from htresearch.intake import demonstration
    >>> file = folder / "climate.xlsx"
    >>> form = ht.load_instrument("surveys/class_climate.yaml")
    >>> planted = demonstration.export(study, form, "2024-1", file)
    >>> len(read(file, form).frame) > 9
    True
    """
    if not isinstance(instrument, Instrument):
        instrument = load_instrument(instrument)
    window = _window(opened_on, closed_on)
    checks.require(
        None if source is None else checks.one_of("source", source, SOURCES),
        None if mode is None else checks.one_of("mode", mode, tuple(NAMES)),
        *(checks.one_of("exclude", rule, tuple(RULES)) for rule in exclude),
        *(w for w in window if isinstance(w, Fault)),
    )
    export = open_export(path, instrument, source, sheet)
    matched = match(export, instrument, columns, without, numbers)
    reading = Reading(export, instrument, matched, window, frozenset(exclude), tuple(tests), people)
    return reading.answers(mode, names)


def _window(opened_on: object, closed_on: object) -> tuple:
    def day(name: str, value: object) -> pd.Timestamp | Fault | None:
        read = None if value is None else moment(value)
        if value is not None and read is None:
            return Fault(
                checks.argument(name),
                Text("不是日期", "is no date"),
                Text("请写成 2024-09-01", "Write it like 2024-09-01"),
                value,
            )
        return None if read is None else pd.Timestamp(read).normalize()

    first, last = day("opened_on", opened_on), day("closed_on", closed_on)
    if isinstance(first, pd.Timestamp) and isinstance(last, pd.Timestamp) and last < first:
        rule = Text("早于 opened_on", "is before opened_on")
        return first, Fault(
            checks.argument("closed_on"), rule, Text("请核对起止日期", "Check the days"), str(last.date())
        )
    return first, last
