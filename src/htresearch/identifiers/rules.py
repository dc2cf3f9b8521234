"""The rules by which identifiers are found, each a pattern and what else must hold.

They read a text that `plain` has made plain, so that digits, letters and separators are ASCII.
"""

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from htresearch.identifiers.id_card import PROVINCES, as_id_card, begins_like_id_card, is_date
from htresearch.identifiers.plain import INVISIBLE


@dataclass(frozen=True)
class Rule:
    """A pattern whose group ``it`` is the identifier, and what must hold of a match."""

    kind: str
    pattern: re.Pattern
    holds: Callable[[re.Match], bool]


def _rule(kind: str, pattern: str, holds: Callable[[re.Match], bool] = lambda match: True) -> Rule:
    return Rule(kind, re.compile(pattern, re.IGNORECASE), holds)


# --- What must hold ------------------------------------------------------------


def _digits(match: re.Match) -> str:
    """Return the number of a match without what stands between its groups."""
    return re.sub(r"[^0-9X]", "", match["it"].upper())


def _is_id_card(match: re.Match) -> bool:
    return as_id_card(match["it"]) is not None


def _is_id_card_like(match: re.Match) -> bool:
    return begins_like_id_card(_digits(match))


def _is_student_number(match: re.Match) -> bool:
    return match["it"].isalnum() or begins_like_id_card(_digits(match))


def _is_certificate(match: re.Match) -> bool:
    """Year, province, office, kind 1-7, sex 0-2, serial; a time down to milliseconds is none unless it is named."""
    number = _digits(match)
    day, hour, minute, second = number[:8], number[8:10], number[10:12], number[12:14]
    is_time = is_date(day) and hour < "24" and minute < "60" and second < "60"
    named = "证" in match.string[max(0, match.start() - 12) : match.start()]
    return number[4:6] in PROVINCES and (named or not is_time)


def _is_bank_card(match: re.Match) -> bool:
    """The check digit of ISO/IEC 7812 (Luhn)."""
    digits = [int(digit) for digit in reversed(_digits(match))]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


_PHONE = r"(?:电话|手机|座机|联系方式|传真|tel|phone|mobile)"
_SAYS_PHONE = re.compile(rf"{_PHONE}[^0-9]{{0,8}}$", re.IGNORECASE)


def _is_mobile(match: re.Match) -> bool:
    text, start = match.string, match.start()
    before = text[max(0, start - 20) : start]
    if _SAYS_PHONE.search(before):
        return True
    whole = re.search(r"(?<![0-9])([0-9]{1,6})\.$", before)
    if whole and (whole[1][0] == "0" or len(whole[1]) > 2 or not re.search(r"[^\W\d_]", text)):
        return False  # the decimals of a number, not the first entry of a list
    groups = re.findall("[0-9]+", match["it"])
    years = [group for group in groups if len(group) == 4 and "1950" <= group < "2050"]
    return len(years) < 2 and not any(is_date(group) for group in groups)


def _is_landline(match: re.Match) -> bool:
    return not is_date(_digits(match)[-8:])


def _is_no_date(match: re.Match) -> bool:
    return not is_date(_digits(match))


def _is_ip(match: re.Match) -> bool:
    """Four numbers up to 255; what looks like the number of a section or of a version is none."""
    octets = [int(octet) for octet in match["it"].split(".")]
    if max(octets) > 255 or re.search(r"(?:版本?|version)\s*$", match.string[: match.start()][-12:], re.IGNORECASE):
        return False
    return octets[0] >= 10 or max(octets) >= 100 or sum(octet >= 10 for octet in octets) >= 2


def _is_ipv6(match: re.Match) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.IPv6Address(match["it"]))
    return False


# --- The patterns ------------------------------------------------------------

