"""Hiding more of a table until it is safe beside everything that has been released before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from htresearch.disclosure.atoms import Atoms, Record
from htresearch.disclosure.audit import Protection
from htresearch.disclosure.dangers import Danger, bounded, computed, least_of, owed_to, values_of
from htresearch.disclosure.relations import LinearTable
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.suppression import widened


def lines_to_hide(
    before: Sequence[Record], new: Record, rules: Rules, seconds: float = 20.0
) -> tuple[np.ndarray, bool]:
    """Return the cells of a new table that have to be hidden beyond those that are, and whether it is safe then.

    Parameters
    ----------
    before
        What has been released, of the same kind of person.
    new
        The table, as it is to be shown.
    rules
    seconds
        Processor time for all of it; what is not mended by then is not safe.
    """
    end = time.process_time() + seconds
    atoms = Atoms([*before, new], rules.known)
    last, hidden = len(before), set()
    lines = new.cells["line"].to_numpy()
    weights = np.zeros(int(lines.max(initial=0)) + 1)
    np.maximum.at(weights, lines, 1.0 + np.log1p(atoms.cells[last] @ atoms.n))
    safe = False
    while time.process_time() < end:
        more = _bounded(atoms, rules, last)
        if not more:
            more, found = set(), False
            for danger in _left(atoms, rules, end):
                found = True
                mine = {line for k, line in danger.lines if k == last}
                if mine and not mine & more:
                    more.add(min(mine, key=lambda line: weights[line]))
            if not more:
                safe = not found
                break
        hidden |= more
        atoms.hide(last, list(more))
    return np.array(sorted(hidden), int), safe


def _left(atoms: Atoms, rules: Rules, end: float) -> Iterator[Danger]:
    """Give what can still be computed; only where nothing can, what is bounded too tightly."""
    found = False
    for danger in computed(atoms, rules, max(0.5, end - time.process_time())):
        found = True
        yield danger
    if not found:
        yield from bounded(atoms, rules)


def _bounded(atoms: Atoms, rules: Rules, last: int) -> set[int]:
    """Return lines of the last table to hide so that nothing is bounded too tightly."""
    more: set[int] = set()
    for value in (None, *values_of(atoms)):
        about = [k for k, r in enumerate(atoms.records) if value is None or r.value == value]
        if last not in about:
            continue
        table, published, at = _system(atoms, about, value)
        if value is None:
            owed = owed_to(atoms, atoms.hidden(), rules, table, at)
        else:
            owed = Protection.of(table, at, rules.protection_relative, 1e-6)
        own = np.zeros(len(published), bool)
        own[len(published) - atoms.cells[last].shape[0] :] = True
        pattern = widened(table, owed, ~published, frozen=published & ~own)
        fresh = np.flatnonzero(pattern & published & own) - (len(published) - atoms.cells[last].shape[0])
        more |= set(atoms.records[last].cells["line"].to_numpy()[fresh].tolist())
    return more


def _system(atoms: Atoms, about: Sequence[int], value: str | None) -> tuple[LinearTable, np.ndarray, np.ndarray]:
    """Return atoms and cells of tables as one table, which of them is published, and where the unsafe ones are."""
    amounts = atoms.n if value is None else atoms.amounts(value)
    cells = sparse.vstack([atoms.cells[k] for k in about], format="csr")
    n, m = len(amounts), cells.shape[0]
    relations = sparse.hstack([cells, -sparse.identity(m)], format="csr")
    lower = 0.0 if value is None else least_of(atoms, value)
    table = LinearTable(
        np.concatenate([amounts, cells @ amounts]), relations, np.full(n + m, lower), np.full(n + m, np.inf)
    )
    shown = np.concatenate([atoms.records[k].cells["published"].to_numpy(bool) for k in about])
    unsafe = np.concatenate([atoms.records[k].cells["primary"].to_numpy(bool) for k in about]) & ~shown
    return table, np.concatenate([np.zeros(n, bool), shown]), n + np.flatnonzero(unsafe)
