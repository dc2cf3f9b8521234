"""The clauses of the district's notice, and which of them a notebook speaks to."""

import re
from collections.abc import Iterable

from nbformat import NotebookNode

from htresearch.language import LANGUAGES, Text
from htresearch.publish import cells

#: Measures, organisation, and the work of a head teacher, each in the few words of a list.
CLAUSES = {
    "M1": Text("网格化管理与梯队", "Grid management and the tier ladder"),
    "M2": Text("三级培训平台", "Three-level training platform"),
    "M3": Text("专业化与一师一档", "Professionalisation, one file per teacher"),
    "M4": Text("待遇与激励", "Treatment and incentives"),
    "M5": Text("评选表彰", "Commendation"),
    "O1": Text("区、学区、学校的领导小组", "Leading groups of district, zone and school"),
    "O2": Text("制度的针对性与落实", "Rules that are purposeful and enforced"),
    "O3": Text("考核", "Appraisal"),
    "W1": Text("德育为先", "Moral education first"),
    "W2": Text("习惯、学法、心理健康与合作", "Habits, study methods, mental health, cooperation"),
    "W3": Text("班级管理与班风", "Class management and climate"),
    "W4": Text("社会实践与劳动", "Social practice and labour"),
    "W5": Text("与任课教师和家庭的联系", "The link with subject teachers and families"),
    "W6": Text("综合评价与成长档案", "Whole-student evaluation and growth file"),
    "W7": Text("把工作变成研究", "Turning the work into research"),
}
GROUPS = {
    "M": Text("工作措施", "Measures"),
    "O": Text("组织领导", "Organisation"),
    "W": Text("工作重点", "Work of a head teacher"),
}

_NAMED = re.compile(r"(?<![A-Za-z0-9])([MOW])([1-9])(?:\s*(?:至|到|to|[-–—~～])\s*\1?([1-9]))?(?![A-Za-z0-9])")


def named(words: str) -> list[str]:
    """Return the clauses that a text names, ranges in full.

    Examples
    --------
    >>> named("措施 M1；工作重点 W2、W7"), named("measures M1 to M3"), named("HCM1, M9")
    (['M1', 'W2', 'W7'], ['M1', 'M2', 'M3'], [])
    """
    found = {
        f"{letter}{number}"
        for letter, first, last in _NAMED.findall(words)
        for number in range(int(first), int(last or first) + 1)
    }
    return in_order(found)


def in_order(ids: Iterable[str]) -> list[str]:
    """Return those of `ids` that are clauses, in the order of the notice."""
    wanted = set(ids)
    return [clause for clause in CLAUSES if clause in wanted]


def of(notebook: NotebookNode) -> tuple[str, ...]:
    """Return the clauses that a notebook speaks to.

    Tags of any cell such as ``clause:M2`` say so; without them, the question in either language does.

    Examples
    --------
    >>> import nbformat
    >>> cell = nbformat.v4.new_markdown_cell("# Dose\\n\\n> Does training help (measure M2)?")
    >>> of(nbformat.v4.new_notebook(cells=[cell]))
    ('M2',)
    """
    tagged = in_order(
        tag.removeprefix("clause:")
        for cell in notebook.cells
        for tag in cells.tags(cell)
        if tag.startswith("clause:")
    )
    if tagged:
        return tuple(tagged)
    questions = " ".join(cells.opening(notebook, spoken).question for spoken in LANGUAGES)
    return tuple(named(questions))