_IS = r"[ \t:=是为叫]{0,4}"  # what stands between a word and what it announces
_GAP = r"[\s\-.·_]{0,2}"  # between digits that a check character holds together
_SAME = r"(?P<gap>[ \t]?[-·_]?[ \t]?)"  # between groups that look alike
_BEFORE = r"(?<![0-9])"
_BEFORE_WHOLE = r"(?<![0-9])(?<![0-9]\.)"  # and not the decimals of a number
_EIGHTEEN = rf"[1-9](?:{_GAP}[0-9]){{16}}{_GAP}(?:[0-9](?![0-9])|X)"
_CHINA = r"(?:\(?(?:\+|00)?86\)?[ \t\-]{0,3})?"
_WECHAT = r"(?:微信|薇信|威信|维信|weixin|wechat|(?<![A-Z])[wv]x|v信|加v(?=[ \t:号]))"
_QQ = r"(?:(?<![A-Z])QQ|扣扣|企鹅)"


def _mobile(*groups: int) -> str:
    """Return the pattern of a mobile phone in groups with the same gap: 3-4-4 is 138 0013 8000."""
    gap = "g" + "".join(map(str, groups))
    first, *rest = groups
    return rf"1[3-9][0-9]{{{first - 2}}}(?P<{gap}>[ \t]?[-·_./]?[ \t]?)" + rf"(?P={gap})".join(
        f"[0-9]{{{n}}}" for n in rest
    )


_MOBILE = "|".join(
    (
        "1[3-9][0-9]{9}",
        *(_mobile(*groups) for groups in ((3, 4, 4), (3, 3, 5), (4, 4, 3), (4, 3, 4))),
        r"1[3-9][0-9](?:[ \t]|[ \t]?-[ \t]?)[0-9]{8}",
        # Digits one by one; eleven answers from 1 to 5 in a row are no phone.
        r"1(?P<one>[ \-.])[3-9](?=(?:(?P=one)[0-9])*(?P=one)[06-9])(?:(?P=one)[0-9]){9}",
    )
)

# Common surnames, for names that only a word announces.
_SURNAMES = (
    "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|长孙|宇文|端木|独孤|"
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田"
    "任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季"
    "俞章鲁葛韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜肖詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁"
    "隋植甘景单包司柏宁柯阮桂闵解]"
)

# Words that begin like a surname and go before a title: 和任课老师 names nobody.
_NO_NAMES = (
    "任[课教职何务意班]|高[一二三中级年水素校学度等考层]|时[候间常刻]|方[面法便向案言]|周[边围末]|成[为绩长功员都]|管[理班住宿]|"
    "安[排全静徽]|关[心爱于注怀键系]|解[决答题放]|单[位科独亲]|包[括班]|段[时长考]|马[上列]|康复|文[科综艺化明]|金牌|"
    "温[柔暖和州]|严[格厉肃]|项目|卫生|阳光|辛[苦勤]|费[心用]|顾[问虑]|常[常务规年见]|游[戏泳]|白[天班]|连续|史[学地]|"
    "万[一能分千]|程序|路上|查[寝课]|江[苏西]|武[术汉]|曲艺|祝[愿福]|韩语|童年|黄金|季度|景区|钱少|席位|沈阳|苏州|徐州|"
    "贵阳|梅州|莫名|舒[心服]|司机|龙头|易[于错]|毛坦|[向于](?:[各全是年班学孩大小新老]"
    rf"|(?:{_SURNAMES})老师)"
)
_GIVEN = r"[^\W\d_A-Z的了是在和与老们个位很都也不没]"
_TITLE = r"(?:老师|同学|主任|校长|书记|先生|女士|[的他她]?(?:妈妈|爸爸|家长|爷爷|奶奶))"
_CUE = (
    r"(?:感谢|谢谢|多谢|感激|表扬|喜欢|喜爱|佩服|班主任|老师|同学|家长|同桌|^"
    r"|[找问请跟和与是由向给像让叫对被,，。.;；:：!！?？、 \t\n（(“\"])"
)

