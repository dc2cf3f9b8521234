"""How reliable the score of a scale is: Cronbach's alpha and McDonald's omega, with their intervals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.factor import OneFactor, one_factor
from htresearch.scales.items import Answers, read_items

ALPHA_INTERVALS = ("adf", "normal", "feldt")
OMEGA_INTERVALS = ("robust", "normal")
_ROWS = 2048


class Reliability(Estimates):
    """Reliability of a score, from 0 to 1."""

    #: Nothing is learnt from comparing a reliability with zero.
    zero = False


def alpha(
    items: pd.DataFrame,
    reverse: Collection[str] = (),
    missing: str = "listwise",
    interval: str | None = None,
    conf_level: float = 0.95,
) -> Reliability:
    """Estimate Cronbach's alpha, the reliability of a sum of items that measure one thing equally well.

    Where items measure with different strength alpha lies below the reliability (`omega` does not); where their
    errors correlate it lies above. A high alpha does not show that the items measure one thing.

    Parameters
    ----------
    items
        A row per respondent and a column per item, two or more; items of an instrument come keyed from
        `htresearch.scales.items_of`.
    reverse
        Items that are keyed the other way.
    missing
        ``"listwise"``: of who answered every item; ``"pairwise"``: each covariance of who answered both items.
    interval
        ``"adf"``, asymptotically free of any distribution, for which ordinal answers need no normality; ``"normal"``,
        as if answers were normal (van Zyl et al.); ``"feldt"``, as if items were moreover equally good. If not given
        ``"adf"``, and ``"normal"`` with ``missing="pairwise"``, for which the first needs complete rows.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Reliability
        `.tidy()`: one row, term ``"cronbach_alpha"``. `.glance()`: n, n_items, standardised_alpha (of standardised
        items), average_r (mean correlation of two items), interval, missing.

    Raises
    ------
    ArgumentError
        If an argument is none of its values, an item is constant or holds no numbers, or there is only one.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16, 297-334.
    https://doi.org/10.1007/BF02310555
    Maydeu-Olivares, A., Coffman, D. L., & Hartmann, W. M. (2007). Asymptotically distribution-free (ADF) interval
    estimation of coefficient alpha. Psychological Methods, 12, 157-176. https://doi.org/10.1037/1082-989X.12.2.157
    van Zyl, J. M., Neudecker, H., & Nel, D. G. (2000). On the distribution of the maximum likelihood estimator of
    Cronbach's alpha. Psychometrika, 65, 271-280. https://doi.org/10.1007/BF02296146
    Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability coefficient twenty.
    Psychometrika, 30, 357-370. https://doi.org/10.1007/BF02289499

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> items = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 4], "c": [1, 3, 3, 4, 5]})
    >>> ht.scales.alpha(items).tidy()["estimate"].round(3).tolist()
    [0.945]
    """
    checks.require(
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        checks.one_of("interval", interval, (None, *ALPHA_INTERVALS)),
        _needs_complete(missing, interval),
    )
    answers = keyed(items, reverse, missing)
    way = interval or ("normal" if missing == "pairwise" else "adf")
    covariance, n = moments(answers.matrix)
    k, total = len(covariance), covariance.sum()
    checks.require(_no_variance(total))
    estimate = alpha_of(covariance)
    spread = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(spread, spread)
    average = (correlations.sum() - k) / (k * (k - 1))
    if way == "feldt":
        error, low, high = np.nan, *_feldt(estimate, n, k, conf_level)
    else:
        error = _error_adf(answers.matrix, covariance) if way == "adf" else _error_normal(covariance, n)
        low, high = _around(estimate, error, conf_level)
    row = {
        "term": ["cronbach_alpha"],
        "estimate": [estimate],
        "std_error": [error],
        "conf_low": [low],
        "conf_high": [high],
    }
    summary = {
        "n": [n],
        "n_items": [k],
        "standardised_alpha": [alpha_of(correlations)],
        "average_r": [average],
        "interval": [way],
        "missing": [missing],
    }
    note = (_ALPHA[way], *answers.note, *_pairwise(missing, n), *against(answers.names, covariance))
    return Reliability(pd.DataFrame(row), pd.DataFrame(summary), note, "https://doi.org/10.1007/BF02310555")


def omega(
    items: pd.DataFrame,
    reverse: Collection[str] = (),
    interval: str = "robust",
    conf_level: float = 0.95,
) -> Reliability:
    """Estimate McDonald's omega, the reliability of a sum of items that measure one thing, however well each does.

    One factor is fitted by maximum likelihood to those who answered every item; omega is the share of the sum's
    variance that the factor brings, (Σλ)² / ((Σλ)² + Σψ).

    Parameters
    ----------
    items
        A row per respondent and a column per item, three or more.
    reverse
        Items that are keyed the other way.
    interval
        ``"robust"``, which needs no normal answers; ``"normal"``, by the delta method from the normal information.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Reliability
        `.tidy()`: one row, term ``"omega"``. `.glance()`: n, n_items, converged, heywood (how many items have a
        residual variance at zero), interval. `.note` names such items.

    Raises
    ------
    ArgumentError
        If an argument is none of its values, an item is constant or holds no numbers, or there are fewer than three.

    References
    ----------
    McDonald, R. P. (1999). Test theory: A unified treatment. https://doi.org/10.4324/9781410601087
    Raykov, T. (2002). Analytic estimation of standard error and confidence interval for scale reliability.
    Multivariate Behavioral Research, 37, 89-103. https://doi.org/10.1207/S15327906MBR3701_04

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(500, 1))
    >>> items = pd.DataFrame(0.7 * trait + rng.normal(size=(500, 4)), columns=list("abcd"))
    >>> ht.scales.omega(items).tidy()["term"].tolist()
    ['omega']
    """
    checks.require(
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        checks.one_of("interval", interval, OMEGA_INTERVALS),
    )
    answers = keyed(items, reverse, "listwise", at_least=3)
    covariance, n = moments(answers.matrix)
    fit = one_factor(covariance, n)
    common, unique = fit.loadings.sum() ** 2, fit.residuals.sum()
    estimate = common / (common + unique)
    slope = np.concatenate(
        [
            np.full(len(fit.loadings), 2 * fit.loadings.sum() * unique / (common + unique) ** 2),
            np.full(len(fit.loadings), -common / (common + unique) ** 2),
        ]
    )
    robust = interval == "robust"
    error = _error_robust(answers.matrix, fit, slope, n) if robust else np.sqrt(slope @ fit.covariance @ slope)
    low, high = _around(estimate, error, conf_level)
    row = {"term": ["omega"], "estimate": [estimate], "std_error": [error], "conf_low": [low], "conf_high": [high]}
    summary = {
        "n": [n],
        "n_items": [len(covariance)],
        "converged": [fit.converged],
        "heywood": [int(fit.improper.sum())],
        "interval": [interval],
    }
    note = (_OMEGA[interval], *answers.note, *_heywood(answers.names, fit), *against(answers.names, covariance))
    return Reliability(pd.DataFrame(row), pd.DataFrame(summary), note, "https://doi.org/10.4324/9781410601087")


# --- what others use too --------------------------------------------------------------------------------------------


def keyed(items: pd.DataFrame, reverse: Collection[str], missing: str, at_least: int = 2) -> Answers:
    """Return the answers with the items in `reverse` negated, or refuse them with every fault."""
    reverse = (reverse,) if isinstance(reverse, str) else tuple(reverse or ())
    if isinstance(items, pd.DataFrame):
        checks.require(*checks.columns("reverse", reverse, items.columns))
    answers = read_items(items, at_least=at_least, missing=missing)
    signs = np.ones(len(answers.names))
    for name in reverse:
        signs[answers.names.index(str(name))] = -1
    return replace(answers, matrix=answers.matrix * signs) if reverse else answers


def moments(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the covariances of items and the number of rows: with missing answers of each pair, and the fewest."""
    there = ~np.isnan(values)
    if there.all():
        return sum(part.T @ part for part in _centred(values)) / (len(values) - 1), len(values)
    counted = there.astype(float)
    n = counted.T @ counted
    known = np.where(there, values - np.nanmean(values, axis=0), 0.0)
    # Each covariance about the means of those who answered both.
    sums = known.T @ counted
    with np.errstate(invalid="ignore", divide="ignore"):
        return (known.T @ known - sums * sums.T / n) / (n - 1), int(n.min())


