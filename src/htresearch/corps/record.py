"""What the indicators are computed from: the terms with their days, who led which class, and what belongs where.

Ids and vocabulary values are whole numbers here and days are days since 1970, so that a province fits into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.language import Text
from htresearch.study.exposures import LEADS, tiers_in_force
from htresearch.study.panel import living
from htresearch.study.timeline import calendar, days_once

if TYPE_CHECKING:
    from htresearch.study.open import Study
    from htresearch.study.store import Store

#: A day that is never reached: the end of what goes on.
NEVER = 2**31 - 1
#: A period takes in at most so many days of holidays after its term.
HOLIDAYS = 62
_PLACE = ("school_type", "location")


def read(lazy: nw.LazyFrame) -> dict[str, pa.Array]:
    """Collect a lazy table as columns; days become numbers, an empty one `NEVER`."""
    table = lazy.collect("pyarrow").to_native()
    columns = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if pa.types.is_temporal(column.type):
            column = pc.fill_null(column.cast(pa.date32()).cast(pa.int32()), NEVER)
        columns[name] = column
    return columns


def codes(column: pa.Array, known: pa.Array | Sequence[str]) -> np.ndarray:
    """Return where each value stands among `known`, -1 where it does not."""
    known = pa.array(known, column.type) if not isinstance(known, pa.Array) else known.cast(column.type)
    return pc.fill_null(pc.index_in(column, value_set=known), -1).to_numpy(zero_copy_only=False).astype(np.int64)


def coded(store: Store, lazy: nw.LazyFrame, **known: pa.Array | Sequence[str]) -> nw.LazyFrame:
    """Return a lazy table with the places of columns' values among those known, -1 for others, in their stead."""
    for name, values in known.items():
        values = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
        places = pa.table({name: values, "_place": np.arange(len(values), dtype=np.int32)})
        lazy = lazy.join(store.lend(places), on=name, how="left")
        lazy = lazy.with_columns(nw.col("_place").fill_null(-1).alias(name)).drop("_place")
    return lazy


@dataclass(frozen=True)
class Terms:
    """The terms that are asked for, in order, each with the days that decide what counts.

    Days are numbers. `ends` is the last day of the period; `before` and `after` are the first days of the terms
    before and after, -1 where the study has none.
    """

    ids: list[str]
    first: np.ndarray
    last: np.ndarray
    ends: np.ndarray
    year_before: np.ndarray
    before: np.ndarray
    after: np.ndarray
    all_first: np.ndarray  # of every term of the study
    all_ends: np.ndarray

    @property
    def weeks(self) -> np.ndarray:
        """Full weeks of each term."""
        return (self.last - self.first + 1) // 7

    def period_of(self, day: np.ndarray) -> np.ndarray:
        """Return in which period each day lies, -1 for none of those asked for."""
        return _within(day, self.first, self.ends)

    def outside(self, day: np.ndarray) -> int:
        """Count the days that lie in no period of the study at all."""
        return int((_within(day, self.all_first, self.all_ends) < 0).sum())


def _within(day: np.ndarray, first: np.ndarray, ends: np.ndarray) -> np.ndarray:
    found = np.searchsorted(first, day, side="right") - 1
    return np.where((found >= 0) & (day <= ends[found]), found, -1)


@dataclass(frozen=True)
class Enrolled:
    """The pupils of each first day.

    Attributes
    ----------
    students : pyarrow.Array
        Their ids; a pupil's code is the place here.
    there : list of tuple of numpy.ndarray
        By term, the codes of pupils and of the classes they are in, each pair once.
    """

    students: pa.Array
    there: list[tuple[np.ndarray, np.ndarray]]


def enrolled(record: Record) -> Enrolled:
    """Read who is in which class on each first day, by a connection of its own."""
    store = record.study.store.apart()
    spells = store.table("enrolments").select("student_id", "class_id", "starts_on", "ends_on")
    table = read(coded(store, spells, class_id=record.classes["ids"]))
    known = table["student_id"].dictionary_encode()
    student, group = known.indices.to_numpy(), table["class_id"].to_numpy()
    since, until = table["starts_on"].to_numpy(), table["ends_on"].to_numpy()
    there = [np.flatnonzero((group >= 0) & (since <= day) & (until >= day)) for day in record.terms.first]
    return Enrolled(known.dictionary, [_once(student[rows], group[rows]) for rows in there])


