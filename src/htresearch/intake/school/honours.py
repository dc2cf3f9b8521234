"""获奖名单, 激励发放表: from lists of honours, allowances and the like to incentives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context, Desk
from htresearch.intake.school.dates import day, month_end
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Spot
from htresearch.intake.school.lists import NO_DAY, NOBODY
from htresearch.intake.school.plain import masked, plain
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Award:
    """Something granted, with the cell of who has it."""

    teacher_id: str
    kind: str
    level: str
    granted_on: date
    amount: float | None
    place: Spot


def read_honours(block: Block, context: Context) -> Iterator[Award]:
    """Yield what the rows of a list grant; what cannot be decided goes to the ledger as a fault."""
    desk, where = context.desk, block.where
    roles = block.roles(desk.words)
    for number, row in block.rows:
        cells = {role: row[column] for role, column in roles.items()}
        name = cells.get("name")
        if not plain(name):
            desk.ledger.leave_out(NOBODY, where.row(number))
            continue
        school = None
        if plain(cells.get("school")) or context.school:
            school = context.school_of(number, roles.get("school"), cells.get("school"))
            if school is None:
                continue
        match = desk.roster.teacher(plain(name), school)
        place = where.cell(number, roles["name"])
        if match.id is None:
            desk.ledger.fault(place, match.why, match.fix, masked(name))
        kind = _kind(cells, roles, number, context)
        level = _level(cells, roles, number, context)
        granted = _granted(cells, roles, number, context)
        amount = _amount(cells, roles, number, context)
        if match.id is not None and None not in (kind, level, granted) and amount is not False:
            desk.ledger.rows_kept += 1
            yield Award(match.id, kind, level, granted, amount, place)


def _kind(cells: dict, roles: dict[str, int], number: int, context: Context) -> str | None:
    """Return what is granted: the column 激励类别, or a named honour, or what the title says."""
    if text := plain(cells.get("kind")):
        return _word("incentive", text, roles["kind"], number, context)
    if award := plain(cells.get("award")):
        return context.desk.words.value("incentive", award) or "honour"  # such as 年度考核优秀
    if any(map(_HONOURS.search, (*context.own, context.where.sheet))):
        return "honour"
    place = context.where.cell(number, roles.get("kind", roles["name"]))
    context.desk.ledger.fault(place, _NO_KIND, _SAY_KIND)
    return None


def _word(name: str, text: str, column: int, number: int, context: Context) -> str | None:
    words, where = context.desk.words, context.where
    found = words.value(name, text)
    if found is None:
        known = listing(dict.fromkeys(w for w in words.words[name] if not w.isascii()))
        fix = Text("可用：{all}", "Use one of: {all}").format(all=known)
        context.desk.ledger.fault(where.cell(number, column), _NO_WORD, fix, text)
    return found


def _level(cells: dict, roles: dict[str, int], number: int, context: Context) -> str | None:
    """Return who grants it: the column 级别, or the body that signed it, or what the honour is called."""
    words, where = context.desk.words, context.where
    if text := plain(cells.get("level")):
        return _word("award_level", text, roles["level"], number, context)
    body = plain(cells.get("awarding_body"))
    said = words.said("awarding_body", [body]) if body else []
    if not said:
        award = plain(cells.get("award"))
        said = [v for w, v in words.words["award_level"].items() if w.endswith("级") and award.startswith(w)]
    said = list(dict.fromkeys(said))
    if len(said) == 1:
        return said[0]
    column = roles.get("awarding_body", roles.get("award", roles["name"]))
    context.desk.ledger.fault(where.cell(number, column), _NO_LEVEL, _SAY_LEVEL, body or None)
    return None


def _granted(cells: dict, roles: dict[str, int], number: int, context: Context) -> date | None:
    ledger, where = context.desk.ledger, context.where
    value = cells.get("granted_on", cells.get("event_held_on"))
    column = roles.get("granted_on", roles.get("event_held_on", roles["name"]))
    found = day(value)
    if found is None and (found := month_end(value)) is not None:
        ledger.find(_MONTH, where.cell(number, column))
    if found is None:
        missing = not plain(value)
        rule = _NO_DATE if missing else NO_DAY
        ledger.fault(where.cell(number, column), rule, _WRITE, None if missing else value)
    return found


def _amount(cells: dict, roles: dict[str, int], number: int, context: Context) -> float | bool | None:
    """Return the amount, None where there is none, False where it cannot be read."""
    value = cells.get("amount")
    if not plain(value):
        return None
    try:
        amount = float(plain(value).removesuffix("元").replace(",", ""))
    except ValueError:
        amount = -1.0
    if 0 <= amount < 1e9:
        return amount
    place = context.where.cell(number, roles["amount"])
    context.desk.ledger.fault(place, _NO_AMOUNT, _WRITE_AMOUNT, value)
    return False


def table(awards: list[Award], desk: Desk) -> tuple[pd.DataFrame, list[Spot]]:
    """Return `incentives`, and the cell of each row; one kind and level on one day is one row, whatever its title."""
    import pandas as pd

    rows: dict[tuple, Award] = {}
    for award in awards:
        key = award.teacher_id, award.kind, award.level, award.granted_on
        first = rows.setdefault(key, award)
        if first is not award:
            desk.ledger.find(_ONE, award.place)
    found = [(*key, award.amount) for key, award in rows.items()]
    columns = ["teacher_id", "kind", "level", "granted_on", "amount_yuan"]
    frame = pd.DataFrame(found, columns=columns).astype({"amount_yuan": "float64"})
    return frame, [award.place for award in rows.values()]


_HONOURS = re.compile("获奖|表彰|荣誉|评优|先进|优秀")
_NO_KIND = Text("看不出是荣誉，还是津贴等别的激励", "does not say whether it is an honour or another incentive")
_SAY_KIND = Text(
    "请加一列“激励类别”，如 班主任津贴、评优树先", "Add a column 激励类别, such as 班主任津贴 or 评优树先"
)
_NO_WORD = Text("不在词表之中", "is not in the vocabulary")
_NO_LEVEL = Text("看不出是哪一级的荣誉", "does not say who granted it")
_SAY_LEVEL = Text("请加一列“级别”，填校级、学区、区级或市级", "Add a column 级别 with 校级, 学区, 区级 or 市级")
_MONTH = Text("只写到月的获奖日期，按该月最后一天计", "dates that name only the month count as its last day")
_NO_DATE = Text("没有获奖日期", "has no date")
_WRITE = Text(
    "请写成 2024.9.10 或 2024年9月10日；只知道月份的，写成“2024年9月”",
    "Write it as 2024.9.10 or 2024-09-10; where only the month is known, as 2024年9月",
)
_NO_AMOUNT = Text("读不出是多少钱", "cannot be read as an amount")
_WRITE_AMOUNT = Text("请写数字，单位元", "Write a number, in yuan")
_ONE = Text("同一人同一天同一级别的两项荣誉，记为一次", "two honours of one person, day and level, kept as one")