#: In the order in which they claim a place: what is checked before what is not.
RULES = (
    _rule("email", r"(?<![A-Z0-9._%+\-])(?P<it>[A-Z0-9._%+\-]+@[A-Z0-9\-]+(?:\.[A-Z0-9\-]+)*\.[A-Z]{2,})"),
    _rule("student_number", rf"(?<![A-Z])(?P<it>[GJL]{_GAP}{_EIGHTEEN})", _is_student_number),
    _rule("student_number", rf"学籍(?:号码|辅号|编号|号){_IS}(?P<it>[A-Z]?[0-9][0-9X]{{7,19}})"),
    _rule("id_card", rf"{_BEFORE}(?P<it>{_EIGHTEEN})", _is_id_card),
    _rule(
        "id_card", rf"{_BEFORE_WHOLE}(?P<it>[1-9][0-9]{{5}}{_SAME}[0-9]{{6}}(?P=gap)[0-9]{{3}})(?![0-9])", _is_id_card
    ),
    _rule(
        "certificate",
        rf"{_BEFORE_WHOLE}(?P<it>(?:19[89]|20[0-9])[0-9]{{6}}[1-7][0-2][0-9]{{6}})(?![0-9X])",
        _is_certificate,
    ),
    _rule("certificate", rf"资格证书?(?:编号|号码|号)?{_IS}(?P<it>[0-9](?:[ \-]?[0-9]){{14,16}})(?![0-9X])"),
    _rule("bank_card", rf"{_BEFORE}(?P<it>62[0-9]{{14}}(?:[0-9]{{3}})?)(?![0-9])", _is_bank_card),
    _rule("bank_card", rf"{_BEFORE}(?P<it>62[0-9]{{2}}(?: [0-9]{{4}}){{3}}(?: [0-9]{{3}})?)(?![0-9])", _is_bank_card),
    _rule(
        "id_card_like",
        rf"{_BEFORE_WHOLE}(?P<it>[1-9][0-9]{{5}}{_SAME}[0-9]{{8}}(?P=gap)[0-9]{{3}}[0-9X*]?)(?![0-9])",
        _is_id_card_like,
    ),
    _rule("id_card_like", rf"{_BEFORE}(?P<it>[1-9]\.[0-9]{{13,17}}E\+?17)(?![0-9])", _is_id_card_like),
    _rule("ip", r"(?<![0-9.V])(?P<it>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?!\.?[0-9])", _is_ip),
    _rule("ip", r"(?<![0-9A-F:.])(?P<it>[0-9A-F]{3,4}(?::[0-9A-F]{0,4}){2,7})(?![0-9A-F:])", _is_ipv6),
    _rule("phone", rf"{_BEFORE}(?P<it>{_CHINA}0?(?:{_MOBILE}))(?![0-9])", _is_mobile),
    _rule(
        "phone",
        r"(?<![0-9.])(?P<it>(?:\(?(?:\+|00)?86\)?[ \-]{0,2})?\(?"
        r"(?:0(?:10|2[0-9])(?:[2-8]|[)\- \t]{1,4}[1-9])[0-9]{3}[ \-]?[0-9]{4}"
        r"|0[3-9][0-9]{2}(?:[2-8]|[)\- \t]{1,4}[1-9])[0-9]{2,3}[ \-]?[0-9]{4}))(?![0-9])",
        _is_landline,
    ),
    _rule("phone", r"(?<![0-9A-Z])(?P<it>\+[1-9][0-9]{0,2}(?:[ \-()]{0,3}[0-9]){7,12})(?![0-9])"),
    _rule(
        "phone",
        rf"{_PHONE}(?:号码|号)?[ \t:.=是为]{{0,4}}(?P<it>[0-9](?:[ \-]?[0-9]){{6,12}})(?![0-9])",
        _is_no_date,
    ),
    _rule("wechat", r"(?<![A-Z0-9])(?P<it>wxid_[A-Z0-9]{6,})"),
    _rule("wechat", rf"{_WECHAT}[ \t]?(?:号|id){_IS}(?P<it>[A-Z0-9_][-A-Z0-9_]{{4,19}})"),
    _rule("wechat", rf"{_WECHAT}[ \t:=是为]{{0,3}}(?P<it>[A-Z](?=[-A-Z_]*[0-9_\-])[-A-Z0-9_]{{5,19}})"),
    _rule(
        "wechat", r"(?:微信|wechat|用户)(?:昵称|名称?|网名)[ \t]?[:=是为叫][ \t]?(?P<it>[^\s,，。;；、:()‹›]{1,20})"
    ),
    _rule("qq", rf"{_QQ}(?:号码|群|号)?{_IS}(?P<it>[1-9][0-9]{{4,10}})(?![0-9])"),
    _rule(
        "seat_number",
        r"(?:学号|座号|座位号|考号|准考证号|学生编号)[ \t:=是为#.]{0,3}(?P<it>(?=[A-Z\-]{0,6}[0-9])[A-Z0-9\-]{1,20})",
    ),
    _rule(
        "seat_number",
        r"[0-9一二三四五六七八九十)]班[级的第 \t]{0,2}(?P<it>[0-9]{1,2}号)(?!楼|线|馆|教室|上午|下午|晚|早)",
    ),
    _rule(
        "name",
        r"(?:(?:我|他|她|孩子|儿子|女儿|学生|同学|老师)名?叫|(?:姓名|名字)(?:[:=]|是|叫)"
        r"|(?:家长|监护人|联系人|签名)[:=])[ \t]?"
        rf"(?P<it>(?!{_NO_NAMES})(?:{_SURNAMES}) {{0,2}}[\u3400-\u9fff][^\W\d_A-Z是在的来和今我有从想老同]?)",
    ),
    _rule("name", rf"(?<!‹){_CUE}(?P<it>(?!{_NO_NAMES})(?:{_SURNAMES}) {{0,2}}{_GIVEN}{{1,2}}){_TITLE}"),
)

