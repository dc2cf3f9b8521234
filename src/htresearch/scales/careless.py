"""Who answered without reading: indices for each respondent, and a flag with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.scales import careless_indices as indices
from htresearch.scales.rows import Rows
from htresearch.scales.score import answered, keyed, require_form

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.instruments import Instrument

#: Indices in the order of their columns: whether high values speak of carelessness, and how a reason is said.
_INDICES: dict[str, tuple[bool, Text]] = {
    "longstring": (True, Text("连续 {v:.0f} 题答案相同", "{v:.0f} answers in a row are the same")),
    "longest_cycle": (True, Text("连续 {v:.0f} 题答案循环重复", "{v:.0f} answers in a row follow a cycle")),
    "irv": (False, Text("答案的标准差只有 {v:.2f}", "answers vary by a standard deviation of only {v:.2f}")),
    "mahalanobis_d2": (True, Text("答案的组合罕见（D² {v:.0f}）", "a rare combination of answers (D² {v:.0f})")),
    "even_odd": (True, Text("奇偶题不一致（{v:.2f}）", "even and odd items disagree ({v:.2f})")),
    "psychsyn": (False, Text("近义题不一致（{v:.2f}）", "items of one meaning disagree ({v:.2f})")),
    "psychant": (True, Text("反义题不一致（{v:.2f}）", "items of opposite meaning agree ({v:.2f})")),
    "seconds_per_item": (False, Text("每题只用 {v:.1f} 秒", "only {v:.1f} seconds an item")),
    "match": (True, Text("与他人 {v:.0%} 的答案相同", "{v:.0%} of the answers are another's")),
}
#: Fewer items than these agree by chance too often for a match to mean anything.
_ITEMS_FOR_MATCH = 20


class Careless(Rows):
    """Indices of careless answering, a row per respondent.

    `.cutoffs` holds what was flagged beyond, `.note` says what could not be computed, `.glance()` counts.
    """

    _metadata = ["note", "source", "cutoffs"]  # noqa: RUF012 - pandas adds lists to it

    def __init__(
        self,
        frame: pd.DataFrame,
        note: tuple[Text, ...] = (),
        source: str = "",
        cutoffs: Mapping[str, float] | None = None,
    ):
        super().__init__(frame, note, source)
        self.cutoffs = dict(cutoffs or {})

    def glance(self) -> pd.DataFrame:
        """Return one row: n, flagged, share_flagged, then how many each index flags."""
        counts = {name: [int(beyond(self[name], name, cut).sum())] for name, cut in self.cutoffs.items()}
        flagged = int(self["flag"].sum())
        return pd.DataFrame(
            {"n": [len(self)], "flagged": [flagged], "share_flagged": [flagged / len(self)], **counts}
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many respondents each index flags; some are flagged by several."""
        import matplotlib.pyplot as plt

        from htresearch.language import label

        counts = self.glance()[list(self.cutoffs)].iloc[0]
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.4 * len(counts) + 1.2))[1]
        bars = ax.barh([str(label(n)) for n in counts.index[::-1]], counts.to_numpy()[::-1], color="C0", height=0.6)
        ax.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=9)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(str(Text("标记的人数", "Respondents flagged")))
        return ax


