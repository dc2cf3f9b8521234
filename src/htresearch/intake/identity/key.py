"""The key, and the pseudonyms that are made under it.

A pseudonym is an HMAC-SHA-256 (RFC 2104, FIPS 198-1) of what identifies a person, under a key that lies apart from
the study. With the same key the same person gets the same pseudonym in every wave; without it nobody can try out
names until one fits, as a plain digest would allow.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault
from htresearch.intake.identity import private
from htresearch.intake.identity.spelling import is_known, normalised
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

#: How a pseudonym of each kind begins.
PREFIXES = {"teacher": "t", "pupil": "s", "parent": "p", "respondent": "r", "school": "sch", "class": "cls"}

_HEADER = "htresearch key 1"
_SECRET_BYTES = 32
_PSEUDONYM_HEX = 20  # 80 bits: among ten million persons, two share a pseudonym with probability 4e-11


@dataclass(frozen=True, repr=False)
class Key:
    """The key under which pseudonyms are made; whoever has it can find out whose they are.

    Attributes
    ----------
    path : Path
        Where it lies.
    fingerprint : str
        Tells keys apart and nothing about the key: it may stand in a receipt.
    note : tuple of Text
        What this system could not do to keep others from the file.
    """

    path: Path
    _secret: bytes
    note: tuple[Text, ...] = ()

    @classmethod
    def create(cls, path: str | Path, study: str | Path | None = None) -> Key:
        """Make a key and write it where only its owner may read it.

        Parameters
        ----------
        path
            A file that does not exist yet, outside the study and outside every git repository.
        study
            The study whose pseudonyms it will make, where there is one already.

        Raises
        ------
        ArgumentError
            If a file is there, if the place is a study or a repository, or if the drive cannot keep others out.
        """
        path = private.place(path, study)
        secret = secrets.token_bytes(_SECRET_BYTES)
        key = cls(path, secret)
        content = f"{_HEADER}\nkey {secret.hex()}\ncheck {key.fingerprint}\n"
        return cls(path, secret, private.create(path, content.encode("ascii")))

    @classmethod
    def open(cls, path: str | Path, study: str | Path | None = None) -> Key:
        """Read a key.

        Raises
        ------
        ArgumentError
            If it is not there, if others may read it, if it lies in a study or a repository, or if it is damaged.
        """
        path = private.place(path, study)
        lines = private.read(path, missing=_NO_KEY).decode("ascii", "replace").split("\n")
        said = dict(line.strip().split(" ", 1) for line in lines[1:] if " " in line)
        secret = said.get("key", "")
        sound = lines[0].strip() == _HEADER and re.fullmatch(f"[0-9a-f]{{{2 * _SECRET_BYTES}}}", secret)
        key = cls(path, bytes.fromhex(secret), private.caution()) if sound else None
        checks.require(
            None
            if key and key.fingerprint == said.get("check")
            else Fault(
                str(path),
                Text("不是密钥文件，或内容已损坏", "is no key file, or is damaged"),
                Text(
                    "请用备份的密钥；换一把密钥，假名就全变了，与以前的数据不再对得上",
                    "Use your backup of the key: under another key every pseudonym differs, and nothing joins what "
                    "is there",
                ),
            )
        )
        return key

    @property
    def fingerprint(self) -> str:
        """Eight characters that tell keys apart."""
        return self._digest("fingerprint")[:8]

    def pseudonym(self, kind: str, *parts: str) -> str:
        """Return the pseudonym of a person.

        Parameters
        ----------
        kind
            One of `PREFIXES`.
        *parts
            What identifies the person, always in the same order: an ID-card number alone, or a name and a school.
            They are `normalised` first.

        Returns
        -------
        str
            A prefix and 20 hexadecimal digits: ``t_3f…``.

        Raises
        ------
        ArgumentError
            If the kind is unknown, or a part is missing: all who are missing would become one person.
        """
        checks.require(
            checks.one_of("kind", kind, tuple(PREFIXES)), _nothing_missing(tuple(map(is_known, parts)) or (False,))
        )
        return self._pseudonym(kind, parts)

    def pseudonyms(self, kind: str, *columns: pd.Series) -> pd.Series:
        """Return the pseudonym of each row; ``NA`` where a part is missing, blank or a filler (无, 张*).

        Parameters
        ----------
        kind
            One of `PREFIXES`.
        *columns
            The parts, as in `pseudonym`, with one index.
        """
        import pandas as pd

        checks.require(checks.one_of("kind", kind, tuple(PREFIXES)), _nothing_missing((bool(columns),)))
        seen: dict[tuple, str | None] = {}
        made = []
        for parts in zip(*(column.tolist() for column in columns), strict=True):
            if parts not in seen:
                seen[parts] = self._pseudonym(kind, parts) if all(map(is_known, parts)) else None
            made.append(seen[parts])
        return pd.Series(made, index=columns[0].index, dtype="string")

    def _pseudonym(self, kind: str, parts: Iterable[object]) -> str:
        return f"{PREFIXES[kind]}_{self._digest(kind, *map(normalised, parts))[:_PSEUDONYM_HEX]}"

    def _digest(self, *parts: str) -> str:
        """Return the HMAC of parts, each after its length, so that no two lists of parts read alike."""
        encoded = [part.encode("utf-8", "surrogatepass") for part in (_HEADER, *parts)]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
        return hmac.digest(self._secret, message, "sha256").hex()

    def __repr__(self) -> str:
        return f"Key({str(self.path)!r}, fingerprint {self.fingerprint})"

    def __reduce__(self):
        raise TypeError("a key is not to be pickled")


_NO_KEY = Text(
    "若已有密钥，请检查路径；若还没有，先生成一把：命令行加 --new-key，Python 中用 Key.create",
    "Look for where yours lies; if there is none yet, make one with --new-key, in Python with Key.create",
)


def _nothing_missing(known: tuple[bool, ...]) -> Fault | None:
    if all(known):
        return None
    return Fault(
        checks.argument("parts"),
        Text(
            "有一项是空的或只是占位（无、张*），认不出是谁",
            "one of them is empty or a filler, so that nobody is identified",
        ),
        Text("请给出全部各项，或先把这一行列出来核对", "Give all of them, or list the row to be looked into"),
    )
