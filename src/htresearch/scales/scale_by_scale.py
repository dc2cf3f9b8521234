"""Every scale of an instrument at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from htresearch.language import Text
from htresearch.result import Estimates, beside
from htresearch.scales.invariance import invariance
from htresearch.scales.reliability import Reliability, alpha, omega
from htresearch.scales.score import items_of

if TYPE_CHECKING:
    from htresearch.instruments import Instrument
    from htresearch.scales.invariance import Invariance


def scale_reliability(frame: pd.DataFrame, instrument: Instrument, conf_level: float = 0.95) -> Reliability:
    """Estimate alpha and omega of every scale of an instrument.

    Parameters
    ----------
    frame
        A row per respondent and a column per item, as answered; items are keyed as the instrument says.
    instrument
        As `htresearch.load_instrument` returns it. A scale of two items has an alpha and no omega.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Reliability
        `.tidy()`: a row per scale and line (``"cronbach_alpha"``, ``"omega"``), terms named as the instrument names
        its scales. `.glance()`: a row per scale and line, as of `alpha` and `omega`. `.plot()` draws both.

    Raises
    ------
    ArgumentError, ColumnError
        As `items_of`, `alpha` and `omega` do.

    References
    ----------
    McDonald, R. P. (1999). Test theory: A unified treatment. https://doi.org/10.4324/9781410601087

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> names = [name for scale in instrument.scales.values() for name in scale.items]
    >>> answers = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (300, len(names))), columns=names)
    >>> ht.scales.scale_reliability(answers, instrument).tidy()["line"].unique().tolist()
    ['cronbach_alpha', 'omega']
    """
    lines: dict[str, list[Estimates]] = {}
    for scale in instrument.scales.values():
        items = items_of(frame, instrument, scale.id)
        for name, method in (("cronbach_alpha", alpha), ("omega", omega)):
            if items.shape[1] > 2 or method is alpha:
                lines.setdefault(name, []).append(_called(method(items, conf_level=conf_level), scale.label))
    whole = beside({name: _below(found) for name, found in lines.items()})
    return Reliability(whole.frame, whole.summary, whole.note, whole.source)


def scale_invariance(
    frame: pd.DataFrame, instrument: Instrument, group: str, cluster: str | None = None
) -> dict[str, Invariance]:
    """Test every scale of an instrument that has three items or more for invariance, one factor each.

    Parameters
    ----------
    frame
        A row per respondent: the items as answered, the groups, the clusters.
    instrument
        As `htresearch.load_instrument` returns it.
    group, cluster
        As in `htresearch.scales.invariance`.

    Returns
    -------
    dict of str to Invariance
        By the id of the scale.

    Raises
    ------
    ArgumentError, ColumnError, ModelError
        As `items_of` and `htresearch.scales.invariance` do.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> found = ht.scales.scale_invariance(answers, instrument, "stage", cluster="class_id")  # doctest: +SKIP
    >>> found["belonging"].glance()  # doctest: +SKIP
    """
    items = items_of(frame, instrument)
    beside_items = frame[[name for name in (group, cluster) if name is not None and name in frame]]
    answers = pd.concat([items, beside_items], axis=1)
    return {
        scale.id: invariance(f"{scale.id} =~ {' + '.join(scale.items)}", answers, group, cluster)
        for scale in instrument.scales.values()
        if len(scale.items) > 2
    }


def _called(found: Estimates, name: Text) -> Estimates:
    note = tuple(Text(f"{name.zh}：{n.zh}", f"{name.en}: {n.en}") for n in found.note[1:])
    return replace(found, frame=found.frame.assign(term=str(name)), note=(found.note[0], *note))


def _below(found: list[Estimates]) -> Estimates:
    first = found[0]
    return Estimates(
        pd.concat([f.frame for f in found], ignore_index=True),
        pd.concat([f.summary.assign(term=f.frame["term"].iloc[0]) for f in found], ignore_index=True),
        tuple(dict.fromkeys(n for f in found for n in f.note)),
        first.source,
    )
