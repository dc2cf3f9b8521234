"""Schools' workbooks read into tables of a study: every sheet is known by its headers, every fault said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.checks import argument, require
from htresearch.errors import Fault, IntakeError
from htresearch.intake.folders import not_read, tables_in
from htresearch.intake.receipt import Exclusion
from htresearch.intake.school import assessments, honours, lists, scores, spells, training
from htresearch.intake.school.context import Context, Desk
from htresearch.intake.school.dictionary import Dictionary, dictionary
from htresearch.intake.school.layout import Block, blocks
from htresearch.intake.school.ledger import Ledger, Spot, Where
from htresearch.intake.school.places import Places
from htresearch.intake.school.plain import plain
from htresearch.intake.school.roster import Roster
from htresearch.intake.workbook import Sheet, Workbook, open_table
from htresearch.language import Text
from htresearch.study.open import Study, open_study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Books:
    """What schools' workbooks hold.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        Of the study's schema, as far as the sheets had any: appointments, assessments, outcomes, training_events,
        attendance, incentives.
    places : mapping of str to list of Spot
        The cell that each row stands in; none for assessments, which are columns.
    rows_in, rows_kept : int
        Rows below headers, and those that went into a table.
    exclusions : tuple of Exclusion
        Why the other rows were left out; their counts add up to the difference.
    findings : tuple of Exclusion
        What was seen and left aside, or read in a way that should be known.
    notes : tuple of Text
        How the sheets were read.
    ended : pandas.DataFrame or None
        Appointments that the study has without an end, with the end that the lists show.
    """

    tables: Mapping[str, pd.DataFrame]
    places: Mapping[str, list[Spot]]
    rows_in: int
    rows_kept: int
    exclusions: tuple[Exclusion, ...]
    findings: tuple[Exclusion, ...]
    notes: tuple[Text, ...]
    ended: pd.DataFrame | None = None

    @property
    def note(self) -> Text:
        """What was left out and how the rest was read, in words."""
        head = Text("读入 {n:,} 行，用到 {kept:,} 行", "{n:,} rows read, {kept:,} used").format(
            n=self.rows_in, kept=self.rows_kept
        )
        counted = [
            Text("{rule}：{n:,}", "{rule}: {n:,}").format(rule=left.rule, n=left.count)
            for left in (*self.exclusions, *self.findings)
        ]
        parts = [head, *counted, *self.notes]
        return Text("；".join(p.zh for p in parts) + "。", "; ".join(p.en for p in parts) + ".")


@dataclass
class _Shelf:
    """What has been read so far."""

    entries: list[lists.Entry] = field(default_factory=list)
    book: scores.Book = field(default_factory=dict)
    trainings: training.Trainings = field(default_factory=dict)
    awards: list[honours.Award] = field(default_factory=list)
    ended: pd.DataFrame | None = None


def read_workbooks(
    paths: str | Path | Iterable[str | Path],
    study: Study | str | Path,
    roster: Roster,
    measures: Mapping[str, Mapping] | None = None,
) -> Books:
    """Read what schools really have: termly head-teacher lists, score sheets, sign-in sheets, lists of honours.

    A sheet is known by its headers, whatever it is called. Titles, sheet names and file names say which school, term
    and class it is about. Several tables may stand in one sheet, and several schools in one workbook. What cannot be
    decided is refused with file, sheet and cell and with what may have been meant; nothing is guessed.

    Parameters
    ----------
    paths
        Workbooks or text tables, or a folder of them.
    study
        A study with schools, terms and classes; its appointments and training events, if any, are taken into account.
    roster
        Who the names and numbers mean. No name goes on from here.
    measures
        Subjects that the dictionary does not know, or knows otherwise: name to ``{"words": [headers], "domain": …,
        "set_by": …, "rated_by": …, "better": …, "unit": "seconds"}``; only the first two are needed.

    Returns
    -------
    Books

    Raises
    ------
    IntakeError
        With every fault of all files.
    """
    study = study if isinstance(study, Study) else open_study(study)
    words = dictionary(study.store.schema, measures)
    desk = Desk(Places(study), roster, words, Ledger())
    known = {t: study.frame(t) if t in study.tables else None for t in ("appointments", "training_events")}
    events = training.known_events(known["training_events"])
    shelf, refused = _Shelf(), []
    found, beside = files_of(paths)
    if (passed := not_read(beside)) is not None:
        desk.ledger.note(passed)
    for path in found:
        try:
            book = open_table(path)
        except IntakeError as error:
            refused += error.faults
            continue
        for number, sheet in enumerate(book.sheets, 1):
            _read_sheet(book, sheet, _where(book, sheet, number, roster), desk, shelf, events)
    made = _tables(shelf, desk, known["appointments"])
    require(*refused, *(_hiding(fault, roster) for fault in desk.ledger.faults), error=IntakeError)
    if not made:
        hidden = [Fault(place, _IS_HIDDEN, _UNHIDE) for place in desk.ledger.places(_HIDDEN)]
        raise IntakeError(Fault(Text("所给的文件", "The files"), _NOTHING, _KINDS), *hidden)
    ledger = desk.ledger
    return Books(
        {name: frame for name, (frame, _) in made.items()},
        {name: places for name, (_, places) in made.items() if places},
        ledger.rows_in,
        ledger.rows_kept,
        ledger.exclusions,
        ledger.findings,
        tuple(ledger.notes.values()),
        shelf.ended if shelf.ended is not None and len(shelf.ended) else None,
    )


def files_of(paths: str | Path | Iterable[str | Path]) -> tuple[list[Path], list[Path]]:
    """Return the files, and what stands beside them in the folders; see `tables_in`."""
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    found, beside = tables_in(given)
    nothing = Text("没有可读的文件", "holds no file to read")
    require(None if found else Fault(argument("paths"), nothing, _KINDS, [str(p) for p in given]))
    return found, beside


def _hiding(fault: Fault, roster: Roster) -> Fault:
    """Return a fault that names nobody: what it shows is a cell or, in its rule, a header."""
    value = roster.hide(fault.value) if isinstance(fault.value, str) else fault.value
    return replace(fault, rule=Text(roster.hide(fault.rule.zh), roster.hide(fault.rule.en)), value=value)


def _where(book: Workbook, sheet: Sheet, number: int, roster: Roster) -> Where:
    """Name a sheet without naming anybody: some keep a file or a sheet for each person."""
    name = roster.hide(sheet.name)
    return Where(roster.hide(book.path.name), name if name == sheet.name else f"{name} #{number}")


def _read_sheet(
    book: Workbook, sheet: Sheet, where: Where, desk: Desk, shelf: _Shelf, events: dict[str, training.Event]
) -> None:
    if sheet.hidden:
        desk.ledger.find(_HIDDEN, where.whole())
        return
    around = (plain(sheet.name), plain(book.path.stem))
    found = blocks(sheet, where, desk.words, desk.ledger)
    if not found and sheet.rows:
        _not_understood(sheet, where, desk, around)
    context = None
    for block in found:
        context = Context.of(desk, block, context, around)
        kind = _kind(block, context, desk.words)
        if kind is not None:
            _check_columns(block, kind, desk)
        if kind == "lists":
            shelf.entries += lists.read_list(block, context)
        elif kind == "scores":
            scores.read_scores(block, context, shelf.book)
        elif kind == "honours":
            shelf.awards += honours.read_honours(block, context)
        elif kind == "training":
            training.read_training(block, context, shelf.trainings, events)
        else:
            if desk.words.said("kinds", (*context.own, *around[:1])):
                desk.ledger.fault(where.row(block.header_row), _NO_KIND, _KINDS)
            if block.rows:
                desk.ledger.leave_out(_OTHER_TABLE, where.row(block.header_row), len(block.rows))


def _check_columns(block: Block, kind: str, desk: Desk) -> None:
    """Refuse columns that say who or where twice and cells of use whose formula failed; count columns of no use."""
    for column, header in block.doubled(desk.words):
        desk.ledger.fault(block.where.cell(block.header_row, column), _DOUBLED.format(name=header), _ONE_COLUMN)
    used = set()
    for column, header in block.columns.items():
        roles = {desk.words.role(text) for text in header} - {None, "computed", "other", "index"}
        if roles or any(map(desk.words.subject, header)):
            used.add(column)
        elif kind != "scores" and not {desk.words.role(text) for text in header} & {"index"}:
            desk.ledger.find(
                scores.LEFT_COLUMN.format(name=desk.roster.hide(header[-1])),
                block.where.cell(block.header_row, column),
            )
    rows = {number for number, _ in block.rows}
    for row, column in sorted(block.failed):
        if row in rows and column in used:
            desk.ledger.fault(block.where.cell(row, column), _FAILED, _WRITE_VALUE)


def _kind(block: Block, context: Context, words: Dictionary) -> str | None:
    """Tell what a table is by its headers; its titles decide only where the headers leave it open."""
    roles = block.roles(words)
    if roles.keys() & {"award", "kind"}:
        return "honours" if "name" in roles else None
    if scores.is_scores(block, words):
        return "scores"
    if "class" in roles and "head" in roles:
        return "lists"
    if training.is_training(roles):
        return "training"
    said = words.said("kinds", (*context.own, context.where.sheet))
    if "name" not in roles:
        return None
    if "lists" in said and "class" in roles:
        return "lists"
    return next((kind for kind in ("training", "honours") if kind in said), None)


def _not_understood(sheet: Sheet, where: Where, desk: Desk, around: tuple[str, ...]) -> None:
    """Say that a sheet has no header that is known: a fault where its title promises one of the four kinds."""
    titles = [plain(value) for row in sheet.rows[:5] for value in row if isinstance(value, str)]
    if desk.words.said("kinds", (*titles, around[0])):
        desk.ledger.fault(where.whole(), _NO_HEADER, _KINDS)
    else:
        desk.ledger.find(_OTHER_SHEET, where.whole())


def _tables(
    shelf: _Shelf, desk: Desk, appointments: pd.DataFrame | None
) -> dict[str, tuple[pd.DataFrame, list[Spot]]]:
    """Return every table that the sheets gave, with the place of each row."""
    made: dict[str, tuple[pd.DataFrame, list[Spot]]] = {}
    if shelf.entries:
        desk.ledger.note(spells.DERIVED)
        rows, ended = spells.join(spells.spells(shelf.entries, desk), spells.known_spells(appointments), desk)
        made["appointments"] = _appointments(row for _, row in rows), [spell.place for spell, _ in rows]
        shelf.ended = _appointments(ended)
    if shelf.book:
        about, outcomes, cells = assessments.tables(shelf.book, desk)
        made["assessments"] = about, []
        made["outcomes"] = outcomes, cells
    if shelf.trainings:
        held, attendance, places = training.tables(shelf.trainings)
        made["training_events"] = held, [event.place for event in shelf.trainings.values()]
        made["attendance"] = attendance, places
    if shelf.awards:
        made["incentives"] = honours.table(shelf.awards, desk)
    return made


def _appointments(rows: Iterable[spells.Known]) -> pd.DataFrame:
    import pandas as pd

    columns = ["teacher_id", "class_id", "role", "starts_on", "ends_on", "reason_ended"]
    return pd.DataFrame([astuple(row) for row in rows], columns=columns, dtype=object)


_KINDS = Text(
    "能读的有：班主任名单（班级、班主任）、成绩册（姓名或学号、学科）、培训签到表（姓名、签到）、获奖名单（姓名、荣誉名称）",
    "What is read: head-teacher lists (班级, 班主任), score sheets (姓名 or 学号, subjects), sign-in sheets (姓名, "
    "签到) and lists of honours (姓名, 荣誉名称)",
)
_DOUBLED = Text("有两列说的是同一回事（{name}）", "two columns say the same ({name})")
_ONE_COLUMN = Text("请删去或改名其中一列", "Delete one of them, or rename it")
_FAILED = Text(
    "公式出错或没有存下结果，没有值", "has a formula without a value (it failed, or its result was not saved)"
)
_WRITE_VALUE = Text("请改正公式，或直接填入值", "Correct the formula, or write the value")
_NOTHING = Text("里面没有认得出的表，或表中没有一行数据", "hold no table that is known, or none with any rows")
_IS_HIDDEN = Text("是隐藏的工作表，没有读", "is a hidden sheet, and was not read")
_UNHIDE = Text("若要读它，请取消隐藏", "Unhide it if it is to be read")
_NO_HEADER = Text(
    "从标题看是要读的表，却找不到认得出的列名", "has a title that asks for reading, but no header that is known"
)
_NO_KIND = Text("从列名看不出是哪种表", "has headers that do not say what it is")
_OTHER_TABLE = Text("不属于这四种表的行", "rows of tables of other kinds")
_OTHER_SHEET = Text("不属于这四种表的工作表", "sheets of other kinds")
_HIDDEN = Text("隐藏的工作表（未读）", "hidden sheets (not read)")
