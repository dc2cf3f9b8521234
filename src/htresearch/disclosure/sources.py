"""From what something that is to be released was computed: its tables, and the rows of its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from htresearch.disclosure import figures, results
from htresearch.disclosure.check import checker_of
from htresearch.disclosure.protected import ProtectedTable
from htresearch.disclosure.tabulate import Tabulation

if TYPE_CHECKING:
    from htresearch.multilevel.basis import Basis


@dataclass(frozen=True, eq=False)
class Sources:
    """What something tells of.

    Attributes
    ----------
    tables : tuple
        `Tabulation` and `ProtectedTable`.
    bases : tuple of Basis
        What the estimates of models rest on.
    """

    tables: tuple[Tabulation | ProtectedTable, ...] = ()
    bases: tuple[Basis, ...] = ()


def sources_of(thing: object, what: Mapping[str, object]) -> Sources | None:
    """Return what something tells of; ``None`` where it is of persons, and not known of whom.

    Parameters
    ----------
    thing
        What has passed its check.
    what
        What the check was told.
    """
    if isinstance(thing, Tabulation | ProtectedTable):
        return Sources((thing,))
    if isinstance(thing, pd.DataFrame | pd.Series):
        return None
    checker = checker_of(thing)
    if checker in (results.check_estimates, results.check_models):
        return Sources(bases=tuple(thing.basis))
    if checker is results.check_fit:
        return Sources(bases=results.bases_of_fits([thing], what.get("frame")))
    if checker is results.check_statsmodels:
        from htresearch.disclosure.foreign import basis_of_statsmodels

        return Sources(bases=(basis_of_statsmodels(thing, what.get("frame"))[0],))
    if checker in (figures.check_figure, figures.check_axes):
        drawn = [sources_of(one, {}) for one in figures.several(what.get("data"))]
        if not drawn or None in drawn:
            return None
        return Sources(sum((one.tables for one in drawn), ()), sum((one.bases for one in drawn), ()))
    return Sources()  # scales, plans, syntheses: they keep nothing of persons


def told_of(thing: object, what: Mapping[str, object]) -> dict[str, object]:
    """Return what a check is to be told: what is said, else what a finished figure was told when it was made."""
    told = dict(getattr(thing, "told", {})) if checker_of(thing) is figures.check_figure else {}
    if "of" in told:
        told["data"] = told.pop("of")
    return {**told, **what}
