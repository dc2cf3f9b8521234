"""What a synthesis says of itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.language import Text, listing
from htresearch.singlecase.synthesis_effects import Effects
from htresearch.singlecase.synthesis_model import Pooled

LEAVE_ONE_OUT = Text("每次去掉一项研究后重新估计。", "Estimated again without each study in turn.")
#: With fewer degrees of freedom than this CR2's p values are not to be relied on (Tipton 2015).
_FEW_DF = 4
_NAMED = 10


def remarks(read: Effects, model: Pooled, table: pd.DataFrame, inference: str, begun: int | None) -> tuple[Text, ...]:
    """Say what was pooled, what was left out, and what so few studies cannot tell."""
    return (
        *_left_out(read),
        *_levels(read),
        *_inference(read, table, inference),
        *_several(read),
        *_prediction(read, table),
        _finished(read, begun),
    )


def _left_out(read: Effects) -> list[Text]:
    if not read.n_left_out:
        return []
    shown = [*read.left_out[:_NAMED], *(["…"] if len(read.left_out) > _NAMED else [])]
    return [
        Text(
            "{n} 个效应没有估计值，或标准误缺失、为 0，未能计入：{names}。它们往往正是变化最大的个案，"
            "平均数因此可能偏小。",
            "{n} effects have no estimate, or no standard error above 0, and could not count: {names}. Those "
            "are often "
            "the cases that changed most, so that the mean may be too small.",
        ).format(n=read.n_left_out, names=listing(shown))
    ]


def _levels(read: Effects) -> list[Text]:
    known = {name for name, _ in read.levels}
    said = []
    if read.n_studies == 1:
        said.append(
            Text(
                "只有一项研究：研究之间的差异无从估计，结论只及于这项研究的各个案。",
                "There is one study: how studies differ cannot be estimated, and the mean is about its cases.",
            )
        )
    elif "case" not in known and read.n_cases == read.n_studies:
        said.append(
            Text(
                "每项研究只有一个个案：研究之间与个案之间的差异分不开，合为一项（tau2_study）。",
                "Every study has one case: differences between studies and between cases are one (tau2_study).",
            )
        )
    if 1 < read.n_studies < 5:
        said.append(
            Text(
                f"只有 {read.n_studies} 项研究：研究之间的方差估计得很粗，估计为 0 不等于没有差异。",
                f"With {read.n_studies} studies the variance between them is known only roughly; an estimate of "
                "0 does "
                "not say that they agree.",
            )
        )
    return said


def _inference(read: Effects, table: pd.DataFrame, inference: str) -> list[Text]:
    units = int(read.clusters.max()) + 1
    kind = Text("研究", "study") if read.n_studies > 1 else Text("个案", "case")
    if inference == "model" or units < 2:
        said = [
            Text(
                f"标准误来自模型，自由度为{kind.zh}数减系数个数。",
                f"Standard errors of the model; degrees of freedom are the number of {_plural(kind)} less that of "
                "coefficients.",
            )
        ]
    else:
        said = [
            Text(
                f"标准误为按{kind.zh}聚类的稳健标准误（CR2），自由度用 Satterthwaite 法。",
                f"Standard errors are robust by {kind.en} (CR2), with Satterthwaite's degrees of freedom.",
            )
        ]
    few = table.loc[~(table["df"] >= _FEW_DF), "term"].tolist()
    if few:
        said.append(
            Text(
                "以下系数的自由度不足 4，p 值和区间只作参考：{terms}。",
                "Fewer than 4 degrees of freedom, so that p and interval are only a hint: {terms}.",
            ).format(terms=listing(few))
        )
    return said


def _plural(kind: Text) -> str:
    return "studies" if kind.en == "study" else "cases"


def _several(read: Effects) -> list[Text]:
    if read.n_cases == len(read.y):
        return []
    off = read.S - np.diag(np.diag(read.S))
    if off.any():
        return []
    return [
        Text(
            "有的个案有几个效应，其抽样误差当作互不相关；若出自同一批观察，请给 correlation（例如 0.6）并作比较。",
            "Some cases have several effects, whose sampling errors are taken as uncorrelated; where they come "
            "from the "
            "same observations give correlation (0.6, say) and compare.",
        )
    ]


def _prediction(read: Effects, table: pd.DataFrame) -> list[Text]:
    if len(table) > 1 or read.n_studies >= 3:
        return []
    return [
        Text("不足三项研究，不给预测区间。", "With fewer than three studies there is no prediction interval."),
    ]


def _finished(read: Effects, begun: int | None) -> Text:
    if begun is None:
        return Text(
            "凡是完成的研究都应计入，无论结果好坏；没有完成或没有上报的研究不在其中，平均数因此可能偏高。",
            "Every finished study should count, whatever it found; those unfinished or not handed in are not "
            "here, and "
            "the mean may be too high for it.",
        )
    gone = begun - read.n_studies
    if gone:
        return Text(
            f"开始过 {begun} 项研究，其中 {gone} 项不在此处（没有完成、没有上报或没有可用的效应）："
            "平均数因此可能偏高。",
            f"Of {begun} studies begun {gone} are not here (unfinished, not handed in, or without a usable "
            "effect): the "
            "mean may be too high for it.",
        )
    return Text(f"开始过的 {begun} 项研究全部计入。", f"All {begun} studies that were begun are here.")