def _once(student: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each pair once; most pupils are in one class, so only the others are looked at closely."""
    several = np.bincount(student)[student] > 1
    pairs = np.unique(np.stack([student[several], group[several]]), axis=1)
    return np.append(student[~several], pairs[0]), np.append(group[~several], pairs[1])


@dataclass
class Record:
    """One study, read once; what was left out gathers in `left_out`."""

    study: Study
    wanted: list[str] | None = None
    left_out: dict[Text, int] = field(default_factory=dict)
    _made: dict[str, object] = field(default_factory=dict)

    def leave_out(self, why: Text, count: int) -> None:
        """Keep how many rows were left out and why."""
        if count:
            self.left_out[why] = self.left_out.get(why, 0) + int(count)

    def kept(self, name: str, make: Callable[[], object]) -> object:
        """Return what `make` gives, made once; what has been begun is waited for."""
        if name not in self._made:
            self._made[name] = make()
        made = self._made[name]
        return made.result() if isinstance(made, Future) else made

    def begin(self, name: str, pool: Executor, make: Callable[[], object]) -> None:
        """Begin to make what `kept` will return; it may use nothing of this record that is not made yet."""
        self._made[name] = pool.submit(make)

    def once(self, name: str, teacher_id: pa.Array, day: pa.Array, what: Text) -> pd.DataFrame:
        """Return where the rows of a table belong, found once; see `belonging`."""
        teacher = codes(teacher_id, self.teachers)
        return self.kept(f"where {name}", lambda: self.belonging(teacher, day.to_numpy().astype(np.int64), what))

    def vocabulary(self, name: str) -> tuple[str, ...]:
        """Return the values of a vocabulary in their order."""
        return self.study.store.schema.vocabularies[name]

    @cached_property
    def terms(self) -> Terms:
        """The terms that are asked for."""
        frame = self.calendar.collect("pandas").to_native().sort_values("term_index", ignore_index=True)
        days = {c: _days(frame[c]) for c in ("first_day", "last_day", "year_before")}
        after = np.append(days["first_day"][1:], -1)
        before = np.insert(days["first_day"][:-1], 0, -1)
        ends = np.where(after >= 0, np.minimum(after - 1, days["last_day"] + HOLIDAYS), days["last_day"] + HOLIDAYS)
        names = frame["term_id"].astype(str).tolist()
        kept = [i for i, name in enumerate(names) if self.wanted is None or name in self.wanted]
        picked = (days["first_day"], days["last_day"], ends, days["year_before"], before, after)
        return Terms([names[i] for i in kept], *(p[kept] for p in picked), days["first_day"], ends)

    @cached_property
    def calendar(self) -> nw.LazyFrame:
        """Every term of the study with its days."""
        return calendar(self.study)

    @property
    def days(self) -> nw.LazyFrame:
        """The terms that are asked for with their days."""
        return self.calendar.filter(nw.col("term_id").is_in(self.terms.ids))

    @cached_property
    def _targets(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        """Targets by indicator and level: the days from which they hold, in order, and their values."""
        if "targets" not in self.study.tables:
            return {}
        table = self.study.table("targets").sort("valid_from").collect("pandas").to_native()
        table["valid_from"] = _days(table["valid_from"])
        grouped = table.groupby(["indicator_id", "level"])
        return {key: (part["valid_from"].to_numpy(), part["value"].to_numpy(float)) for key, part in grouped}

    def targets(self, indicator: str, level: str) -> np.ndarray:
        """Return the target of an indicator in force on each first day, missing where there is none."""
        since, values = self._targets.get((indicator, level), (np.zeros(0), np.zeros(0)))
        place = np.searchsorted(since, self.terms.first, side="right")
        return np.append(np.nan, values)[place]

    @cached_property
    def schools(self) -> dict[str, np.ndarray]:
        """The schools: ids, and codes of zone (among `zones`), school type and location."""
        table = read(self.study.table("schools").sort("school_id"))
        zones = sorted(set(table["zone_id"].drop_null().to_pylist()))
        made = {"ids": table["school_id"], "zones": zones, "zone": codes(table["zone_id"], zones)}
        return made | {name: codes(table[name], self.vocabulary(name)) for name in _PLACE}

    @cached_property
    def classes(self) -> dict[str, np.ndarray]:
        """The classes: ids, and codes of school and stage."""
        table = read(self.study.table("classes").sort("class_id"))
        school = codes(table["school_id"], self.schools["ids"])
        return {"ids": table["class_id"], "school": school, "stage": codes(table["stage"], self.vocabulary("stage"))}

    def placed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add to rows with a class its stage, its school, and what the school is."""
        school = self.classes["school"][frame["class"]]
        about = {name: self.schools[name][school] for name in _PLACE}
        return frame.assign(school=school, stage=self.classes["stage"][frame["class"]], **about)

    @cached_property
    def _appointments(self) -> dict[str, pa.Array]:
        leading = self.study.table("appointments").filter(nw.col("role").is_in(list(LEADS)))
        return read(leading.select("teacher_id", "class_id", "role", "starts_on", "ends_on"))

    @cached_property
    def teachers(self) -> pa.Array:
        """The ids of all who ever led a class; a teacher's code is the place here."""
        return pc.unique(self._appointments["teacher_id"]).sort()

    @cached_property
    def leading(self) -> pd.DataFrame:
        """Spells of head and acting head teachers: teacher, class, acting, since, until, and where."""
        table = self._appointments
        columns = {
            "teacher": codes(table["teacher_id"], self.teachers),
            "class": codes(table["class_id"], self.classes["ids"]),
            "acting": codes(table["role"], LEADS) == 1,
            "since": table["starts_on"].to_numpy().astype(np.int64),
            "until": table["ends_on"].to_numpy().astype(np.int64),
        }
        return self.placed(pd.DataFrame(columns))

    @cached_property
    def spells(self) -> pd.DataFrame:
        """Spells of head teachers."""
        return self.leading[~self.leading["acting"]].reset_index(drop=True)

    def on(self, day: int) -> pd.DataFrame:
        """Return the spells of head teachers in force on a day."""
        return self.spells[(self.spells["since"] <= day) & (self.spells["until"] >= day)]

    @cached_property
    def heads(self) -> pd.DataFrame:
        """The head teachers of each first day: a row per term, teacher and class."""
        return self._by_term([self.on(day) for day in self.terms.first])

    @cached_property
    def heads_of_period(self) -> pd.DataFrame:
        """The head teachers of each period: a row per term and spell."""
        spells, days = self.spells, zip(self.terms.first, self.terms.ends, strict=True)
        return self._by_term([spells[(spells["since"] <= e) & (spells["until"] >= f)] for f, e in days])

    def _by_term(self, frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
        frames = [frame.assign(term=term) for term, frame in enumerate(frames)]
        return pd.concat(frames, ignore_index=True) if frames else self.spells.assign(term=0).head(0)

    @cached_property
    def of_term(self) -> pd.DataFrame:
        """The classes of each term: term, class, grade, and where."""
        there = living(self.study).filter(nw.col("term_id").is_in(self.terms.ids))
        table = read(there.select("class_id", "term_id", "grade"))
        frame = pd.DataFrame(
            {
                "term": codes(table["term_id"], self.terms.ids),
                "class": codes(table["class_id"], self.classes["ids"]),
                "grade": table["grade"].to_numpy().astype(np.int64),
            }
        )
        return self.placed(frame.sort_values(["term", "class"], ignore_index=True))

    @cached_property
    def place(self) -> np.ndarray:
        """Where each class stands in `of_term`, terms × classes; -1 where it is none of the term's."""
        made = np.full((len(self.terms.ids), len(self.classes["ids"])), -1)
        made[self.of_term["term"], self.of_term["class"]] = np.arange(len(self.of_term))
        return made

    @property
    def enrolled(self) -> Enrolled:
        """Who is in which class on each first day."""
        return self.kept("enrolled", lambda: enrolled(self))

    @cached_property
    def pupils(self) -> np.ndarray:
        """How many pupils each class of `of_term` has on the first day."""
        count = len(self.classes["ids"])
        sizes = [np.bincount(group, minlength=count) for _, group in self.enrolled.there]
        return np.stack(sizes)[self.of_term["term"], self.of_term["class"]].astype(float)

    @cached_property
    def years(self) -> np.ndarray:
        """Days before each first day on which each teacher led a class as head teacher: teachers × terms."""
        spells = self.study.table("appointments").filter(nw.col("role") == "head")
        past = spells.join(self.days, how="cross").filter(nw.col("starts_on") <= nw.col("eve"))
        on = ~nw.col("ends_on").is_null() & (nw.col("ends_on") < nw.col("eve"))
        past = past.with_columns(until=nw.when(on).then(nw.col("ends_on")).otherwise(nw.col("eve")))
        key = ("teacher_id", "term_id")
        return self._matrix(
            days_once(past, key, "starts_on", "until").group_by(*key).agg(nw.col("days").sum()), "days"
        )

    def _matrix(self, lazy: nw.LazyFrame, column: str, names: list[str] | None = None) -> np.ndarray:
        table, names = read(lazy), names or self.terms.ids
        made = np.zeros((len(self.teachers), len(names)))
        teacher, term = codes(table["teacher_id"], self.teachers), codes(table["term_id"], names)
        ours = (teacher >= 0) & (term >= 0)
        made[teacher[ours], term[ours]] = table[column].to_numpy(zero_copy_only=False).astype(float)[ours]
        return made

    @cached_property
    def ranks(self) -> dict[str, np.ndarray]:
        """Rank of the tier in force, teachers × terms: on the ``first`` day, the day ``before`` it, the ``last``."""
        days = {"first": self.terms.first, "before": self.terms.first - 1, "last": self.terms.ends}
        named = [(f"{when} {i}", day) for when, each in days.items() for i, day in enumerate(each)]
        eves = pd.DataFrame(
            {"term_id": [n for n, _ in named], "eve": pd.to_datetime([d for _, d in named], unit="D")}
        )
        lent = self.study.store.lend(eves).with_columns(nw.col("eve").cast(nw.Date))
        ranks = self._matrix(tiers_in_force(self.study, lent), "tier_rank", [n for n, _ in named])
        count = len(self.terms.ids)
        return {when: ranks[:, i * count : (i + 1) * count] for i, when in enumerate(days)}

    def belonging(self, teacher: np.ndarray, day: np.ndarray, what: Text) -> pd.DataFrame:
        """Return to which class's school and term each thing of a teacher belongs.

        Parameters
        ----------
        teacher, day
            Whose each thing is (-1: of nobody who ever led a class), and when it happened.
        what
            How these things are called where they are left out.

        Returns
        -------
        pandas.DataFrame
            row (the place of the thing), teacher, term, and where; a thing may belong to several schools.
        """
        term = self.terms.period_of(day)
        self.leave_out(
            Text("{what}不在任何学期及其后的假期之内", "{what} outside every period").format(what=what),
            self.terms.outside(day),
        )
        rows = np.flatnonzero(term >= 0)
        things = pd.DataFrame({"row": rows, "teacher": teacher[rows], "day": day[rows], "term": term[rows]})
        linked = things[things["teacher"] >= 0].merge(self.spells, on="teacher")
        begun = linked["since"] <= linked["day"]
        now = begun & (linked["until"] >= linked["day"])
        lately = begun & ~now & (linked["until"] >= self.terms.first[linked["term"]])
        past = linked[lately & ~linked["row"].isin(linked.loc[now, "row"])]
        past = past[past["until"] == past.groupby("row")["until"].transform("max")]
        found = pd.concat([linked[now], past], ignore_index=True)
        self.leave_out(
            Text("{what}的教师当时不是班主任", "{what} of teachers who were no head teachers then").format(what=what),
            len(things) - found["row"].nunique(),
        )
        return found.drop(columns=["day", "since", "until", "acting", "class"])


def _days(column: pd.Series) -> np.ndarray:
    return pd.to_datetime(column).to_numpy().astype("datetime64[D]").astype(np.int64)
