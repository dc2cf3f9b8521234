"""Reading an instrument: what it becomes, and every way in which a file can be refused, none of them a traceback."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import htresearch as ht
from htresearch import instruments, language
from htresearch.errors import InstrumentError
from htresearch.instruments import Choice
from htresearch.language import Text

from .written import CONTENT, SURVEYS, content, item, save


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


class TestWhatIsRead:
    def test_header(self, small):
        assert (small.id, small.version, small.status, small.respondent) == ("small", "1.0", "draft", "teacher")
        assert small.title == Text("小问卷", "Small survey")
        assert (small.clauses, small.minutes, small.anonymous, small.worded) == (("M2", "W7"), 3, False, True)

    def test_questions_are_numbered_and_rows_of_a_matrix_are_single_items(self, small):
        assert [q.number for q in small.questions] == list(range(1, 9))
        assert list(small.items) == [
            "name", "trained", "formats", "ways", "view_1", "view_2", "years", "began_on", "comment",
        ]  # fmt: skip
        assert small.items["view_1"].type == "single"
        assert small.items["view_1"].text == Text("我喜欢这份工作。", "I like the work.")
        assert small.questions[2].when == {"trained": (1,)}
        assert [q.optional for q in small.questions[-2:]] == [True, True]

    def test_choices_named_or_written_there(self, small):
        assert small.items["trained"].choices == (Choice(1, Text("是", "Yes")), Choice(2, Text("否", "No")))
        assert small.items["view_2"].choices[3] == Choice(-4, Text("不适用", "Not applicable"), True)

    def test_a_choice_that_is_no_answer_is_a_missing_code(self, small):
        assert small.items["view_1"].values == (1, 2, 3)
        assert dict(small.items["view_1"].missing) == {
            -4: Text("不适用", "Not applicable"),
            -3: Text("跳过", "Skipped"),
        }

    def test_codes_of_an_item_are_added_to_those_of_all(self, tmp_path):
        changed = content()
        item(changed, "years")["missing"] = [{"value": -9, "zh": "忘了", "en": "Forgotten"}]
        read = instruments.load_instrument(save(tmp_path, changed))
        assert set(read.items["years"].missing) == {-3, -9}
        assert set(read.items["trained"].missing) == {-3}

    def test_scales(self, small):
        liking, length = small.scales.values()
        assert (liking.items, liking.scoring, liking.min_answered) == ({"view_1": 1, "view_2": -1}, "mean", 0.8)
        assert length.scoring == "sum"

    def test_a_whole_number_written_with_a_point_is_whole(self, tmp_path):
        changed = content()
        changed["choices"]["agreement"][0]["value"] = 1.0
        item(changed, "formats")["when"] = {"trained": [1.0]}
        read = instruments.load_instrument(save(tmp_path, changed))
        assert [type(v) for v in read.items["view_1"].values] == [int, int, int]
        assert type(read.questions[2].when["trained"][0]) is int

    def test_an_instrument_without_wording(self, tmp_path):
        bare = content() | {"worded": False}
        bare["items"] = [{"id": "m", "type": "matrix", "choices": "agreement", "rows": {"m_1": None, "m_2": None}}]
        bare["scales"] = {}
        read = instruments.load_instrument(save(tmp_path, bare))
        assert read.items["m_2"].text == Text("", "")

    def test_byte_order_mark(self, tmp_path):
        path = save(tmp_path, CONTENT)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert instruments.load_instrument(path).id == "small"


class TestTheFile:
    """What is no plain YAML is refused in one sentence."""

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("a: [1", "不是可读的 YAML"),
            ("a: 1\nb: 2\na: 3", "同一个名称出现了两次"),
            ("a: &x 1\nb: *x", "锚点与别名"),
            ("a: &x 1", "锚点与别名"),
            ("a: !!python/object/apply:os.system [ls]", "类型标记"),
            ("a: !!int ''", "类型标记"),
            ("a: ! b", "类型标记"),
            ("? [1, 2]\n: 3", "简单的名称"),
            ("<<: {a: 1}", "简单的名称"),
            ("a: .nan", "有限的数"),
            ("a: -.inf", "有限的数"),
            ("a: 1e999", "不合格式|缺少"),
            ("a: 2024-13-45", "不是可读的 YAML"),
            ("a: \x07", "不是可读的 YAML"),
            ("- a\n- b", "不是一份问卷"),
            ("", "不是一份问卷"),
            ("just words", "不是一份问卷"),
            ("a: 1\n---\nb: 2", "不是可读的 YAML"),
            ("[" * 5000, "不是可读的 YAML"),
            ("a: " + "[" * 900 + "]" * 900, "没有“a”这一项|不是可读的 YAML"),
        ],
    )
    def test_is_refused(self, tmp_path, text, rule):
        path = tmp_path / "small.yaml"
        path.write_text(text, "utf-8")
        with pytest.raises(InstrumentError, match=rule):
            instruments.load_instrument(path)

    def test_the_line_is_told(self, tmp_path):
        path = tmp_path / "small.yaml"
        path.write_text("a: 1\nb: 2\na: 3", "utf-8")
        with pytest.raises(InstrumentError, match=r"small\.yaml 第 3 行"):
            instruments.load_instrument(path)

    def test_other_encodings(self, tmp_path):
        path = tmp_path / "small.yaml"
        path.write_bytes("title: 班主任".encode("gb18030"))
        with pytest.raises(InstrumentError, match="UTF-8"):
            instruments.load_instrument(path)

    def test_too_large(self, tmp_path):
        path = tmp_path / "small.yaml"
        path.write_text("#" * 200_001, "utf-8")
        with pytest.raises(InstrumentError, match="200 KB"):
            instruments.load_instrument(path)

    @pytest.mark.parametrize("name", ["missing.yaml", "."])
    def test_no_file(self, tmp_path, name):
        with pytest.raises(InstrumentError, match="没有这个文件"):
            instruments.load_instrument(tmp_path / name)

    def test_it_may_not_be_read(self, tmp_path, monkeypatch):
        path = save(tmp_path, CONTENT)

        def refuse(*_, **__):
            raise PermissionError

        monkeypatch.setattr(Path, "read_text", refuse)
        with pytest.raises(InstrumentError, match="打不开"):
            instruments.load_instrument(path)


class TestStructure:
    @pytest.mark.parametrize(
        ("change", "where", "rule"),
        [
            (lambda c: c.pop("licence"), "small.yaml", "缺少 licence"),
            (lambda c: c.update(licnce="x"), "small.yaml", "没有“licnce”这一项。是否想写 licence"),
            (lambda c: c.update(status="final"), "status", "可选：draft、piloted、validated"),
            (lambda c: c.update(respondent="boss"), "respondent", "可选：teacher"),
            (lambda c: c.update(version=1.0), "version", "一段文字"),
            (lambda c: c.update(version="  "), "version", "是空白"),
            (lambda c: c.update(anonymous="yes"), "anonymous", "true 或 false"),
            (lambda c: c.update(minutes=0), "minutes", "允许的范围：1"),
            (lambda c: c.update(minutes=2.5), "minutes", "整数"),
            (lambda c: c.update(clauses=["M9"]), "clauses · 1", "写法不合规定"),
            (lambda c: c.update(clauses="M1"), "clauses", "一个列表"),
            (lambda c: c["title"].pop("en"), "title", "缺少 en"),
            (lambda c: c["title"].update(zh=""), "title · zh", "是空白"),
            (lambda c: c.update(items=[]), "items", "至少写 1 个"),
            (lambda c: c.update(items={"a": 1}), "items", "一个列表"),
            (lambda c: c["items"].append("words"), "第 9 题", "一组“名称: 值”"),
            (lambda c: c["items"].append({"type": "text"}), "第 9 题", "缺少 id"),
            (lambda c: item(c, "years").update(id="Years"), "Years · id", "小写英文字母"),
            (lambda c: item(c, "years").update(id="years\n"), "id", "小写英文字母"),
            (lambda c: item(c, "years").update(id="y" * 33), "id", "最多 32 个字符"),
            (lambda c: item(c, "years").update(type="integer"), "years · type", "可选：single"),
            (lambda c: item(c, "years").update(min="0"), "years · min", "这里应是 数"),
            (lambda c: item(c, "years").update(maximum=3), "years", "没有“maximum”这一项"),
            (lambda c: item(c, "name").update(identifies="face"), "name · identifies", "可选：name"),
            (lambda c: item(c, "formats").update(when={}), "formats · when", "至少写 1 个"),
            (lambda c: item(c, "formats").update(when={"trained": []}), "formats · when", "至少写 1 个"),
            (lambda c: item(c, "formats").update(when={"trained": 1}), "formats · when", "一个列表"),
            (lambda c: item(c, "views").update(rows={}), "views · rows", "至少写 1 个"),
            (lambda c: item(c, "views")["rows"].update(view_1="words"), "view_1", "不合格式"),
            (lambda c: item(c, "views")["rows"].update({3: None}), "views · rows", "这里应是"),
            (lambda c: c["choices"]["agreement"][0].pop("zh"), "agreement · 1", "缺少 zh"),
            (lambda c: c["choices"]["agreement"][0].update(value="a"), "value", "整数"),
            (lambda c: c["choices"]["agreement"][0].update(value=10**9), "value", "9999"),
            (lambda c: c["choices"].update(agreement=c["choices"]["agreement"][:1]), "agreement", "至少写 2 个"),
            (lambda c: c["scales"]["liking"].pop("items"), "liking", "缺少 items"),
            (lambda c: c["scales"]["liking"]["items"].update(view_1=2), "view_1", "可选：1、-1"),
            (lambda c: c["scales"]["liking"].update(scoring="max"), "scoring", "可选：mean、sum"),
            (lambda c: c["scales"]["liking"].update(min_answered=1.5), "min_answered", "允许的范围：1"),
            (lambda c: c["scales"]["liking"].update(min_answered=0), "min_answered", "允许的范围：0"),
            (lambda c: c["scales"]["liking"].update(norms={"all": {"mean": 3}}), "norms · all", "缺少 sd"),
            (lambda c: c["missing"][0].pop("value"), "missing · 1", "缺少 value"),
        ],
    )
    def test_a_fault_names_its_place_and_the_rule(self, tmp_path, change, where, rule):
        changed = content()
        change(changed)
        said = [str(fault) for fault in instruments.lint(save(tmp_path, changed))]
        assert any(where in fault and rule in fault for fault in said), said

    def test_all_faults_are_said_at_once_of_structure_and_of_sense(self, tmp_path):
        changed = content() | {"id": "large", "status": "final"}
        del changed["licence"]
        item(changed, "views")["choices"] = "agreemnt"
        with pytest.raises(InstrumentError) as raised:
            instruments.load_instrument(save(tmp_path, changed))
        assert len(raised.value.faults) == 5  # and the choices are used no more

    def test_a_long_value_is_not_repeated_whole(self, tmp_path):
        changed = content() | {"status": "x" * 1000}
        (fault,) = instruments.lint(save(tmp_path, changed))
        assert len(str(fault)) < 200

    def test_it_speaks_english(self, tmp_path):
        changed = content() | {"status": "final"}
        path = save(tmp_path, changed)
        with language.speaking("en"):
            (fault,) = instruments.lint(path)
            assert str(fault) == (
                "small.yaml · status (found 'final'): not one of the possible values. "
                "Choose from: draft, piloted, validated."
            )


class TestLint:
    def test_a_sound_file(self, tmp_path):
        assert instruments.lint(save(tmp_path, CONTENT)) == []

    def test_a_folder_tells_the_faults_of_every_file(self, tmp_path):
        save(tmp_path, content() | {"id": "other"}, "first.yml")
        save(tmp_path, content() | {"status": "final", "id": "second"}, "second.yaml")
        (tmp_path / "notes.txt").write_text("x", "utf-8")
        assert [str(f.where) for f in instruments.lint(tmp_path)] == ["first.yml · id", "second.yaml · status"]

    def test_an_empty_folder(self, tmp_path):
        (fault,) = instruments.lint(tmp_path)
        assert "没有 YAML 文件" in str(fault)


def mutations(value: object):
    """Yield the ways to every part of a document."""
    yield ()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from ((key, *way) for way in mutations(inner))


WAYS = list(mutations(CONTENT))[1:]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats() | st.text(max_size=8) | st.dates()
    | st.sampled_from(["name", "view_1", "agreement", "trained", "single", "matrix", "text", "number", ""]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def spoil(document: dict, way: tuple, value: object, drop: bool) -> None:
    *above, last = way
    for step in above:
        document = document[step]
    if drop:
        del document[last]
    else:
        document[last] = value


def ends_well(path) -> None:
    """A file is either an instrument or refused with faults that can be said in both languages."""
    try:
        read = ht.load_instrument(path)
    except InstrumentError as error:
        assert error.faults
        for spoken in language.LANGUAGES:
            with language.speaking(spoken):
                assert str(error)
        return
    assert read.items
    # Whatever passes can be written out.
    assert instruments.codebook.markdown(read)
    assert instruments.codebook.html(read)
    if read.worded:
        assert instruments.paper.html(read)
    if read.scales:
        assert instruments.lavaan.model(read).script


settled = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestWhateverTheFileHolds:
    @settled
    @given(spoilt=st.lists(st.tuples(st.sampled_from(WAYS), ANYTHING, st.booleans()), min_size=1, max_size=3))
    def test_no_change_of_the_content_ends_in_a_traceback(self, tmp_path, spoilt):
        changed = content()
        for way, value, drop in spoilt:
            try:
                spoil(changed, way, value, drop)
            except (KeyError, IndexError, TypeError, AttributeError):
                continue  # an earlier change has taken the place away
        ends_well(save(tmp_path, changed))

    @settled
    @given(cut=st.integers(0, 3000), added=st.binary(max_size=12), length=st.integers(0, 40))
    def test_no_change_of_the_bytes_ends_in_a_traceback(self, tmp_path, cut, added, length):
        path = save(tmp_path, CONTENT)
        whole = path.read_bytes()
        path.write_bytes(whole[:cut] + added + whole[cut + length :])
        ends_well(path)

    @settled
    @given(text=st.text(alphabet="ab:-{}[]&*!|>%@'\"#\n \t0.?<=~中", max_size=60))
    def test_no_text_ends_in_a_traceback(self, tmp_path, text):
        path = tmp_path / "small.yaml"
        path.write_text(text, "utf-8")
        ends_well(path)

    def test_nothing_of_the_file_is_run(self, tmp_path):
        path = tmp_path / "small.yaml"
        path.write_text(f"a: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']", "utf-8")
        assert instruments.lint(path)
        assert os.listdir(tmp_path) == ["small.yaml"]  # noqa: PTH208


@pytest.mark.parametrize("path", sorted(SURVEYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_shipped_survives_being_dumped_and_read_again(tmp_path, path):
    again = save(tmp_path, yaml.safe_load(path.read_text("utf-8")), path.name)
    assert instruments.load_instrument(again) == instruments.load_instrument(path)
