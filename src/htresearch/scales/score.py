"""From answers to scale scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, ColumnError, Fault
from htresearch.language import Text, listing
from htresearch.scales.rows import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.instruments import Instrument, Item, Scale

#: How many impossible values a fault lists.
_SHOWN = 5


class Scores(Rows):
    """Scores: respondent_id where there is one, then a column per scale.

    `.note` says how they were made, `.tidy()` describes each scale, `.plot()` shows their distributions.
    """

    def tidy(self) -> pd.DataFrame:
        """Return a row per scale: term, n, missing, mean, std_dev, minimum, maximum."""
        scales = self.drop(columns="respondent_id", errors="ignore")
        return pd.DataFrame(
            {
                "term": list(scales.columns),
                "n": scales.notna().sum().to_numpy(),
                "missing": scales.isna().sum().to_numpy(),
                "mean": scales.mean().to_numpy(),
                "std_dev": scales.std().to_numpy(),
                "minimum": scales.min().to_numpy(),
                "maximum": scales.max().to_numpy(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: n_respondents, n_scales, n_complete (with a score on every scale)."""
        scales = self.drop(columns="respondent_id", errors="ignore")
        complete = int(scales.notna().all(axis=1).sum())
        return pd.DataFrame({"n_respondents": [len(self)], "n_scales": [scales.shape[1]], "n_complete": [complete]})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of each scale as a box, one below the other."""
        import matplotlib.pyplot as plt

        from htresearch.language import label

        scales = self.drop(columns="respondent_id", errors="ignore")
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.42 * scales.shape[1] + 1.2))[1]
        height = list(range(scales.shape[1], 0, -1))
        drawn = [scales[name].dropna().to_numpy() for name in scales]
        ax.boxplot(
            drawn, positions=height, orientation="horizontal", widths=0.55, showmeans=True, flierprops={"ms": 2}
        )
        ax.set_yticks(height, [str(label(name)) for name in scales])
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(str(Text("得分（三角为均值）", "Score (triangles: means)")))
        return ax


def score(frame: pd.DataFrame, instrument: Instrument, min_answered: float | None = None) -> Scores:
    """Score every scale of an instrument.

    An item that is keyed the other way is turned between its lowest and highest possible answer. Whoever answered
    enough items gets the mean of those answered (for a sum score, times the number of items); whoever did not gets
    no score. Nothing is imputed otherwise.

    Parameters
    ----------
    frame
        A row per respondent and a column per item, as `htresearch.read_responses` returns it; other columns are
        passed over. The instrument's missing codes count as missing.
    instrument
        As `htresearch.load_instrument` returns it.
    min_answered
        Share of a scale's items that must be answered, above 0 and at most 1; what each scale says, if not given.

    Returns
    -------
    Scores
        A data frame: respondent_id, where `frame` has it, and a column per scale, in `frame`'s order and with its
        index. `.note` counts who has no score and whose score stands on fewer items.

    Raises
    ------
    ArgumentError
        If `min_answered` is out of range, the instrument has no scales, or items hold what no answer can be.
    ColumnError
        If items of the scales are missing from `frame`.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> answers = pd.DataFrame({name: [4, 5] for scale in instrument.scales.values() for name in scale.items})
    >>> ht.score(answers.assign(respondent_id=["a", "b"]), instrument)["stay"].round(2).tolist()
    [3.33, 3.67]
    """
    require_form(frame, instrument)
    checks.require(
        None if min_answered is None else _share(min_answered),
        None if instrument.scales else _no_scales(instrument),
    )
    answers, coded = answered(frame, instrument, list(instrument.scales))
    columns, note = {}, [_method(instrument, min_answered), *instrument.caution]
    if coded:
        note.append(
            Text(
                f"{coded} 处缺失码（如“跳过”“未作答”）按缺失处理。",
                f"{coded} answers that are missing codes (such as “skipped”) count as missing.",
            )
        )
    for name, scale in instrument.scales.items():
        share = scale.min_answered if min_answered is None else min_answered
        columns[name], unscored, partial = _scored(keyed(answers, scale, instrument.items), scale, share)
        if unscored or partial:
            note.append(_counted(name, unscored, partial, len(frame)))
    scores = pd.DataFrame(columns, index=frame.index)
    if "respondent_id" in frame:
        scores.insert(0, "respondent_id", frame["respondent_id"])
    return Scores(scores, tuple(note))


def items_of(frame: pd.DataFrame, instrument: Instrument, scale: str | None = None) -> pd.DataFrame:
    """Return items as they enter their scale's score: all pointing the same way, missing codes as missing.

    Parameters
    ----------
    frame
        A row per respondent and a column per item.
    instrument
        As `htresearch.load_instrument` returns it.
    scale
        The name of one of its scales; the items of all of them if not given.

    Returns
    -------
    pandas.DataFrame
        A row per respondent and a column per item, numbers.

    Raises
    ------
    ArgumentError
        If the instrument has no such scale, or items hold what no answer can be.
    ColumnError
        If items of the scale are missing from `frame`.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> answers = pd.DataFrame({"stay_1": [4, 5], "stay_2": [4, 4], "stay_3": [2, -2]})
    >>> ht.scales.items_of(answers, instrument, "stay")["stay_3"].tolist()
    [4.0, nan]
    """
    require_form(frame, instrument)
    checks.require(None if scale is None else checks.one_of("scale", scale, list(instrument.scales)))
    wanted = list(instrument.scales) if scale is None else [scale]
    answers, _ = answered(frame, instrument, wanted)
    columns = {}
    for name in wanted:
        columns |= dict(keyed(answers, instrument.scales[name], instrument.items))
    return pd.DataFrame(columns, index=frame.index)


def require_form(frame: object, instrument: object) -> None:
    """Refuse what are no answers, and what is no instrument."""
    from htresearch.instruments import Instrument

    checks.require(
        checks.data_frame("frame", frame), None if isinstance(instrument, Instrument) else _no_form(instrument)
    )


def _no_form(instrument: object) -> Fault:
    return Fault(
        checks.argument("instrument"),
        Text("不是问卷", "is no instrument"),
        Text("请用 load_instrument 读入问卷文件", "Read its file with load_instrument"),
        type(instrument).__name__,
    )


def answered(frame: pd.DataFrame, instrument: Instrument, scales: Iterable[str]) -> tuple[dict[str, np.ndarray], int]:
    """Return the answers to the items of scales, missing codes as NaN, and how many such codes there were.

    Refuses, all at once, items that are not there and answers that cannot be.
    """
    wanted = list(dict.fromkeys(item for scale in scales for item in instrument.scales[scale].items))
    faults = list(_absent(scales, frame, instrument))
    error = ColumnError if faults else ArgumentError
    values, coded = {}, 0
    for name in (n for n in wanted if n in frame.columns):
        if not _is_number(frame[name]):
            faults.append(_no_numbers(name, frame[name]))
            continue
        column, item = frame[name].to_numpy(dtype=float, na_value=np.nan), instrument.items[name]
        wrong = _impossible(column, item)
        if wrong is not None:
            is_code = wrong & np.isin(column, list(item.missing))
            coded += int(is_code.sum())
            column = np.where(is_code, np.nan, column)
            wrong &= ~is_code
            if wrong.any():
                faults.append(_impossible_values(name, item, column, wrong))
        values[name] = column
    checks.require(*faults, error=error)
    return values, coded


def keyed(
    answers: Mapping[str, np.ndarray], scale: Scale, items: Mapping[str, Item]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the answers to a scale's items, those keyed the other way turned between their ends."""
    for name, key in scale.items.items():
        yield name, sum(items[name].bounds) - answers[name] if key < 0 else answers[name]


