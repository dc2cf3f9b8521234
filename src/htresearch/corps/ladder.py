"""The ladder and the chiefs' studios."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.corps.record import Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_DECISIONS = Text("梯队认定", "tier decisions")
_REVIEWS = ("renewed", "revoked", "expired")


def ladder(record: Record, tally: Tally) -> None:
    """Tally tiers held, won and lost, and the decisions behind them."""
    if "tiers" not in record.study.tables:
        return
    tiers = record.vocabulary("tier")
    heads = tally.counted(record.heads, "teacher")
    rank = record.ranks["first"][heads["teacher"], heads["term"]].astype(int)
    tally.add("accredited_share", heads, rank > tiers.index("ordinary"))
    for tier, named in enumerate(tiers):
        if named != "ordinary":
            tally.add_value("accredited_share", "tier", tier, heads, rank == tier)
    tally.add("chief_share", heads, rank == tiers.index("chief"))
    period = tally.counted(record.heads_of_period, "teacher")
    before, last = (record.ranks[when][period["teacher"], period["term"]] for when in ("before", "last"))
    tally.add("promotions_per_100", period, last > before)
    tally.add("demotions_per_100", period, last < before, before > tiers.index("ordinary"))
    if tally.wants("candidates_accredited", "renewals_granted"):
        _decisions(record, tally)


def _decisions(record: Record, tally: Tally) -> None:
    made = read(record.study.table("tiers").select("teacher_id", "tier", "effective_on", "decision"))
    decision = made["decision"].to_numpy(zero_copy_only=False)
    where = record.once("tiers", made["teacher_id"], made["effective_on"], _DECISIONS)
    where = where.assign(tier=codes(made["tier"], record.vocabulary("tier"))[where["row"]])
    rows = Counted(where, "row", tally.level)
    said = decision[rows["row"]]
    candidate = (said == "accredited") | (said == "not_accredited")
    tally.add("candidates_accredited", rows, said == "accredited", candidate)
    tally.add("renewals_granted", rows, said == "renewed", np.isin(said, _REVIEWS))


def studios(record: Record, tally: Tally) -> None:
    """Tally who leads a studio, who is in one, and from where."""
    tables = set(record.study.tables)
    heads = tally.counted(record.heads, "teacher")
    members = _members(record) if "studio_members" in tables else None
    if members is not None and tally.wants("studio_reach"):
        inside = np.zeros((len(record.teachers), len(record.terms.ids)), bool)
        ours = members[members["teacher"] >= 0]
        inside[ours["teacher"].to_numpy(), ours["term"].to_numpy()] = True
        tally.add("studio_reach", heads, inside[heads["teacher"], heads["term"]])
    if "studios" not in tables:
        return
    led = _led(record)
    if "tiers" in tables:
        leads = np.zeros((len(record.teachers), len(record.terms.ids)), bool)
        leads[led["teacher"].to_numpy(), led["term"].to_numpy()] = True
        chief = record.ranks["first"] == record.vocabulary("tier").index("chief")
        of = (heads["teacher"], heads["term"])
        tally.add("chiefs_with_studio", heads, leads[of], chief[of])
    if members is not None and len(led):
        rows = Counted(led, "studio", tally.level)
        size = members.groupby(["term", "studio"])["person"].nunique()
        sizes = size.reindex(pd.MultiIndex.from_arrays([rows["term"], rows["studio"]]), fill_value=0).to_numpy()
        tally.add("members_per_studio", rows, sizes)
        _elsewhere(record, tally, led, members)


def _led(record: Record) -> pd.DataFrame:
    """Return the studios that head teachers lead on each first day: a row per term, studio and leader's class."""
    table = read(record.study.table("studios").sort("studio_id"))
    led = pd.DataFrame(
        {
            "studio": np.arange(len(table["studio_id"])),
            "teacher": codes(table["lead_teacher_id"], record.teachers),
            "opened": table["opened_on"].to_numpy(),
        }
    )
    led = record.heads.merge(led, on="teacher")
    return led[led["opened"] <= record.terms.first[led["term"]]].reset_index(drop=True)


def _members(record: Record) -> pd.DataFrame:
    """Return the members on each first day: term, studio, person (among all members) and teacher."""
    table = read(record.study.table("studio_members"))
    known = table["studio_id"]
    if "studios" in record.study.tables:
        known = read(record.study.table("studios").sort("studio_id"))["studio_id"]
    frame = pd.DataFrame(
        {
            "studio": codes(table["studio_id"], known),
            "person": pd.factorize(table["teacher_id"].to_numpy(zero_copy_only=False))[0],
            "teacher": codes(table["teacher_id"], record.teachers),
            "since": table["joined_on"].to_numpy(),
            "until": table["left_on"].to_numpy(),
        }
    )
    days = enumerate(record.terms.first)
    return pd.concat(
        [frame[(frame["since"] <= day) & (frame["until"] >= day)].assign(term=term) for term, day in days],
        ignore_index=True,
    )


def _elsewhere(record: Record, tally: Tally, led: pd.DataFrame, members: pd.DataFrame) -> None:
    """Tally members who lead a class, by whether one of them is at a school where the leader leads one."""
    at = record.heads[["term", "teacher", "school"]].drop_duplicates()
    pairs = members[["term", "studio", "teacher"]].drop_duplicates().merge(at, on=["term", "teacher"])
    leaders = led[["term", "studio", "school"]].drop_duplicates()
    met = pairs.merge(leaders, on=["term", "studio", "school"])[["term", "studio", "teacher"]].drop_duplicates()
    pairs = pairs[["term", "studio", "teacher"]].drop_duplicates()
    pairs = pairs.merge(met.assign(near=True), on=["term", "studio", "teacher"], how="left")
    pairs["away"] = pairs["near"].isna()
    pairs["member"] = np.arange(len(pairs))
    rows = pairs.merge(leaders, on=["term", "studio"])
    if len(rows):
        counted = Counted(rows, "member", tally.level)
        tally.add("members_from_elsewhere", counted, counted["away"])
