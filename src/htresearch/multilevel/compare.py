"""Whether a smaller model is enough: the likelihood-ratio test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.checks import argument, require
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.multilevel.basis import Basis, basis_of
from htresearch.multilevel.boundary import tail
from htresearch.multilevel.groups import Level, same_groups

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

SOURCE = (
    "Self, S. G., & Liang, K.-Y. (1987). Journal of the American Statistical Association, 82, 605-610. "
    "https://doi.org/10.1080/01621459.1987.10478472"
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A likelihood-ratio test of two nested models.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row per model, the smaller first: model, n_parameters, criterion, aic, bic, and in the second row
        statistic, df and p_value of the test.
    note : tuple of Text
        How the models were compared.
    source : str
        Where the test comes from, with its DOI.
    basis : tuple of Basis
        The rows of the two models.
    """

    frame: pd.DataFrame
    note: tuple[Text, ...]
    source: str = SOURCE
    basis: tuple[Basis, ...] = field(default=(), repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return a row per model."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return the test as one row."""
        return self.frame.loc[[1], ["statistic", "df", "p_value"]].reset_index(drop=True)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        note = str(Text("", " ")).join(map(str, self.note))
        return table(self.frame, note=note)._repr_mimebundle_(include, exclude)


def compare(fit: MultilevelFit, other: MultilevelFit) -> Comparison:
    """Test the smaller of two models against the larger by their likelihoods.

    Models whose fixed parts differ are first fitted again by ML. Groups are the same where they divide the rows
    alike, whatever the formulas call them. A variance of 0 lies on the boundary of what it can be: for one variance,
    a slope's with its covariances too, the p value is that of an even mixture of two χ² distributions; for several,
    of a mixture whose weights follow from their information; the note says which.

    Raises
    ------
    ModelError
        If the models use different rows, or neither contains the other.

    References
    ----------
    Self, S. G., & Liang, K.-Y. (1987). Journal of the American Statistical Association, 82, 605-610.
    https://doi.org/10.1080/01621459.1987.10478472
    Stram, D. O., & Lee, J. W. (1994). Biometrics, 50, 1171-1177. https://doi.org/10.2307/2533455
    Shapiro, A. (1988). International Statistical Review, 56, 49-62. https://doi.org/10.2307/1403361
    """
    small, large = sorted((fit, other), key=lambda model: model.n_parameters)
    require(_rows(small, large), error=ModelError)
    require(_nested(small, large), error=ModelError)
    notes = []
    fixed = len(large.design.names) - len(small.design.names)
    if fixed and "reml" in (small.method, large.method):
        notes.append(
            Text(
                "两个模型的固定部分不同，已改用最大似然（ML）重新拟合后比较。",
                "The fixed parts differ, so both models were fitted again by maximum likelihood (ML).",
            )
        )
        small, large = small.refit("ml"), large.refit("ml")
    elif small.method != large.method:
        notes.append(
            Text(
                "两个模型的估计方法不同，已都用 ML 重新拟合。", "The methods differ, so both were fitted again by ML."
            )
        )
        small, large = small.refit("ml"), large.refit("ml")
    statistic = small.criterion - large.criterion
    if statistic < 1e-10 * abs(large.criterion):  # what rounding leaves of two equal criteria
        statistic = 0.0
    df = large.n_parameters - small.n_parameters
    p_value, how = tail(statistic, fixed, small, large)
    frame = pd.DataFrame(
        {
            "model": [str(small.formula), str(large.formula)],
            "n_parameters": [small.n_parameters, large.n_parameters],
            "criterion": [small.criterion, large.criterion],
            "aic": [small.aic, large.aic],
            "bic": [small.bic, large.bic],
            "statistic": [np.nan, statistic],
            "df": [np.nan, df],
            "p_value": [np.nan, p_value],
        }
    )
    if small.singular:
        notes.append(
            Text(
                "较小的模型已有方差在边界上，p 值只是近似。",
                "The smaller model has variances on the boundary itself: the p value is approximate.",
            )
        )
    untold = [basis_of(m, (), np.zeros(0), np.zeros((0, len(m.design.names))))[0] for m in (small, large)]
    return Comparison(frame, (*notes, how), basis=tuple(untold))


def _terms(fit: MultilevelFit, levels: tuple[Level, ...]) -> list[tuple[int | None, frozenset]]:
    """Return for each random term which of `levels` has its groups, however named, and the names of its columns."""
    random = fit.design.random
    found = []
    for block in random.blocks:
        own = fit.design.levels[block.level]
        at = next((k for k, level in enumerate(levels) if same_groups(own, level)), None)
        found.append((at, frozenset(random.names[c] for c in block.columns)))
    return found


def _rows(small: MultilevelFit, large: MultilevelFit) -> Fault | None:
    if small.design.n == large.design.n and same_outcome(small, large):
        return None
    return Fault(
        argument("other"),
        Text(
            f"两个模型所用的行不同（{small.design.n} 与 {large.design.n} 行）或因变量不同",
            f"the models use different rows ({small.design.n} and {large.design.n}) or different outcomes",
        ),
        Text(
            "请先去掉任一模型所用列有缺失值的行，再分别拟合",
            "Take out the rows that lack a value of either model first, then fit both",
        ),
    )


def same_outcome(small: MultilevelFit, large: MultilevelFit) -> bool:
    """Compare the outcome row by row; of lazy tables only what the pass kept of it."""
    if small.design.y is not None and large.design.y is not None:
        return np.array_equal(small.design.y, large.design.y)
    ours, theirs = (fit.solution.products for fit in (small, large))
    same = np.isclose(ours.overall[-1, -1], theirs.overall[-1, -1], rtol=1e-8)
    return bool(small.formula.response == large.formula.response and same)


def _contained(small: MultilevelFit, large: MultilevelFit) -> bool:
    """Tell whether the columns of the smaller fixed part are combinations of the larger one's."""
    if small.design.X is None or large.design.X is None:
        return set(small.design.names) <= set(large.design.names)
    X = large.design.X
    projection = X @ np.linalg.lstsq(X, small.design.X, rcond=None)[0]
    return np.allclose(projection, small.design.X, rtol=1e-6, atol=1e-8 * np.abs(small.design.X).max())


def _nested(small: MultilevelFit, large: MultilevelFit) -> Fault | None:
    """Refuse models of which neither contains the other, in the fixed part or in the random one."""
    levels = large.design.levels
    terms = _terms(large, levels)
    covered = all(any(g == group and names <= n for g, n in terms) for group, names in _terms(small, levels))
    if _contained(small, large) and covered and small.n_parameters != large.n_parameters:
        return None
    return Fault(
        argument("other"),
        Text("两个模型不是一个包含另一个", "neither model contains the other"),
        Text(
            "似然比检验只能比较有包含关系的模型；其余情形请比较 glance() 中 ML 拟合的 aic",
            "A likelihood-ratio test needs one model within the other; else compare the aic of ML fits in glance()",
        ),
    )
