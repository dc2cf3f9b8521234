"""Whether a smaller model is enough: the likelihood-ratio test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch.checks import argument, require
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.multilevel.remarks import require_nested

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
    """

    frame: pd.DataFrame
    note: tuple[Text, ...]
    source: str = SOURCE

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

    Models whose fixed parts differ are first fitted again by ML. A variance of 0 lies on the boundary of what it
    can be: for one variance the p value is that of an even mixture of two χ² distributions.

    Raises
    ------
    ModelError
        If the models use different rows, or neither contains the other.

    References
    ----------
    Self, S. G., & Liang, K.-Y. (1987). Journal of the American Statistical Association, 82, 605-610.
    https://doi.org/10.1080/01621459.1987.10478472
    """
    for model in (fit, other):
        require_nested(model, "compare")
    small, large = sorted((fit, other), key=lambda model: model.n_parameters)
    require(_rows(small, large), error=ModelError)
    require(_nested(small, large), error=ModelError)
    notes = []
    fixed = len(large.design.names) - len(small.design.names)
    variances = large.n_covariances - small.n_covariances
    correlated = _one_slope_more(small, large)
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
    df = fixed + variances
    p_value, how = _tail(statistic, fixed, variances, correlated)
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
    return Comparison(frame, (*notes, how))


def _one_slope_more(small: MultilevelFit, large: MultilevelFit) -> bool:
    """Tell whether the larger model has one slope more, with its covariance with the intercept and nothing else."""
    plain, sloped = _terms(small), _terms(large)
    more = [(group, names) for group, names in sloped if (group, names) not in plain]
    less = [(group, names) for group, names in plain if (group, names) not in sloped]
    if len(more) != 1 or len(less) != 1:
        return False
    (group, names), (before, fewer) = more[0], less[0]
    return group == before and len(fewer) == 1 and len(names) == 2 and fewer < names


def _terms(fit: MultilevelFit) -> list[tuple[frozenset, frozenset]]:
    """Return for each random term its groups and the names of its columns."""
    random, levels = fit.design.random, fit.design.levels
    return [
        (frozenset(levels[block.level].columns), frozenset(random.names[c] for c in block.columns))
        for block in random.blocks
    ]


def _tail(statistic: float, fixed: int, variances: int, slope: bool = False) -> tuple[float, Text]:
    """Return the p value: a variance tested against 0 lies on the boundary of what it can be."""
    if variances == 1:
        upper = stats.chi2.sf(statistic, fixed + 1)
        lower = stats.chi2.sf(statistic, fixed) if fixed else float(statistic <= 0)
        return float((lower + upper) / 2), Text(
            f"方差的零假设在边界上：p 值取 χ²({fixed}) 与 χ²({fixed + 1}) 各半的混合分布（Self 与 Liang 1987）。",
            f"A variance of 0 lies on the boundary: the p value is that of an even mixture of χ²({fixed}) and "
            f"χ²({fixed + 1}) (Self and Liang 1987).",
        )
    if slope and variances == 2:
        p_value = (stats.chi2.sf(statistic, fixed + 1) + stats.chi2.sf(statistic, fixed + 2)) / 2
        return float(p_value), Text(
            f"斜率方差的零假设在边界上：p 值取 χ²({fixed + 1}) 与 χ²({fixed + 2}) 各半的混合分布"
            "（Self 与 Liang 1987）。",
            "A slope's variance of 0 lies on the boundary: the p value is that of an even mixture of "
            f"χ²({fixed + 1}) and χ²({fixed + 2}) (Self and Liang 1987).",
        )
    p_value = float(stats.chi2.sf(statistic, fixed + variances))
    if variances:
        return p_value, Text(
            "同时检验几个方差：p 值取普通 χ² 分布，偏保守（只会偏大）。",
            "Several variances are tested at once: the p value is that of an ordinary χ², which is conservative.",
        )
    return p_value, Text("似然比检验，χ² 分布。", "Likelihood-ratio test, χ² distribution.")


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
    if small.design.crossed or large.design.crossed:
        return small.formula.response == large.formula.response
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
    terms = _terms(large)
    covered = all(any(g == group and names <= n for g, n in terms) for group, names in _terms(small))
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
