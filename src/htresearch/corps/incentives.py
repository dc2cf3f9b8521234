"""Treatment and commendation: pay, honours, and to whom they go."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.corps.record import Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_GRANTS = Text("激励记录", "records of incentives")
_MONEY = {"performance_pay": "performance_pay", "allowance": "head_teacher_allowance"}
RECOGNITION = ("honour", "annual_excellent", "title_review", "promotion")
_DISTRICT_ONLY = Text(
    "数据不记载非班主任教师所在的学校，只能按全区计算",
    "the data do not say where teachers without a class work, so it is for the whole district only",
)
_NO_GRANTS = Text("两方之中有一方没有获得任何激励", "one of the two sides was granted nothing")


def incentives(record: Record, tally: Tally) -> None:
    """Tally pay and recognition of the head teachers of each period."""
    if "incentives" not in record.study.tables:
        return
    table, given = record.kept("incentives", lambda: read(record.study.table("incentives"))), _recognition(record)
    where = record.once("incentives", table["teacher_id"], table["granted_on"], _GRANTS)
    heads, rows = tally.counted(record.heads_of_period, "teacher"), Counted(where, "row", tally.level)
    kinds = record.vocabulary("incentive")
    kind = codes(table["kind"], kinds)[rows["row"]]
    if tally.wants(*_MONEY):
        yuan = table["amount_yuan"].to_numpy(zero_copy_only=False).astype(float)[rows["row"]]
        for name, paid in _MONEY.items():
            this = kind == kinds.index(paid)
            tally.add(name, heads, heads.gather(rows, yuan, this & ~np.isnan(yuan)))
    recognised = given[rows["row"]]
    tally.add("recognised_per_100", heads, heads.gather(rows, 1.0, recognised) > 0)
    for group, column, words in (("kind", "kind", kinds), ("awarded_by", "level", record.vocabulary("awarded_by"))):
        every = codes(table[column], words)
        for value in np.unique(every[given]):
            granted = heads.gather(rows, 1.0, recognised & (every[rows["row"]] == value))
            tally.add_value("recognised_per_100", group, value, heads, granted > 0)
    _tilt(record, tally, table, heads.gather(rows, 1.0, recognised), heads)


def _recognition(record: Record) -> np.ndarray:
    """Tell of each record whether it recognises somebody."""
    kinds = record.kept("incentives", lambda: read(record.study.table("incentives")))["kind"]
    return pc.is_in(kinds, pa.array(RECOGNITION, kinds.type)).to_numpy(zero_copy_only=False)


def amounts_missing(record: Record) -> int:
    """Count the payments without an amount."""
    table = record.kept("incentives", lambda: read(record.study.table("incentives")))
    paid = np.isin(table["kind"].to_numpy(zero_copy_only=False), list(_MONEY.values()))
    in_terms = record.terms.period_of(table["granted_on"].to_numpy()) >= 0
    return int((paid & in_terms & pc.is_null(table["amount_yuan"]).to_numpy(zero_copy_only=False)).sum())


def _tilt(record: Record, tally: Tally, table: dict, granted: np.ndarray, heads: Counted) -> None:
    """Tally grants per head teacher over grants per other teacher, each term on its own."""
    name = "incentive_tilt"
    if not tally.wants(name):
        return
    if tally.level.name != "district":
        tally.refuse(name, _DISTRICT_ONLY)
        return
    staff = read(record.study.table("teachers").select("teacher_id", "entered_on"))
    entered, leads = staff["entered_on"].to_numpy(), codes(staff["teacher_id"], record.teachers)
    whose, term = (
        codes(table["teacher_id"], staff["teacher_id"]),
        record.terms.period_of(table["granted_on"].to_numpy()),
    )
    given = _recognition(record)
    for number, last in enumerate(record.terms.ends):
        head = np.zeros(len(record.teachers), bool)
        head[heads["teacher"][heads["term"] == number]] = True
        others = (entered <= last) & ~((leads >= 0) & head[leads])
        ours = granted[heads["term"] == number].sum()
        theirs = (given & (term == number) & (whose >= 0) & others[whose]).sum()
        tally.add_rates(name, number, (ours, head.sum()), (theirs, others.sum()), _NO_GRANTS)
