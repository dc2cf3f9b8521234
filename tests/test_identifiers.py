"""What identifies is found however it is written, and what does not is left alone.

Numbers are made up. Check characters are reckoned here a second time, from the standards.
"""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from htresearch import language
from htresearch.identifiers import KINDS, Names, any_in, as_id_card, check_character, find, mask
from htresearch.language import label

# GB 11643-1999 gives this number as its example.
CARD = "11010519491231002X"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, start, end in find(text)]


# --- ID cards ------------------------------------------------------------

PROVINCES = ["11", "13", "15", "23", "31", "37", "42", "46", "50", "54", "65", "71", "81", "83"]
born = st.dates(date(1930, 1, 1), date(2024, 12, 31))


@st.composite
def cards(draw, born=born) -> str:
    """A number by the standard: the weighted sum of all 18 is 1 modulo 11, the weights being powers of two."""
    area = draw(st.sampled_from(PROVINCES)) + f"{draw(st.integers(0, 9999)):04d}"
    first = f"{area}{draw(born):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    rest = sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(first)) % 11
    last = (1 - rest) % 11
    return first + ("X" if last == 10 else str(last))


# Nothing that could belong to a number, or announce one.
around = st.text(st.sampled_from("我家孩子的身份证在这里，吗？（）\n；/abc"), max_size=6)
GAPS = ["", " ", "-", "－", "　", "—", " - "[1:], "\u200b"]


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in text)


@st.composite
def written(draw, number: str, *groupings: tuple[int, ...]) -> str:
    """A number as people write it: in groups, in full width, with a small x."""
    gap, parts, rest = draw(st.sampled_from(GAPS)), [], number
    for length in draw(st.sampled_from([(len(number),), *groupings])):
        parts.append(rest[:length])
        rest = rest[length:]
    text = gap.join(parts)
    text = text.lower() if draw(st.booleans()) else text
    return full_width(text) if draw(st.booleans()) else text


def test_an_id_card_between_letters_that_a_digest_could_have_is_found():
    card = "110000200001010000"
    assert kinds(f"aaa{card}bbb") == [("id_card", card)]
    assert kinds("3f1a110000200001019c0d11") == []  # a digest


@settings(deadline=None, max_examples=150)
@given(st.data(), cards(), around, around)
def test_an_id_card_is_found_however_it_is_written(data, card, before, after):
    number = data.draw(written(card, (6, 8, 4), (6, 4, 4, 4), (4, 4, 4, 4, 2), (3, 3, 4, 4, 4)))
    text = before + number + after
    assert kinds(text) == [("id_card", number)]
    assert as_id_card(number) == card
    assert mask(text) == f"{before}‹身份证号›{after}"


@settings(deadline=None, max_examples=150)
@given(cards(), st.integers(0, 17), st.integers(1, 9))
def test_no_single_wrong_digit_passes_for_a_card(card, place, step):
    assume(card[place] != "X")
    wrong = card[:place] + str((int(card[place]) + step) % 10) + card[place + 1 :]
    assert as_id_card(wrong) is None
    assert "id_card" not in [kind for kind, *_ in find(wrong)]


@settings(deadline=None, max_examples=60)
@given(cards(st.dates(date(1930, 1, 1), date(1999, 12, 31))))
def test_fifteen_digits_are_the_same_card(card):
    old = card[:6] + card[8:17]
    assert kinds(f"身份证{old}号") == [("id_card", old)]
    assert as_id_card(old) == card


def test_the_example_of_the_standard():
    assert check_character(CARD[:17]) == "X"
    assert as_id_card(CARD.lower()) == CARD


@pytest.mark.parametrize(
    "slip",
    [
        "110105194912310021",
        "110105 19491231 0021",
        "11010519491231002",
        "11010519491231002*",
        "1.10105194912310E+17",
        "1.101051949123102E+17",
    ],
)
def test_a_card_with_a_slip_or_spoiled_by_a_spreadsheet_is_told_apart(slip):
    assert kinds(f"号码{slip}。") == [("id_card_like", slip)]
    assert mask(slip) == "‹疑似身份证号›"


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"\A[0-9]{18}\Z"))
def test_other_numbers_of_18_digits_are_no_finds(number):
    built = number[:2] in {str(n) for n in range(11, 84)} | {"9" + d for d in "1234568"}
    assume(not built or not re.match("19|20", number[6:8]))
    assert find(number) == []


