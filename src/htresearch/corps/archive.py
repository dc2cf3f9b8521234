"""One teacher, one file (一师一档): all that a study holds on a head teacher up to a day, in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from htresearch.checks import argument, require
from htresearch.corps import completeness, parts
from htresearch.corps.trends import trends
from htresearch.errors import Fault
from htresearch.language import Text, listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from htresearch.study.open import Study

#: The parts of a file in their order, each with the tables that it is made from.
PARTS: Mapping[str, tuple[str, ...]] = {
    "person": ("teachers",),
    "spells": ("appointments", "classes"),
    "tiers": ("tiers",),
    "studios": ("studios", "studio_members"),
    "training": ("training_events", "attendance"),
    "incentives": ("incentives",),
    "appraisals": ("appraisals",),
    "activities": ("activities", "appointments", "terms"),
    "outcomes": ("assessments", "appointments", "classes", "schools", "terms"),
}


@dataclass(frozen=True, eq=False)
class Archive:
    """The file of one teacher, complete when built.

    Attributes
    ----------
    teacher_id : str
        The pseudonym.
    until : datetime.date
        The last day that counts; nothing dated later is in the file.
    school_ids : tuple of str
        The schools of the classes that the teacher leads on that day; of the last ones led, if none.
    parts : mapping of str to pandas.DataFrame or None
        ``person``, ``spells``, ``tiers``, ``studios``, ``training``, ``incentives`` (commendations among them),
        ``appraisals``, ``activities`` (of the classes led) and ``outcomes`` (of the classes led, beside comparable
        ones); None where the study lacks a table that the part is made from.
    completeness : pandas.DataFrame
        By part: what the rule asks for (`expected`), how much of it is there (`found`), what is `missing`, and the
        `state`: ``"complete"``, ``"partial"``, ``"missing"``, ``"nothing_due"`` or ``"not_kept"``.
    note : tuple of Text
        What was left out, counted, with the reason.
    """

    teacher_id: str
    until: date
    school_ids: tuple[str, ...]
    parts: Mapping[str, pd.DataFrame | None]
    completeness: pd.DataFrame
    note: tuple[Text, ...] = ()

    def __getitem__(self, part: str) -> pd.DataFrame:
        """Return a part; an empty frame where the study does not keep it."""
        require(None if part in self.parts else _no_part(part))
        rows = self.parts[part]
        return pd.DataFrame() if rows is None else rows.copy()

    @property
    def training_hours(self) -> pd.DataFrame:
        """Hours attended by level, format, theme and mode, and by term: columns by, value and hours."""
        return parts.hours_by(self["training"])

    def tidy(self) -> pd.DataFrame:
        """Return the time line: part, since, until, kind and detail of everything dated, in the order of time."""
        return parts.dated(self.parts)

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole file."""
        return pd.DataFrame([parts.summary(self)])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the time line: classes, tier, studios, training, commendations and appraisals, one above the other."""
        from htresearch.corps.timeline import draw

        return draw(self, ax)

    def plot_outcomes(self, on: Figure | SubFigure | None = None) -> Figure | SubFigure:
        """Draw how the classes did in each measure, over the middle half of comparable classes.

        Parameters
        ----------
        on
            The figure to draw on; a new one otherwise.

        Raises
        ------
        ArgumentError
            If the file has no outcomes.
        """
        from htresearch.corps.outcome_figure import draw

        rows = self["outcomes"]
        require(None if len(rows) else _no_outcomes(self.teacher_id))
        return draw(rows, on)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.completeness, note=str(Text("", " ")).join(map(str, self.note)))._repr_mimebundle_(
            include, exclude
        )


def archive(study: Study, teacher_id: str, until: date | str | None = None) -> Archive:
    """Return the file of one teacher.

    Parameters
    ----------
    study
        A study; every part is made from the tables that it has.
    teacher_id
        The teacher's pseudonym.
    until
        The last day that counts; the last day on record unless given. A later record, and the outcomes of a term
        that ends later, are not in the file.

    Returns
    -------
    Archive

    Raises
    ------
    ArgumentError
        If the study has no such teacher, or `until` is no day.
    MissingTableError
        If the study has no teachers.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> teacher = study.frame("appointments")["teacher_id"][0]
    >>> file = ht.corps.archive(study, teacher)
    >>> file["spells"]["role"].astype(str).unique().tolist()
    ['head']
    """
    return archives(study, [teacher_id], until=until)[teacher_id]


def archives(
    study: Study,
    teacher_ids: Iterable[str] | None = None,
    school_id: str | None = None,
    until: date | str | None = None,
) -> dict[str, Archive]:
    """Return the files of several teachers, reading each table once.

    Parameters
    ----------
    study
        A study.
    teacher_ids
        Whose files; all head teachers' unless given.
    school_id
        Instead: of those who lead a class of this school on the last day that counts.
    until
        As for `archive`.

    Returns
    -------
    dict of str to Archive
        By teacher_id, in order.

    Raises
    ------
    ArgumentError
        If the study lacks one of the teachers or the school, both are given, or `until` is no day.
    MissingTableError
        If the study has no teachers, or for a school no appointments or classes.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> files = ht.corps.archives(study, school_id="S0001")
    >>> {one.school_ids for one in files.values()}
    {('S0001',)}
    """
    study.needs(["teachers"])
    day, fault = _day(until)
    both = teacher_ids is not None and school_id is not None
    require(fault, _one_of_both() if both else None)
    day = day or parts.last_day(study)
    ids = _of_school(study, school_id, day) if school_id is not None else _known(study, teacher_ids)
    made = {
        name: None if set(needed) - set(study.tables) else parts.MAKERS[name](study, ids, day)
        for name, needed in PARTS.items()
        if name != "outcomes"
    }
    made["outcomes"], left_out = trends(study, made["spells"], day)
    kept = completeness.kept(study, day)
    schools = parts.schools_of(made["spells"], day)
    found = {}
    for teacher in ids:
        own = {name: None if rows is None else parts.of_teacher(rows, teacher) for name, rows in made.items()}
        found[teacher] = Archive(teacher, day, schools.get(teacher, ()), own, completeness.judge(own, kept), left_out)
    return found


# --- what is asked for ----------------------------------------------------------------------------------------------


def _day(until: date | str | None) -> tuple[date | None, Fault | None]:
    if until is None:
        return None, None
    try:
        return pd.Timestamp(until).date(), None
    except (ValueError, TypeError):
        rule = Text("不是日期", "is no day")
        return None, Fault(argument("until"), rule, Text("请写成 2025-07-10", "Write it as 2025-07-10"), until)


def _known(study: Study, teacher_ids: Iterable[str] | None) -> list[str]:
    """Return the teachers asked for, refusing unknown ones; without any, all who have led a class."""
    there = study.table("teachers").select("teacher_id").collect("pandas").to_native()["teacher_id"]
    if teacher_ids is None:
        if "appointments" not in study.tables:
            return sorted(there)
        return sorted(study.frame("appointments")["teacher_id"].unique())
    asked = list(dict.fromkeys([teacher_ids] if isinstance(teacher_ids, str) else teacher_ids))
    unknown = [one for one in asked if one not in set(there)]
    rule = Text("研究中没有这位教师", "is no teacher of the study")
    fix = Text("教师编号见 teachers 表", "See the table teachers for their ids")
    require(*(Fault(argument("teacher_id"), rule, fix, one) for one in unknown))
    return asked


def _of_school(study: Study, school_id: str, day: date) -> list[str]:
    study.needs(["appointments", "classes"])
    classes = study.table("classes").filter(nw.col("school_id") == school_id).select("class_id")
    ids = set(classes.collect("pandas").to_native()["class_id"])
    rule = Text("研究中没有这所学校，或它没有班级", "is no school of the study, or has no class")
    fix = Text("学校编号见 classes 表", "See the table classes for the schools")
    require(None if ids else Fault(argument("school_id"), rule, fix, school_id))
    spells = study.frame("appointments")
    led = parts.leading(spells[spells["class_id"].isin(ids)])
    return sorted(parts.at(led, day)["teacher_id"].unique())


def _one_of_both() -> Fault:
    rule = Text("与 school_id 只能给一个", "and school_id exclude each other")
    return Fault(argument("teacher_ids"), rule, Text("请去掉一个", "Give one of the two"))


def _no_outcomes(teacher_id: str) -> Fault:
    rule = Text("的档案里没有班级结果", "has no outcomes in the file")
    fix = Text(
        "没带过班或没有测评的学期，没有可画的内容", "There is nothing to draw without assessed terms of a class led"
    )
    return Fault(teacher_id, rule, fix)


def _no_part(part: str) -> Fault:
    rule = Text("不是档案的一部分", "is no part of the file")
    return Fault(argument("part"), rule, Text("可选：{all}", "Choose from: {all}").format(all=listing(PARTS)), part)
