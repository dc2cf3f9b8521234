"""Showing what has passed, with a seal by which the leak scan knows it again.

The seal covers the very text and picture that are shown: it does not hold for another, nor for one that was edited.
It is no proof against somebody who means to forge it; that needs code which says so, and code can be read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from htresearch.disclosure.check import check
from htresearch.disclosure.ledger import RefusedError
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import ASSERTED, Verdicts
from htresearch.errors import Fault
from htresearch.language import Text

_KEY = b"htresearch.disclosure"
#: The least number of persons behind what is shown that a seal may stand for.
THRESHOLD = 10


@dataclass(frozen=True, eq=False)
class Shown:
    """Something that has passed and shows itself in a notebook as it does otherwise, with its seal."""

    thing: object = field(repr=False)
    verdicts: Verdicts

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, about = _bundle(self.thing)
        return data, {**about, **seal(data, self.verdicts)}


def show(thing: object, rules: Rules | str | Path | None = None, **what: object) -> Shown:
    """Show something in a notebook that is to be published, if it may leave.

    Parameters
    ----------
    thing, rules, what
        As in `check`.

    Returns
    -------
    Shown
        It shows itself as `thing` does. Its output carries a seal, so that the leak scan does not take its counts
        of schools or teachers for a table printed by hand.

    Raises
    ------
    RefusedError
        With every reason if it may not leave; ``.verdicts`` has the cells.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> pupils = pd.DataFrame({"student_id": range(90), "teacher_id": [i % 5 for i in range(90)]})
    >>> pupils = pupils.assign(school_id=pupils["teacher_id"], sex=["f", "m"] * 45)
    >>> shown = ht.disclosure.show(ht.disclosure.tabulate(pupils, "sex"))
    >>> shown.verdicts.passed
    True
    """
    verdicts = check(thing, rules, **what)
    if not verdicts.passed:
        raise RefusedError(*_faults(verdicts), verdicts=verdicts)
    return Shown(thing, verdicts)


def _faults(verdicts: Verdicts) -> list[Fault]:
    """Return a fault for each reason, with the cells that it holds for."""
    said: dict[tuple[Text, Text], list[str]] = {}
    for row in verdicts.failures.itertuples(index=False):
        said.setdefault((row.reason, row.needed), []).append(str(row.term))
    faults = []
    for (reason, needed), terms in said.items():
        more = len(terms) - 3
        rest = Text(f" 等 {len(terms)} 处", f" and {more} more") if more > 0 else Text("", "")
        place = Text("、".join(terms[:3]) + rest.zh, ", ".join(terms[:3]) + rest.en)
        faults.append(Fault(place, reason, needed))
    return faults


def _bundle(thing: object) -> tuple[dict, dict]:
    """Return how a thing shows itself, and what it says about that."""
    if hasattr(thing, "_repr_mimebundle_"):
        found = thing._repr_mimebundle_()
        data, about = found if isinstance(found, tuple) else (found, {})
        return dict(data), dict(about)
    import pandas as pd

    if isinstance(thing, pd.DataFrame | pd.Series):
        from htresearch.appearance import table

        frame = thing.to_frame() if isinstance(thing, pd.Series) else thing
        flat = frame if frame.index.names == [None] else frame.reset_index()
        flat.columns = ["/".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in flat.columns]
        return dict(table(flat)._repr_mimebundle_()), {}
    return {"text/plain": repr(thing)}, {}


def seal(data: Mapping[str, object], verdicts: Verdicts) -> dict[str, object]:
    """Return the metadata of an output that has passed; nothing where it has not, or where nobody verified it.

    Examples
    --------
    >>> from htresearch.disclosure import check
    >>> seal({"text/plain": "3"}, check(3))
    {}
    """
    rules = verdicts.rules
    if not verdicts.passed or rules is None or verdicts.counts == ASSERTED:
        return {}
    said = {"verdict": "pass", "rules": rules.name, "threshold": rules.threshold, "internal": rules.mark}
    return {"disclosure": {**said, "seal": _digest(data, said)}}


def is_sealed(data: Mapping[str, object], metadata: object) -> bool:
    """Tell whether an output carries the seal of what is to be seen in it, by rules under which it may be published.

    Parameters
    ----------
    data
        The output by kind, as a notebook keeps it.
    metadata
        The output's metadata.

    Returns
    -------
    bool
        False for text that was changed, for a seal of other rules, and where there is none.

    Examples
    --------
    >>> is_sealed({"text/plain": "12 3"}, {"disclosure": {"verdict": "pass"}})
    False
    """
    said = metadata.get("disclosure") if isinstance(metadata, Mapping) else None
    if not isinstance(said, Mapping) or said.get("verdict") != "pass" or said.get("internal") is not False:
        return False
    threshold = said.get("threshold")
    if not isinstance(threshold, int) or threshold < THRESHOLD:
        return False
    told = {key: value for key, value in said.items() if key != "seal"}
    return hmac.compare_digest(str(said.get("seal")), _digest(data, told))


def _digest(data: Mapping[str, object], said: Mapping[str, object]) -> str:
    texts = {kind: "".join(text) for kind, text in data.items() if kind.startswith("text/")}
    texts |= {kind: _picture(held) for kind, held in data.items() if kind.startswith("image/")}
    whole = json.dumps([texts, dict(said)], ensure_ascii=False, sort_keys=True, default=str)
    return hmac.new(_KEY, whole.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _picture(held: object) -> str:
    """Return the digest of a picture, whether as bytes or as a notebook keeps it: text, or base64 in lines."""
    if not isinstance(held, bytes | bytearray):
        text = held if isinstance(held, str) else "".join(map(str, held))
        try:
            held = base64.b64decode("".join(text.split()), validate=True)
        except ValueError:
            held = text.encode("utf-8", "replace")
    return hashlib.sha256(held).hexdigest()