def _impossible(column: np.ndarray, item: Item) -> np.ndarray | None:
    """Return which values are no possible answer, ``None`` if all are; missing ones are not asked."""
    allowed = item.values
    low, high = (min(allowed), max(allowed)) if allowed else (item.minimum, item.maximum)
    wrong = np.zeros(len(column), bool)
    if low is not None:
        wrong |= column < low
    if high is not None:
        wrong |= column > high
    if allowed and len(allowed) == high - low + 1:
        wrong |= np.floor(column) < column
    elif allowed:
        wrong = ~np.isin(column, allowed) & ~np.isnan(column)
    return wrong if wrong.any() else None


def _scored(answers: Iterable[tuple[str, np.ndarray]], scale: Scale, share: float) -> tuple[np.ndarray, int, int]:
    """Return the scores, how many answered too few items, and how many scores stand on fewer than all."""
    k, total, count = len(scale.items), 0.0, 0
    for _, column in answers:
        there = ~np.isnan(column)
        total = total + np.where(there, column, 0.0)
        count = count + there.astype(np.int8)
    enough = (count >= share * k - 1e-9) & (count > 0)
    mean = np.where(enough, total / np.maximum(count, 1), np.nan)
    unscored, partial = int((~enough).sum()), int((enough & (count < k)).sum())
    return mean * k if scale.scoring == "sum" else mean, unscored, partial