KINDS = tuple(dict.fromkeys(rule.kind for rule in RULES))

#: What is none of these, though it holds a long run of digits: ids of this package, UUIDs, digests. A run as long as
#: an ID card hardly ever comes about in a digest; between letters from a to f it may well be a card.
OPAQUE = re.compile(
    r"(?<![0-9A-Za-z])(?:[a-z]{1,3}_[0-9a-f]{16,64}"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|(?=[0-9]*[A-Fa-f])(?![0-9A-Fa-f]*[0-9]{18})[0-9A-Fa-f]{24,})(?![0-9A-Za-z])"
)

#: Without any of these a text, as typed, holds nothing that a rule could find. {d} stands for a digit of any script,
#: which regular expressions of Python and of Arrow spell differently.
SIEVE = (
    r"(?i)(?:{d}[^{d}]{{0,6}}){{7}}|[@＠]|(?:{d}{{1,3}}[.．]){{3}}|[0-9a-f０-９ａ-ｆ]{{3,4}}[:：][0-9a-f０-９ａ-ｆ]{{0,4}}[:：]"
    r"|[〇零○一二三四五六七八九幺]{{11}}|微信|薇信|威信|维信|weixin|wechat|[wvｗｖ][xｘ信]|加[vｖ]|昵称|用户名|qq|ｑｑ|扣扣|企鹅"
    r"|学号|座号|座位号|考号|证号|学生编号|学籍|[我他她子儿生学师名]叫|名字|姓名|监护人|联系人|签名|班[级的第\s]{{0,2}}{d}{{1,2}}号|电话|手机|座机|传真"
    r"|老师|同学|主任|校长|书记|先生|女士|妈妈|爸爸|家长|爷爷|奶奶|"
) + INVISIBLE.pattern

#: A text that is nothing but a day, a time or a decimal number identifies nobody.
MEASURE = (
    r"^\s*(?:[12][0-9]{3}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?"
    r"(?:[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
    r"|[+-]?[0-9]{1,5}\.[0-9]{1,17}(?:[eE]-[0-9]{1,3})?)\s*$"
)
