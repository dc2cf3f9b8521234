"""The graph, drawn once for the page, the print and Word, with words for those who cannot see it."""

from __future__ import annotations

from htresearch import appearance, singlecase
from htresearch.appearance import Figure
from htresearch.language import Text
from htresearch.publish.class_report.evidence import phase_names
from htresearch.publish.class_report.findings import Findings
from htresearch.publish.class_report.teachers_words import clean
from htresearch.publish.pdf import printable

#: So many Chinese characters of the teacher's, or twice as many Latin letters, fit above the axis.
_LONGEST = 30


def picture(found: Findings) -> Figure | None:
    """Draw the records by date with the median of each phase; None where nothing was recorded."""
    if not found.before.observed and not found.after.observed:
        return None
    import matplotlib.pyplot as plt

    appearance.theme()
    plan, records = found.study.plan, found.study.records
    second = records["second_value"].astype(float)
    watched = printable(clean(plan.watched))
    unit = printable(clean(found.quantity.unit))
    unit = Text(f"（{unit}）", f" ({unit})") if unit else Text("", "")
    dates = records["date"]
    dated = bool(dates.notna().all() and dates.is_unique)
    figure, ax = plt.subplots(figsize=(7.2, 4.1))
    singlecase.plot_case(
        records["value"].astype(float).tolist(),
        records["phase"].tolist(),
        list(dates) if dated else None,
        labels=dict(zip("AB", phase_names(found), strict=True)),
        value_label=f"{_shortened(watched)}{unit}",
        target=plan.target,
        scale=plan.scale,
        out_of=plan.out_of,
        second=second.tolist() if second.notna().any() else None,
        alternating=plan.design == "alternating",
        ax=ax,
    )
    return appearance.figure(figure, _alternative(found))


def _shortened(words: str) -> str:
    """Return words that fit above the axis."""
    room = float(_LONGEST)
    for place, mark in enumerate(words):
        room -= 1 if ord(mark) > 0x2E7F else 0.5
        if room < 0:
            return f"{words[:place].rstrip()}…"
    return words


def _alternative(found: Findings) -> Text:
    """Say what the graph shows to those who cannot see it."""
    said = []
    for name, level in zip(phase_names(found), (found.before, found.after), strict=True):
        if not level.observed:
            said.append(Text(f"{name.zh}没有数值", f"{name.en}, no values"))
            continue
        quantity, counted = found.quantity, found.moment.counted(level.observed)
        span = quantity.span(level.low, level.high)
        middle = quantity.say(level.median)
        said.append(
            Text(
                f"{name.zh} {counted.zh}，范围 {span}，中位数 {middle.zh}",
                f"{name.en}, {counted.en}, range {span}, median {middle.en}",
            )
        )
    what = clean(found.study.plan.watched)
    return Text(
        f"折线图：{what}随日期的记录。{'；'.join(t.zh for t in said)}。",
        f"Line graph of the records of {what} by date: {'; '.join(t.en for t in said)}.",
    )
