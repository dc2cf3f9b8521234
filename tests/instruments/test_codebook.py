"""The codebook: every column, value and key of an instrument stands in it, and nothing it quotes can break it."""

from html.parser import HTMLParser

import pytest

from htresearch import instruments, language
from htresearch.instruments import codebook

from .written import CONTENT, SURVEYS, content, item, save

NASTY = '<script>alert(1)</script> | `x` & "y" *z* [a](b)'


class Page(HTMLParser):
    """The tags that were opened and the words of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.open, self.words, self.rows = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "col"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


def rows(text: str) -> list[list[str]]:
    """The cells of the tables of a Markdown text."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


class TestMarkdown:
    def test_items(self, small):
        with language.speaking("en"):
            found = {row[0]: row[1:] for row in rows(codebook.markdown(small))}
        assert found["`trained`"] == ["2", "Any training?", "single choice", "1 = Yes<br>2 = No"]
        assert found["`formats`"][1] == "Which kinds?<br>\\[asked if trained is “Yes”\\]"
        assert found["`formats`"][3].endswith("the values chosen, joined by ;")
        assert found["`years`"] == ["6", "Years:", "number", "0–45"]
        assert found["`began\\_on`".replace("\\", "")][3] == "optional"
        assert found["`name`"][3] == "turned into an id on receipt; kept out of the study"

    def test_a_matrix_says_its_choices_once_above_its_rows(self, small):
        with language.speaking("en"):
            table = rows(codebook.markdown(small))
        at = next(n for n, row in enumerate(table) if "Do you agree?" in row)
        assert table[at] == [
            "", "5", "Do you agree?", "matrix",
            "1 = Disagree; 2 = Neither; 3 = Agree; Missing: -4 = Not applicable",
        ]  # fmt: skip
        assert [row[:3] for row in table[at + 1 : at + 3]] == [
            ["`view_1`", "5.1", "I like the work."],
            ["`view_2`", "5.2", "I want another job."],
        ]

    def test_codes_that_all_items_have_are_said_once(self, small):
        text = codebook.markdown(small)
        assert text.count("-3 = 跳过") == 1
        assert "各题缺失码：-3 = 跳过" in text

    def test_scales(self, small):
        with language.speaking("en"):
            table = rows(codebook.markdown(small))
        assert ["`liking`", "Liking", "view\\_1, view\\_2 (reversed)", "mean, at least 80% answered", "1–3"] in table
        assert ["`length`", "Length", "years (reversed), view\\_1", "sum, at least 80% answered", "1–48"] in table

    def test_norms(self, tmp_path):
        changed = content()
        changed["scales"]["liking"]["norms"] = {"primary": {"mean": 2.5, "sd": 0.4}}
        text = codebook.markdown(instruments.load_instrument(save(tmp_path, changed)))
        assert "常模 primary：2.5（0.4）" in text

    def test_what_it_quotes_stays_words(self, tmp_path):
        changed = content()
        item(changed, "comment").update(zh=NASTY, en=NASTY)
        table = rows(codebook.markdown(instruments.load_instrument(save(tmp_path, changed))))
        assert all(len(row) == 5 for row in table)
        (row,) = (row for row in table if row[0] == "`comment`")
        assert row[2] == '\\<script\\>alert(1)\\</script\\> \\| \\`x\\` & "y" \\*z\\* \\[a\\](b)'


class TestHtml:
    @pytest.mark.parametrize("spoken", language.LANGUAGES)
    @pytest.mark.parametrize("name", sorted(path.stem for path in SURVEYS.glob("*.yaml")))
    def test_every_column_and_scale_is_there(self, name, spoken):
        instrument = instruments.load_instrument(SURVEYS / f"{name}.yaml")
        with language.speaking(spoken):
            page = Page(codebook.html(instrument))
        assert page.open == []
        first = [row[0] for row in page.rows]
        assert [name for name in first if name in instrument.items] == list(instrument.items)
        assert first[len(first) - len(instrument.scales) :] == list(instrument.scales)
        said = " ".join(page.words)
        assert all(str(choice.value) in said and getattr(choice.label, spoken) in said
                   for i in instrument.items.values() for choice in i.choices)  # fmt: skip
        assert dict(page.tags)["html"] == {"lang": "zh-CN" if spoken == "zh" else "en"}

    def test_a_draft_is_called_one(self, small):
        assert "尚未试测" in codebook.html(small)
        assert "尚未试测" in codebook.markdown(small)

    def test_it_stands_alone(self, small):
        page = Page(codebook.html(small))
        assert not {"script", "link", "img"} & {tag for tag, _ in page.tags}
        assert "url(" not in codebook.html(small)

    def test_what_it_quotes_stays_words(self, tmp_path):
        changed = content()
        changed["title"] = {"zh": NASTY, "en": NASTY}
        item(changed, "comment").update(zh=NASTY, en=NASTY)
        changed["scales"]["liking"]["zh"] = NASTY
        page = Page(codebook.html(instruments.load_instrument(save(tmp_path, changed))))
        assert "script" not in {tag for tag, _ in page.tags}
        assert any(NASTY in words for words in page.words)

    def test_licensed_wording_is_not_missed_in_silence(self):
        page = codebook.html(instruments.load_instrument(SURVEYS / "maslach_educators.yaml"))
        assert page.count("（题干受版权保护）") == 22
