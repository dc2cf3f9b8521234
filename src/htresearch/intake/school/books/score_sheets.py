"""成绩册, written from assessments and outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from htresearch.intake.school.assessments import assessment
from htresearch.intake.school.books.hand import Hand
from htresearch.intake.school.books.page import Table
from htresearch.intake.school.dictionary import Dictionary, Measure
from htresearch.intake.school.ledger import Ledger
from htresearch.intake.school.places import Places, SchoolClass, Term
from htresearch.intake.school.roster import Roster
from htresearch.intake.school.scores import Key
from htresearch.language import Text
from htresearch.study.open import Study

if TYPE_CHECKING:
    import pandas as pd

_SET_BY = {"city": "市统一测试", "district": "区统考", "zone": "学区联考", "school": "校内测评", "class": "班级评定"}
_STATUS = {"absent": "缺考", "deferred": "缓考", "exempt": "免考"}
_WHO = (("学籍号", "student_number"), ("学号", "number"), ("座号", "seat"))
_GRADES = "一二三四五六七八九"


class ScoreSheets:
    """The score sheets of every school: a sheet a term, grade and examination."""

    def __init__(self, study: Study, places: Places, roster: Roster, words: Dictionary, ledger: Ledger):
        self.places, self.roster, self.words, self.ledger = places, roster, words, ledger
        self.study = study
        self.terms = {term.term_id: term for term in places.terms}
        self.parts = self._parts()

    @cached_property
    def assessments(self) -> pd.DataFrame:
        """The assessments that sheets can show, each with the examination that its id names."""
        frame = self.study.frame("assessments").astype({"set_by": str, "scale": str, "stage": str})
        fits = frame["measure"].isin(list(self.words.measures)) & frame["scale"].isin(["raw", "level"])
        if not fits.all():
            self.ledger.leave_out(_NO_MEASURE, "assessments", int((~fits).sum()))
        endings = {ending for _, ending in self.words.examinations if ending}
        named = [next((p for p in str(i).split("-") if p in endings), "") for i in frame["assessment_id"]]
        frame = frame.assign(examination=named)[fits]
        changed = [not self._comes_back(row) for row in frame.itertuples(index=False)]
        if any(changed):
            self.ledger.find(_OTHERWISE, "assessments", sum(changed))
        return frame

    def _comes_back(self, row: tuple) -> bool:
        """Tell whether reading gives an assessment with the same id and the same description."""
        measure, term = self.words.measures[row.measure], self.terms[row.term_id]
        full = None if row.max_score != row.max_score else row.max_score
        key = Key(term, row.stage, int(row.grade), measure, row.examination, row.set_by)
        made = assessment(key, row.scale, full)
        there = (row.assessment_id, row.domain, row.comparable_within, row.rated_by, row.better)
        return (made[0], made[4], *made[9:]) == tuple(v if isinstance(v, str) else None for v in there)

    def _parts(self) -> dict[tuple[str, int], list[tuple[str, int, str, pd.DataFrame]]]:
        """Return the results of each school and term, a frame a grade and examination."""
        if not {"assessments", "outcomes", "enrolments"} <= set(self.study.tables) or self.roster.pupils is None:
            return {}
        about = self.assessments[["assessment_id", "term_id", "stage", "grade", "examination"]]
        outcomes = self.study.frame("outcomes").merge(about, on="assessment_id")
        outcomes = self._kept(outcomes, outcomes["student_id"].isin(set(self.roster.pupils["student_id"])), _NO_NAME)
        outcomes = outcomes.merge(self._classes(), on=["student_id", "term_id"], how="left")
        outcomes = self._kept(outcomes, self._is_in_grade(outcomes), _NO_CLASS)
        pupils = self.roster.pupils.drop_duplicates(["student_id", "class_id"])
        outcomes = outcomes.merge(pupils, on=["student_id", "class_id"], how="left")
        outcomes = self._kept(outcomes, outcomes["name"].notna(), _NO_NAME)
        schools = {i: c.school_id for i, c in self.places.classes.items()}
        outcomes["school_id"] = outcomes["class_id"].map(schools)
        value, level = outcomes["score"].astype(object), outcomes["level"].astype(object)
        status = outcomes["status"].astype(str).map(_STATUS)
        outcomes["value"] = status.where(status.notna(), value.where(outcomes["score"].notna(), level))
        outcomes["beside"] = level.where(outcomes["score"].notna() & level.notna(), None)
        # Small frames are taken out of this by the hundred: plain objects are faster there than Arrow's strings.
        text = ("assessment_id", "student_id", "class_id", "school_id", "name", "value", "beside")
        outcomes = outcomes.drop(columns=["score", "level", "status"]).astype(dict.fromkeys(text, object))
        parts: dict[tuple[str, int], list] = {}
        keys = ["school_id", "term_id", "stage", "grade", "examination"]
        for (school, term, stage, grade, examination), frame in outcomes.groupby(keys):
            part = (str(stage), int(grade), str(examination), frame)
            parts.setdefault((school, self.terms[term].index), []).append(part)
        return parts

    def _kept(self, frame: pd.DataFrame, keep: pd.Series, rule: Text) -> pd.DataFrame:
        """Return the rows to keep; the others are counted."""
        if keep.all():
            return frame
        self.ledger.leave_out(rule, "outcomes", int((~keep).sum()))
        return frame[keep]

    def _is_in_grade(self, outcomes: pd.DataFrame) -> pd.Series:
        """Tell whether a pupil was in a class of the assessment's grade: a sheet of that grade shows no other."""
        import pandas as pd

        pairs = outcomes[["class_id", "term_id"]].drop_duplicates().dropna()
        grades = [
            (class_id, term, known.stage, known.grade(self.terms[term]))
            for class_id, term in pairs.itertuples(index=False)
            if (known := self.places.classes[class_id])
        ]
        there = pd.DataFrame(grades, columns=["class_id", "term_id", "_stage", "_grade"])
        beside = outcomes[["class_id", "term_id", "stage", "grade"]].merge(
            there, on=["class_id", "term_id"], how="left"
        )
        return ((beside["_stage"] == beside["stage"]) & (beside["_grade"] == beside["grade"])).set_axis(
            outcomes.index
        )

    def _classes(self) -> pd.DataFrame:
        """Return the class of every pupil in every term: the first in which the pupil is on a day of the term."""
        import pandas as pd

        spells = self.study.frame("enrolments")[["student_id", "class_id", "starts_on", "ends_on"]]
        since, until = pd.to_datetime(spells["starts_on"]), pd.to_datetime(spells["ends_on"])
        found = []
        for term in self.places.terms:
            inside = (since <= pd.Timestamp(term.ends_on)) & (until.isna() | (until >= pd.Timestamp(term.starts_on)))
            found.append(spells[inside].assign(term_id=term.term_id, _since=since[inside]))
        whole = pd.concat(found).sort_values(["student_id", "term_id", "_since"], kind="stable")
        return whole.drop_duplicates(["student_id", "term_id"])[["student_id", "term_id", "class_id"]]

    # --- a school's sheets ------------------------------------------------------------------------------------------

    def sheets(self, school: str, name: str, hand: Hand) -> Iterator[tuple[str, list[Table]]]:
        """Yield the sheets of a school."""
        who = [pair for pair in _WHO if pair[1] in self.roster.pupils] if self.roster.pupils is not None else []
        chosen = who[hand.rng.integers(len(who))] if who and hand.mess else (who[0] if who else None)
        two_rows, stacked = hand.may("headers", 0.7), hand.may("blocks")
        for term in self.places.terms:
            for stage, grade, examination, frame in self.parts.get((school, term.index), ()):
                titles = [f"{name}{hand.term(term)}{self._examination(examination)}{_grade(stage, grade)}"]
                columns = self._columns(frame)
                by_class = [self.places.classes[i] for i in frame["class_id"].unique()]
                by_class.sort(key=lambda known: known.number)
                wide = self._wide(frame, columns, chosen)
                make = _Sheet(self.places, hand, term, columns, chosen, two_rows)
                if stacked:
                    tables = [make.table(titles[0], [known], wide, False) for known in by_class]
                else:
                    tables = [make.table(titles[0], by_class, wide, True)]
                yield f"{term.term_id} {_grade(stage, grade)}{self._examination(examination)}", tables

    def _examination(self, ending: str) -> str:
        """Return what an examination is called, such that reading finds it again."""
        if not ending:
            return "期末"
        names = {"midterm": "期中", "entry": "开学", "monthly": "月考", "coursework": "平时"}
        numbered = {f"monthly{i}": f"第{n}次月考" for i, n in enumerate("一二三四", 1)}
        return {**names, **numbered, **{f"mock{i}": f"第{n}次模拟" for i, n in enumerate("一二三", 1)}}[ending]

    def _columns(self, frame: pd.DataFrame) -> list[tuple[str, str, Measure, str, float | None]]:
        """Return a column an assessment, and one for levels beside scores: id, part, measure, who set it, maximum."""
        there = self.assessments[self.assessments["assessment_id"].isin(frame["assessment_id"].unique())]
        beside = set(frame.loc[frame["beside"].notna(), "assessment_id"])
        found = []
        rank = list(_SET_BY)
        for row in sorted(there.itertuples(index=False), key=lambda a: (rank.index(a.set_by), a.measure)):
            full = None if row.max_score != row.max_score else float(row.max_score)
            measure = self.words.measures[row.measure]
            found.append((row.assessment_id, "value", measure, row.set_by, full))
            if row.assessment_id in beside:
                found.append((row.assessment_id, "beside", measure, row.set_by, None))
        return found

    def _wide(self, frame: pd.DataFrame, columns: list[tuple], who: tuple[str, str] | None) -> dict[str, list[list]]:
        """Return the rows of each class in the order of seats: number, name, then the cells."""
        first = frame.drop_duplicates("student_id").sort_values("seat" if "seat" in frame else "student_id")
        at = {pupil: n for n, pupil in enumerate(first["student_id"].tolist())}
        cells = np.full((len(first), len(columns)), None, dtype=object)
        rows = frame["student_id"].map(at).to_numpy()
        for column, (identity, part, *_) in enumerate(columns):
            mine = (frame["assessment_id"] == identity).to_numpy()
            cells[rows[mine], column] = frame[part].to_numpy(dtype=object)[mine]
        numbers = first[who[1]].tolist() if who else [None] * len(first)
        made: dict[str, list[list]] = {}
        for class_id, number, name, values in zip(
            first["class_id"].tolist(), numbers, first["name"].tolist(), cells.tolist(), strict=True
        ):
            made.setdefault(class_id, []).append([number, name, *values])
        return made


