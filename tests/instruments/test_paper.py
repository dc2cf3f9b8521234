"""The paper form: all that is asked stands on it, and nothing of how it is scored."""

import pytest

from htresearch import instruments, language
from htresearch.errors import ArgumentError
from htresearch.instruments import paper

from .test_codebook import NASTY, Page
from .written import CONTENT, SURVEYS, content, item, save

WORDED = sorted(path.stem for path in SURVEYS.glob("*.yaml") if "worded: false" not in path.read_text("utf-8"))


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


def marks(page: Page) -> list[str]:
    return [attributes["class"] for tag, attributes in page.tags if tag == "i"]


@pytest.mark.parametrize("spoken", language.LANGUAGES)
@pytest.mark.parametrize("name", WORDED)
def test_every_question_is_put(name, spoken):
    instrument = instruments.load_instrument(SURVEYS / f"{name}.yaml")
    with language.speaking(spoken):
        page = Page(paper.html(instrument))
    assert page.open == []
    said = " ".join(page.words)
    for question in instrument.questions:
        assert f"{question.number}." in said
        assert getattr(question.text, spoken) in said
        for one in question.items:
            assert getattr(one.text, spoken) in said
            assert all(getattr(choice.label, spoken) in said for choice in one.choices)
    kinds = {kind: [q for q in instrument.questions if q.type == kind] for kind in ("single", "matrix", "multiple")}
    circles = sum(len(i.choices) for q in kinds["single"] + kinds["matrix"] for i in q.items)
    assert marks(page).count("circle") == circles
    assert marks(page).count("box") == sum(len(q.items[0].choices) for q in kinds["multiple"])


def test_scales_and_keys_are_not_seen(small):
    text = paper.html(small)
    assert not any(word in text for word in ("喜爱", "年资", "liking", "反向", "view_1"))


def test_a_choice_that_is_no_answer_has_no_number_and_stands_apart(small):
    page = Page(paper.html(small))
    row = next(row for row in page.rows if row[0].endswith("我喜欢这份工作。"))
    assert [cell.strip() for cell in row[1:]] == ["1", "2", "3", ""]
    assert [attributes for tag, attributes in page.tags if tag == "td"][:4] == [{}, {}, {}, {"class": "apart"}]


def test_who_is_to_answer_is_said_by_number(small):
    assert "第 2 题选“是”的，请答本题；其他人跳过。" in paper.html(small)
    with language.speaking("en"):
        assert "Only if you chose “Yes” in question 2; otherwise skip this question." in paper.html(small)


def test_a_condition_on_a_row_names_the_row(tmp_path):
    changed = content()
    item(changed, "comment")["when"] = {"view_2": [2, 3], "trained": [1]}
    text = paper.html(instruments.load_instrument(save(tmp_path, changed)))
    assert "第 5(2) 题选“说不清”或“同意”、且第 2 题选“是”的，请答本题" in text


def test_room_for_what_is_written(small):
    page = Page(paper.html(small))
    cells = [attributes for tag, attributes in page.tags if tag == "b"]
    assert len(cells) == 2 + 8  # years up to 45, and a date
    assert "0–45" in page.words
    assert marks(page).count("rank") == 3
    assert [a.get("class") for tag, a in page.tags if tag == "p"].count("line") == 1 + 1 + 1 + 3


def test_squares_are_explained_where_there_are_any(small, tmp_path):
    assert "选项前是方框的题可以多选" in paper.html(small)
    changed = content()
    changed["items"].remove(item(changed, "formats"))
    assert "方框的题" not in paper.html(instruments.load_instrument(save(tmp_path, changed)))


@pytest.mark.parametrize(("who", "words"), [("teacher", "谢谢您"), ("pupil", "谢谢你"), ("observer", "记录到此结束")])
def test_it_ends_as_it_should(tmp_path, who, words):
    instrument = instruments.load_instrument(save(tmp_path, content() | {"respondent": who}))
    assert words in paper.html(instrument)
    assert "small · 1.0" in paper.html(instrument)


def test_it_stands_alone_on_a4(small):
    text = paper.html(small)
    assert not {"script", "link", "img"} & {tag for tag, _ in Page(text).tags}
    assert "url(" not in text
    assert "size: A4" in text


def test_what_it_quotes_stays_words(tmp_path):
    changed = content()
    places = [
        item(changed, "comment"),
        item(changed, "views"),
        item(changed, "views")["rows"]["view_1"],
        item(changed, "trained")["choices"][0],
        item(changed, "ways")["choices"][0],
        changed["choices"]["agreement"][0],
    ]
    for number, place in enumerate(places):
        place["zh"] = f"{NASTY} {number}"
    changed["title"] = {"zh": NASTY, "en": NASTY}
    changed["introduction"] = dict(changed["title"])
    page = Page(paper.html(instruments.load_instrument(save(tmp_path, changed))))
    assert page.open == []
    assert "script" not in {tag for tag, _ in page.tags}
    assert (
        "".join(page.words).count("<script>") == 2 + 1 + 6 + 1
    )  # title twice, introduction, six places, and the condition that quotes one


def test_without_wording_there_is_no_form():
    with pytest.raises(ArgumentError, match="受版权保护"):
        paper.html(instruments.load_instrument(SURVEYS / "maslach_educators.yaml"))
