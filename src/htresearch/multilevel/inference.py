"""Ways of inference about the fixed effects: which there are, what each says of itself, and the table they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.degrees import JointTest, KenwardRoger, Normal, Satterthwaite, wald
from htresearch.multilevel.groups import Level
from htresearch.multilevel.robust import ClusterRobust

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

INFERENCES = ("satterthwaite", "kenward-roger", "cr2", "normal", "containment")

#: With fewer outermost groups than this the default says what is safer.
FEW = 40

SOURCES = {
    "satterthwaite": "Giesbrecht & Burns (1985), https://doi.org/10.2307/2530872; Fai & Cornelius (1996), "
    "https://doi.org/10.1080/00949659608811740",
    "kenward-roger": "Kenward & Roger (1997), https://doi.org/10.2307/2533558",
    "cr2": "Pustejovsky & Tipton (2018), https://doi.org/10.1080/07350015.2016.1247004",
    "normal": "",
    "containment": "Pinheiro, J. C., & Bates, D. M. (2000). Mixed-Effects Models in S and S-PLUS, section 2.4.2. "
    "https://doi.org/10.1007/b98882",
}
_NOTES = {
    "satterthwaite": Text(
        "自由度用 Satterthwaite 法（方差参数的观测信息，doi:10.2307/2530872）。",
        "Degrees of freedom by Satterthwaite's method (observed information of the variances, doi:10.2307/2530872).",
    ),
    "kenward-roger": Text(
        "标准误与自由度用 Kenward-Roger 法（doi:10.2307/2533558），已计入方差参数的估计误差。",
        "Standard errors and degrees of freedom by Kenward and Roger (doi:10.2307/2533558): they count that the "
        "variances are estimated.",
    ),
    "normal": Text(
        "自由度当作无穷大：学校不多时 p 值偏小、区间偏窄。",
        "Degrees of freedom are taken as infinite: with few schools p values are too small and intervals too narrow.",
    ),
    "containment": Text(
        "自由度用包含法（内外规则，Pinheiro 与 Bates 2000，2.4.2 节，doi:10.1007/b98882）：每个系数取其变量在组内不变"
        "的最外一层；与 nlme 不同，截距取最外层的自由度，这是较保守的选择。",
        "Degrees of freedom by containment (the inner-outer rule of Pinheiro and Bates 2000, section 2.4.2, "
        "doi:10.1007/b98882): a coefficient belongs to the outermost level within whose groups its column is "
        "constant; other than in nlme, the intercept takes the outermost level's, the conservative choice.",
    ),
}


@dataclass(frozen=True, eq=False)
class Containment(Normal):
    """Degrees of freedom from the numbers of groups; a contrast takes the fewest of its coefficients."""

    by_coefficient: np.ndarray

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of each row of `contrasts`."""
        return np.array([self.by_coefficient[row != 0].min(initial=np.inf) for row in contrasts])

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Test all rows at once, with the fewest degrees of freedom."""
        statistic = wald(self.solution.beta, self.covariance, contrasts)
        return JointTest(statistic, len(contrasts), float(self.df(contrasts).min()))


def means_of(fit: MultilevelFit, inference: str, cluster: object = None) -> tuple[Normal | ClusterRobust, list[Text]]:
    """Return the way of inference for a fit, and what is to be said of it.

    Raises
    ------
    ArgumentError
        If `inference` is none, or a cluster is given to one that has none.
    UnsupportedError
        If an outermost group does not lie in one cluster.
    """
    checks.require(checks.one_of("inference", inference, INFERENCES))
    checks.require(_needless(inference, cluster))
    few = _few_note(fit.design.levels[0])
    if inference == "satterthwaite":
        return Satterthwaite(fit.solution), [_NOTES[inference], *few]
    if inference == "kenward-roger":
        again = [] if fit.method == "reml" else [_REFITTED]
        return KenwardRoger(fit.refit("reml").solution), [*again, _NOTES[inference]]
    if inference == "cr2":
        clusters, name = _clusters(fit, cluster)
        return ClusterRobust(fit.solution, clusters), [_robust_note(name, int(clusters.max()) + 1)]
    if inference == "containment":
        return Containment(fit.solution, fit.containment), [_NOTES[inference]]
    return Normal(fit.solution), [_NOTES[inference]]


_REFITTED = Text(
    "Kenward-Roger 法以 REML 为前提，已改用 REML 重新拟合。",
    "Kenward and Roger's method rests on REML, so the model was fitted again by REML.",
)


def _few_note(outermost: Level) -> list[Text]:
    if outermost.size >= FEW:
        return []
    return [
        Text(
            f"{outermost.name} 只有 {outermost.size} 组（少于 {FEW}）："
            "建议再看 inference='kenward-roger' 或 'cr2' 的结果。",
            f"{outermost.name} has {outermost.size} groups only (fewer than {FEW}): "
            "look at inference='kenward-roger' or 'cr2' too.",
        )
    ]


def _robust_note(name: str, number: int) -> Text:
    return Text(
        f"标准误用 CR2，按 {name}（{number} 个）聚类，自由度用 Satterthwaite 法"
        "（doi:10.1080/07350015.2016.1247004）：组内相关与方差设定有误时仍然成立。",
        f"Standard errors by CR2, clustered by {name} ({number}), degrees of freedom by Satterthwaite's method "
        "(doi:10.1080/07350015.2016.1247004): they hold where the model of the variances is wrong.",
    )


def _needless(inference: str, cluster: object) -> Fault | None:
    if cluster is None or inference == "cr2":
        return None
    return Fault(
        checks.argument("cluster"),
        Text(f"inference='{inference}' 不按群聚类", f"inference='{inference}' has no clusters"),
        Text("请去掉 cluster，或用 inference='cr2'", "Leave it out, or use inference='cr2'"),
    )


def _clusters(fit: MultilevelFit, cluster: object) -> tuple[np.ndarray, str]:
    """Return the cluster of each outermost group, in the solution's order, and the clusters' name."""
    levels, products = fit.design.levels, fit.solution.products
    outermost, ids = levels[0], products.nest.ids[0]
    if cluster is None or (isinstance(cluster, str) and cluster in (outermost.name, outermost.columns[-1])):
        faults = [
            _across(level, codes, products.keys[:, 0]) for level, codes in zip(levels, products.keys.T, strict=True)
        ]
        checks.require(*faults, error=UnsupportedError)
        return np.arange(len(ids)), outermost.name
    if isinstance(cluster, pd.Series) and outermost.codes is not None and fit.design.index.isin(cluster.index).all():
        codes = pd.factorize(cluster.loc[fit.design.index])[0]
        if codes.min() >= 0:
            checks.require(*[_across(level, level.codes, codes) for level in levels], error=UnsupportedError)
            first = np.unique(outermost.codes, return_index=True)[1]
            return pd.factorize(codes[first][ids])[0], str(cluster.name or "cluster")
    raise UnsupportedError(
        Fault(
            checks.argument("cluster"),
            Text(
                "须为最外层分组的名称，或与数据行对应的 Series，且每个最外层的组完整地落在一个群里",
                "must be the name of the outermost groups, or a Series over the rows in which every outermost group "
                "lies in one cluster",
            ),
            Text(f"请用 {outermost.name} 或更大的群", f"Use {outermost.name} or larger clusters"),
            cluster if isinstance(cluster, str) else type(cluster).__name__,
        )
    )


def _across(level: Level, groups: np.ndarray, clusters: np.ndarray) -> Fault | None:
    """Refuse groups that lie in several clusters, for rows or cells with these codes."""
    around = np.zeros(level.size, dtype=clusters.dtype)
    around[groups] = clusters
    if (around[groups] == clusters).all():
        return None
    return Fault(
        checks.argument("cluster"),
        Text(
            f"{level.name} 的同一组出现在几个群里；CR2 要求每个组完整地落在一个群里",
            f"groups of {level.name} recur in several clusters; CR2 is for clusters where every group lies in one "
            "cluster",
        ),
        Text(
            "请给出更大的群（Series，与数据行对应），或改用 satterthwaite、kenward-roger",
            "Give larger clusters, a Series over the rows, or use satterthwaite or kenward-roger",
        ),
    )


def containment_df(X: np.ndarray, names: tuple[str, ...], levels: tuple[Level, ...]) -> np.ndarray:
    """Degrees of freedom by the inner-outer rule.

    A coefficient is estimated at the outermost level within whose groups its column is constant, or among the rows
    where it varies within the innermost groups. Level i has mᵢ - (mᵢ₋₁ + pᵢ) degrees of freedom: mᵢ groups (or rows),
    pᵢ coefficients, and m₀ = 1 with an intercept, else 0.

    Parameters
    ----------
    X : numpy.ndarray, rows by coefficients
    names
        Of the coefficients; ``(Intercept)`` takes the outermost level's degrees of freedom.
    levels
        The groups, the outermost first.

    Returns
    -------
    numpy.ndarray
        One number per coefficient; missing where none are left.

    References
    ----------
    Pinheiro & Bates (2000), section 2.4.2, doi:10.1007/b98882.
    """
    at = np.full(X.shape[1], len(levels))
    for k in range(len(levels) - 1, -1, -1):
        at[_constant_within(X, levels[k].codes)] = k
    intercept = np.array([name == INTERCEPT for name in names])
    groups = [int(intercept.any()), *(level.size for level in levels), len(X)]
    counts = np.bincount(at[~intercept], minlength=len(levels) + 1)
    df = np.diff(groups) - counts
    at[intercept] = 0
    return np.where(df[at] > 0, df[at].astype(float), np.nan)


def coefficient_table(
    names: tuple[str, ...], beta: np.ndarray, covariance: np.ndarray, df: np.ndarray, conf_level: float
) -> pd.DataFrame:
    """Return a row per coefficient: estimate, standard error, t test and interval."""
    std_error = np.sqrt(np.diag(covariance))
    statistic = beta / std_error
    reach = stats.t.ppf((1 + conf_level) / 2, df) * std_error
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": beta,
            "std_error": std_error,
            "df": df,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), df),
            "conf_low": beta - reach,
            "conf_high": beta + reach,
        }
    )


def _constant_within(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Tell which columns are the same throughout every group, up to rounding."""
    first = np.unique(codes, return_index=True)[1]
    return np.isclose(X, X[first[codes]], rtol=1e-10, atol=1e-12).all(axis=0)
