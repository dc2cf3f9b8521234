"""Moment estimators of the between-case standardised mean difference (Hedges, Pustejovsky & Shadish, 2012, 2013).

Outcomes vary between cases with variance τ² and within them with variance σ², correlated as φ to the power of the
distance in time. The numerator D is the mean of the cases' changes; S² pools variances between cases at one time
under one condition, whose mean is τ² + σ². With ρ = τ²/(τ² + σ²), everything about their sampling follows from the
correlation matrix V(ρ, φ): κ² is the variance of D in units of τ² + σ², and ν the degrees of freedom of S², by
matching its first two moments to a multiple of a chi-square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.singlecase.cases import Case

#: An autocorrelation is held this far from ±1: beyond, there is no stationary process.
_STATIONARY = 0.99


@dataclass(frozen=True)
class Found:
    """What the estimate is made of: g = J(df) numerator / √total, kappa the error of the numerator over √total."""

    numerator: float
    total: float
    within: float
    phi: float
    icc: float
    kappa: float
    df: float
    note: tuple[Text, ...] = ()


def change(case: Case) -> float:
    """Return the mean of the treatment phases' means less that of the baselines'."""
    means = np.array([part.mean() for part in _parts(case)])
    return float(means[1::2].mean() - means[::2].mean())


def estimate(cases: list[Case], design: str) -> Found:
    """Estimate by moments."""
    reversal = design == "reversal"
    phi, within, note = _within(cases, reversal)
    pooled = _reversal_cells(cases) if reversal else _baseline_cells(cases)
    y = np.concatenate([one.values for one in cases])
    total = float(y @ pooled @ y)
    checks.require(_no_spread() if not total > 1e-20 * float(y @ y) else None, error=ModelError)
    icc = max(0.0, 1 - within / total)
    if within > total:
        note = (*note, _MORE_WITHIN)
    correlation = _correlation(cases, icc, phi)
    weights = _weights(cases)
    product = pooled @ correlation
    # tr(AV)² / tr(AVAV), of which tr(AV), the mean of S² in units of τ² + σ², is 1.
    df = float(1 / np.einsum("ij,ji->", product, product))
    kappa = float(np.sqrt(weights @ correlation @ weights))
    return Found(float(weights @ y), total, within, phi, icc, kappa, df, note)


def _within(cases: list[Case], reversal: bool) -> tuple[float, float, tuple[Text, ...]]:
    """Return the autocorrelation and the variance within cases, both freed of bias to the first order.

    The raw autocorrelation is the sum of products of consecutive residuals over the sum of their squares: within
    phases for reversal designs, over whole cases for multiple baselines. Under independence the products sum to
    -σ²Σ(1 - 1/n) and the squares to σ²(N - G), over G phases of n observations.
    """
    squares = products = bias = 0.0
    observations = phases = 0
    for one in cases:
        residuals = np.concatenate([part - part.mean() for part in _parts(one)])
        squares += float(residuals @ residuals)
        both = residuals[1:] * residuals[:-1]
        products += float(both[one.phase[1:] == one.phase[:-1]].sum() if reversal else both.sum())
        sizes = np.bincount(one.phase)
        bias += float((1 - 1 / sizes).sum())
        observations += len(residuals)
        phases += len(sizes)
    phi = products / squares + bias / (observations - phases)
    note: tuple[Text, ...] = ()
    if abs(phi) > _STATIONARY:
        phi, note = float(np.clip(phi, -_STATIONARY, _STATIONARY)), (_CLIPPED,)
    expected = 0.0
    for one in cases:
        for p in range(len(one.labels)):
            here = one.phase == p
            # For reversal designs consecutive observations count as one apart (2012), else their times count (2013).
            times = np.arange(here.sum()) if reversal else one.times[here]
            R = _powers(phi, times)
            expected += len(times) - R.sum() / len(times)
    return phi, squares / expected, note


def _parts(case: Case) -> Iterator[np.ndarray]:
    for p in range(len(case.labels)):
        yield case.values[case.phase == p]


def _powers(phi: float, times: np.ndarray) -> np.ndarray:
    return np.power(float(phi), np.abs(times[:, None] - times).astype(int))


def _correlation(cases: list[Case], icc: float, phi: float) -> np.ndarray:
    sizes = [len(one.values) for one in cases]
    ends = np.cumsum([0, *sizes])
    V = np.zeros((ends[-1], ends[-1]))
    for one, start, end in zip(cases, ends[:-1], ends[1:], strict=True):
        V[start:end, start:end] = icc + (1 - icc) * _powers(phi, one.times)
    return V


def _weights(cases: list[Case]) -> np.ndarray:
    """Return the weights of all observations in the numerator."""
    found = []
    for one in cases:
        sizes = np.bincount(one.phase)
        signs = np.where(np.arange(len(sizes)) % 2, 1, -1) / (len(sizes) / 2)
        found.append((signs / sizes)[one.phase] / len(cases))
    return np.concatenate(found)


def _centring(cells: list) -> tuple[np.ndarray, int]:
    """Return the matrix that takes cell means off, and the number of cells."""
    codes = np.unique(np.array(cells), axis=0, return_inverse=True)[1].ravel()
    member = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
    return np.eye(len(codes)) - (member / member.sum(axis=0)) @ member.T, member.shape[1]


def _baseline_cells(cases: list[Case]) -> np.ndarray:
    """Pool variances over every time and condition: S² = y'Ay (2013)."""
    cells = [(t, p) for one in cases for t, p in zip(one.times, one.phase, strict=True)]
    matrix, number = _centring(cells)
    checks.require(_no_cell() if len(cells) == number else None, error=ModelError)
    return matrix / (len(cells) - number)


def _reversal_cells(cases: list[Case]) -> np.ndarray:
    """Pool variances over the first observations of each phase, as many as every case has: S² = y'Ay (2012)."""
    place = [(p, int((one.phase[:i] == p).sum())) for one in cases for i, p in enumerate(one.phase)]
    fewest = np.min([np.bincount(one.phase) for one in cases], axis=0)
    kept = np.array([number < fewest[p] for p, number in place], dtype=float)
    matrix, _ = _centring(place)
    return matrix * kept[:, None] * kept / (fewest.sum() * (len(cases) - 1))


# --- refusals and notes ---------------------------------------------------------------------------------------------

_CLIPPED = Text(
    f"自相关的矩估计超出 ±{_STATIONARY}，按 ±{_STATIONARY} 计：观察太少，或各阶段有趋势。",
    f"The moment estimate of the autocorrelation lies beyond ±{_STATIONARY} and was set there: there are too few "
    "observations, or phases have trends.",
)
_MORE_WITHIN = Text(
    "个案之内的方差大于总方差，个案之间的方差估计为 0。",
    "The variance within cases exceeds the whole, so that between cases is estimated as 0.",
)


def _no_cell() -> Fault:
    return Fault(
        checks.argument("time"),
        Text(
            "没有一个时间有两个个案处于同一条件，估计不出个案之间的方差",
            "at no time are two cases under the same condition, which leaves no variance between cases",
        ),
        Text('请检查时间是否对齐，或用 method="reml"', 'Check that times are aligned, or use method="reml"'),
    )


def _no_spread() -> Fault:
    return Fault(
        checks.argument("value"),
        Text(
            "同一时间各个案的数值都相同，没有可用来标准化的标准差",
            "cases do not differ at any time, which leaves no standard deviation to divide by",
        ),
        Text("请检查数据；或改用个案内的效应量", "Check the data, or use effect sizes within cases"),
    )
