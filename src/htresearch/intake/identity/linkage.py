"""The linkage table: which person stands behind which pseudonym."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault
from htresearch.intake.identity import private
from htresearch.intake.identity.key import Key
from htresearch.intake.identity.spelling import is_known, normalised
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("key", "pseudonym", "kind", "what", "value")


class Linkage:
    """Who stands behind each pseudonym; collected while a file is taken in, and saved apart from the study.

    A row says one thing that was known of one person: pseudonym, kind, what (``name``, ``school``, ``phone``, …) and
    its value. So a person with two phones has two rows, and taking the same file in twice adds none.

    Parameters
    ----------
    key
        The key that made the pseudonyms. Its fingerprint stands in every row, so that pseudonyms of different keys
        are not mixed unseen.

    Examples
    --------
    >>> linkage = Linkage()
    >>> linkage.add("t_0123", "teacher", name="王兰", school="三小")
    >>> linkage.of("t_0123")
    {'name': ('王兰',), 'school': ('三小',)}
    """

    def __init__(self, key: Key | None = None):
        self.fingerprint = key.fingerprint if key else ""
        self._rows: dict[tuple[str, str, str, str, str], None] = {}
        self._forgotten: set[str] = set()

    def add(self, pseudonym: str, kind: str, **known: object) -> None:
        """Note what was known of a person; what is missing or blank is not noted."""
        for what, value in known.items():
            if is_known(value):
                self._rows[self.fingerprint, pseudonym, kind, what, _shown(value)] = None

    def forget(self, pseudonym: str) -> None:
        """Take a person out of the table, also out of the file when it is saved next.

        What the study holds of them stays and has to be taken out there.
        """
        self._rows = {row: None for row in self._rows if row[1] != pseudonym}
        self._forgotten.add(pseudonym)

    def of(self, pseudonym: str) -> dict[str, tuple[str, ...]]:
        """Return what is known of a person; empty where the pseudonym is unknown."""
        known: dict[str, tuple[str, ...]] = {}
        for _, whose, _, what, value in self._rows:
            if whose == pseudonym:
                known[what] = (*known.get(what, ()), value)
        return known

    def who(self, **known: object) -> list[str]:
        """Return the pseudonyms of whom all of this is known, however it is spelled: ``who(name="王兰")``."""
        wanted = {(what, normalised(value)) for what, value in known.items()}
        having: dict[str, set] = {}
        for _, pseudonym, _, what, value in self._rows:
            having.setdefault(pseudonym, set()).add((what, normalised(value)))
        return sorted(pseudonym for pseudonym, has in having.items() if wanted <= has)

    def __len__(self) -> int:
        return len({pseudonym for _, pseudonym, *_ in self._rows})

    def __repr__(self) -> str:
        return f"Linkage({len(self)} persons)"

    @property
    def frame(self) -> pd.DataFrame:
        """Every row, in order."""
        import pandas as pd

        return pd.DataFrame(sorted(self._rows), columns=list(COLUMNS), dtype="string")

    def save(self, path: str | Path, study: str | Path | None = None) -> tuple[Text, ...]:
        """Write the table where only its owner may read it, merged with what is there.

        Parameters
        ----------
        path
            A CSV file (UTF-8) outside the study and outside every git repository.
        study
            The study that the pseudonyms are in.

        Returns
        -------
        tuple of Text
            What this system could not do to keep others from the file.

        Raises
        ------
        ArgumentError
            If the place is a study or a repository, if others may read what is there, if that is no linkage table, or
            if its pseudonyms were made with another key.
        """
        there = self.check(path, study)
        path = private.place(path, study)
        rows = {row: None for row in (*there._rows, *self._rows) if row[1] not in self._forgotten}
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([COLUMNS, *([_escaped(cell) for cell in row] for row in sorted(rows))])
        return private.write(path, text.getvalue().encode("utf-8-sig", "replace"))

    def check(self, path: str | Path, study: str | Path | None = None) -> Linkage:
        """Return the table that `save` would be merged with; refuse what it would refuse, before anything is done.

        Raises
        ------
        ArgumentError
            As `save` does.
        """
        path = private.place(path, study)
        there = Linkage.load(path, study) if path.exists() else Linkage()
        checks.require(
            _one_key(path, {self.fingerprint, *(row[0] for row in there._rows), *(r[0] for r in self._rows)} - {""})
        )
        return there

    @classmethod
    def load(cls, path: str | Path, study: str | Path | None = None) -> Linkage:
        """Read a linkage table.

        Raises
        ------
        ArgumentError
            If it is not there, if others may read it, or if it is no linkage table.
        """
        path = private.place(path, study)
        missing = Text("请检查路径；第一次录入后才会有这张表", "Look for it; the first intake makes it")
        try:
            rows = list(csv.reader(io.StringIO(private.read(path, missing).decode("utf-8-sig"), newline="")))
        except (UnicodeDecodeError, csv.Error):
            rows = []
        wrong = [number for number, row in enumerate(rows, 1) if len(row) != len(COLUMNS)]
        if not rows or tuple(rows[0]) != COLUMNS:
            wrong = [1]
        checks.require(
            Fault(
                Text(f"{path} 第 {wrong[0]} 行", f"{path}, line {wrong[0]}"),
                Text("不是对照表，或被改动过", "is no linkage table, or was changed"),
                Text(
                    "请用备份；它是 UTF-8 的 CSV，不要用 Excel 另存",
                    "Use your backup; it is CSV in UTF-8, not to be saved from Excel",
                ),
            )
            if wrong
            else None
        )
        table = cls()
        table._rows = {tuple(_unescaped(cell) for cell in row): None for row in rows[1:]}
        keys = {row[0] for row in table._rows if row[0]}
        checks.require(_one_key(path, keys))
        table.fingerprint = next(iter(keys), "")
        return table


def _one_key(path: Path, keys: set[str]) -> Fault | None:
    if len(keys) < 2:
        return None
    return Fault(
        str(path),
        Text("里面的假名出自另一把密钥", "holds pseudonyms that were made with another key"),
        Text(
            "同一项研究要始终用同一把密钥：请改用原来那把；若确要换，另存一张表，并重新录入全部数据",
            "One study keeps one key: use the one it began with; to change it, save another table and take "
            "everything in anew",
        ),
        "、".join(sorted(keys)),
    )


@lru_cache(1 << 16)
def _shown(value: object) -> str:
    """Return a value as it was given, but for its width and its line breaks."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(value))).strip()


_BEGIN_RISKY = frozenset("=+-@'0123456789")


def _escaped(cell: str) -> str:
    """Mark a text that a spreadsheet would take for a formula, or a number whose digits it would lose."""
    if cell[:1] not in _BEGIN_RISKY:
        return cell
    number = re.fullmatch(r"-[0-9]+(?:\.[0-9]+)?", cell)
    risky = cell.startswith(("=", "+", "-", "@", "'")) and not number
    return f"'{cell}" if risky or re.fullmatch(r"[0-9]{12,}|0[0-9]+", cell) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell
