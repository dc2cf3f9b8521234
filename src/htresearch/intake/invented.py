"""Invented people: names, numbers and addresses that look real and can belong to nobody.

Phones have prefixes that are assigned to no network, ID cards a right check character but an area that does not
exist, IP addresses are those set aside for documentation (RFC 5737, RFC 3849). The same key has the same name
wherever it is asked for, so that a person keeps it from round to round and from export to workbook.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta

# Words that names of two characters could be (高中, 安全, 任务) are avoided, so that a search for names finds names.
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗宋唐许邓冯韩曹曾彭蔡潘董袁蒋杜苏魏吕丁沈姚卢姜崔谭汪廖贾邹孟秦邱侯薛"
_LONG_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "慕容")
_GIVEN = "芷涵瑜婷琪璐睿翊昊轩泽浩晟宸妍淇嘉怡雯芸蕾颖莹倩娜敏静洁霞燕玲斌磊鹏涛杰峰瑶琳萱钰瀚骏楠"
_FIRST = ("古丽热娜", "阿依努尔", "巴特尔", "卓玛", "努尔兰", "格桑", "热依汗", "玛依拉")
_SECOND = ("艾力", "买买提", "敖其尔", "次仁", "哈力克", "多吉", "吐尔逊", "阿不都拉")
_PLACES = (
    "临溪",
    "望湖",
    "清荷",
    "云桥",
    "松岭",
    "梅园",
    "竹林",
    "柏山",
    "霞浦",
    "石塘",
    "柳湾",
    "杏花",
    "枫桥",
    "桂源",
    "莲池",
)
_SCHOOLS = {"primary": "小学", "junior": "初级中学", "senior": "高级中学"}
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
    """Invented people; each method gives a key always the same answer.

    Parameters
    ----------
    seed
        Another seed, other people.

    Examples
    --------
    >>> people = Invented(1)
    >>> people.name("T000001") == people.name("T000001")
    True
    >>> people.ip("T000001").startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    True
    """

    seed: int

    def _drawn(self, what: str, key: str) -> random.Random:
        digest = hashlib.blake2b(f"{self.seed}|{what}|{key}".encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def name(self, key: str) -> str:
        """Return a name: two to four characters, one in fifty with a dot."""
        draw = self._drawn("name", key)
        kind = draw.random()
        if kind < 0.02:
            return f"{draw.choice(_FIRST)}·{draw.choice(_SECOND)}"
        surname = draw.choice(_LONG_SURNAMES) if kind < 0.04 else draw.choice(_SURNAMES)
        return surname + "".join(draw.sample(_GIVEN, 1 if kind > 0.85 else 2))

    def school(self, key: str, kind: str = "primary") -> str:
        """Return the name of a school from an id that ends in its number; numbers have names of their own."""
        number = int("".join(c for c in key if c.isdigit()) or 0)
        again, place = divmod(number, len(_PLACES))
        return f"{_PLACES[place]}{f'第{_numeral(again + 1)}' if again else ''}{_SCHOOLS.get(kind, '学校')}"

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


def _numeral(number: int) -> str:
    """Write a number below 100 in Chinese."""
    tens, ones = divmod(number, 10)
    digits = "零一二三四五六七八九"
    return (digits[tens] if tens > 1 else "") + ("十" if tens else "") + (digits[ones] if ones or not tens else "")
