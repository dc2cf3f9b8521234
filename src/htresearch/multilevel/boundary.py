r"""How a likelihood-ratio statistic is distributed where the null hypothesis sets variances to 0.

A variance of 0 lies on the boundary of what it can be. Near the null the parameters may move in a cone, and the
statistic is the squared length of a normal vector's projection onto it: a mixture of χ² distributions, whose weights
are the chances that the projection has so many dimensions (chi-bar-square; Shapiro 1988). New coefficients and new
covariances of effects that the smaller model has, or of one new effect with them, are free and add a degree of
freedom each; new variances are half-lines, in the metric of their information once everything free is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.optimize import nnls

from htresearch.language import Text, listing
from htresearch.multilevel.crossed_information import MOST_EFFECTS
from htresearch.multilevel.groups import same_groups

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

#: Projections simulated for the weights of several variances, and their seed: the same models give the same p value.
DRAWS, SEED = 20_000, 1988


@dataclass(frozen=True, eq=False)
class Boundary:
    """What the larger of two models adds to the random part of the smaller one.

    Attributes
    ----------
    null : tuple of numpy.ndarray
        For each random term of the larger model the covariance that the smaller one gives it, relative to the
        residual's variance.
    known : tuple of numpy.ndarray
        For each random term, which entries of its covariance the smaller model has.
    """

    null: tuple[np.ndarray, ...]
    known: tuple[np.ndarray, ...]

    @classmethod
    def between(cls, small: MultilevelFit, large: MultilevelFit) -> Boundary:
        """Find each effect of the smaller model in the larger one."""
        null, known = [], []
        for block in large.design.random.blocks:
            names = [large.design.random.names[column] for column in block.columns]
            gamma, has = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2, dtype=bool)
            for term, covariance in zip(small.design.random.blocks, small.solution.covariances, strict=True):
                if not same_groups(small.design.levels[term.level], large.design.levels[block.level]):
                    continue
                of = [small.design.random.names[column] for column in term.columns]
                # Terms that the larger model writes together may be apart in the smaller one, not the other way.
                ours, theirs = [names.index(n) for n in of if n in names], [i for i, n in enumerate(of) if n in names]
                gamma[np.ix_(ours, ours)] = covariance[np.ix_(theirs, theirs)] / small.solution.sigma2
                has[np.ix_(ours, ours)] = True
            null.append(gamma)
            known.append(has)
        return cls(tuple(null), tuple(known))

    @property
    def variances(self) -> int:
        """New variances."""
        return sum(int((~np.diag(known)).sum()) for known in self.known)

    @property
    def covariances(self) -> int:
        """New covariances."""
        return sum(int((~known[np.tril_indices(len(known), -1)]).sum()) for known in self.known)

    @property
    def apart(self) -> bool:
        """Whether no two new effects are correlated with one another, so that every new variance is a half-line."""
        return all((~np.diag(known)).sum() <= 1 for known in self.known)

    def information(self, large: MultilevelFit) -> np.ndarray:
        """Return the information of the new variances at the smaller model, everything free taken out."""
        blocks = large.solution.optimum.structure.blocks
        whole = _expected(
            large, [np.linalg.solve(b.scale, _right(g, b)) for b, g in zip(blocks, self.null, strict=True)]
        )
        jacobian, tested, at = np.zeros_like(whole), [], 0
        for block, known in zip(blocks, self.known, strict=True):
            rows = slice(at, at + len(block.pairs))
            for a, b in block.pairs:
                entry = np.zeros((block.size, block.size))
                entry[a, b] = entry[b, a] = 1.0
                moved = np.linalg.solve(block.scale, _right(entry, block))
                jacobian[rows, at] = [moved[i, j] for i, j in block.pairs]
                tested.append(a == b and not known[a, a])
                at += 1
        whole, new = jacobian.T @ whole @ jacobian, np.array(tested)
        unit = 1 / np.sqrt(np.diag(whole))
        whole = whole * np.outer(unit, unit)
        rest = whole[np.ix_(~new, ~new)]
        onto = np.linalg.lstsq(rest, whole[np.ix_(~new, new)], rcond=1e-10)[0]
        return whole[np.ix_(new, new)] - whole[np.ix_(new, ~new)] @ onto


def _right(matrix: np.ndarray, block: object) -> np.ndarray:
    """Return M K'⁻¹, K the scale of a block."""
    return np.linalg.solve(block.scale, matrix.T).T


