"""Simulated answers as the files in which they would arrive: clean, or as dirty as such files are.

The layouts are those of 问卷星 (three ways of writing an answer, two of writing a header), of 腾讯问卷, of labelled
SPSS and Stata files and of plain tables. What is planted is listed beside the file, so that a test can say of every
row what should become of it. Names, numbers and addresses are invented (`htresearch.intake.invented`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from htresearch import checks
from htresearch.atomic import new_folder
from htresearch.errors import Fault, MissingTableError
from htresearch.instruments import load_instrument
from htresearch.intake.dirt import Form, Plant, soil
from htresearch.intake.invented import Invented
from htresearch.intake.layouts import (
    MODES,
    Table,
    plain,
    tencent,
    wenjuanxing,
    write_csv,
    write_labelled,
    write_xlsx,
)
from htresearch.intake.school import made_up_roster, write_workbooks
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

    from htresearch.instruments import Instrument
    from htresearch.intake.school import Roster

SOURCES = ("wenjuanxing", "tencent", "csv", "xlsx", "sav", "dta")
ENCODINGS = ("utf-8-sig", "utf-8", "gb18030")
HEADERS = ("classic", "modern")
_SUFFIXES = {
    "wenjuanxing": (".xlsx", ".csv"),
    "tencent": (".xlsx", ".csv"),
    "csv": (".csv",),
    "xlsx": (".xlsx",),
    "sav": (".sav",),
    "dta": (".dta",),
}


@dataclass(frozen=True)
class Planted:
    """What is in a file.

    Attributes
    ----------
    path : str
        The name of the file.
    instrument, wave, source, mode : str
    opened, closed : str
        The days of the round.
    respondents : tuple of (str or None)
        Whose answers stand in each row, by the id in the study; None for a test of the form.
    plants : tuple of Plant
        What is wrong or unusual, with its row (from 1, as 序号 counts) and item.
    identifiers : mapping of str to tuple of str
        By kind, everything in the file that says who somebody is.
    """

    path: str
    instrument: str
    wave: str
    source: str
    mode: str
    opened: str
    closed: str
    respondents: tuple[str | None, ...]
    plants: tuple[Plant, ...]
    identifiers: Mapping[str, tuple[str, ...]]

    def of(self, kind: str) -> tuple[Plant, ...]:
        """Return the plants of a kind."""
        return tuple(plant for plant in self.plants if plant.kind == kind)

    @property
    def kinds(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {kind: len(self.of(kind)) for kind in dict.fromkeys(plant.kind for plant in self.plants)}

    @property
    def untouched(self) -> tuple[int, ...]:
        """The rows, from 1, in which nothing was planted."""
        touched = {plant.row for plant in self.plants}
        return tuple(row for row in range(1, len(self.respondents) + 1) if row not in touched)


def answers(study: str | Path, instrument: Instrument, wave: str) -> pd.DataFrame:
    """Return simulated answers in wide form: what reading a clean export should give.

    Parameters
    ----------
    study
        A folder that `htresearch.simulate` wrote with surveys.
    instrument
        One of the instruments that were answered.
    wave
        The round, such as ``"2024-2"``.

    Returns
    -------
    pandas.DataFrame
        respondent_id, class_id, submitted_at, duration_s and a column for each item that does not say who or where
        somebody is, in the order of submission. Single choices and numbers are ``Int64``, other answers text.

    Raises
    ------
    MissingTableError
        If there are no such answers in the folder.
    """
    import pandas as pd

    study = Path(study)
    only = [("instrument_id", "=", instrument.id), ("wave", "=", wave)]
    files = (study / "responses.parquet", study / "truth" / "respondents.parquet")
    if not all(file.is_file() for file in files):
        raise MissingTableError(_no_answers(study, instrument, wave))
    long, people = (pd.read_parquet(file, filters=only) for file in files)
    people = people[people["answered"]]
    if people.empty:
        raise MissingTableError(_no_answers(study, instrument, wave))
    wide = long.pivot_table(index="respondent_id", columns="item", values="value", aggfunc="first")
    people = people.sort_values(["submitted_at", "respondent_id"]).set_index("respondent_id")
    frame = people[["class_id", "submitted_at", "duration_s"]].astype({"duration_s": "Int64"})
    for item in instrument.items.values():
        if item.identifies:
            continue
        said = wide[item.id].reindex(frame.index) if item.id in wide else pd.Series(None, frame.index, dtype=object)
        frame[item.id] = said.astype("Int64") if item.type in ("single", "number") else said.astype("string")
    return frame.reset_index()


def with_namesakes(roster: Roster, schools: int = 1) -> Roster:
    """Return a roster on which two head teachers have the same name in each of so many schools."""
    teachers = roster.teachers.copy()
    for _, rows in list(teachers.groupby("school_id"))[:schools]:
        if len(rows) > 1:
            first, second = rows.index[:2]
            teachers.loc[second, "name"] = teachers.loc[first, "name"]
    return replace(roster, teachers=teachers)


def export(
    study: str | Path,
    instrument: Instrument,
    wave: str,
    path: str | Path,
    source: str = "wenjuanxing",
    *,
    mode: str = "text",
    headers: str = "classic",
    encoding: str = "utf-8-sig",
    dirty: bool = False,
    each: int = 3,
    seed: int = 1,
    roster: Roster | None = None,
) -> Planted:
    """Write a round of simulated answers as a file from the field, and beside it what is planted there.

    Parameters
    ----------
    study, instrument, wave
        As in `answers`.
    path
        The file; its ending says whether it is a workbook or text. Beside it ``PATH.planted.json`` is written.
    source
        ``"wenjuanxing"``, ``"tencent"``, ``"csv"``, ``"xlsx"``, ``"sav"`` or ``"dta"``.
    mode
        How 问卷星 writes closed answers: ``"text"`` (按选项文本), ``"number"`` (按选项序号) or ``"score"``
        (按选项分数).
    headers
        Of 问卷星, ``第3题(行标题)`` is ``"classic"``, ``3、题干—行标题`` ``"modern"``; of 腾讯问卷, what tells of an
        answer stands before the questions or, ``"modern"``, mostly behind them.
    encoding
        Of text: ``"utf-8-sig"`` (with BOM), ``"utf-8"`` or ``"gb18030"``.
    dirty
        Whether duplicates, test answers, times outside the round, impossible values, identifiers in free text and
        the like are planted; `htresearch.intake.dirt` has the list.
    each
        How many of each kind.
    seed
        Seed of the invention and of the dirt.
    roster
        Names of head teachers and schools; made up if it is not given.

    Returns
    -------
    Planted

    Raises
    ------
    ArgumentError
        If an argument is none of the possible values, or source and ending do not go together.
    MissingTableError
        If there are no such answers in the study.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> folder = Path(tempfile.mkdtemp())
    >>> study = ht.simulate(folder / "d", 1, 6, 1, measures=["run"], surveys="surveys")
    >>> form = ht.load_instrument("surveys/class_climate.yaml")
    >>> planted = export(study, form, "2024-1", folder / "climate.xlsx", dirty=True)
    >>> planted.kinds["duplicate"]
    3
    """
    path = Path(path)
    checks.require(
        checks.one_of("source", source, SOURCES),
        checks.one_of("mode", mode, MODES),
        checks.one_of("headers", headers, HEADERS),
        checks.one_of("encoding", encoding, ENCODINGS),
        checks.integer("each", each, 0, 1000),
        None if source not in _SUFFIXES else checks.one_of("path", path.suffix.lower(), _SUFFIXES[source]),
    )
    form = _form(study, instrument, wave, seed, roster)
    plants = soil(form, instrument, each, seed) if dirty else []
    form.sort()
    table = _table(form, instrument, source, mode, headers)
    _write(table, path, source, encoding)
    rows = form.row_of
    planted = Planted(
        path.name,
        instrument.id,
        wave,
        source,
        mode if source == "wenjuanxing" else "",
        str(form.opened),
        str(form.closed),
        tuple(form.frame["respondent_id"].where(form.frame["respondent_id"].notna(), None)),
        tuple(Plant(p.kind, rows[p.row], p.item, p.value) for p in plants),
        form.identifiers(),
    )
    said = json.dumps(asdict(planted), indent=1, ensure_ascii=False)
    path.with_name(path.name + ".planted.json").write_text(said + "\n", "utf-8")
    return planted


#: What schools and respondents cannot tell: an office has it before any of their files arrives.
KNOWN = ("schools", "terms", "classes", "teachers", "students", "enrolments")


def arrivals(study: str | Path, folder: str | Path, surveys: str | Path | None = None, seed: int = 1) -> Path:
    """Write what would lie on the desk of an office, for practice: from there the study comes about again.

    Parameters
    ----------
    study
        A folder that `htresearch.simulate` wrote.
    folder
        Made new; an earlier one of this function is replaced. In it ``exports`` has a dirty 问卷星 export of the
        last round of each instrument, with what is planted in it, ``schools`` the workbooks of all schools,
        ``roster.xlsx`` the names, and ``study`` the tables that are known before.
    surveys
        The folder of the instruments that were answered, each in a file by its id; without it there are no exports.
    seed
        Seed of the names, of the dirt and of the habits of schools.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ArgumentError
        If the folder holds something else.
    InstrumentError
        If an instrument is not there or has faults.
    MissingTableError
        If the study lacks a table that is needed, or has no survey rounds.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> desk = Path(tempfile.mkdtemp())
    >>> district = ht.simulate(desk / "d", 1, 6, 1, measures=["run"], surveys="surveys")
    >>> sorted(path.name for path in arrivals(district, desk / "a", "surveys").iterdir())
    ['exports', 'roster.xlsx', 'schools', 'study']
    """
    import pandas as pd

    study, folder = Path(study), Path(folder)
    roster = made_up_roster(study, seed)
    with new_folder(folder, ours=lambda there: (there / "roster.xlsx").is_file()) as made:
        (made / "study").mkdir()
        for table in KNOWN:
            shutil.copy(study / f"{table}.parquet", made / "study")
        roster.write(made / "roster.xlsx")
        write_workbooks(study, made / "schools", roster, seed)
        if surveys is not None:
            (made / "exports").mkdir()
            rounds = pd.read_parquet(study / "waves.parquet").groupby("instrument_id")["wave"].max()
            for name, wave in rounds.items():
                form, path = load_instrument(Path(surveys) / f"{name}.yaml"), made / "exports" / f"{name}_{wave}.xlsx"
                export(study, form, wave, path, dirty=True, seed=seed, roster=roster)
    return folder


def _form(study: str | Path, instrument: Instrument, wave: str, seed: int, roster: Roster | None) -> Form:
    """Return the answers with everything that a form knows besides: who, from where, from which address."""
    import pandas as pd

    frame, invented = answers(study, instrument, wave), Invented(seed)
    rounds = pd.read_parquet(Path(study) / "waves.parquet")
    days = rounds[(rounds["instrument_id"] == instrument.id) & (rounds["wave"] == wave)].iloc[0]
    frame["key"] = np.arange(len(frame))
    frame["ip"] = [invented.ip(f"{who} {wave}") for who in frame["respondent_id"]]
    told = {item.identifies: item.id for item in instrument.items.values() if item.identifies}
    if "class" in told:
        frame[told["class"]] = frame["class_id"]
    if {"name", "school"} & set(told):
        roster = made_up_roster(study, seed) if roster is None else roster
        teachers = roster.teachers.drop_duplicates("teacher_id").set_index("teacher_id")
        schools = roster.schools.drop_duplicates("school_id").set_index("school_id")["name"]
        known = {"name": teachers["name"], "school": teachers["school_id"].map(schools)}
        for what in set(known) & set(told):
            frame[told[what]] = frame["respondent_id"].map(known[what])
    for what, item in told.items():
        if what not in ("class", "name", "school"):
            invent = getattr(invented, what, invented.student_number)  # of a seat number, too
            frame[item] = [invent(str(who)) for who in frame["respondent_id"]]
    return Form(frame, told, _day(days["opened_on"]), _day(days["closed_on"]), invented)


def _day(value: object) -> date:
    return value if type(value) is date else value.date()


def _table(form: Form, instrument: Instrument, source: str, mode: str, headers: str) -> Table:
    if source == "wenjuanxing":
        return wenjuanxing(form, instrument, mode, headers == "modern")
    if source == "tencent":
        return tencent(form, instrument, headers == "modern")
    return plain(form, instrument) if source in ("csv", "xlsx") else wenjuanxing(form, instrument, "score")


def _write(table: Table, path: Path, source: str, encoding: str) -> None:
    if source in ("sav", "dta"):
        write_labelled(table, path, stata=source == "dta")
    elif path.suffix.lower() == ".xlsx":
        write_xlsx(table, path)
    else:
        write_csv(table, path, encoding)


def _no_answers(study: Path, instrument: Instrument, wave: str) -> Fault:
    return Fault(
        str(study),
        Text("没有《{t}》{w} 的模拟答卷", "has no simulated answers to “{t}” of round {w}").format(
            t=instrument.title, w=wave
        ),
        Text("请用 simulate(…, surveys=…) 生成", "Make it with simulate(…, surveys=…)"),
    )
