"""How groups lie within one another: found from the data, however the formula writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from htresearch.checks import one_of, require
from htresearch.errors import Fault, ModelError, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.formula import RandomTerm


@dataclass(frozen=True, eq=False)
class Level:
    """One level of groups.

    Attributes
    ----------
    columns : tuple of str
        The columns that name a group, the outermost first.
    codes : numpy.ndarray
        For each row its group, 0 to `size` - 1.
    labels : pandas.DataFrame
        For each group the values of `columns`.
    written : tuple of str
        The columns as the formula names them.
    """

    columns: tuple[str, ...]
    codes: np.ndarray
    labels: pd.DataFrame
    written: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The columns joined by colons, as in ``school_id:class_id``."""
        return ":".join(self.columns)

    @property
    def size(self) -> int:
        """The number of groups."""
        return len(self.labels)


def find_levels(
    terms: tuple[RandomTerm, ...], frame: pd.DataFrame, n: int | None = None, crossed: bool = False
) -> tuple[Level, ...]:
    """Order the groups of a model from the outermost to the innermost.

    Parameters
    ----------
    terms
        Several may share their groups, as ``(1 | g) + (0 + x | g)`` do.
    frame
        The rows used, without missing values among the groups; or one row for each innermost group.
    n
        The number of rows, where `frame` has one for each group.
    crossed
        Let groups cross. They come from the fewest groups to the most then, each under its own columns.

    Returns
    -------
    tuple of Level
        Each level is nested in the one before it and carries its name: written ``(1 | a) + (1 | b)``, a b that lies
        within a is named ``a:b`` as if ``(1 | a/b)`` had been written.

    Raises
    ------
    UnsupportedError
        If two groupings are crossed and may not be.
    ModelError
        If a grouping has fewer than two groups, if two groupings are the same, or if every innermost group has one
        observation.
    """
    levels = [_level(groups, frame) for groups in _distinct(terms)]
    require(*[_few(level) for level in levels], error=ModelError)
    ordered = sorted(levels, key=lambda level: level.size)
    pairs = list(pairwise(ordered))
    require(*[_same(*pair) for pair in pairs], error=ModelError)
    cross = [tuple(sorted(pair, key=levels.index)) for pair in pairs if not is_nested(*pair)]
    require(*[] if crossed else [_crossed(*pair) for pair in cross], error=UnsupportedError)
    require(_single(ordered[-1], len(frame) if n is None else n), error=ModelError)
    if cross:
        return tuple(ordered)

    named: list[Level] = []
    for level in ordered:
        columns = tuple(dict.fromkeys([*(named[-1].columns if named else ()), *level.columns]))
        labels = frame[list(columns)].iloc[_first(level.codes)].reset_index(drop=True)
        named.append(replace(level, columns=columns, labels=labels))
    return tuple(named)


def named_level(levels: tuple[Level, ...], group: str) -> Level:
    """Return the level of a name, ``"school_id:class_id"``; its last column alone will do.

    Raises
    ------
    ArgumentError
        If no level has that name.
    """
    named = {level.columns[-1]: level for level in levels} | {level.name: level for level in levels}
    if group not in named:
        require(one_of("group", group, [level.name for level in levels]))
    return named[group]


def are_crossed(levels: tuple[Level, ...]) -> bool:
    """Tell whether any grouping crosses the one before it."""
    return any(not is_nested(*pair) for pair in pairwise(levels))


def crossed_note(levels: tuple[Level, ...]) -> list[Text]:
    """Say which groupings cross, and how to write the nested form where only labels repeat."""
    return [
        Text(
            f"{a.name} 与 {b.name} 按交叉分组估计；如果只是标签重复（各校都有“1班”），请写 (1 | {a.name}/{b.name})。",
            f"{a.name} and {b.name} are taken as crossed; if only labels repeat (every school has a class 1), write "
            f"(1 | {a.name}/{b.name}).",
        )
        for a, b in pairwise(levels)
        if not is_nested(a, b)
    ]


def _distinct(terms: tuple[RandomTerm, ...]) -> list[tuple[str, ...]]:
    """Return the groups of the terms, each once."""
    return list({frozenset(term.groups): term.groups for term in reversed(terms)}.values())[::-1]


def is_nested(outer: Level, inner: Level) -> bool:
    """Tell whether each group of `inner` lies within one group of `outer`."""
    around = np.empty(inner.size, dtype=outer.codes.dtype)
    around[inner.codes] = outer.codes
    return bool((around[inner.codes] == outer.codes).all())


def same_groups(a: Level, b: Level) -> bool:
    """Tell whether two levels, of two fits to the same rows, divide them alike; without rows their names decide."""
    if a.size != b.size:
        return False
    if a.codes is not None and b.codes is not None:
        return len(a.codes) == len(b.codes) and is_nested(a, b)
    return set(a.written) == set(b.written) or set(a.columns) == set(b.columns)


def _level(columns: tuple[str, ...], frame: pd.DataFrame) -> Level:
    grouped = frame.groupby(list(columns), sort=True, observed=True)
    codes = grouped.ngroup().to_numpy()
    return Level(columns, codes, frame[list(columns)].iloc[_first(codes)].reset_index(drop=True), columns)


def _first(codes: np.ndarray) -> np.ndarray:
    """Return for each code the first row that has it."""
    first = np.empty(codes.max() + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first


def _where(level: Level) -> Text:
    return Text(f"分组 {level.name}", f"Groups {level.name}")


def _few(level: Level) -> Fault | None:
    if level.size >= 2:
        return None
    return Fault(
        _where(level),
        Text(
            f"只有 {level.size} 个组，无法估计组间差异",
            f"with {level.size} group, differences between groups cannot be estimated",
        ),
        Text(
            "请换用至少有两组的列，或删去这一随机项", "Take a column with at least two groups, or leave the term out"
        ),
    )


def _same(a: Level, b: Level) -> Fault | None:
    if a.size != b.size or not is_nested(a, b):
        return None
    return Fault(
        Text(f"分组 {a.name} 与 {b.name}", f"Groups {a.name} and {b.name}"),
        Text(
            f"两者分出的是同样的 {a.size} 组，差异无法归给其中一层",
            f"both divide the rows into the same {a.size} groups, so the variance cannot be told apart",
        ),
        Text("请只保留其中一个", "Keep one of them"),
    )


def _single(level: Level, n_rows: int) -> Fault | None:
    if level.size < n_rows:
        return None
    return Fault(
        _where(level),
        Text(
            "每组只有一个观测，组间差异与残差无法区分",
            "every group has one observation, so its variance cannot be told from the residual's",
        ),
        Text("请删去最内层的随机项，或改用更大的分组", "Leave the innermost random term out, or take larger groups"),
    )


def _crossed(a: Level, b: Level) -> Fault:
    return Fault(
        Text(f"分组 {a.name} 与 {b.name}", f"Groups {a.name} and {b.name}"),
        Text(
            f"两者互相交叉：{b.name} 的同一标签出现在 {a.name} 的不同组里，而这里只能估计逐层嵌套的分组",
            f"they are crossed: labels of {b.name} recur in several groups of {a.name}, and only groups that are "
            "nested can be estimated here",
        ),
        Text(
            f"如果只是标签重复（各校都有“1班”），请写 (1 | {'/'.join((*a.columns, *b.columns))})；"
            f"如果确实交叉，请只保留其中一层",
            f"If only the labels repeat (every school has a class 1), write "
            f"(1 | {'/'.join((*a.columns, *b.columns))}); if they are truly crossed, keep one of the two",
        ),
    )
