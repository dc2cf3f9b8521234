"""What piecewise regression refuses, and what it says of its results."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.singlecase.cases import Case
from htresearch.singlecase.piecewise_lines import Lines

#: Residuals more alike than this are spoken of.
_ALIKE = 0.2
#: A dispersion beyond this makes normal intervals too narrow to pass over.
_OVERDISPERSED = 1.5

#: An autocorrelation beyond this is as good as ±1.
_END = 0.95

_AT_ITS_END = Text(
    "自相关的估计到了可能范围的边上：它与趋势分不开，估计值和区间都不可靠。",
    "The estimate of the autocorrelation lies at the end of its range: it cannot be told from a trend, and neither "
    "estimates nor intervals are to be relied on.",
)

_WHY = {
    "single": Text("只有一个观察，没有斜率", "has one observation and so no slope"),
    "zero": Text("全是 0，对数无穷小", "holds nothing but 0, whose log is infinite"),
    "all": Text("次次都发生，比数无穷大", "happened every time, so that its odds are infinite"),
    "edge": Text(
        "发生与不发生可以完全按时间分开，斜率趋于无穷",
        "can be parted by time into happening and not, so that its slope is infinite",
    ),
}


def remarks(lines: Lines, frame: pd.DataFrame) -> tuple[Text, ...]:
    """Say how the estimates were made and what they cannot carry."""
    return (*_coding(lines), *_unknown(lines), *_exact(lines, frame), *_alike(lines), *_dispersed(lines))


def _coding(lines: Lines) -> list[Text]:
    scale = {
        "gaussian": Text("", ""),
        "poisson": Text(
            "估计值在对数尺度上，取指数后是倍数。", " Estimates are logs; their exponentials are ratios."
        ),
        "binomial": Text(
            "估计值在对数比数尺度上，取指数后是比数比。",
            " Estimates are log odds; their exponentials are odds ratios.",
        ),
    }[lines.family]
    return [
        Text(
            "时间从第一次观察的 0 起算，各阶段的斜率从该阶段第一次的 0 起算：水平变化是进入该阶段那一次的变化。"
            "{scale}",
            "Time counts from 0 at the first session, a slope's clock from 0 at the first session of its phase: the "
            "change of level is the one at that session.{scale}",
        ).format(scale=scale)
    ]


def _unknown(lines: Lines) -> list[Text]:
    return [
        Text(
            f"阶段 {lines.case.names[p]} {_WHY[why].zh}：与它有关的项无法估计。",
            f"Phase {lines.case.names[p]} {_WHY[why].en}: terms that involve it cannot be estimated.",
        )
        for p, why in lines.unknown
    ]


def _exact(lines: Lines, frame: pd.DataFrame) -> list[Text]:
    if frame["std_error"].notna().any():
        return []
    return [
        Text(
            "各阶段的线穿过了所有的点，没有剩余变异：没有标准误和区间。",
            "The lines pass through every point and leave nothing: there is no standard error and no interval.",
        )
    ]


def _alike(lines: Lines) -> list[Text]:
    n, found = lines.summary["n"], lines.summary["autocorrelation"]
    phi = lines.summary["phi"]
    if lines.autocorrelation == "ar1" and np.isfinite(phi):
        return [
            Text(
                f"已按一阶自相关 {phi:.2f} 作广义最小二乘（REML）。只有 {n} 个观察：自相关估计得很粗，"
                "区间仍可能偏窄。",
                f"Generalised least squares with a first-order autocorrelation of {phi:.2f} (REML). With {n} "
                "observations "
                "the autocorrelation is known only roughly, and intervals may still be too narrow.",
            ),
            *([_AT_ITS_END] if abs(phi) > _END else []),
        ]
    if lines.autocorrelation == "newey-west":
        return [
            Text(
                f"标准误用 Newey-West 法。它以观察很多为前提；只有 {n} 个观察时区间往往偏窄，请与 "
                "autocorrelation=None 和 "
                '"ar1" 对照。',
                f"Standard errors after Newey and West, which rest on many observations; with {n} intervals "
                "tend to be "
                'too narrow: compare them with autocorrelation=None and "ar1".',
            )
        ]
    if not np.isfinite(found) or found < _ALIKE:
        return []
    return [
        Text(
            f"残差的一阶自相关为 {found:.2f}：相邻的观察彼此相像，标准误偏小、p 值偏小。"
            + ('请再看 autocorrelation="ar1"。' if lines.family == "gaussian" else "请慎用。"),
            f"Residuals have a lag-1 autocorrelation of {found:.2f}: neighbours are alike, and standard errors and p "
            "values too small. "
            + ('Look at autocorrelation="ar1" too.' if lines.family == "gaussian" else "Use them with care."),
        )
    ]


def _dispersed(lines: Lines) -> list[Text]:
    ratio = lines.summary["dispersion"]
    if lines.family == "gaussian" or not np.isfinite(ratio):
        return []
    if np.isfinite(lines.df):
        return [
            Text(
                f"离散度估计为 {ratio:.2f}，标准误已按它放大或缩小（拟似然），区间用 t 分布。",
                f"The dispersion is estimated as {ratio:.2f}; standard errors were scaled by it "
                "(quasi-likelihood), with t "
                "intervals.",
            )
        ]
    if ratio <= _OVERDISPERSED:
        return []
    return [
        Text(
            f'离散度为 {ratio:.2f}（应在 1 上下）：计数比该分布更分散，区间偏窄。请用 dispersion="estimated"。',
            f"The dispersion is {ratio:.2f} where about 1 was expected: counts vary more than the distribution "
            "does, and "
            'intervals are too narrow. Use dispersion="estimated".',
        )
    ]


# --- refusals -------------------------------------------------------------------------------------------------------


def not_the_family(
    case: Case,
    family: str,
    sizes: np.ndarray | None,
    trials: object,
    autocorrelation: str | None,
    dispersion: str,
) -> list[Fault | None]:
    """Refuse values and options that are not the family's."""
    faults: list[Fault | None] = []
    if family != "gaussian" and autocorrelation is not None:
        faults.append(
            _only_for(
                "autocorrelation",
                autocorrelation,
                Text('只适用于 family="gaussian"', 'is for family="gaussian" only'),
                Text(
                    "计数没有通行的小样本办法；请不给此参数，并看报告的自相关",
                    "There is no accepted way for short series of counts; leave it out and look at the "
                    "autocorrelation "
                    "reported",
                ),
            )
        )
    if family == "gaussian" and dispersion != "fixed":
        faults.append(
            _only_for(
                "dispersion",
                dispersion,
                Text("只适用于计数", "is for counts only"),
                Text("请不给此参数", "Leave it out"),
            )
        )
    if family != "binomial" and trials is not None:
        faults.append(
            _only_for(
                "trials",
                None,
                Text('只适用于 family="binomial"', 'is for family="binomial" only'),
                Text("请不给此参数，或改用 binomial", "Leave it out, or use binomial"),
            )
        )
    if family == "binomial" and trials is None:
        faults.append(
            _only_for(
                "trials",
                None,
                Text('family="binomial" 须知道每次共有多少机会', 'family="binomial" needs the number of trials'),
                Text("例如 trials=20，或每个观察一个数", "For example trials=20, or one per value"),
            )
        )
    if family != "gaussian":
        faults.append(_no_counts(case, sizes))
    return faults


