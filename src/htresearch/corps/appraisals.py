"""Appraisal: how many are appraised, with what result, and what follows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.corps.record import NEVER, Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_APPRAISALS = Text("考核记录", "records of appraisal")


def appraisals(record: Record, tally: Tally) -> None:
    """Tally appraisals decided in each period, and the last ones before each first day."""
    if "appraisals" not in record.study.tables:
        return
    table = record.kept("appraisals", lambda: read(record.study.table("appraisals")))
    kind = table["kind"].to_numpy(zero_copy_only=False)
    _before(record, tally, table, kind)
    where = record.once("appraisals", table["teacher_id"], table["decided_on"], _APPRAISALS)
    results = record.vocabulary("result")
    where = where.assign(result=codes(table["result"], results)[where["row"]])
    rows = Counted(where, "row", tally.level)
    own = kind[rows["row"]] == "head_teacher"
    tally.add("appraisal_excellent", rows, own & (rows["result"] == results.index("excellent")), own, False)
    for value in range(len(results)):
        tally.add_value("appraisal_excellent", "result", value, rows, own & (rows["result"] == value), own)
    incident = table["incident"].to_numpy(zero_copy_only=False).astype(bool)[rows["row"]]
    followed = table["followed_up_on"].to_numpy()[rows["row"]] != NEVER
    tally.add("incidents_followed_up", rows, incident & followed, incident)
    heads = Counted(record.heads_of_period, "teacher", tally.level)
    tally.add("incidents_per_100", heads, heads.gather(rows, 1.0, incident) > 0)
    if "incentives" in record.study.tables:
        tally.add("honoured_after_appraisal", rows, own & _honoured(record, table)[rows["row"]], own)


def _honoured(record: Record, table: dict) -> np.ndarray:
    """Tell of each appraisal whether an honour followed within its period."""
    grants = record.kept("incentives", lambda: read(record.study.table("incentives")))
    honour = grants["kind"].to_numpy(zero_copy_only=False) == "honour"
    given = pd.DataFrame(
        {"teacher": codes(grants["teacher_id"], record.teachers), "given": grants["granted_on"].to_numpy()}
    )[honour].drop_duplicates()
    decided = table["decided_on"].to_numpy()
    term = record.terms.period_of(decided)
    made = pd.DataFrame(
        {
            "row": np.arange(len(decided)),
            "teacher": codes(table["teacher_id"], record.teachers),
            "decided": decided,
            "until": np.where(term >= 0, record.terms.ends[term], -1),
        }
    )
    both = made[(made["teacher"] >= 0) & (term >= 0)].merge(given, on="teacher")
    found = np.zeros(len(decided), bool)
    found[both.loc[(both["given"] >= both["decided"]) & (both["given"] <= both["until"]), "row"].to_numpy()] = True
    return found


def _before(record: Record, tally: Tally, table: dict, kind: np.ndarray) -> None:
    if not tally.wants("appraised_last_year", "failed_in_post"):
        return
    heads = Counted(record.heads, "teacher", tally.level)
    teacher = codes(table["teacher_id"], record.teachers)
    days = {name: table[name].to_numpy() for name in ("decided_on", "period_to", "period_from")}
    failed = table["result"].to_numpy(zero_copy_only=False) == "unqualified"
    frame = pd.DataFrame({"teacher": teacher, "kind": kind, "failed": failed, **days})
    frame = frame[frame["teacher"] >= 0].sort_values(["decided_on", "period_to", "period_from"], kind="stable")
    appraised, fails, known = (np.zeros((len(record.teachers), len(record.terms.ids)), bool) for _ in range(3))
    for term, (first, year_before) in enumerate(zip(record.terms.first, record.terms.year_before, strict=True)):
        past = frame[frame["decided_on"] < first]
        own = past[(past["kind"] == "head_teacher") & (past["decided_on"] >= year_before)]
        appraised[own["teacher"].to_numpy(), term] = True
        gates = past[past["kind"].isin(["annual", "ethics"])].drop_duplicates(["teacher", "kind"], keep="last")
        known[gates["teacher"].to_numpy(), term] = True
        fails[gates.loc[gates["failed"], "teacher"].to_numpy(), term] = True
    of = (heads["teacher"], heads["term"])
    tally.add("appraised_last_year", heads, appraised[of])
    tally.add("failed_in_post", heads, fails[of], known[of])
