"""Matching people with a roster, by name and school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.intake.identity.spelling import is_known, normalised

if TYPE_CHECKING:
    import pandas as pd

_NEAREST = 3


def match_roster(asked: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """Match people with a roster by name and school; nothing is guessed.

    Parameters
    ----------
    asked
        Columns ``name`` and ``school``: a row for each person to be found.
    roster
        Columns ``name`` and ``school``, and ``teacher_id`` where there is one. Rows of one teacher may recur, as in
        termly lists.

    Returns
    -------
    pandas.DataFrame
        A row for each of `asked`, with its index: ``match``, the teacher's id (or else the label of the roster's
        row), ``NA`` where nobody or more than one fits; ``ties``, the several who fit; ``candidates``, where nobody
        fits, up to three who come near: first the same name in other schools, then names alike in this school.

    Raises
    ------
    ArgumentError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> roster = pd.DataFrame({"teacher_id": ["t1", "t2"], "name": ["王兰", "李强"], "school": ["三小", "三小"]})
    >>> match_roster(pd.DataFrame({"name": ["王 兰", "李墙"], "school": ["三小", "三小"]}), roster)
      match ties candidates
    0    t1   ()         ()
    1  <NA>   ()      (t2,)
    """
    import pandas as pd

    checks.require(
        *checks.columns("asked", ("name", "school"), asked.columns),
        *checks.columns("roster", ("name", "school"), roster.columns),
    )
    found = _Roster(roster)
    rows = [found.match(*pair) for pair in zip(asked["name"].tolist(), asked["school"].tolist(), strict=True)]
    matched = pd.DataFrame(rows, columns=["match", "ties", "candidates"], index=asked.index)
    return matched.astype({"match": "string" if "teacher_id" in roster else object, "ties": object})


class _Roster:
    """A roster by name and school, each in one spelling."""

    def __init__(self, roster: pd.DataFrame):
        ids = roster["teacher_id"] if "teacher_id" in roster else roster.index.to_series()
        self.by_both: dict[tuple[str, str], list[Hashable]] = defaultdict(list)
        self.by_name: dict[str, list[Hashable]] = defaultdict(list)
        self.names: dict[str, list[str]] = defaultdict(list)  # of each school
        for who, name, school in zip(ids.tolist(), roster["name"].tolist(), roster["school"].tolist(), strict=True):
            if is_known(name) and is_known(who):
                name, school = normalised(name), normalised(school) if is_known(school) else ""
                _add(self.by_both[name, school], who)
                _add(self.by_name[name], who)
                _add(self.names[school], name)
        self.seen: dict[tuple[object, object], tuple] = {}

    def match(self, name: object, school: object) -> tuple:
        """Return match, ties and candidates of one person."""
        import pandas as pd

        if not is_known(name):
            return pd.NA, (), ()
        pair = normalised(name), normalised(school) if is_known(school) else ""
        if pair not in self.seen:
            fitting = tuple(self.by_both.get(pair, ())) if pair[1] else ()
            match = fitting[0] if len(fitting) == 1 else pd.NA
            self.seen[pair] = (match, fitting if len(fitting) > 1 else (), () if fitting else self._near(*pair))
        return self.seen[pair]

    def _near(self, name: str, school: str) -> tuple:
        here = self.names.get(school, ()) if school else ()
        alike = get_close_matches(name, here, n=_NEAREST, cutoff=0.5)
        same = self.by_name.get(name, ())
        near: list[Hashable] = []
        for who in (*same, *(who for other in alike for who in self.by_both[other, school])):
            _add(near, who)
        return tuple(near[:_NEAREST])


def _add(to: list, what: object) -> None:
    if what not in to:
        to.append(what)
