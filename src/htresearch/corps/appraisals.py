"""Appraisal: how many are appraised, with what result, and what follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from htresearch.corps.record import NEVER, Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_APPRAISALS = Text("考核记录", "records of appraisal")


def appraisals(record: Record, tally: Tally) -> None:
    """Tally appraisals decided in each period, and the last ones before each first day."""
    if "appraisals" not in record.study.tables:
        return
    _before(record, tally)
    rows = Counted(record.kept("appraised", lambda: _rows(record)), "row", tally.level)
    results, own = record.vocabulary("result"), rows["own"]
    tally.add("appraisal_excellent", rows, own & (rows["result"] == results.index("excellent")), own, False)
    for value in range(len(results)):
        tally.add_value("appraisal_excellent", "result", value, rows, own & (rows["result"] == value), own)
    tally.add("incidents_followed_up", rows, rows["incident"] & rows["followed"], rows["incident"])
    heads = tally.counted(record.heads_of_period, "teacher")
    tally.add("incidents_per_100", heads, heads.gather(rows, 1.0, rows["incident"]) > 0)
    if tally.wants("honoured_after_appraisal"):
        honoured = record.kept("honoured", lambda: _honoured(record))
        tally.add("honoured_after_appraisal", rows, own & honoured[rows["row"]], own)


def _table(record: Record) -> dict[str, np.ndarray]:
    """Return the appraisals as numbers."""

    def made() -> dict[str, np.ndarray]:
        table = read(record.study.table("appraisals"))
        dates = ("period_from", "period_to", "decided_on", "followed_up_on")
        return {
            "id": table["teacher_id"],
            "teacher": codes(table["teacher_id"], record.teachers),
            "kind": codes(table["kind"], record.vocabulary("appraisal")),
            "result": codes(table["result"], record.vocabulary("result")),
            "incident": table["incident"].to_numpy(zero_copy_only=False).astype(bool),
            **{name: table[name].to_numpy() for name in dates},
        }

    return record.kept("appraisals", made)


def _rows(record: Record) -> pd.DataFrame:
    """Return where each appraisal belongs, and what it says."""
    table = _table(record)
    where = record.belonging(table["teacher"], table["decided_on"].astype(np.int64), _APPRAISALS)
    row, own = where["row"], record.vocabulary("appraisal").index("head_teacher")
    return where.assign(
        own=table["kind"][row] == own,
        result=table["result"][row],
        incident=table["incident"][row],
        followed=table["followed_up_on"][row] != NEVER,
    )


def _honoured(record: Record) -> np.ndarray:
    """Tell of each appraisal whether an honour followed within its period."""
    grants, table = record.kept("incentives", lambda: read(record.study.table("incentives"))), _table(record)
    honour = pc.equal(grants["kind"], "honour").to_numpy(zero_copy_only=False)
    given = pd.DataFrame(
        {"teacher": codes(grants["teacher_id"], record.teachers), "given": grants["granted_on"].to_numpy()}
    )[honour].drop_duplicates()
    decided = table["decided_on"]
    term = record.terms.period_of(decided)
    until = np.where(term >= 0, record.terms.ends[term], -1)
    made = pd.DataFrame(
        {"row": np.arange(len(decided)), "teacher": table["teacher"], "decided": decided, "until": until}
    )
    both = made[(made["teacher"] >= 0) & (term >= 0)].merge(given, on="teacher")
    found = np.zeros(len(decided), bool)
    found[both.loc[(both["given"] >= both["decided"]) & (both["given"] <= both["until"]), "row"].to_numpy()] = True
    return found


def _before(record: Record, tally: Tally) -> None:
    if not tally.wants("appraised_last_year", "failed_in_post"):
        return
    heads = tally.counted(record.heads, "teacher")
    appraised, fails, known = record.kept("appraised before", lambda: _appraised(record))
    of = (heads["teacher"], heads["term"])
    tally.add("appraised_last_year", heads, appraised[of])
    tally.add("failed_in_post", heads, fails[of], known[of])


def _appraised(record: Record) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell of teachers × terms who was appraised as head teacher in the year before, who failed, who might have."""
    kinds = record.vocabulary("appraisal")
    table = {name: column for name, column in _table(record).items() if name not in ("id", "incident")}
    frame = pd.DataFrame(table | {"failed": table["result"] == record.vocabulary("result").index("unqualified")})
    frame = frame[frame["teacher"] >= 0].sort_values(["decided_on", "period_to", "period_from"], kind="stable")
    own = frame[frame["kind"] == kinds.index("head_teacher")]
    gates = frame[frame["kind"].isin([kinds.index("annual"), kinds.index("ethics")])]
    appraised, fails, known = (np.zeros((len(record.teachers), len(record.terms.ids)), bool) for _ in range(3))
    for term, (first, year_before) in enumerate(zip(record.terms.first, record.terms.year_before, strict=True)):
        lately = (own["decided_on"] < first) & (own["decided_on"] >= year_before)
        appraised[own["teacher"][lately], term] = True
        last = gates[gates["decided_on"] < first].drop_duplicates(["teacher", "kind"], keep="last")
        known[last["teacher"], term] = True
        fails[last.loc[last["failed"], "teacher"], term] = True
    return appraised, fails, known