@pytest.mark.parametrize("number", ["37060220240230123X", "990602198501011234", "370602188501011234"])
def test_an_impossible_date_or_province_makes_no_card(number):
    assert as_id_card(number) is None
    assert find(number) == []


def test_a_foreigners_permanent_residence_is_a_card():
    number = "91137019850101123"
    number = number[:17] + check_character(number[:17])
    assert kinds(number) == [("id_card", number)]


# --- 学籍号 ------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(st.data(), cards(), st.sampled_from("GJL"), around)
def test_a_student_number_is_found_with_its_letter(data, card, letter, before):
    assume(not (before and before[-1].isascii() and before[-1].isalpha()))
    number = data.draw(written(letter + card, (1, 18), (7, 8, 4)))
    assert kinds(before + number) == [("student_number", number)]
    if letter == "G":
        assert as_id_card(number) == card


def test_a_temporary_number_needs_no_check_character():
    assert kinds("学籍号L370602201501011234") == [("student_number", "L370602201501011234")]


def test_a_letter_too_many_does_not_hide_the_card():
    assert kinds(f"LG{CARD}") == [("id_card", CARD)]


def test_a_local_number_is_found_by_its_word():
    assert kinds("学籍号：0112345678901234") == [("student_number", "0112345678901234")]


# --- Phones ------------------------------------------------------------

mobiles = st.from_regex(r"\A1[3-9][0-9]{9}\Z").filter(
    lambda n: not any(re.search("19[5-9]|20[0-4]", group) for group in (n[3:7], n[7:], n[3:], n[:4], n[4:8]))
)


@settings(deadline=None, max_examples=150)
@given(st.data(), mobiles, st.sampled_from(["", "+86", "86", "0086-", "(+86)", "＋８６ "]), around, around)
def test_a_mobile_is_found_however_it_is_written(data, number, country, before, after):
    phone = country + data.draw(written(number, (3, 4, 4), (3, 3, 5), (4, 4, 3), (4, 3, 4)))
    found = kinds(before + phone + after)
    assert [kind for kind, _ in found] == ["phone"]
    assert found[0][1].endswith(phone.lstrip("(+＋"))


@pytest.mark.parametrize(
    "phone",
    [
        "1 3 8 0 0 1 3 8 0 0 0",
        "一三八零零一三八零零零",
        "幺三八〇〇幺三八〇〇〇",
        "138.0013.8000",
        "0535-6123456",
        "（0535）6123456",
        "05356123456",
        "0535—612 3456",
        "010-62345678",
        "+86 535 6123456",
        "+852 9123 4567",
    ],
)
def test_other_ways_to_write_a_phone(phone):
    text = f"请拨{phone}找我"
    assert kinds(text) == [("phone", phone)]


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("电话：6123456", "6123456"),
        ("手机是1380013800", "1380013800"),
        ("13800138000.0", "13800138000"),
        ("1.13800138000张老师", "13800138000"),
        ("tel13800138000", "13800138000"),
        ("2024年13800138000", "13800138000"),
    ],
)
def test_where_a_phone_begins_and_ends(text, phone):
    assert kinds(text) == [("phone", phone)]


def test_numbers_side_by_side_are_all_found():
    text = f"王13800138000/13900139000，{CARD} 0535-6123456 a@b.cn"
    assert [kind for kind, _ in kinds(text)] == ["phone", "phone", "id_card", "phone", "email"]
    assert mask(text) == "王‹电话›/‹电话›，‹身份证号› ‹电话› ‹邮箱›"


