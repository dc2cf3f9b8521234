"""What a fit says of itself: how it was made, and what to beware of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text, listing

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def remarks(fit: MultilevelFit) -> tuple[Text, ...]:
    """How the model was fitted and all that was left out, counted."""
    method = {"reml": Text("限制最大似然（REML）", "restricted maximum likelihood (REML)")}.get(
        fit.method, Text("最大似然（ML）", "maximum likelihood (ML)")
    )
    sizes = listing(
        Text(f"{level.name}（{level.size}）", f"{level.name} ({level.size})") for level in fit.design.levels
    )
    order = Text("；分组由外到内", "; groups from the outside in")
    if fit.design.crossed:
        order = Text("；分组", "; groups")
    fitted = Text(
        "{method}估计，{n} 行{order}：{sizes}。",
        "Fitted by {method} to {n} rows{order}: {sizes}.",
    ).format(method=method, n=fit.design.n, order=order, sizes=sizes)
    return (fitted, *fit.design.note, *_warnings(fit))


def _warnings(fit: MultilevelFit) -> list[Text]:
    notes = []
    if fit.singular:
        components = fit.variance_components
        zero = components[(components["variance"] <= 1e-8 * fit.solution.sigma2) & components["term"].ne("")]
        plain = fit.design.random.intercepts_only
        at_zero = [g if plain else f"{g} ({t})" for g, t in zip(zero["group"], zero["term"], strict=True)]
        notes.append(_singular_note(at_zero))
    if not fit.converged:
        notes.append(
            Text(
                "优化没有收敛，以下结果不可用；请简化模型或检查数据。",
                "The search did not converge: do not use these results; simplify the model or look at the data.",
            )
        )
    return notes


def _singular_note(at_zero: list[str]) -> Text:
    if at_zero:
        return Text(
            "{groups} 的方差估计为 0：数据中看不出这一层的差异，可考虑删去该随机项。",
            "The variance of {groups} is estimated as 0: the data show no difference at this level; consider "
            "leaving the term out.",
        ).format(groups=listing(at_zero))
    return Text(
        "随机效应的协方差矩阵在边界上（相关为 ±1，或有一个方向没有方差）；可考虑改用 || 或删去斜率。",
        "A covariance matrix of random effects lies on its boundary (a correlation of ±1, or a direction without "
        "variance); consider || or leaving the slope out.",
    )


def no_df_note(names: tuple[str, ...], df: np.ndarray) -> list[Text]:
    """Name the coefficients without degrees of freedom."""
    without = [name for name, value in zip(names, df, strict=True) if np.isnan(value)]
    if not without:
        return []
    return [
        Text(
            "组数太少，以下系数没有剩余自由度，因而没有检验和区间：{names}。",
            "There are too few groups to leave degrees of freedom for a test or an interval of: {names}.",
        ).format(names=listing(without))
    ]


def require_nested(fit: MultilevelFit, what: str) -> None:
    """Refuse what is defined, or built so far, for nested groups only.

    Raises
    ------
    UnsupportedError
    """
    if not fit.design.crossed:
        return
    raise UnsupportedError(
        Fault(
            Text(f"{what}", f"{what}"),
            Text("只适用于逐层嵌套的分组，而此模型的分组交叉", "it is for nested groups, and these cross"),
            Text(
                "请用 satterthwaite 或 kenward-roger 推断；此项请改用嵌套的模型",
                "Use satterthwaite or kenward-roger for inference, and a nested model for this",
            ),
        )
    )


def require_rows(fit: MultilevelFit, what: str) -> None:
    """Refuse what needs rows where there are none: they stayed in a lazy table, or a file kept the model alone.

    Raises
    ------
    UnsupportedError
    """
    if fit.design.y is not None:
        return
    raise UnsupportedError(
        Fault(
            Text(f"{what}", f"{what}"),
            Text(
                "需要逐行的数据，而此模型不带数据行（由惰性表拟合，或从文件读入）",
                "it needs rows, and this model has none: it was fitted to a lazy table, or read from a file",
            ),
            Text("请把所用各列读入 pandas 后再拟合", "Read the columns used into pandas, then fit"),
        )
    )


def require_groups(fit: MultilevelFit, what: str) -> None:
    """Refuse what needs to know the groups by name where a file kept the model without their names.

    Raises
    ------
    UnsupportedError
    """
    if all(len(level.labels.columns) for level in fit.design.levels):
        return
    raise UnsupportedError(
        Fault(
            Text(f"{what}", f"{what}"),
            Text(
                "需要知道各组的名称，而此模型保存时未含（groups=False）",
                "it needs the groups' names, and this model was saved without them (groups=False)",
            ),
            Text(
                "预测可用 random=False；否则请用 groups=True 保存的文件",
                "Predict with random=False, or use a file saved with groups=True",
            ),
        )
    )