def _is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers, which truth values are not."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _share(value: float) -> Fault | None:
    fault = checks.between("min_answered", value, 0, 1)
    if fault is None and value == 0:
        return Fault(
            checks.argument("min_answered"),
            Text("须大于 0", "must be above 0"),
            Text("一题未答的人没有得分", "Who answered nothing has no score"),
            value,
        )
    return fault


def _no_scales(instrument: Instrument) -> Fault:
    return Fault(
        checks.argument("instrument"),
        Text("《{title}》没有量表", "“{title}” has no scales").format(title=instrument.title),
        Text("请在问卷文件的 scales 中写出量表", "Write the scales in the instrument's file, under scales"),
    )


def _absent(scales: Iterable[str], frame: pd.DataFrame, instrument: Instrument) -> Iterator[Fault]:
    present = set(frame.columns)
    for name in scales:
        absent = [item for item in instrument.scales[name].items if item not in present]
        if absent:
            yield Fault(
                Text(f"量表 {name}", f"Scale {name}"),
                Text("缺少题目 {all}", "lacks the items {all}").format(all=listing(absent)),
                Text("请检查答卷与问卷是否对应", "See whether these answers are to this instrument"),
            )


def _no_numbers(name: str, column: pd.Series) -> Fault:
    return Fault(
        name,
        Text("不是数字", "holds no numbers"),
        Text(
            "请用 read_responses 读入，它把文字换成数值",
            "Read the export with read_responses, which turns words into values",
        ),
        next((v for v in column.dropna() if isinstance(v, str)), None),
    )


def _impossible_values(name: str, item: Item, column: np.ndarray, wrong: np.ndarray) -> Fault:
    rows = np.flatnonzero(wrong) + 1
    more = "…" if len(rows) > _SHOWN else ""
    first = listing(rows[:_SHOWN].tolist())
    listed = item.values
    allowed = listing(listed) if listed else Text(*(f"{item.minimum}–{item.maximum}",) * 2)
    return Fault(
        name,
        Text(
            f"{len(rows)} 个答案不是可能的值（第 {first.zh}{more} 行）",
            f"{len(rows)} answers are none of the possible values (rows {first.en}{more})",
        ),
        Text("可能的值：{all}；请改正或清空", "Possible are {all}; correct or empty them").format(all=allowed),
        ", ".join(f"{v:g}" for v in np.unique(column[wrong])[:_SHOWN]),
    )


def _method(instrument: Instrument, min_answered: float | None) -> Text:
    zh = "各量表自定的比例" if min_answered is None else f"{min_answered:.0%}"
    en = "each scale's share" if min_answered is None else f"{min_answered:.0%}"
    return Text(
        f"得分为已答题目的均值（求和计分的量表再乘以题数），反向题先转正；所答题目不少于{zh}者才有得分。",
        f"A score is the mean of the items answered (times the number of items where a scale is summed), items keyed "
        f"the other way turned first; it is given to who answered at least {en} of the items.",
    )


def _counted(name: str, unscored: int, partial: int, n: int) -> Text:
    return Text(
        f"{name}：{n} 人中 {unscored} 人所答题目不足，没有得分；{partial} 人有未答的题，以本人其余题目的均值计分。",
        f"{name}: of {n} respondents {unscored} answered too few items and have no score; {partial} left items out "
        f"and are scored by the mean of their other items.",
    )