def _only_for(name: str, value: object, rule: Text, fix: Text) -> Fault:
    return Fault(checks.argument(name), rule, fix, value)


def _no_counts(case: Case, sizes: np.ndarray | None) -> Fault | None:
    bad = case.values[(case.values < 0) | (case.values % 1 != 0)]
    if bad.size:
        return Fault(
            checks.argument("values"),
            Text("计数须为不小于 0 的整数", "counts are whole numbers of 0 or more"),
            Text(
                '请给原始次数；百分数、均值请用 family="gaussian"',
                'Give counts; use family="gaussian" for percentages',
            ),
            float(bad[0]),
        )
    if sizes is None:
        return None
    if np.isnan(sizes).any() or (sizes < 1).any() or (sizes % 1 != 0).any():
        return Fault(
            checks.argument("trials"),
            Text("须为不小于 1 的整数，一个也不能缺", "must be whole numbers of 1 or more, none missing"),
            Text("请给每次的总机会数", "Give the number of opportunities of each session"),
        )
    over = np.flatnonzero(case.values > sizes)
    if not over.size:
        return None
    return Fault(
        checks.argument("values"),
        Text("不能多于 trials；这样的观察在时间 {times}", "cannot exceed trials; they do at time {times}").format(
            times=listing([f"{case.times[i]:g}" for i in over[:5]])
        ),
        Text("请核对次数与总机会数", "Check successes and trials"),
        float(case.values[over[0]]),
    )