class _Sheet:
    """How the tables of one sheet are written."""

    def __init__(
        self,
        places: Places,
        hand: Hand,
        term: Term,
        columns: list[tuple],
        who: tuple[str, str] | None,
        two_rows: bool,
    ):
        self.places, self.hand, self.term, self.columns = places, hand, term, columns
        self.who, self.two_rows = who, two_rows
        self.full_row = hand.may("summaries", 0.3) and any(c[4] for c in columns)

    def table(self, title: str, classes: list[SchoolClass], wide: dict[str, list[list]], with_class: bool) -> Table:
        """Return the table of some classes: with a column for the class, or with the class in the title."""
        hand = self.hand
        lead = ["班级"] if with_class else []
        header = [("", text) for text in (*lead, self.who[0] if self.who else "序号", "姓名")]
        header += [
            (_SET_BY[set_by], self._name(part, measure, full)) for _, part, measure, set_by, full in self.columns
        ]
        rows: list[list] = []
        if self.full_row:
            rows.append(["满分", *[None] * (len(lead) + 1), *(column[4] for column in self.columns)])
        for known in classes:
            name = hand.class_name(known, self.term, self.places)
            rows += [[*([name] if with_class else []), *self._row(row)] for row in wide[known.class_id]]
        if hand.may("summaries"):
            rows.append(self._means(rows, len(lead)))
        if not with_class:
            title = f"{title}{classes[0].name(self.term).partition('级')[2] or classes[0].name(self.term)}"
        footers = ["注：缺考不计入平均分", "制表人：教务处"] if hand.may("footers") else []
        return Table([[f"{title}成绩册"]], header, rows, footers, self.two_rows)

    def _name(self, part: str, measure: Measure, full: float | None) -> str:
        name = measure.words[0] + ("等级" if part == "beside" else "")
        if measure.unit == "seconds":
            return f"{name}(秒)"
        return f"{name}(满分{full:g})" if full is not None and not self.full_row else name

    def _row(self, row: list) -> list:
        number, name, *values = row
        return [number, self.hand.name(name), *(self._cell(v) for v in values)]

    def _cell(self, value: object) -> object:
        if isinstance(value, str):
            return self.hand.wide(value, 0.05)
        if value is None or value != value:
            return None
        return self.hand.wide(f"{value:g}", 1) if self.hand.may("widths", 0.01) else value

    def _means(self, rows: list[list], lead: int) -> list:
        first = lead + 2
        found = []
        for column in range(first, first + len(self.columns)):
            numbers = [row[column] for row in rows if isinstance(row[column], float)]
            found.append(round(sum(numbers) / len(numbers), 2) if numbers else None)
        return ["平均分", *[None] * (first - 1), *found]


def _grade(stage: str, grade: int) -> str:
    return f"高{_GRADES[grade - 10]}年级" if stage == "senior" else f"{_GRADES[grade - 1]}年级"


_NO_MEASURE = Text(
    "词典里没有的测评项目，或标准分",
    "assessments of measures that the dictionary does not know, or of standard scores",
)
_NO_NAME = Text("名册中没有的学生的成绩", "results of pupils who are not on the roster")
_NO_CLASS = Text(
    "当学期不在该年级任何班的学生的成绩", "results of pupils who were in no class of that grade in the term"
)
_OTHERWISE = Text("读回后编号或说明会变的测评", "assessments that come back with another id or another description")