def _expected(large: MultilevelFit, covariances: list[np.ndarray]) -> np.ndarray:
    """Return the expected second derivatives of the larger model's criterion at other covariances."""
    found = large.solution.optimum.elsewhere(covariances)
    # With too many effects for the expected ones the averaged ones are as good.
    if large.design.crossed and len(found.profile.root) > MOST_EFFECTS:
        return found.scoring
    return found.expected - np.outer(found.projections, found.projections) / found.profile.df


def weights(information: np.ndarray) -> np.ndarray:
    """Return the chances that the projection onto the half-lines has 0, 1, … dimensions.

    With parameters orthogonal in the information they are binomial; in general they are simulated.
    """
    count = len(information)
    if count == 1:
        return np.array([0.5, 0.5])
    root = np.linalg.cholesky(information).T
    draws = np.random.default_rng(SEED).normal(size=(DRAWS, count))
    faces = [np.count_nonzero(nnls(root, draw)[0]) for draw in draws]
    return np.bincount(faces, minlength=count + 1) / DRAWS


def tail(statistic: float, fixed: int, small: MultilevelFit, large: MultilevelFit) -> tuple[float, Text]:
    """Return the p value of a likelihood-ratio statistic, and how it was found.

    Parameters
    ----------
    statistic
        The smaller model's criterion less the larger one's.
    fixed
        Coefficients tested with it.
    small, large
        The models as compared.

    References
    ----------
    Self, S. G., & Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and likelihood ratio
    tests under nonstandard conditions. JASA, 82, 605-610. https://doi.org/10.1080/01621459.1987.10478472
    Stram, D. O., & Lee, J. W. (1994). Variance components testing in the longitudinal mixed effects model.
    Biometrics, 50, 1171-1177. https://doi.org/10.2307/2533455
    Shapiro, A. (1988). Towards a unified theory of inequality constrained testing in multivariate analysis.
    International Statistical Review, 56, 49-62. https://doi.org/10.2307/1403361
    """
    boundary = Boundary.between(small, large)
    new, free = boundary.variances, fixed + boundary.covariances
    if not new:
        return _mixture(statistic, free, np.ones(1)), Text(
            "似然比检验，χ² 分布。", "Likelihood-ratio test, χ² distribution."
        )
    if not boundary.apart:
        p_value = _mixture(statistic, free + new - 1, np.array([0.5, 0.5]))
        return p_value, _bound_note(free + new)
    share = weights(boundary.information(large) if new > 1 else np.ones((1, 1)))
    return _mixture(statistic, free, share), _half_note(free) if new == 1 else _several_note(free, share)


def _mixture(statistic: float, first: int, share: np.ndarray) -> float:
    """Return the upper tail of a mixture of χ² with `first` and more degrees of freedom; χ²(0) is 0 for certain."""
    tails = [stats.chi2.sf(statistic, df) if df else float(statistic <= 0) for df in range(first, first + len(share))]
    return float(share @ tails)


def _half_note(free: int) -> Text:
    return Text(
        f"方差的零假设在边界上：p 值取 χ²({free}) 与 χ²({free + 1}) 各半的混合分布（Self 与 Liang 1987）。",
        f"A variance of 0 lies on the boundary: the p value is that of an even mixture of χ²({free}) and "
        f"χ²({free + 1}) (Self and Liang 1987).",
    )


def _several_note(free: int, share: np.ndarray) -> Text:
    parts = listing(f"χ²({free + i}) {w:.3f}" for i, w in enumerate(share))
    return Text(
        "同时检验几个方差，零假设在边界上：p 值取几个 χ² 的混合分布，权重（{parts}）按零假设处的信息矩阵"
        "由 {draws} 次模拟求得，种子固定（Self 与 Liang 1987；Shapiro 1988）。",
        "Several variances of 0 lie on the boundary: the p value is that of a mixture of χ² distributions with "
        "weights {parts}, simulated {draws} times with a fixed seed from the information at the smaller model (Self "
        "and Liang 1987; Shapiro 1988).",
    ).format(parts=parts, draws=DRAWS)


def _bound_note(df: int) -> Text:
    return Text(
        f"同时检验几个相关的随机效应：p 值取 χ²({df - 1}) 与 χ²({df}) 各半的混合分布，这是边界上可能的最大值，"
        "因而偏保守（Shapiro 1988）。",
        f"Several correlated effects are tested at once: the p value is that of an even mixture of χ²({df - 1}) and "
        f"χ²({df}), the largest that a boundary allows, and so conservative (Shapiro 1988).",
    )