def careless(
    frame: pd.DataFrame, instrument: Instrument, cutoffs: Mapping[str, float | None] | None = None
) -> Careless:
    """Look for respondents who answered without reading.

    No index proves anything about a person: look at the flagged answers before they are left out, and report results
    with and without them.

    Parameters
    ----------
    frame
        A row per respondent and a column per item, as `htresearch.read_responses` returns it, with ``duration_s``
        for the time.
    instrument
        As `htresearch.load_instrument` returns it. The indices look at the items of its scales that offer three
        choices or more, in the order of the form; `match` and the time look at all closed items.
    cutoffs
        Other limits by the name of the index; ``None`` takes an index out of the flag. Usually flagged are:
        ``longstring`` and ``longest_cycle`` from a third of the items on (at least 9 and 12), ``mahalanobis_d2``
        beyond the 99th percentile of χ², ``seconds_per_item`` under 2, ``match`` from 0.9 on. The others are shown
        and not flagged: honest answers to few scales reach any value of them.

    Returns
    -------
    Careless
        A data frame in `frame`'s order and with its index: respondent_id where there is one;

        longstring, the longest run of one answer; longest_cycle, the longest stretch of answers that repeat after
        two, three or four items; irv, the standard deviation of the answers; mahalanobis_d2, their squared distance
        from the usual combination, a missing answer standing at the item's mean; even_odd, minus the correlation
        over scales of odd and even items, stepped up, with items keyed the same way; psychsyn and psychant, the
        correlation over pairs of items that correlate above .60 or below -.60 in the sample (missing with fewer than
        three pairs); seconds_per_item; match, the largest share of answers that another respondent gave as well, from
        0.9 on, and match_with, who (its respondent_id or its index);

        flag; why, all reasons.

    Raises
    ------
    ArgumentError
        If a cut-off is unknown or no number, the instrument has no such items, or items hold what no answer can be.
    ColumnError
        If items of the scales are missing from `frame`.

    References
    ----------
    Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of
    Experimental Social Psychology, 66, 4-19. https://doi.org/10.1016/j.jesp.2015.07.006
    Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods, 17,
    437-455. https://doi.org/10.1037/a0028085
    Huang, J. L., Curran, P. G., Keeney, J., Poposki, E. M., & DeShon, R. P. (2012). Detecting and deterring
    insufficient effort responding to surveys. Journal of Business and Psychology, 27, 99-114, for two seconds.
    https://doi.org/10.1007/s10869-011-9231-8
    Kuriakose, N., & Robbins, M. (2016). Don't get duped: Fraud through duplication in public opinion surveys.
    Statistical Journal of the IAOS, 32, 283-291, for matches. https://doi.org/10.3233/SJI-160978

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> items = [name for scale in instrument.scales.values() for name in scale.items]
    >>> answers = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (200, len(items))), columns=items)
    >>> answers.loc[0] = 3
    >>> bool(ht.scales.careless(answers, instrument)["flag"][0])
    True
    """
    require_form(frame, instrument)
    checks.require(*_wrong_cutoffs(cutoffs or {}), *_nothing_to_see(frame, instrument))
    form = _Form.of(frame, instrument)
    found, note = form.indices()
    limits = {**form.cutoffs(), **(cutoffs or {})}
    limits = {name: limits[name] for name in _INDICES if limits.get(name) is not None}
    flags = pd.DataFrame({name: beyond(found[name], name, cut) for name, cut in limits.items()}, index=frame.index)
    found["flag"] = flags.any(axis=1)
    found["why"] = _reasons(found, flags)
    if "respondent_id" in frame:
        found.insert(0, "respondent_id", frame["respondent_id"])
    rules = [_rule(name, cut) for name, cut in limits.items()]
    method = Text(f"标记的界限：{'；'.join(r.zh for r in rules)}。", f"Flagged: {'; '.join(r.en for r in rules)}.")
    return Careless(found, (method, *note), "https://doi.org/10.1016/j.jesp.2015.07.006", limits)


def beyond(values: pd.Series, name: str, cutoff: float) -> pd.Series:
    """Tell which values of an index lie on the careless side of a cut-off; missing ones do not."""
    # A cut-off that is a count or a share belongs to what it flags, as "nine in a row".
    return values >= cutoff if _INDICES[name][0] else values < cutoff