def _centred(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the deviations from the means, some rows at a time, which stay in the processor's cache."""
    means = values.mean(axis=0)
    for first in range(0, len(values), _ROWS):
        yield values[first : first + _ROWS] - means


def alpha_of(covariance: np.ndarray) -> float:
    """Return alpha of a covariance matrix."""
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def item_rest(covariance: np.ndarray) -> np.ndarray:
    """Return the correlation of each item with the sum of the others."""
    own, with_all = np.diag(covariance), covariance.sum(axis=1)
    rest = covariance.sum() - 2 * with_all + own
    with np.errstate(invalid="ignore", divide="ignore"):
        return (with_all - own) / np.sqrt(own * rest)


def against(names: tuple[str, ...], covariance: np.ndarray) -> Iterator[Text]:
    """Warn of items that run against the others."""
    wrong = [name for name, r in zip(names, item_rest(covariance), strict=True) if r < 0]
    if wrong:
        yield Text(
            "与其余题目负相关的题目：{all}；如是反向题，请用 reverse 写明，或用 reverse_key_check 检查。",
            "Items that correlate negatively with the rest: {all}. If they are keyed the other way, name them in "
            "reverse, or see reverse_key_check.",
        ).format(all=listing(wrong))


# --- standard errors ------------------------------------------------------------------------------------------------


def _around(estimate: float, error: float, conf_level: float) -> tuple[float, float]:
    reach = stats.norm.ppf((1 + conf_level) / 2) * error
    return estimate - reach, min(estimate + reach, 1.0)


def _feldt(estimate: float, n: int, k: int, conf_level: float) -> tuple[float, float]:
    """Feldt (1965): (1 - α) / (1 - α̂) follows F with n - 1 and (n - 1)(k - 1) degrees of freedom."""
    quantiles = stats.f.ppf([(1 + conf_level) / 2, (1 - conf_level) / 2], n - 1, (n - 1) * (k - 1))
    low, high = 1 - (1 - estimate) * quantiles
    return float(low), float(high)


def _error_normal(covariance: np.ndarray, n: int) -> float:
    """Van Zyl et al. (2000), equation 21."""
    k, total, trace = len(covariance), covariance.sum(), np.trace(covariance)
    squared = covariance @ covariance
    inner = total * (np.trace(squared) + trace**2) - 2 * trace * squared.sum()
    return float(np.sqrt(2 * k**2 / ((k - 1) ** 2 * total**3) * inner / n))


def _error_adf(values: np.ndarray, covariance: np.ndarray) -> float:
    """Maydeu-Olivares et al. (2007), equation 8: what each respondent adds to alpha, and how that varies."""
    n, k = values.shape
    total, trace = covariance.sum(), np.trace(covariance)
    added = np.concatenate(
        [trace * part.sum(axis=1) ** 2 / total**2 - (part**2).sum(axis=1) / total for part in _centred(values)]
    )
    added *= k / (k - 1)
    return float(np.sqrt(added.var(ddof=1) / n))


def _error_robust(values: np.ndarray, fit: OneFactor, slope: np.ndarray, n: int) -> float:
    """The sandwich, with the expected information as bread: what each respondent adds to omega, and how it varies."""
    inverse = np.linalg.inv(np.outer(fit.loadings, fit.loadings) + np.diag(fit.residuals))
    tilted = inverse @ fit.loadings
    residual = (values - values.mean(axis=0)) @ inverse
    by_loading = (residual @ fit.loadings)[:, None] * residual - tilted
    by_residual = (residual**2 - np.diag(inverse)) / 2
    weight = n * fit.covariance @ slope
    added = by_loading @ weight[: len(tilted)] + by_residual @ weight[len(tilted) :]
    return float(np.sqrt(added.var(ddof=1) / n))


# --- words ----------------------------------------------------------------------------------------------------------

_ALPHA = {
    "adf": Text("克龙巴赫 α；渐近无分布区间。", "Cronbach's alpha; asymptotically distribution-free interval."),
    "normal": Text(
        "克龙巴赫 α；按正态假定的区间（van Zyl 等）。",
        "Cronbach's alpha; interval of normal theory (van Zyl et al.).",
    ),
    "feldt": Text("克龙巴赫 α；Feldt 区间。", "Cronbach's alpha; Feldt's interval."),
}
_OMEGA = {
    "robust": Text(
        "ω：极大似然单因子模型；稳健区间。", "Omega of one factor by maximum likelihood; robust interval."
    ),
    "normal": Text(
        "ω：极大似然单因子模型；按正态假定的区间。",
        "Omega of one factor by maximum likelihood; interval of normal theory.",
    ),
}


def _pairwise(missing: str, n: int) -> tuple[Text, ...]:
    if missing != "pairwise":
        return ()
    return (
        Text(
            f"区间按人数最少的一对题目（{n} 人）计算。",
            f"The interval takes the number of the pair that fewest answered ({n}).",
        ),
    )


def _heywood(names: tuple[str, ...], fit: OneFactor) -> Iterator[Text]:
    if fit.improper.any():
        yield Text(
            "残差方差落到零（Heywood 情形）：{all}；ω 不可信，单因子模型大概不合适。",
            "Residual variance at zero (a Heywood case): {all}. Omega is not to be trusted: one factor hardly fits.",
        ).format(all=listing([n for n, bad in zip(names, fit.improper, strict=True) if bad]))
    if not fit.converged:
        yield Text("单因子模型未收敛。", "The one-factor model did not converge.")


def _needs_complete(missing: str, interval: str | None) -> Fault | None:
    if missing != "pairwise" or interval != "adf":
        return None
    return Fault(
        checks.argument("interval"),
        Text("成对处理缺失时没有无分布区间", "there is no distribution-free interval with pairwise covariances"),
        Text('请用 missing="listwise"，或 interval="normal"', 'Use missing="listwise", or interval="normal"'),
        interval,
    )


def _no_variance(total: float) -> Fault | None:
    if total > 0:
        return None
    return Fault(
        checks.argument("items"),
        Text("题目之和没有方差，α 无从计算", "the sum of the items has no variance, so there is no alpha"),
        Text("请用 reverse 写明反向题", "Name the items keyed the other way in reverse"),
    )
