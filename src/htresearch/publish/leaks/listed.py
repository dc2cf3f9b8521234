"""Where persons are listed: rosters and studies, from which it is read what may not get out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.study.open import Study

#: Headings of a roster, as they are typed.
_SAYS_NAME = re.compile(
    r"姓名|名字|拼音|^pinyin$|^(?:full[ _]?|student[ _]?|pupil[ _]?|teacher[ _]?)?names?$", re.IGNORECASE
)
_SAYS_NUMBER = re.compile(
    r"学籍|身份证|证件|电话|手机|微信|邮箱|资格证|账号|工号|学号|phone|mobile|id_?card|student_?number|e-?mail|certificate"
    r"|(?:teacher|student|pupil|person)_?id",
    re.IGNORECASE,
)
_SCHOOLS = re.compile("^(?:学校|schools?)$", re.IGNORECASE)
_HEAD_ROWS = 10


def of_roster(path: Path) -> tuple[list[object], list[object]]:
    """Return the names and the numbers of a roster."""
    if path.suffix.lower() == ".txt":
        names: list[object] = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        numbers: list[object] = []
    else:
        names, numbers = _columns(path)
    checks.require(
        None
        if any(isinstance(name, str) and name.strip() for name in names)
        else Fault(
            checks.argument("roster"),
            Text("里面没有“姓名”一列", "has no column 姓名 or name"),
            Text("请给出名册：表头有“姓名”的表，或每行一个姓名的文本文件", "Give a table with it, or a name a line"),
        )
    )
    return names, numbers


def _columns(path: Path) -> tuple[list[object], list[object]]:
    from htresearch.intake import open_table

    names: list[object] = []
    numbers: list[object] = []
    for sheet in open_table(path).sheets:
        if _SCHOOLS.match(str(sheet.name).strip()):
            continue
        for number, row in enumerate(sheet.rows[:_HEAD_ROWS]):
            heads = {i: str(cell).strip() for i, cell in enumerate(row) if cell is not None}
            named = [
                i
                for i, head in heads.items()
                if _SAYS_NAME.search(head) and "学校" not in head and "班级" not in head
            ]
            if named:
                counted = [i for i, head in heads.items() if i not in named and _SAYS_NUMBER.search(head)]
                below = sheet.rows[number + 1 :]
                names += [_typed(one[i]) for one in below for i in named if i < len(one)]
                numbers += [_typed(one[i]) for one in below for i in counted if i < len(one)]
                break
    return names, numbers


def _typed(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return "" if cell is None else str(int(cell) if whole else cell).strip()


_STUDY_IDS = ("teacher_id", "student_id", "class_id", "respondent_id", "lead_teacher_id")


def study_ids(study: Study | str | Path) -> list[object]:
    """Return the ids of the persons and classes of a study, from every table that has them."""
    from htresearch.study.store import open_store

    if isinstance(study, str | Path):
        store = open_store(study)
        checks.require(*store.faults)
    else:
        store = study.store
    found: dict[object, None] = {}
    for name in store.tables:
        table = store.table(name)
        for column in set(_STUDY_IDS) & set(table.collect_schema().names()):
            ids = table.select(column).unique().collect("pandas").to_native()[column]
            found.update(dict.fromkeys(ids.dropna().astype(str)))
    return list(found)
