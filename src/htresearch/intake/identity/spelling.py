"""One spelling for what identifies a person, however it was typed."""

import re
import unicodedata
from functools import lru_cache

from htresearch.identifiers import as_id_card

#: Most names and schools are in one spelling already.
_USUAL = re.compile("[0-9]*[\u4e00-\u9fff][0-9\u4e00-\u9fff]*")
_KEPT = 1 << 16  # the same schools and classes come again and again


def normalised(part: object) -> str:
    """Return what identifies a person in one spelling, however it was typed.

    Width, case, spaces and invisible characters do not count, nor the dot in a name (阿卜杜拉·买买提). An ID card is
    written with 18 characters, also where the 15 of an old one or the G number of a pupil was given; of a mobile
    phone the country code and the dashes are left off; a number loses the zeros before it, as in a spreadsheet.

    Examples
    --------
    >>> normalised("王　兰"), normalised("+86 138-0013-8000"), normalised("g11010519491231002x")
    ('王兰', '13800138000', '11010519491231002X')
    """
    text = str(part)
    return text if _USUAL.fullmatch(text) else _settled(text)


@lru_cache(_KEPT)
def _settled(text: str) -> str:
    while (spelled := _spelled(text)) != text:
        text = spelled  # what was taken out may have kept others from being joined
    return text


def _spelled(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = "".join(c for c in text if not (c.isspace() or c in "·•・‧∙⋅●" or _unseen(c)))
    text = re.sub(r"[‐‑‒–—―−﹣]", "-", text)
    text = re.sub(r"(?<=[^\W\da-z_])\.(?=[^\W\da-z_])", "", text)
    text = text.strip(".,。、;:'\"")
    text = re.sub(r"^([0-9]+)\.0+$", r"\1", text)  # a number that a spreadsheet took for a measure
    phone = re.fullmatch(r"(?:\+?86|0086)?0?(1[3-9][0-9]{9})", re.sub(r"[()\-.]", "", text))
    if phone:
        return phone[1]
    return as_id_card(text) or re.sub(r"^0+(?=[0-9]{1,9}$)", "", text)


def _unseen(character: str) -> bool:
    """Tell whether a character is a control, a joiner or a choice of glyph."""
    glyph = "\ufe00" <= character <= "\ufe0f" or "\U000e0000" <= character <= "\U000e0fff"
    return glyph or unicodedata.category(character) in ("Cc", "Cf")


_NOTHING = frozenset(
    {
        "无",
        "没有",
        "无名",
        "匿名",
        "不详",
        "不明",
        "未知",
        "未填",
        "不填",
        "略",
        "测试",
        "none",
        "null",
        "nan",
        "na",
        "n/a",
        "test",
    }
)


def is_known(part: object) -> bool:
    """Tell whether a cell says anything: a blank, a dash, 无, 匿名 or a masked 张* does not."""
    if not isinstance(part, str):
        import pandas as pd

        if not pd.api.types.is_scalar(part) or pd.isna(part):
            return False
    text = normalised(part)
    return text not in _NOTHING and "*" not in text and any(c.isalnum() for c in text)
