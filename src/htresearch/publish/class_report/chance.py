"""What the drawing of lots tells, where lots were drawn: the only probability in a report."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from htresearch import singlecase
from htresearch.errors import HTResearchError
from htresearch.intake.class_study import ClassStudy
from htresearch.language import Text
from htresearch.singlecase.sequences import PairLottery


@dataclass(frozen=True)
class Chance:
    """What the drawing of lots tells: how often chance alone does as well, and the least it could have said."""

    p_value: float
    smallest: float
    possible: int


def of_the_draw(study: ClassStudy, note: list[Text]) -> Chance | None:
    """The randomisation test of the share of better pairs; None where not enough is known of the draw.

    Of that share, as it is what page one tells; and medians often stay the same when the start moves by a record.
    """
    plan, records = study.plan, study.records
    if plan.start != "drawn" or plan.design == "ABAB":
        return None  # of ABAB the plan holds the first draw only
    values = [None if math.isnan(value) else value for value in records["value"].astype(float)]
    how = {"statistic": "nap", "improvement": plan.improvement}
    try:
        if plan.design == "AB":
            if plan.earliest is None or plan.latest is None or plan.latest > len(values):
                return None
            start = int((records["phase"] == "B").to_numpy().argmax())
            shortest = plan.earliest - 1, len(values) - plan.latest + 1
            result = singlecase.randomisation_test(values, start, *shortest, **how)
        else:
            drawn = _pairs_drawn(study)
            if drawn is None:
                return None
            result = singlecase.randomisation_test(values[: len(drawn.outcome)], drawn, **how)
    except HTResearchError as error:
        note.extend(
            Text("抽签检验没有算：{why}。", "No test of the draw: {why}.").format(why=f.rule) for f in error.faults
        )
        return None
    row = result.tidy().iloc[0]
    if math.isnan(row["p_value"]):
        return None
    return Chance(float(row["p_value"]), float(row["smallest_p"]), int(row["n_assignments"]))


def _pairs_drawn(study: ClassStudy) -> singlecase.Drawing | None:
    """What was drawn if lots were drawn for every two records, as the form advises; None if it was done otherwise."""
    treated = [int(phase == "B") for phase in study.records["phase"]]
    treated = treated[: len(treated) // 2 * 2]
    if not treated or any(first == second for first, second in zip(treated[::2], treated[1::2], strict=True)):
        return None
    on = study.plan.decided_on or pd.Timestamp(study.records["date"].min()).date()
    return singlecase.Drawing(PairLottery(len(treated)), tuple(treated), on)
