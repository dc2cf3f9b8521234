"""The answers a measurement model is fitted to: complete cases, by group and by cluster, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text, listing
from htresearch.scales.clustered import Clusters, gather
from htresearch.scales.covariance import Moments
from htresearch.scales.items import constant_items, read_items


@dataclass(frozen=True)
class Groups:
    """Moments by group.

    Attributes
    ----------
    names : tuple
        The groups, in the order of their first respondent (of a categorical, of its categories).
    moments : list of Moments
    clusters : list of Clusters, or None
    note : tuple of Text
        What was left out.
    """

    names: tuple[object, ...]
    moments: list[Moments]
    clusters: list[Clusters] | None
    note: tuple[Text, ...]


def read_groups(frame: pd.DataFrame, items: tuple[str, ...], group: str | None, cluster: str | None) -> Groups:
    """Take the items, the group and the cluster of each respondent who has all of them.

    Raises
    ------
    ArgumentError, ModelError
        With all that is wrong: missing columns, answers that are no numbers, items that are constant in a group,
        groups with no more respondents than items, a group or a cluster alone.
    """
    if not isinstance(frame, pd.DataFrame):
        read_items(frame, argument="frame")
    named = [name for name in (group, cluster) if name is not None]
    checks.require(*checks.columns("frame", [*items, *named], list(frame.columns)))
    there = frame[named].notna().all(axis=1) if named else pd.Series(True, frame.index)
    answers = read_items(frame.loc[there.to_numpy(), list(items)], at_least=1, argument="frame")
    kept = frame.loc[there.to_numpy()]
    kept = kept[kept[list(items)].notna().all(axis=1).to_numpy()]
    note = answers.note
    if not there.all():
        note += (
            Text("{n} 人没有{what}，未计入。", "{n} respondents without {what} are left out.").format(
                n=int((~there).sum()), what=Text("分组或所属群", "a group or a cluster")
            ),
        )
    if group is None:
        names, place = (None,), np.zeros(len(kept), int)
    else:
        place, found = pd.factorize(kept[group])
        if isinstance(kept[group].dtype, pd.CategoricalDtype):
            order = np.argsort(found.codes)
            place, found = np.argsort(order)[place], found[order]
        names = tuple(found)
    _require_groups(answers.matrix, place, names, items, group)
    inside = [place == g for g in range(len(names))]
    moments = [_moments(answers.matrix[rows]) for rows in inside]
    checks.require(*_singular(moments, names, items), error=ModelError)
    clusters = None
    if cluster is not None:
        codes = [pd.factorize(kept.loc[rows, cluster])[0] for rows in inside]
        checks.require(*_alone(codes, names, cluster), error=ModelError)
        clusters = [gather(answers.matrix[r], m.mean, c) for r, m, c in zip(inside, moments, codes, strict=True)]
    return Groups(names, moments, clusters, note)


def _moments(values: np.ndarray) -> Moments:
    mean = values.mean(axis=0)
    apart = values - mean
    return Moments(len(values), mean, apart.T @ apart / len(values))


def _within(name: object) -> Text:
    return Text("", "") if name is None else Text(f"（组 {name}）", f" (group {name})")


def _require_groups(
    values: np.ndarray, place: np.ndarray, names: tuple[object, ...], items: tuple[str, ...], group: str | None
) -> None:
    faults: list[Fault] = []
    if group is not None and len(names) < 2:
        faults.append(
            Fault(
                checks.argument("group"),
                Text("只有一个组，无从比较", "there is one group only, and nothing to compare"),
                Text("请换一列，或不写 group", "Name another column, or leave group out"),
                group,
            )
        )
    for g, name in enumerate(names):
        rows = values[place == g]
        if len(rows) <= len(items):
            faults.append(
                Fault(
                    Text("{where}{within}", "{where}{within}").format(
                        where=checks.argument("frame"), within=_within(name)
                    ),
                    Text(
                        "只有 {n} 人答全，不多于题数 {items}",
                        "{n} respondents answered all of {items} items: too few",
                    ).format(n=len(rows), items=len(items)),
                    Text("请合并或去掉这一组，或减少题目", "Merge or leave out the group, or take fewer items"),
                )
            )
        else:
            faults += constant_items(rows, items, "frame", _within(name))
    checks.require(*faults, error=ModelError)


def _singular(moments: list[Moments], names: tuple[object, ...], items: tuple[str, ...]) -> list[Fault]:
    faults = []
    for name, here in zip(names, moments, strict=True):
        scale = np.sqrt(np.diag(here.covariance))
        values, vectors = np.linalg.eigh(here.covariance / np.outer(scale, scale))
        if values[0] < 1e-10:
            guilty = [item for item, weight in zip(items, np.abs(vectors[:, 0]), strict=True) if weight > 0.1]
            faults.append(
                Fault(
                    Text("题目 {items}{within}", "Items {items}{within}").format(
                        items=listing(guilty), within=_within(name)
                    ),
                    Text("可由其他题目算出", "can be computed from others"),
                    Text("请去掉合成的或重复的题目", "Leave out sums and doubled items"),
                )
            )
    return faults


def _alone(codes: list[np.ndarray], names: tuple[object, ...], cluster: str) -> list[Fault]:
    return [
        Fault(
            Text("{where}{within}", "{where}{within}").format(where=checks.argument("cluster"), within=_within(name)),
            Text("至少要有两个群", "there must be two clusters at least"),
            Text("请换一列，或不写 cluster", "Name another column, or leave cluster out"),
            cluster,
        )
        for name, here in zip(names, codes, strict=True)
        if here.max() < 1
    ]
