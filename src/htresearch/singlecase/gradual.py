"""Effects that build up: the gradual effects model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from htresearch import checks
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, normal_interval, read, summary
from htresearch.singlecase.ratios import TOP, on_scale
from htresearch.singlecase.series import Phases, Values

GRADUAL_SCALES = ("count", "percentage", "proportion", "other")
_SLOWEST = 0.99  # beyond it the effect is a straight line for as long as any class is watched
_FARTHEST = 200.0  # a coefficient of a log or logit that grows beyond has no finite estimate
_SOURCE = "https://doi.org/10.1080/00273171.2018.1466681"


@dataclass(frozen=True)
class _Family:
    """Mean, and variance up to dispersion, as functions of the linear predictor."""

    name: str

    def mean(self, eta: np.ndarray) -> np.ndarray:
        return {"log": np.exp, "logit": lambda x: 1 / (1 + np.exp(-x)), "identity": lambda x: x}[self.name](eta)

    def variance(self, mu: np.ndarray) -> np.ndarray:
        return {"log": mu, "logit": mu * (1 - mu), "identity": np.ones_like(mu)}[self.name]

    def link(self, mu: float) -> float:
        return float({"log": np.log(mu), "logit": np.log(mu / (1 - mu)), "identity": mu}[self.name])

    def loss(self, y: np.ndarray, eta: np.ndarray) -> float:
        """Return half the quasi-deviance, up to what does not depend on the model."""
        if self.name == "log":
            return float(np.sum(np.exp(eta) - y * eta))
        if self.name == "logit":
            return float(np.sum(np.logaddexp(0, eta) - y * eta))
        return float(np.sum((y - eta) ** 2) / 2)


_FAMILY = {
    "count": _Family("log"),
    "percentage": _Family("logit"),
    "proportion": _Family("logit"),
    "other": _Family("identity"),
}


def gradual_effects(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    scale: str = "count",
    occasions: int | None = None,
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate the gradual effects model: an immediate effect that builds up to a total one.

    On the k-th treatment occasion the link of the mean differs from the baseline's by
    total (1 - omega^k) / (1 - omega^m): with omega = 0 the whole effect is there at once, near 1 it grows steadily.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing, and keep their place in time.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is; positive effects are improvement.
    scale
        ``"count"``: effects are log response ratios (log link, variance in proportion to the mean); ``"percentage"``
        or ``"proportion"``: log odds ratios (logit link, binomial variance); ``"other"``: differences (identity link,
        constant variance).
    occasions
        m, after how many treatment occasions the effect is total; those there are if not given.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: three rows: ``"gradual_immediate"``, the effect on the first treatment occasion;
        ``"gradual_total"``, that on the m-th; ``"gradual_delay"``, omega, between 0 and 1, whose interval is cut off
        there. `.glance()` adds occasions and dispersion. Standard errors are those of quasi-likelihood; if omega lies
        at an end of its range it counts as known, and has none.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number or off the scale, or an option is none of those
        above.

    Notes
    -----
    It takes at least five observations, two of each phase; where the model has no finite estimate (a phase with
    nothing but zeros), the estimates are missing and the note says why. Observations count as independent given the
    model.

    References
    ----------
    Swan, D. M., & Pustejovsky, J. E. (2018). A gradual effects model for single-case designs. Multivariate Behavioral
    Research, 53, 574-593. https://doi.org/10.1080/00273171.2018.1466681

    Examples
    --------
    >>> import htresearch as ht
    >>> found = ht.singlecase.gradual_effects([9, 11, 10, 10], [7, 6, 5, 4, 5, 4], improvement="decrease").tidy()
    >>> found["term"].tolist(), bool(found["estimate"][0] < found["estimate"][1])
    (['gradual_immediate', 'gradual_total', 'gradual_delay'], True)
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        conf_level,
        checks.one_of("scale", scale, GRADUAL_SCALES),
        None if occasions is None else checks.integer("occasions", occasions, 1, 10_000),
    )
    top = TOP.get(scale, 1.0)
    family = _FAMILY[scale]
    if scale != "other":
        on_scale(phases, scale)
    y = np.concatenate([phases.baseline, phases.treatment]) / top
    first = len(phases.baseline) + phases.missing[0]
    occasion = np.concatenate([np.zeros(len(phases.baseline)), phases.treatment_times - first + 1])
    m = occasions or len(phases.treatment) + phases.missing[1]
    note = [
        Text(
            f"拟似然估计；总效果指第 {m} 次实施时的效果；观察假定为给定模型后相互独立。",
            f"Quasi-likelihood; the total effect is that on treatment occasion {m}; observations count as "
            "independent given the model.",
        )
    ]
    why = _no_estimate(phases, family, y)
    rows, dispersion = None, np.nan
    if why is None:
        with np.errstate(all="ignore"):
            rows, dispersion = _estimates(family, y, occasion, m, phases.sign, conf_level, note)
        if rows is None:
            why = Text("模型没有有限的估计值。", "The model has no finite estimate.")
    if rows is None:
        note.append(why)
        rows = [(term, *(np.nan,) * 4) for term in _TERMS]
    frame = pd.DataFrame(rows, columns=["term", "estimate", "std_error", "conf_low", "conf_high"])
    about = summary(phases, 0.0).assign(occasions=m, dispersion=dispersion)
    return EffectSize(frame, about, (*note, *phases.note), _SOURCE)


_TERMS = ("gradual_immediate", "gradual_total", "gradual_delay")


def _estimates(
    family: _Family, y: np.ndarray, occasion: np.ndarray, m: int, sign: int, conf_level: float, note: list[Text]
) -> tuple[list[tuple] | None, float]:
    """Return the rows of the estimates, None where there are none, and the dispersion."""
    omega, beta = _fit(family, y, occasion, m)
    if beta is None:
        return None, np.nan
    bounded = omega < 1e-4 or omega > _SLOWEST - 1e-4
    omega = 0.0 if omega < 1e-4 else omega
    design = np.column_stack([np.ones_like(y), _exposure(occasion, omega, m), beta[1] * _slope(occasion, omega, m)])
    if bounded:
        design = design[:, :2]
        note.append(
            Text(
                "延迟参数 ω 落在取值范围的一端，标准误把它当作已知。",
                "The delay omega lies at an end of its range; standard errors take it as known.",
            )
        )
    mu = family.mean(beta[0] + beta[1] * _exposure(occasion, omega, m))
    variance = family.variance(mu)
    left = len(y) - design.shape[1]
    dispersion = float(np.sum((y - mu) ** 2 / variance) / left)
    # Canonical links: the information of the linear predictor is the variance itself.
    information = design.T @ (variance[:, None] * design)
    if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
        return None, np.nan
    covariance = dispersion * np.linalg.inv(information)
    share = float(_exposure(np.ones(1), omega, m)[0])
    gradients = {
        "gradual_immediate": [0.0, share, beta[1] * float(_slope(np.ones(1), omega, m)[0])],
        "gradual_total": [0.0, 1.0, 0.0],
        "gradual_delay": [0.0, 0.0, 1.0],
    }
    values = {"gradual_immediate": sign * beta[1] * share, "gradual_total": sign * beta[1], "gradual_delay": omega}
    if not dispersion > 1e-20:
        note.append(Text("模型与数据完全吻合，没有标准误。", "The model fits exactly: there are no standard errors."))
        covariance = np.full_like(covariance, np.nan)
    rows = []
    for term in _TERMS:
        g = np.array(gradients[term][: design.shape[1]])
        error = float(np.sqrt(g @ covariance @ g)) if g.any() else np.nan
        error = error if error > 0 else np.nan
        low, high = normal_interval(values[term], error, conf_level)
        if term == "gradual_delay" and not np.isnan(error):
            low, high = max(low, 0.0), min(high, 1.0)
        rows.append((term, values[term], error, low, high))
    return rows, dispersion


def _fit(family: _Family, y: np.ndarray, occasion: np.ndarray, m: int) -> tuple[float, np.ndarray | None]:
    """Return omega and the coefficients: the quasi-deviance over omega, each time at its best coefficients."""

    def at(omega: float) -> tuple[float, np.ndarray | None]:
        return _regress(family, y, _exposure(occasion, omega, m))

    grid = np.linspace(0, _SLOWEST, 23)
    losses = np.array([at(w)[0] for w in grid])
    if not np.isfinite(losses).any():
        return np.nan, None
    best = int(np.nanargmin(losses))
    if best == 0 and at(1e-3)[0] >= losses[0]:
        return 0.0, at(0.0)[1]
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(lambda w: at(w)[0], bounds=around, method="bounded", options={"xatol": 1e-9})
    omega = float(found.x) if found.fun <= losses[best] else float(grid[best])
    return omega, at(omega)[1]


def _regress(family: _Family, y: np.ndarray, exposure: np.ndarray) -> tuple[float, np.ndarray | None]:
    """Return the loss and the coefficients of a generalised linear model by iterated least squares (halved steps)."""
    design = np.column_stack([np.ones_like(y), exposure])
    beta = np.array([family.link(float(y.mean())), 0.0])
    loss = family.loss(y, design @ beta)
    for _ in range(200):
        mu = family.mean(design @ beta)
        weight = family.variance(mu)
        a, b, c = weight.sum(), weight @ exposure, weight @ exposure**2
        determinant = a * c - b * b  # of the information, whose inverse is written out
        if not determinant > 1e-12 * a * c:
            return np.inf, None
        left = (y - mu).sum(), (y - mu) @ exposure
        step = np.array([c * left[0] - b * left[1], a * left[1] - b * left[0]]) / determinant
        for _ in range(30):
            new = family.loss(y, design @ (beta + step))
            if new <= loss + 1e-12 * abs(loss):
                break
            step = step / 2
        beta, change, loss = beta + step, np.abs(step).max(), new
        if family.name != "identity" and np.abs(beta).max() > _FARTHEST:
            return np.inf, None
        if change < 1e-11 * (1 + np.abs(beta).max()):
            return loss, beta
    return np.inf, None


def _exposure(occasion: np.ndarray, omega: float, m: int) -> np.ndarray:
    """Return the share of the total effect reached on each treatment occasion (0 in the baseline)."""
    return (1 - omega**occasion) / (1 - omega**m)


def _slope(occasion: np.ndarray, omega: float, m: int) -> np.ndarray:
    """Return the derivative of `_exposure` by omega."""
    late = 1 - omega**m
    own = np.where(occasion > 0, -occasion * omega ** np.maximum(occasion - 1, 0), 0.0)
    return own / late + (1 - omega**occasion) * m * omega ** (m - 1) / late**2


def _no_estimate(phases: Phases, family: _Family, y: np.ndarray) -> Text | None:
    """Return why the model cannot be estimated, None if it may be."""
    m, n = len(phases.baseline), len(phases.treatment)
    if m < 2 or n < 2 or m + n < 5:
        return Text(
            "渐进效果模型至少要有 5 次观察，每个阶段至少 2 次，故未计算。",
            "The gradual effects model is not computed: it needs five observations, two of each phase.",
        )
    ends = {"log": (0,), "logit": (0, 1)}.get(family.name, ())
    before, after = y[:m], y[m:]
    if any((part == end).all() for end in ends for part in (before, after)):
        return Text(
            "有阶段的观察值全在量尺的一端（如全为 0），模型没有有限的估计值。",
            "All values of a phase lie at an end of the scale (all 0, say): the model has no finite estimate.",
        )
    return None