# --- Other kinds ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("邮箱li.lan-88@163.com吧", "email", "li.lan-88@163.com"),
        ("ａｂ＠ｑｑ．ｃｏｍ", "email", "ａｂ＠ｑｑ．ｃｏｍ"),
        ("13800138000@139.com", "email", "13800138000@139.com"),
        ("来自113.120.1.5(山东)", "ip", "113.120.1.5"),
        ("IP：192.168.1.1", "ip", "192.168.1.1"),
        ("从2409:8a3c:1234::1上网", "ip", "2409:8a3c:1234::1"),
        ("证书20083702121000123号", "certificate", "20083702121000123"),
        ("教师资格证：2008 3702 1210 00123", "certificate", "2008 3702 1210 00123"),
        ("资格证号20241101112112345", "certificate", "20241101112112345"),
        ("微信号lan_88", "wechat", "lan_88"),
        ("微信：lan88888", "wechat", "lan88888"),
        ("ＷＸ：lan88888", "wechat", "lan88888"),
        ("微信昵称：小草莓，", "wechat", "小草莓"),
        ("加wxid_ab12cd34ef", "wechat", "wxid_ab12cd34ef"),
        ("QQ：123456789", "qq", "123456789"),
        ("座号：12", "seat_number", "12"),
        ("学号20240315", "seat_number", "20240315"),
        ("３班１２号", "seat_number", "１２号"),
        ("七（3）班5号同学", "seat_number", "5号"),
        ("我叫王小明，今年十岁", "name", "王小明"),
        ("孩子叫李小红，很内向", "name", "李小红"),
        ("家长：李建国", "name", "李建国"),
        ("签名：王 芳", "name", "王 芳"),
        ("扣扣12345678", "qq", "12345678"),
        ("加V：abc12345", "wechat", "abc12345"),
        ("威信：zhangsan2020", "wechat", "zhangsan2020"),
        ("161/1234/5678", "phone", "161/1234/5678"),
        ("姓名：欧阳　兰", "name", "欧阳　兰"),
        ("感谢夏英老师的帮助", "name", "夏英"),
        ("我们班主任王小明老师很好", "name", "王小明"),
        ("欧阳兰主任说过", "name", "欧阳兰"),
        ("和李子涵同学是同桌", "name", "李子涵"),
        ("孩子的同桌张三妈妈", "name", "张三"),
        ("工资卡6222021234567890128", "bank_card", "6222021234567890128"),
        ("6222 0212 3456 7894", "bank_card", "6222 0212 3456 7894"),
    ],
)
def test_a_kind_is_found(text, kind, what):
    assert kinds(text) == [(kind, what)]


@pytest.mark.parametrize(
    "text",
    [
        # days, times, terms
        "2024-09-01",
        "2024-09-01 12:30:45",
        "2024.9.1",
        "20240901",
        "2024年9月1日至2025年1月20日",
        "20240901123045",
        "20241101112112345",
        "12:30:45-13:40:50",
        "123秒",
        "2分3秒",
        "1:23",
        "1693526400000",
        "2024-2025学年第一学期",
        "1998-2003 150人",
        "020-20240901",
        # scores and answers
        "98 87 76 65 54 43 32 21 100 99 98",
        "1 5 3 2 4 1 2 3 4 5 1",
        "满分150 2023 2024",
        "150-20240901",
        "1;2;3;4;5;6;7;8;9",
        "12→3→4→5→6→7→8",
        "3.14159265358979",
        "0.13800138000",
        "1.13800138000",
        "1.370602850101123",
        "0.20083702121000123",
        "95% CI 0.123456789012345, 0.234567890123456",
        # ids and digests
        "t_8f3a",
        "t_13800138000abcdef123",
        "S0001",
        "550e8400-e29b-41d4-a716-446655440000",
        "e3b0c44298fc1c149afb13800138000b27ae41e4649b934ca495991b7852b855",
        # words
        "我们班12号去春游",
        "3班12号楼",
        "学号是什么",
        "微信群里发通知",
        "用微信和家长联系",
        "电话打不通",
        "3.2.1.1 目标",
        "版本3.11.7.12",
        "(3)班",
        "第3题(…)",
        "感谢老师，感谢王老师，向周老师学习",
        "希望任课老师和高年级老师少布置作业",
        "M3 任班主任不满三年的占比",
        "有时候老师太累，给安排老师的人添麻烦",
        "和周围同学、同班同学、其他同学相处好",
        "对于年轻老师，万千家长都理解",
        "",
    ],
)
def test_what_identifies_nobody_is_left_alone(text):
    assert kinds(text) == []
    assert mask(text) == text


def test_every_kind_has_a_label_in_both_languages():
    for kind in KINDS:
        said = label(kind, within="identifier")
        assert said.zh != kind != said.en


# --- Masks ------------------------------------------------------------


def test_numbers_and_names_are_masked_together():
    assert mask("打13800138000找王兰", Names(["王兰", "电话"])) == "打‹电话›找‹姓名›"
    assert mask("‹13800138000›‹王兰›", Names(["王兰"])) == "‹‹电话››‹‹姓名››"


