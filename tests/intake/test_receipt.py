"""The receipt: what was done, in both languages, for machines and for readers."""

import json
import re

from htresearch import language
from htresearch.intake.receipt import Exclusion, Receipt
from htresearch.language import Text

RECEIPT = Receipt(
    source="答卷<1>.xlsx",
    sha256="ab" * 32,
    rows_in=1200,
    rows_kept=1197,
    exclusions=(
        Exclusion(Text("重复 & 相同", "repeated & equal"), 3, (Text("第 4 行", "row 4"), Text("第 9 行", "row 9"))),
    ),
    findings=(Exclusion(Text("不是选项", "no option"), 2, ("B7", "B8")),),
    notes=(Text("按文本", "by text"),),
    tables={Text("缺失", "Missing"): {Text("跳过", "Skipped"): 1200, "x": 2}, Text("空表", "Empty"): {}},
)


def test_json_says_all_in_both_languages():
    said = json.loads(RECEIPT.to_json())
    assert (said["rows_in"], said["rows_kept"]) == (1200, 1197)
    assert said["exclusions"] == [
        {
            "rule": {"zh": "重复 & 相同", "en": "repeated & equal"},
            "count": 3,
            "where": [{"zh": "第 4 行", "en": "row 4"}, {"zh": "第 9 行", "en": "row 9"}],
        }
    ]
    assert said["findings"][0]["where"] == ["B7", "B8"]
    assert said["tables"][0]["counts"] == [
        {"name": {"zh": "跳过", "en": "Skipped"}, "count": 1200},
        {"name": "x", "count": 2},
    ]


def test_the_page_is_whole_and_harmless():
    page = RECEIPT.to_html()
    assert "答卷&lt;1&gt;.xlsx" in page and "<1>" not in page
    assert "repeated &amp; equal" in page and "重复 &amp; 相同" in page
    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(", page)
    assert "default-src 'none'" in page
    for part in ('lang="zh-Hans" id="zh"', 'lang="en" id="en"', "<dd>1,200</dd>", "1,197", "第 9 行", "row 9"):
        assert part in page
    assert "{{" not in page and "空表" not in page
    # More rows than places: the count says so.
    assert "共 3 处" in page and "3 in all" in page and "2 in all" not in page


def test_nothing_left_out():
    page = Receipt("a.csv", "00" * 32, 5, 5).to_html()
    assert "没有剔除任何一行" in page and "No row was left out" in page


def test_files_are_named_after_the_content(tmp_path):
    first = RECEIPT.write(tmp_path / "receipts")
    assert [p.name for p in first] == ["receipt-abababababab.json", "receipt-abababababab.html"]
    assert RECEIPT.write(tmp_path / "receipts") == first
    assert len(list((tmp_path / "receipts").iterdir())) == 2
    assert json.loads(first[0].read_text(encoding="utf-8"))["source"] == RECEIPT.source


def test_it_shows_itself():
    with language.speaking("en"):
        assert str(RECEIPT) == "答卷<1>.xlsx: 1200 rows in, 1197 kept\nrepeated & equal: 3"
        assert "rows in" in RECEIPT._repr_html_() and "收到" not in RECEIPT._repr_html_()
