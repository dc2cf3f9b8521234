"""The data behind figures: checked before they leave, in the kernel, where it is still known whom they rest on.

A kernel that runs a notebook for a site loads this module as an extension of IPython. Each figure that the notebook
shows then carries the data behind it if they pass `htresearch.disclosure.check`, or else that they did not. What did
not pass is not even kept beside the site.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from htresearch.errors import HTResearchError
from htresearch.language import Text, label

if TYPE_CHECKING:
    import pandas as pd
    from nbformat import NotebookNode

    from htresearch.appearance import Figure
    from htresearch.disclosure import Rules, Verdicts

#: What may be asked for: data that have passed, all data whether they would pass or not, none.
CHECKED, UNCHECKED, NONE = CHOICES = ("checked", "unchecked", "none")
#: The variable by which a kernel is told the rules, as JSON; empty for no check.
VARIABLE = "HTRESEARCH_FIGURE_DATA"
_MARK = "htresearch"
_RELATIVE = 1e-6


def load_ipython_extension(shell) -> None:
    """Let the figures of a kernel carry the data behind them."""
    from htresearch.disclosure import Rules

    told = os.environ.get(VARIABLE)
    rules = Rules(**json.loads(told)) if told else None
    show = shell.display_formatter.mimebundle_formatter
    show.for_type_by_name("htresearch.appearance", "Figure", lambda figure: _described(figure, rules))


def _described(figure: Figure, rules: Rules | None) -> tuple[dict, dict]:
    bundle, described = figure._repr_mimebundle_()
    carried = behind(figure, rules)
    return bundle, {**described, **({_MARK: carried} if carried else {})}


def behind(figure: Figure, rules: Rules | None) -> dict[str, object]:
    """Return what a figure carries: the data behind it, or which rules refuse them; nothing if there are none.

    Parameters
    ----------
    figure
        As `htresearch.figure` returns it.
    rules
        By which it is checked; ``None`` for no check.

    Returns
    -------
    dict
        ``columns``, ``rows`` and ``rules`` (their name, empty if unchecked), or ``refused`` with the names of the
        rules that the data break.

    Examples
    --------
    >>> import matplotlib.pyplot as plt, htresearch as ht
    >>> dots = ht.figure(plt.subplots()[1].scatter([1, 2], [3, 4]).axes, alt="Two pupils")
    >>> behind(dots, ht.disclosure.load_rules("public"))
    {'refused': ['persons']}
    """
    frame = _frame(figure)
    if frame.empty:
        return {}
    broken = [] if rules is None else _broken(figure, rules)
    if broken:
        return {"refused": broken}
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return {
        "columns": [str(column) for column in frame.columns],
        "rows": [[_plain(value) for value in row] for row in rows],
        "rules": "" if rules is None else rules.name,
    }


def _frame(figure: Figure) -> pd.DataFrame:
    from htresearch.drawn import data_behind

    if figure.data is None:
        return data_behind(figure.drawn)
    return figure.data.rename(columns={column: str(label(str(column))) for column in figure.data.columns})


def _broken(figure: Figure, rules: Rules) -> list[str]:
    """Return the names of the rules that stand against the data behind a figure; none if they may leave."""
    from htresearch import disclosure

    told = {"of": None, "counts": None, "statistic": None, "known": (), **figure.told}
    of = told.pop("of")
    try:
        if figure.data is None:
            return _names(disclosure.check(figure, rules, data=of, **told))
        if of is None:
            how = {"counts": told["counts"], "statistic": told["statistic"]}
            return _names(disclosure.check(figure.data, rules, **how))
        return _unbound(figure.data, of, rules)
    except HTResearchError:  # the check cannot be asked so: nothing has been shown to be safe
        return ["unknown"]


def _names(verdicts: Verdicts) -> list[str]:
    return sorted({name for rules in verdicts.failures["rules"] for name in rules})


def _unbound(frame: pd.DataFrame, of: object, rules: Rules) -> list[str]:
    """Hold a frame to the results that it is taken from: each passes, and every number is one of theirs."""
    from htresearch import disclosure
    from htresearch.disclosure.labels import any_identifying

    results = of if isinstance(of, list | tuple) else [of]
    verdicts = [disclosure.check(result, rules) for result in results]
    if not all(verdict.passed for verdict in verdicts):
        return ["data"]
    words = frame.select_dtypes(exclude="number")
    if any_identifying([*map(str, frame.columns), *map(str, words.to_numpy().ravel())]):
        return ["identifying"]
    frames = [getattr(r, "cells", None) if hasattr(r, "cells") else r.tidy() for r in results]
    known = np.concatenate([f.select_dtypes("number").to_numpy(float).ravel() for f in frames])
    shown = frame.select_dtypes("number").to_numpy(float).ravel()
    shown = shown[np.isfinite(shown)]
    near = np.isclose(shown[:, None], known[None, :], rtol=_RELATIVE, atol=0).any(axis=1)
    return [] if near.all() else ["unknown"]


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else str(value)


@dataclass(frozen=True)
class Tally:
    """How many figures of a site have data behind them, and of how many these are offered.

    Attributes
    ----------
    checked, unchecked : int
        Figures whose data are offered, after a check or without one.
    refused : int
        Figures whose data did not pass.
    rules : str
        The rules of the check.
    """

    checked: int = 0
    unchecked: int = 0
    refused: int = 0
    rules: str = ""

    def said(self) -> Text | None:
        """Return the tally in a sentence; ``None`` where no figure has data behind it."""
        if self.unchecked:
            return Text(
                "图 {n} 幅，图中的数据未作披露检查即提供下载。",
                "The data behind {n} figures are offered without a check for disclosure.",
            ).format(n=self.unchecked)
        if not self.checked + self.refused:
            return None
        return Text(
            "图 {all} 幅：按规则“{rules}”检查图中的数据，{checked} 幅可下载，{refused} 幅未通过、不提供。",
            "Figures: {all}. Checked by the rules “{rules}”, the data behind {checked} are offered; those behind "
            "{refused} did not pass and are not.",
        ).format(all=self.checked + self.refused, rules=self.rules, checked=self.checked, refused=self.refused)


def tally(notebooks: list[NotebookNode], rules: str) -> Tally:
    """Count the figures of notebooks that were run for a site."""
    carried = [mark for notebook in notebooks for mark in _marks(notebook)]
    refused = sum("refused" in mark for mark in carried)
    unchecked = sum("rows" in mark and not mark.get("rules") for mark in carried)
    return Tally(len(carried) - refused - unchecked, unchecked, refused, rules)


def _marks(notebook: NotebookNode) -> Iterator[Mapping[str, object]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if mark := output.get("metadata", {}).get(_MARK):
                yield mark
