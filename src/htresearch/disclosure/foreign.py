"""Regressions that others fitted: their rows and weights, read from what they keep."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.disclosure.verdicts import Finding
from htresearch.language import Text
from htresearch.multilevel.basis import Basis, Rows, units_of, who_of


def basis_of_statsmodels(result: object, frame: pd.DataFrame | None) -> tuple[Basis | None, list[Finding]]:
    """Return what the coefficients of OLS, WLS or GLM rest on.

    A GLM is at its end least squares of a working outcome with working weights (McCullagh & Nelder 1989, section
    2.5), so that its coefficients too are sums of outcomes, each with a weight.
    """
    model = result.model
    kind = type(model).__name__
    X = np.asarray(model.exog, float)
    if kind not in ("OLS", "WLS", "GLM") or np.linalg.matrix_rank(X) < X.shape[1]:
        return None, [_OTHER]
    y, weights = np.asarray(model.endog, float), None
    if kind == "WLS":
        weights = np.asarray(model.weights, float)
    if kind == "GLM":
        if y.ndim != 1 or np.asarray(model.freq_weights).min() != 1 or np.asarray(model.freq_weights).max() != 1:
            return None, [_OTHER]
        fitted = np.asarray(result.mu, float)
        weights = np.asarray(model.family.weights(fitted), float)
    index = pd.Index(model.data.row_labels) if model.data.row_labels is not None else pd.RangeIndex(len(y))
    faults, units, who = [], {}, None
    if frame is not None:
        if frame.index.is_unique and index.isin(frame.index).all():
            units, who = units_of(frame.loc[index]), who_of(frame.loc[index])
        else:
            faults.append(_ROWS)
    rows = Rows(X, y, units, index, weights=weights, outcome=str(model.endog_names), who=who)
    names = tuple(map(str, model.exog_names))
    return Basis(names, np.asarray(result.params, float), np.eye(len(names)), rows), faults


_OTHER = Finding(
    None,
    "unknown",
    Text(
        "只能检查 OLS、WLS 以及每行一个观察的 GLM，且各列不能互相决定。",
        "Only OLS, WLS and GLM with an observation per row and independent columns can be checked.",
    ),
    Text("请用 fit_multilevel。", "Use fit_multilevel."),
)
_ROWS = Finding(
    None,
    "unknown",
    Text("frame 与模型的行对不上。", "The rows of frame are not those of the model."),
    Text("请给出拟合时用的数据框。", "Give the frame that it was fitted to."),
)
