"""The inverse of reading: a study written as its schools would hold it, one workbook a school, habits and all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from htresearch.atomic import new_folder
from htresearch.checks import integer, one_of, require
from htresearch.intake.receipt import Exclusion
from htresearch.intake.school.books import score_sheets, sign_in_sheets, term_lists
from htresearch.intake.school.books.hand import Hand
from htresearch.intake.school.books.page import Page
from htresearch.intake.school.dictionary import dictionary
from htresearch.intake.school.ledger import Ledger
from htresearch.intake.school.places import Places
from htresearch.intake.school.roster import Roster
from htresearch.language import Text
from htresearch.study.open import Study, open_study

if TYPE_CHECKING:
    import xlsxwriter

#: Habits that make a workbook hard to read, each of them common.
MESS = (
    "widths",  # full-width digits and brackets
    "dates",  # days and terms in many ways
    "class_names",  # classes in many ways
    "names",  # blanks in names
    "headers",  # merged headers of two rows
    "summaries",  # 合计 and 平均分 rows
    "footers",  # 制表人, and blank rows
    "blocks",  # several tables in one sheet
    "remarks",  # changes in mid-term told in words
)


@dataclass(frozen=True, eq=False)
class Written:
    """The workbooks that were written.

    Attributes
    ----------
    paths : tuple of pathlib.Path
    left_out : tuple of Exclusion
        Rows of the study that such workbooks cannot hold.
    findings : tuple of Exclusion
        What comes back in another form.
    """

    paths: tuple[Path, ...]
    left_out: tuple[Exclusion, ...]
    findings: tuple[Exclusion, ...] = ()

    @property
    def note(self) -> Text:
        """What was left out and what changes, in words."""
        said = [
            Text("{rule}：{n:,}", "{rule}: {n:,}").format(rule=left.rule, n=left.count)
            for left in (*self.left_out, *self.findings)
        ]
        return Text("；".join(t.zh for t in said), "; ".join(t.en for t in said))


def write_workbooks(
    study: Study | str | Path,
    folder: str | Path,
    roster: Roster,
    seed: int = 1,
    *,
    mess: Collection[str] = MESS,
    schools_per_book: int = 1,
) -> Written:
    """Write a study as its schools would hold it.

    Read again with `htresearch.intake.school.read_workbooks`, these come back:

    - ``appointments``: every column of every spell that has a day in a term of the study.
    - ``assessments`` and ``outcomes``: every column of every raw score and level that a pupil has of the grade in
      which the pupil was. Ids come back where they are made as `htresearch.intake.school.assessments.tables` makes
      them (those of the simulated district are), and domain, rater and direction where they are the dictionary's.
    - ``training_events`` and ``attendance``: every column.
    - ``incentives``: every column; honours in a list of their own.

    Parameters
    ----------
    study
        Any tables but schools, terms, classes and enrolments may be lacking.
    folder
        Made new; an earlier one of this function is replaced.
    roster
        The names to write; schools that it does not have are not written.
    seed
        Of the habits of each school.
    mess
        Which habits of `MESS` schools may have; ``()`` for tidy workbooks.
    schools_per_book
        How many schools share a workbook.

    Returns
    -------
    Written

    Raises
    ------
    ArgumentError
        If an argument is out of range or the folder holds something else.
    MissingTableError
        If the study lacks a table that is needed.
    """
    require(
        integer("seed", seed, 0),
        integer("schools_per_book", schools_per_book, 1),
        *(one_of("mess", habit, MESS) for habit in mess),
    )
    study = study if isinstance(study, Study) else open_study(study)
    places, ledger = Places(study), Ledger()
    words = dictionary(study.store.schema)
    names = dict(zip(roster.schools["school_id"].astype(str), roster.schools["name"], strict=True))
    books = (
        term_lists.TermLists(study, places, roster, ledger),
        score_sheets.ScoreSheets(study, places, roster, words, ledger),
        sign_in_sheets.SignInSheets(study, places, roster, words, ledger),
        sign_in_sheets.IncentiveLists(study, roster, words, ledger),
    )
    schools = sorted(names)
    with new_folder(folder, ours=_ours) as made:
        files = []
        for start in range(0, len(schools), schools_per_book):
            group = schools[start : start + schools_per_book]
            stem = names[group[0]] if schools_per_book == 1 else f"第{start // schools_per_book + 1}组学校"
            files.append(f"{stem}.xlsx")
            with _workbook(made / files[-1]) as book:
                for number, school in enumerate(group, start):
                    hand = Hand(np.random.default_rng([seed, number]), frozenset(mess))
                    prefix = "" if schools_per_book == 1 else f"{names[school]} "
                    for kind in books:
                        for title, tables in kind.sheets(school, names[school], hand):
                            Page(book, prefix + title).fill(tables)
    return Written(tuple(Path(folder).absolute() / name for name in files), ledger.exclusions, ledger.findings)


def _ours(path: Path) -> bool:
    return all(p.suffix == ".xlsx" for p in path.iterdir())


def _workbook(path: Path) -> xlsxwriter.Workbook:
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy/m/d",
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"created": datetime(2025, 1, 1)})  # so that the same seed gives the same bytes
    return book