def test_marks_are_data_and_speak_no_language():
    with language.speaking("en"):
        assert mask("13800138000") == "‹电话›"


anything = st.lists(
    st.sampled_from(
        [*"0123456789" * 3, *"+-. @:：/_xXGa班号微信王兰，１８　\u200b‹›", "138", "2024", "姓名", "电话"]
    ),
    max_size=40,
).map("".join)


@settings(deadline=None, max_examples=200)
@given(anything)
def test_nothing_is_found_in_what_was_masked(text):
    names = Names(["王兰", "电话", "姓名"])
    masked = mask(text, names)
    assert find(masked) == [] == names.find(masked)


@settings(deadline=None, max_examples=200)
@given(anything)
def test_finds_lie_in_order_within_the_text(text):
    ends = [0]
    for _, start, end in find(text):
        assert ends[-1] <= start < end <= len(text)
        ends.append(end)


# --- Columns ------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(anything, st.just(None), mobiles, cards()), max_size=8), st.booleans())
def test_a_column_is_judged_as_its_texts(texts, as_category):
    column = pd.Series(texts, index=range(5, 5 + len(texts)), dtype="str", name="q1")
    expected = [bool(text and find(text)) for text in texts]
    if as_category:
        column = column.astype("category")
    held = any_in(column)
    assert held.tolist() == expected
    assert held.dtype == bool and held.index.equals(column.index) and held.name == "q1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([13800138000, 5], dtype="int64"), [True, False]),
        (pd.Series([13800138000, None], dtype="Int64"), [True, False]),
        (pd.Series([13800138000.0, 82.5, np.nan, np.inf]), [True, False, False, False]),
        (pd.Series([110105194912310039, 110105194913310039], dtype="int64"), [True, False]),
        (
            pd.Series([13800138000.0, "满意", None, 3, "a@b.cn", "\ud800"], dtype=object),
            [True, False, False, False, True, False],
        ),
        (pd.Series(["座号12", None], dtype="string"), [True, False]),
        (pd.Series([True, False]), [False, False]),
        (pd.Series(pd.to_datetime(["2024-09-01"])), [False]),
        (pd.Series([], dtype="str"), []),
        (pd.concat([pd.Series(["a"]), pd.Series(["13800138000"])]), [False, True]),
    ],
)
def test_a_column_of_any_type(values, expected):
    assert any_in(values).tolist() == expected


def test_names_count_where_they_are_given():
    column = pd.Series(["王兰很好", "老师", None, "13800138000"])
    assert any_in(column).tolist() == [False, False, False, True]
    assert any_in(column, Names(["王兰"])).tolist() == [True, False, False, True]


# --- Names ------------------------------------------------------------

ROSTER = Names(["王兰", "王兰芳", "李建国", "阿卜杜拉·买买提", "欧阳 明月", "Mary Li", "Ann", "刘⼀鸣"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王兰老师好", ["王兰"]),
        ("王兰芳和王兰", ["王兰芳", "王兰"]),
        ("王　兰", ["王　兰"]),
        ("王\u200b兰", ["王\u200b兰"]),
        ("阿卜杜拉•买买提", ["阿卜杜拉•买买提"]),
        ("阿卜杜拉买买提", ["阿卜杜拉买买提"]),
        ("阿卜杜拉说", ["阿卜杜拉"]),
        ("欧阳明月", ["欧阳明月"]),
        ("ask mary li.", ["mary li"]),
        ("ＭＡＲＹ ＬＩ", ["ＭＡＲＹ ＬＩ"]),
        ("Annual report", []),
        ("Joann", []),
        ("问Ann吧", ["Ann"]),
        ("刘一鸣", ["刘一鸣"]),
        ("姓王，兰花", []),
        ("王\n兰", []),
        ("", []),
    ],
)
def test_names_in_free_text(text, found):
    assert [text[start:end] for _, start, end in ROSTER.find(text)] == found


def test_what_is_no_name_is_left_out_and_counted():
    names = Names(["王", "", None, "12号", "李建国"])
    assert names.left_out == 4
    assert names.find("王12号") == []
    assert mask("王12号李建国", names) == "王12号‹姓名›"


def test_no_names_find_nothing():
    assert Names([]).find("王兰") == []
