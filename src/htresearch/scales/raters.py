"""Do raters agree: weighted kappa of two, intraclass correlations of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.items import read_items

WEIGHTS = (None, "linear", "quadratic")


class RaterAgreement(Estimates):
    """Agreement of raters, at most 1."""


def kappa(
    first: Sequence | pd.Series,
    second: Sequence | pd.Series,
    weights: str | None = "quadratic",
    categories: Sequence | None = None,
    conf_level: float = 0.95,
) -> RaterAgreement:
    """Estimate Cohen's kappa of two raters, weighted by how far apart their ratings are.

    Parameters
    ----------
    first, second
        What each rater gave to the same cases, in the same order.
    weights
        ``"quadratic"`` or ``"linear"``, in the distance of categories; ``None`` counts only equal ratings.
    categories
        All categories in their order, also those nobody used; the sorted ratings if not given, of which numbers
        count as evenly spaced.
    conf_level
        Between 0 and 1.

    Returns
    -------
    RaterAgreement
        `.tidy()`: one row, term ``"kappa"`` or ``"weighted_kappa"``; p_value is of no agreement beyond chance.
        `.glance()`: n, n_categories, observed (agreement), expected (by chance), weights.

    Raises
    ------
    ArgumentError
        If the ratings differ in number, hold what is no category, or all are one category.

    References
    ----------
    Cohen, J. (1968). Weighted kappa. Psychological Bulletin, 70, 213-220. https://doi.org/10.1037/h0026256
    Fleiss, J. L., Cohen, J., & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa.
    Psychological Bulletin, 72, 323-327. https://doi.org/10.1037/h0028106

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.scales.kappa([1, 2, 3, 3, 2], [1, 2, 3, 2, 2]).tidy()["estimate"].round(3).tolist()
    [0.8]
    """
    checks.require(
        checks.one_of("weights", weights, WEIGHTS),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        *_lists(first, second),
    )
    pair = pd.DataFrame({"first": np.asarray(first), "second": np.asarray(second)})
    both = pair.dropna()
    known = pd.unique(both.to_numpy().ravel()) if len(both) else np.array([])
    ordered = sorted(known) if categories is None else list(categories)
    checks.require(*_unknown(known, ordered), _too_few_cases(len(both)), _one_category(known))
    table = np.zeros((len(ordered), len(ordered)))
    position = {category: i for i, category in enumerate(ordered)}
    np.add.at(table, (both["first"].map(position), both["second"].map(position)), 1)
    found, observed, expected, at_null, error = _kappa(table / len(both), _weights(ordered, weights), len(both))
    reach = stats.norm.ppf((1 + conf_level) / 2) * error
    statistic = found / at_null if at_null > 0 else np.nan  # a rater with one rating for all agrees by chance alone
    row = {
        "term": ["weighted_kappa" if weights else "kappa"],
        "estimate": [found],
        "std_error": [error],
        "statistic": [statistic],
        "p_value": [2 * stats.norm.sf(abs(statistic))],
        "conf_low": [max(found - reach, -1.0)],
        "conf_high": [min(found + reach, 1.0)],
    }
    summary = {
        "n": [len(both)],
        "n_categories": [len(ordered)],
        "observed": [observed],
        "expected": [expected],
        "weights": [weights or "none"],
    }
    note = _left_out(len(pair) - len(both))
    return RaterAgreement(pd.DataFrame(row), pd.DataFrame(summary), note, "https://doi.org/10.1037/h0028106")


def rater_icc(ratings: pd.DataFrame, conf_level: float = 0.95) -> RaterAgreement:
    """Estimate the intraclass correlations of several raters, after McGraw and Wong.

    Parameters
    ----------
    ratings
        A row per case and a column per rater; only cases that every rater rated count.
    conf_level
        Between 0 and 1.

    Returns
    -------
    RaterAgreement
        `.tidy()`, six rows with the F test of no differences between cases (statistic, df, df2, p_value):

        ``ICC(1)``, ``ICC(k)``: every case has raters of its own (one-way);
        ``ICC(A,1)``, ``ICC(A,k)``: the same raters, whose level counts as disagreement;
        ``ICC(C,1)``, ``ICC(C,k)``: the same raters, whose level is passed over (consistency).
        The first of each is of one rating, the second of the mean of all k raters. `.glance()`: n, n_raters,
        ms_cases, ms_raters, ms_residual, ms_within.

    Raises
    ------
    ArgumentError
        If there are fewer than two raters or three cases, a rater gave everybody the same, or ratings are no numbers.

    Notes
    -----
    Whether raters are a sample of raters or all there are makes no difference to estimates and intervals, only to
    what they may be generalised to (McGraw & Wong's cases 2 and 3).

    References
    ----------
    McGraw, K. O., & Wong, S. P. (1996). Forming inferences about some intraclass correlation coefficients.
    Psychological Methods, 1, 30-46. https://doi.org/10.1037/1082-989X.1.1.30
    Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations: Uses in assessing rater reliability. Psychological
    Bulletin, 86, 420-428. https://doi.org/10.1037/0033-2909.86.2.420

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> ratings = pd.DataFrame({"a": [9, 6, 8, 7, 10, 6], "b": [2, 1, 4, 1, 5, 2], "c": [5, 3, 6, 2, 6, 4],
    ...                         "d": [8, 2, 8, 6, 9, 7]})  # Shrout and Fleiss's table 2
    >>> ht.scales.rater_icc(ratings).tidy()["estimate"].round(2).tolist()
    [0.17, 0.44, 0.29, 0.62, 0.71, 0.91]
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    answers = read_items(ratings, argument="ratings")
    values = answers.matrix
    n, k = values.shape
    cases, raters = values.mean(axis=1), values.mean(axis=0)
    ms_cases = k * cases.var(ddof=1)
    ms_raters = n * raters.var(ddof=1)
    rest = values - cases[:, None] - raters + values.mean()
    ms_residual = (rest**2).sum() / ((n - 1) * (k - 1))
    ms_within = ((values - cases[:, None]) ** 2).sum() / (n * (k - 1))
    checks.require(_nothing_left(ms_residual))
    rows = list(_forms(ms_cases, ms_raters, ms_residual, ms_within, n, k, (1 + conf_level) / 2))
    columns = ["term", "estimate", "df", "statistic", "p_value", "conf_low", "conf_high", "df2"]
    summary = {
        "n": [n],
        "n_raters": [k],
        "ms_cases": [ms_cases],
        "ms_raters": [ms_raters],
        "ms_residual": [ms_residual],
        "ms_within": [ms_within],
    }
    return RaterAgreement(
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(summary),
        _left_out(answers.dropped),
        "https://doi.org/10.1037/1082-989X.1.1.30",
    )


def _kappa(p: np.ndarray, w: np.ndarray, n: int) -> tuple[float, float, float, float, float]:
    """Return kappa, observed and expected agreement, and the standard errors under no agreement and in general."""
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    by_chance = np.outer(rows, columns)
    observed, expected = float((w * p).sum()), float((w * by_chance).sum())
    found = (observed - expected) / (1 - expected)
    margins = (w @ columns)[:, None] + (w.T @ rows)[None, :]
    # Fleiss, Cohen and Everitt (1969), equations 8 (in general) and 9 (no agreement).
    general = (p * (w - margins * (1 - found)) ** 2).sum() - (found - expected * (1 - found)) ** 2
    at_null = (by_chance * (w - margins) ** 2).sum() - expected**2
    return found, observed, expected, *(float(np.sqrt(max(v, 0) / n) / (1 - expected)) for v in (at_null, general))


def _weights(ordered: list, weights: str | None) -> np.ndarray:
    numeric = all(isinstance(c, int | float | np.number) for c in ordered)
    place = np.array(ordered, dtype=float) if numeric else np.arange(len(ordered), dtype=float)
    apart = np.abs(place[:, None] - place) / (place.max() - place.min())
    if weights is None:
        return np.eye(len(ordered))
    return 1 - (apart if weights == "linear" else apart**2)


def _forms(
    ms_cases: float, ms_raters: float, ms_residual: float, ms_within: float, n: int, k: int, tail: float
) -> Iterator[tuple]:
    """Yield the six forms with their intervals: McGraw and Wong (1996), tables 4, 7 and 8."""
    df1, one_way, two_way = n - 1, n * (k - 1), (n - 1) * (k - 1)

    def row(term: str, estimate: float, low: float, high: float, mean_square: float, df2: int) -> tuple:
        statistic = ms_cases / mean_square
        return term, estimate, df1, statistic, stats.f.sf(statistic, df1, df2), low, high, df2

    def ends(mean_square: float, df2: int) -> tuple[float, float]:
        statistic = ms_cases / mean_square
        return statistic / stats.f.ppf(tail, df1, df2), statistic * stats.f.ppf(tail, df2, df1)

    def single(f: float) -> float:
        return (f - 1) / (f + k - 1)

    for single_term, mean_term, mean_square, df2 in (
        ("ICC(1)", "ICC(k)", ms_within, one_way),
        ("ICC(A,1)", "ICC(A,k)", ms_residual, two_way),
        ("ICC(C,1)", "ICC(C,k)", ms_residual, two_way),
    ):
        f = ms_cases / mean_square
        low, high = ends(mean_square, df2)
        if single_term != "ICC(A,1)":
            yield row(single_term, single(f), single(low), single(high), mean_square, df2)
            yield row(mean_term, 1 - 1 / f, 1 - 1 / low, 1 - 1 / high, mean_square, df2)
            continue
        agreed = (ms_cases - ms_residual) / (ms_cases + (k - 1) * ms_residual + k * (ms_raters - ms_residual) / n)
        a = k * agreed / (n * (1 - agreed))
        b = 1 + k * agreed * (n - 1) / (n * (1 - agreed))
        # Satterthwaite's degrees of freedom of a MSC + b MSE.
        df = (a * ms_raters + b * ms_residual) ** 2 / (
            (a * ms_raters) ** 2 / (k - 1) + (b * ms_residual) ** 2 / two_way
        )
        above, below = stats.f.ppf(tail, df1, df), stats.f.ppf(tail, df, df1)
        other = k * ms_raters + (k * n - k - n) * ms_residual
        low = n * (ms_cases - above * ms_residual) / (above * other + n * ms_cases)
        high = n * (below * ms_cases - ms_residual) / (other + n * below * ms_cases)
        yield row(single_term, agreed, low, high, mean_square, df2)
        of_mean = (ms_cases - ms_residual) / (ms_cases + (ms_raters - ms_residual) / n)
        yield row(
            mean_term, of_mean, k * low / (1 + (k - 1) * low), k * high / (1 + (k - 1) * high), mean_square, df2
        )


# --- refusals and notes ---------------------------------------------------------------------------------------------


def _left_out(count: int) -> tuple[Text, ...]:
    if not count:
        return ()
    return (Text(f"{count} 个对象缺少评分，未计入。", f"{count} cases lack a rating and do not count."),)


def _lists(first: object, second: object) -> Iterator[Fault]:
    """Refuse what are no lists of ratings, and lists of unlike length."""
    wrong = [
        Fault(
            checks.argument(name),
            Text("须为一列评分", "must be a list of ratings"),
            Text("请给列表、数组或数据框的一列", "Give a list, an array or a column of a frame"),
            type(value).__name__,
        )
        for name, value in (("first", first), ("second", second))
        if value is None or np.ndim(value) != 1
    ]
    yield from wrong
    if not wrong and (fault := _same_length(first, second)) is not None:
        yield fault


def _same_length(first: Sequence, second: Sequence) -> Fault | None:
    if len(first) == len(second):
        return None
    return Fault(
        checks.argument("second"),
        Text("两位评分者的评分个数不同", "the two raters gave different numbers of ratings"),
        Text("请按同样的顺序给出同样的对象", "Give the same cases in the same order"),
        f"{len(first)} ≠ {len(second)}",
    )


def _unknown(known: np.ndarray, ordered: list) -> Iterator[Fault]:
    infinite = [c for c in [*known.tolist(), *ordered] if isinstance(c, float) and not np.isfinite(c)]
    if infinite or len(set(ordered)) < len(ordered):
        yield Fault(
            checks.argument("categories"),
            Text("类别须各不相同、有限", "categories must be different and finite"),
            Text("请改正类别或评分", "Correct the categories or the ratings"),
            listing(infinite or [c for c in dict.fromkeys(ordered) if ordered.count(c) > 1]).zh,
        )
    unknown = [c for c in known.tolist() if c not in ordered]
    if unknown:
        yield Fault(
            checks.argument("categories"),
            Text("评分中有不在其中的类别：{all}", "ratings hold other categories: {all}").format(
                all=listing(unknown)
            ),
            Text("请补上，或改正评分", "Add them, or correct the ratings"),
        )


def _too_few_cases(n: int) -> Fault | None:
    if n >= 2:
        return None
    return Fault(
        checks.argument("first"),
        Text("至少要有两个双方都评过的对象", "at least two cases must have both ratings"),
        Text("请给更多对象", "Give more cases"),
        n,
    )


def _one_category(known: np.ndarray) -> Fault | None:
    if len(known) != 1:
        return None
    return Fault(
        checks.argument("first"),
        Text(
            "所有评分都是同一类别，偶然一致也是 1，κ 无从计算", "all ratings are one category: chance agrees as well"
        ),
        Text("请用分布更分散的对象", "Rate cases that differ"),
        known[0],
    )


def _nothing_left(ms_residual: float) -> Fault | None:
    if ms_residual > 0:
        return None
    return Fault(
        checks.argument("ratings"),
        Text("各评分者之间只差一个常数，没有残差", "raters differ by constants only: nothing is left over"),
        Text("请检查评分是否重复录入", "See whether ratings were entered twice"),
    )
