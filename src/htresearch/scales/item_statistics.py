"""Items one by one: how they are answered, and how they go with the rest of their scale."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.items import read_items
from htresearch.scales.reliability import alpha_of, item_rest, keyed, moments
from htresearch.scales.score import answered, require_form

if TYPE_CHECKING:
    from htresearch.instruments import Instrument


class ItemStatistics(Estimates):
    """Items with their correlation with the rest of the scale, from -1 to 1."""


def item_statistics(
    items: pd.DataFrame, reverse: Collection[str] = (), missing: str = "listwise", conf_level: float = 0.95
) -> ItemStatistics:
    """Describe each item of a scale.

    Parameters
    ----------
    items
        A row per respondent and a column per item of one scale, two or more.
    reverse
        Items that are keyed the other way: the correlation is of the item turned round, the mean as it was answered.
    missing
        ``"listwise"`` or ``"pairwise"``, for correlations and alpha; means are of all who answered the item.
    conf_level
        Between 0 and 1.

    Returns
    -------
    ItemStatistics
        `.tidy()`, a row per item: term; estimate, the correlation of the item with the sum of the others, with
        conf_low and conf_high (Fisher's z); alpha_if_dropped; n, missing, mean, std_dev, skew, kurtosis (excess);
        floor and ceiling, the shares of the lowest and the highest answer that any item got. `.glance()`: n (of the
        correlations), n_items, alpha.

    Raises
    ------
    ArgumentError
        If an item is constant or holds no numbers, or there is only one.

    References
    ----------
    Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric theory (3rd ed.). McGraw-Hill.
    Joanes, D. N., & Gill, C. A. (1998). Comparing measures of sample skewness and kurtosis. The Statistician, 47,
    183-189, for b1 and b2. https://doi.org/10.1111/1467-9884.00122

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> items = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 4], "c": [1, 3, 3, 4, 5]})
    >>> ht.scales.item_statistics(items).tidy()[["term", "mean"]].round(1).to_numpy().tolist()
    [['a', 3.0], ['b', 3.2], ['c', 3.2]]
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    answers = keyed(items, reverse, missing)
    covariance, n = moments(answers.matrix)
    r = item_rest(covariance)
    low, high = _fisher(r, n, conf_level)
    k = len(covariance)
    others = [np.delete(np.arange(k), j) for j in range(k)]
    all_answers = items.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
    rows = {
        "term": list(answers.names),
        "estimate": r,
        "conf_low": low,
        "conf_high": high,
        "alpha_if_dropped": [alpha_of(covariance[np.ix_(o, o)]) if k > 2 else np.nan for o in others],
        **_described(all_answers),
    }
    summary = {"n": [n], "n_items": [k], "alpha": [alpha_of(covariance)]}
    note = (
        Text("estimate：题目与其余题目之和的相关。", "estimate: the item's correlation with the sum of the others."),
        *answers.note,
    )
    return ItemStatistics(pd.DataFrame(rows), pd.DataFrame(summary), note, "https://doi.org/10.1111/1467-9884.00122")


