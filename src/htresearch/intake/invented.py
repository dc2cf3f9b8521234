"""Invented numbers and addresses that look real and can belong to nobody.

Phones have prefixes that are assigned to no network, ID cards a right check character but an area that does not
exist, IP addresses are those set aside for documentation (RFC 5737, RFC 3849). The same key has the same number
wherever it is asked for.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from htresearch.intake.school.books.made_up import names_by_lot

_NICKNAMES = (
    "阳光下的向日葵",
    "岁月静好",
    "A云淡风轻",
    "小雨点妈妈",
    "追风的人",
    "桃李不言",
    "静待花开",
    "老班日记",
    "快乐每一天",
)
#: No network has these prefixes.
_PREFIXES = ("160", "161", "163", "168", "169")
#: No county has these codes; their first two digits are provinces.
_NOWHERE = ("119999", "329999", "379999", "419999", "449999", "519999")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")


@dataclass(frozen=True)
class Invented:
    """Invented numbers; each method gives a key always the same answer.

    Parameters
    ----------
    seed
        Another seed, other numbers.

    Examples
    --------
    >>> people = Invented(1)
    >>> people.phone("T000001") == people.phone("T000001")
    True
    >>> people.ip("T000001").startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    True
    """

    seed: int

    def _drawn(self, what: str, key: str) -> random.Random:
        digest = hashlib.blake2b(f"{self.seed}|{what}|{key}".encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def name(self, key: str) -> str:
        """Return a name."""
        return names_by_lot(1, np.random.default_rng(self._drawn("name", key).getrandbits(64)))[0]

    def phone(self, key: str) -> str:
        """Return a mobile phone of a prefix that no network has."""
        draw = self._drawn("phone", key)
        return draw.choice(_PREFIXES) + f"{draw.randrange(10**8):08d}"

    def id_card(self, key: str, years: tuple[int, int] = (1970, 1998)) -> str:
        """Return an ID card whose check character is right and whose area does not exist."""
        draw = self._drawn("id_card", key)
        born = date(years[0], 1, 1) + timedelta(days=draw.randrange(365 * (years[1] - years[0])))
        digits = f"{draw.choice(_NOWHERE)}{born:%Y%m%d}{draw.randrange(1, 1000):03d}"
        # GB 11643, from ISO 7064 MOD 11-2.
        return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]

    def student_number(self, key: str) -> str:
        """Return a 学籍号: G and an ID card, or L and a number of its own for who has none."""
        draw = self._drawn("student_number", key)
        card = self.id_card(key, (2007, 2018))
        return f"G{card}" if draw.random() < 0.8 else f"L{card}"

    def certificate(self, key: str) -> str:
        """Return a 教师资格证号: year, province, office, kind, sex and number, 17 digits."""
        draw = self._drawn("certificate", key)
        kind, sex = draw.randrange(1, 5), draw.randrange(2)
        return f"{draw.randrange(1998, 2010)}41999{kind}{sex}{draw.randrange(10**6):06d}"

    def wechat(self, key: str) -> str:
        """Return a 微信昵称, some with the name in it, as people have."""
        draw = self._drawn("wechat", key)
        return f"{draw.choice('五六七八')}班{self.name(key)}" if draw.random() < 0.3 else draw.choice(_NICKNAMES)

    def email(self, key: str) -> str:
        """Return an e-mail address of a domain that is set aside (RFC 2606)."""
        return f"t{self._drawn('email', key).randrange(10**7):07d}@example.com"

    def ip(self, key: str) -> str:
        """Return an IP address set aside for documentation."""
        draw = self._drawn("ip", key)
        return f"{draw.choice(_NETWORKS)}.{draw.randrange(1, 255)}"

    def ipv6(self, key: str) -> str:
        """Return an IPv6 address set aside for documentation."""
        draw = self._drawn("ipv6", key)
        return f"2001:db8:{draw.randrange(1, 0xFFFF):x}:{draw.randrange(1, 0xFFFF):x}::{draw.randrange(1, 0xFFFF):x}"
