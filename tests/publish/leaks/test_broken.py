"""What hides at the end of a line, in another script, in a sheet or in a sentence; and what only looks like it."""

import io
from pathlib import Path

import nbformat
import pandas as pd
import planted
import pytest

from htresearch.publish.leaks import Secrets, scan_content, scan_notebook
from htresearch.publish.leaks.broken import mended
from htresearch.publish.leaks.prose import says_few

ROOT = Path(__file__).parents[3]
BREAKS = ["\n", "\r\n", " \n  ", "\u2028", "-\n", "\u00ad\n"]


@pytest.mark.parametrize("end", BREAKS, ids=repr)
@pytest.mark.parametrize("at", range(1, 11))
def test_a_phone_that_a_line_broke_anywhere(end, at):
    number = "13800138000"
    assert Secrets().kinds(f"有事请打{number[:at]}{end}{number[at:]}，随时") == ["phone"]


@pytest.mark.parametrize("end", BREAKS, ids=repr)
@pytest.mark.parametrize("at", [1, 6, 14, 17])
def test_a_card_that_a_line_broke_anywhere(end, at):
    number = "11010519491231002X"
    assert "id_card" in Secrets().kinds(f"{number[:at]}{end}{number[at:]}")


@pytest.mark.parametrize(
    "text",
    [
        "call 138 0013\n8000 now",
        "手机：\n138\n0013\n8000\n",
        "电话１３８\u00a0００\n１３\u3000８０００",
        "打 138\u00ad0013\u00ad8000",
        "tel +86 138-0013-\n8000",
    ],
)
def test_groups_marks_and_widths_together(text):
    assert Secrets().kinds(text) == ["phone"]


@pytest.mark.parametrize(
    "text",
    [
        "得分\n15234\n123456\n777\n",
        "15234\n123456",
        "n 15234\n123456\n7",
        "甲校  15234\n乙校 123456",
        "均值 138.01\n38000",
        "2024-09-01\n13800138",
        "a,15234\n123456,b",
        "共 13800\n13800.5 元",
        "p = 0.1380\n0138000",
    ],
)
def test_columns_of_numbers_are_no_phones(text):
    assert Secrets().kinds(text) == []


def test_nothing_that_the_project_says_is_mended_into_a_person():
    every = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    secrets = Secrets()
    found = {}
    for path in every:
        text = path.read_text(encoding="utf-8")
        found |= {f"{path.name}: {one}": kinds for one in mended(text) if (kinds := secrets.kinds(one))}
    assert len(every) > 20
    assert found == {}


@pytest.mark.parametrize("written", ["顧曉嵐", "顧 曉 嵐", "歐陽東麗", "鍾國華", "鐘國華", "张偉杰", "張伟傑"])
def test_a_name_in_traditional_characters(written):
    secrets = Secrets(names=["顾晓岚", "欧阳东丽", "钟国华", "张伟杰"])
    assert secrets.kinds(f"感謝{written}主持") == ["name"]
    assert "‹姓名›" in secrets.mask(written)


def test_a_roster_in_traditional_characters():
    assert Secrets(names=["顧曉嵐"]).kinds("顾晓岚") == ["name"]
    assert Secrets(names=["顾晓岚"]).kinds("歡迎參觀學校，圖書館開放") == []


@pytest.mark.parametrize("written", ["Gu Xiaolan", "GU XIAOLAN", "xiaolan gu", "guxiaolan", "Gu Xiao Lan"])
def test_a_name_in_pinyin_where_the_roster_has_it(written, tmp_path):
    pd.DataFrame({"姓名": ["顾晓岚"], "拼音": ["Gu Xiaolan"]}).to_csv(tmp_path / "a.csv", index=False)
    secrets = Secrets.read(roster=tmp_path / "a.csv")
    assert secrets.kinds(f"by {written}.") == ["name"]
    assert secrets.kinds("Gulliver, xiaolanguage") == []


FEW = [
    *(
        "全校只有 2 名教师",
        "其中仅两名教师晋级",
        "骨干教师只有 3 人",
        "只剩一位班主任",
        "Only one teacher was demoted.",
    ),
    *("only 3 head teachers", "just two pupils", "A single teacher stayed.", "the only teacher there"),
]
NOT_FEW = [
    *(
        "只有 12 名教师",
        "仅二十名教师",
        "如果只有 2 名教师，就不显示",
        "每班只有一名班主任",
        "Only 12 teachers stayed.",
    ),
    *("A cell with only one teacher is refused.", "No single teacher can be told.", "只有一个班", "only one school"),
    *("只有两个学期", "just one file", "only one teacher per class", "只有 3.5 分"),
]


@pytest.mark.parametrize("text", FEW)
def test_a_sentence_that_says_that_there_are_few(text):
    assert says_few(text)
    for cell in (nbformat.v4.new_markdown_cell(text), planted.code(planted.new_output("stream", text=text))):
        assert [leak.kind for leak in scan_notebook(planted.notebook(cell), "a.ipynb")] == ["small_cell"]


@pytest.mark.parametrize("text", NOT_FEW)
def test_a_sentence_that_does_not(text):
    assert not says_few(text)


def test_no_page_of_the_project_says_so():
    assert [path.name for path in (ROOT / "docs").rglob("*.md") if says_few(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("values, found", [((3, 12), ["small_cell"]), ((13, 12), [])])
def test_a_small_count_in_a_workbook(values, found):
    book = io.BytesIO()
    with pd.ExcelWriter(book, engine="xlsxwriter") as writer:
        pd.DataFrame({"a": ["x"]}).to_excel(writer, sheet_name="one", index=False)
        pd.DataFrame({"学校": ["甲", "乙"], "人数": values}).to_excel(writer, sheet_name="two", index=False)
    leaks = list(scan_content("a.xlsx", book.getvalue()))
    assert [leak.kind for leak in leaks] == found
    assert [leak.where.en for leak in leaks] == ["sheet 2"] * len(found)
    assert list(scan_content("a.xlsx", book.getvalue(), small_counts=False)) == []