@dataclass(frozen=True)
class _Form:
    """The answers to a form, in its order."""

    frame: pd.DataFrame
    values: np.ndarray  # as answered, respondents × items of scales
    keyed: np.ndarray  # items of each scale pointing the same way
    scales: tuple[tuple[int, ...], ...]
    closed: np.ndarray  # every closed item

    @classmethod
    def of(cls, frame: pd.DataFrame, instrument: Instrument) -> _Form:
        answers, _ = answered(frame, instrument, list(instrument.scales))
        names = _looked_at(instrument)
        place = {name: i for i, name in enumerate(names)}
        values = np.column_stack([answers[name] for name in names])
        turned, scales = values.copy(), []
        for scale in instrument.scales.values():
            for name, column in keyed(answers, scale, instrument.items):
                if name in place:
                    turned[:, place[name]] = column
            scales.append(tuple(place[name] for name in scale.items if name in place))
        closed = [
            name
            for name, item in instrument.items.items()
            if item.type == "single" and name in frame and pd.api.types.is_numeric_dtype(frame[name])
        ]
        all_closed = frame[closed].to_numpy(dtype=float, na_value=np.nan)
        return cls(frame, values, turned, tuple(s for s in scales if len(s) > 1), all_closed)

    def indices(self) -> tuple[pd.DataFrame, tuple[Text, ...]]:
        """Return every index, and why some are missing."""
        n, k = self.values.shape
        limits = self.cutoffs()
        found, note = pd.DataFrame(index=self.frame.index), []
        nothing = np.full(n, np.nan)
        found["longstring"] = indices.longstring(self.values)
        found["longest_cycle"] = indices.longest_cycle(self.values)
        found["irv"] = indices.irv(self.values)
        found["mahalanobis_d2"] = indices.mahalanobis_d2(self.values) if n > 2 * k else nothing
        if n <= 2 * k:
            note.append(_WITHOUT["mahalanobis_d2"].format(n=n, k=k))
        found["even_odd"] = indices.even_odd(self.keyed, self.scales) if len(self.scales) > 2 else nothing
        if len(self.scales) <= 2:
            note.append(_WITHOUT["even_odd"].format(n=len(self.scales)))
        for name, antonyms in (("psychsyn", False), ("psychant", True)):
            pairs = indices.synonym_pairs(self.values, antonyms=antonyms)
            found[name] = indices.synonyms(self.values, pairs) if len(pairs[0]) > 2 else nothing
            if len(pairs[0]) <= 2:
                note.append(_WITHOUT[name].format(n=len(pairs[0])))
        found["seconds_per_item"] = self._seconds() if "duration_s" in self.frame else nothing
        if "duration_s" not in self.frame:
            note.append(_WITHOUT["seconds_per_item"])
        patterned = (found["longstring"] >= limits["longstring"]) | (
            found["longest_cycle"] >= limits["longest_cycle"]
        )
        nearest = self._nearest(~patterned.to_numpy())
        found["match"], partner = (nothing, np.full(n, -1)) if nearest is None else nearest
        if nearest is None:
            note.append(_WITHOUT["match"].format(n=_ITEMS_FOR_MATCH))
        labels = self.frame.get("respondent_id", self.frame.index).to_numpy()
        found["match_with"] = np.where(partner >= 0, labels.astype(object)[partner], None)
        return found, tuple(note)

    def cutoffs(self) -> dict[str, float]:
        k = self.values.shape[1]
        return {
            "longstring": max(9, ceil(k / 3)),
            "longest_cycle": max(12, ceil(k / 3)),
            "mahalanobis_d2": float(stats.chi2.ppf(0.99, k)),
            "seconds_per_item": 2.0,
            "match": 0.9,
        }

    def _seconds(self) -> np.ndarray:
        """The time over all closed items answered."""
        count = (~np.isnan(self.closed)).sum(axis=1)
        seconds = self.frame["duration_s"].to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, seconds / count, np.nan)

    def _nearest(self, varied: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Who answers most like each, among those whose answers vary: straight lines and patterns match anyway."""
        if self.closed.shape[1] < _ITEMS_FOR_MATCH:
            return None
        rows = np.flatnonzero(varied & ((~np.isnan(self.closed)).mean(axis=1) >= 0.5))
        match, partner = np.full(len(self.values), np.nan), np.full(len(self.values), -1)
        if len(rows) > 1:
            found = indices.nearest(self.closed[rows], 0.9)
            if found is None:
                return None
            partner[rows] = np.where(found[0] >= 0, rows[found[0]], -1)
            match[rows] = found[1]
        return match, partner


def _looked_at(instrument: Instrument) -> list[str]:
    measured = {name for scale in instrument.scales.values() for name in scale.items}
    return [name for name, item in instrument.items.items() if name in measured and len(item.values) > 2]


def _reasons(found: pd.DataFrame, flags: pd.DataFrame) -> list[str]:
    """Say for each row what it is flagged for; nothing for the others."""
    why = np.full(len(found), "", dtype=object)
    for name in flags:
        rows = np.flatnonzero(flags[name])
        if name == "longest_cycle" and "longstring" in flags:  # one answer over and over is a cycle too
            rows = np.flatnonzero(flags[name] & ~flags["longstring"])
        for row, value in zip(rows, found[name].to_numpy()[rows], strict=True):
            reason = str(_INDICES[name][1].format(v=value))
            why[row] = f"{why[row]}{Text('；', '; ')}{reason}" if why[row] else reason
    return why.tolist()


# --- words and refusals ---------------------------------------------------------------------------------------------

_WITHOUT = {
    "mahalanobis_d2": Text(
        "没有马氏距离：{n} 人对 {k} 题太少（须多于题数的两倍）。",
        "No Mahalanobis distance: {n} respondents are too few for {k} items (more than twice as many are needed).",
    ),
    "even_odd": Text(
        "没有奇偶一致性：两题以上的量表只有 {n} 个（至少要三个）。",
        "No even-odd consistency: {n} scales of two items or more (three are needed).",
    ),
    "psychsyn": Text(
        "没有近义题指标：相关大于 .60 的题对只有 {n} 对（至少要三对）。",
        "No psychometric synonyms: {n} pairs of items correlate above .60 (three are needed).",
    ),
    "psychant": Text(
        "没有反义题指标：相关小于 -.60 的题对只有 {n} 对（至少要三对）。",
        "No psychometric antonyms: {n} pairs of items correlate below -.60 (three are needed).",
    ),
    "seconds_per_item": Text(
        "没有每题秒数：缺少 duration_s 列。", "No seconds per item: there is no column duration_s."
    ),
    "match": Text(
        "没有查找近似重复的答卷：题目少于 {n} 道，或人数太多而答案太相近。",
        "Near-duplicates are not sought: fewer than {n} items, or too many respondents answer too much alike.",
    ),
}


def _rule(name: str, cutoff: float) -> Text:
    from htresearch.language import label

    sign = "≥" if _INDICES[name][0] else "<"
    said = label(name)
    cutoff = f"{cutoff:.3g}"
    return Text(f"{said.zh} {sign} {cutoff}", f"{said.en} {sign} {cutoff}")


def _wrong_cutoffs(cutoffs: Mapping[str, float | None]) -> Iterator[Fault]:
    if not isinstance(cutoffs, Mapping):
        yield Fault(
            checks.argument("cutoffs"),
            Text("须为字典：指标名到界限", "must map names of indices to cut-offs"),
            Text('例如 {{"longstring": 12}}', 'For example {{"longstring": 12}}').format(),
            type(cutoffs).__name__,
        )
        return
    for name, cutoff in cutoffs.items():
        if name not in _INDICES:
            yield checks.one_of("cutoffs", name, tuple(_INDICES))
        elif cutoff is not None and (not isinstance(cutoff, Real) or isinstance(cutoff, bool) or np.isnan(cutoff)):
            yield Fault(
                checks.argument("cutoffs"),
                Text(f"{name} 的界限须为数字", f"the cut-off of {name} must be a number"),
                Text("不用这一指标请写 None", "Write None to leave the index out"),
                cutoff,
            )


def _nothing_to_see(frame: pd.DataFrame, instrument: Instrument) -> Iterator[Fault]:
    names = _looked_at(instrument)
    if len(names) < 2:
        yield Fault(
            checks.argument("instrument"),
            Text("《{title}》的量表中没有足够的选择题", "the scales of “{title}” have too few closed items").format(
                title=instrument.title
            ),
            Text("至少要有两道三个以上选项的题", "At least two items with three choices or more are needed"),
            listing(names).zh or None,
        )
    if "duration_s" in frame and not pd.api.types.is_numeric_dtype(frame["duration_s"]):
        yield Fault(
            "duration_s",
            Text("不是数字", "holds no numbers"),
            Text("请换成秒数，缺失留空", "Turn it into seconds; leave missing ones empty"),
            next((v for v in frame["duration_s"].dropna() if isinstance(v, str)), None),
        )
    if not len(frame):
        yield Fault(
            checks.argument("frame"),
            Text("没有任何答卷", "holds no respondents"),
            Text("请检查数据", "Look at the data"),
        )