def reverse_key_check(
    items: pd.DataFrame, instrument: Instrument | None = None, conf_level: float = 0.95
) -> ItemStatistics:
    """Look for items whose answers point the other way than their key says, such as one that was not reversed.

    The items of a scale are put in the direction that most of their correlations have (the signs of the first
    principal component, the majority being right); an item against it correlates negatively with the rest.

    Parameters
    ----------
    items
        A row per respondent and a column per item, as answered with `instrument`, as scored without one.
    instrument
        As `htresearch.load_instrument` returns it: each of its scales is looked at whose items are there, with its
        keys. Without one all items are one scale and keyed alike.
    conf_level
        Between 0 and 1.

    Returns
    -------
    ItemStatistics
        `.tidy()`, a row per item: term; estimate, its correlation with the sum of the others, with conf_low and
        conf_high; scale; key; verdict: ``"turned"`` (the interval lies below zero), ``"unclear"`` (it holds zero, or
        so many are turned that the majority cannot be told) or ``"fine"``. `.glance()`: n_items, turned, unclear.

    Raises
    ------
    ArgumentError
        If no scale is there whole, an item is constant or holds what no answer can be, or a scale has one item.

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> items = pd.DataFrame(rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)), columns=list("abcd"))
    >>> ht.scales.reverse_key_check(items.assign(d=-items["d"])).tidy()["verdict"].tolist()
    ['fine', 'fine', 'fine', 'turned']
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    rows, note, faults = [], [], []
    for scale, keys, values, skipped in _by_scale(items, instrument):
        note += skipped
        if values is None:
            continue
        try:
            answers = read_items(values, missing="pairwise", argument="items")
        except ArgumentError as error:
            faults += error.faults
            continue
        rows += _directions(answers.matrix, answers.names, scale, keys, conf_level)
    checks.require(*faults)
    frame = pd.DataFrame(rows, columns=["term", "estimate", "conf_low", "conf_high", "scale", "key", "verdict"])
    turned, unclear = (frame.loc[frame["verdict"] == word, "term"].tolist() for word in ("turned", "unclear"))
    if turned:
        note.append(
            Text("方向与计分键相反的题目：{all}。", "Items that run against their key: {all}.").format(
                all=listing(turned)
            )
        )
    if unclear:
        note.append(
            Text("方向不明的题目：{all}。", "Items of unclear direction: {all}.").format(all=listing(unclear))
        )
    summary = pd.DataFrame({"n_items": [len(frame)], "turned": [len(turned)], "unclear": [len(unclear)]})
    return ItemStatistics(frame, summary, tuple(note))


def _directions(
    values: np.ndarray, names: tuple[str, ...], scale: str, keys: dict[str, int], conf_level: float
) -> Iterator[tuple]:
    covariance, n = moments(values)
    spread = np.sqrt(np.diag(covariance))
    first = np.linalg.eigh(covariance / np.outer(spread, spread))[1][:, -1]
    sign = np.where(first < 0, -1, 1)
    majority = np.sign(sign.sum())
    sign = sign * (majority or 1)
    turned = covariance * np.outer(sign, sign)
    # The item as keyed against the others as they mostly point.
    r = item_rest(turned) * sign
    low, high = _fisher(r, n, conf_level)
    for j, name in enumerate(names):
        clear = majority != 0 and (high[j] < 0 or low[j] > 0)
        verdict = ("turned" if r[j] < 0 else "fine") if clear else "unclear"
        yield name, r[j], low[j], high[j], scale, keys[name], verdict


def _by_scale(items: pd.DataFrame, instrument: Instrument | None) -> Iterator[tuple]:
    """Yield each scale with its keys and its keyed items, ``None`` where items are not there, and what to say."""
    if instrument is None:
        yield "", dict.fromkeys(map(str, getattr(items, "columns", ())), 1), items, ()
        return
    require_form(items, instrument)
    whole = [name for name, scale in instrument.scales.items() if set(scale.items) <= set(items.columns)]
    checks.require(None if whole else _no_scale(instrument))
    answers, _ = answered(items, instrument, whole)
    for name, scale in instrument.scales.items():
        if name not in whole:
            yield (
                name,
                {},
                None,
                (Text(f"量表 {name} 的题目不全，未检查。", f"Scale {name} is not there whole and passed over."),),
            )
            continue
        turned = {item: answers[item] * key for item, key in scale.items.items()}
        yield name, dict(scale.items), pd.DataFrame(turned), ()


def _described(values: np.ndarray) -> dict[str, np.ndarray]:
    """Describe each column by those who answered it."""
    there = ~np.isnan(values)
    n = there.sum(axis=0)
    mean = np.nanmean(values, axis=0)
    apart = np.where(there, values - mean, 0.0)
    spread = np.sqrt((apart**2).sum(axis=0) / (n - 1))
    return {
        "n": n,
        "missing": len(values) - n,
        "mean": mean,
        "std_dev": spread,
        # b1 and b2 of Joanes and Gill (1998): moments over powers of the sample's standard deviation.
        "skew": (apart**3).sum(axis=0) / n / spread**3,
        "kurtosis": (apart**4).sum(axis=0) / n / spread**4 - 3,
        "floor": (values == np.nanmin(values)).sum(axis=0) / n,
        "ceiling": (values == np.nanmax(values)).sum(axis=0) / n,
    }


def _fisher(r: np.ndarray, n: int, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
    if n <= 3:
        return np.full(len(r), np.nan), np.full(len(r), np.nan)
    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    reach = stats.norm.ppf((1 + conf_level) / 2) / np.sqrt(n - 3)
    return np.tanh(z - reach), np.tanh(z + reach)


def _no_scale(instrument: Instrument) -> Fault:
    return Fault(
        checks.argument("items"),
        Text("没有《{title}》的任何一个完整的量表", "holds no scale of “{title}” whole").format(
            title=instrument.title
        ),
        Text("请检查答卷与问卷是否对应", "See whether these answers are to this instrument"),
    )
