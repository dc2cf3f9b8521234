"""Small counts printed by hand are found, and what only looks like them is not."""

from functools import cache

import nbformat
import numpy as np
import pandas as pd
import planted
import pytest

import htresearch as ht
from htresearch.publish.leaks import scan_content, scan_notebook

PEOPLE = pd.DataFrame(
    {
        "school": ["甲校"] * 14 + ["乙校"] * 17,
        "sex": ["男"] * 3 + ["女"] * 11 + ["男"] * 12 + ["女"] * 5,
        "score": np.linspace(40.5, 99.5, 31),
    }
)
SIZE = PEOPLE.groupby(["school", "sex"]).size()
LARGE = pd.DataFrame({"school": ["甲校", "乙校"], "n": [14, 17]})


def named(column, values=(3, 12)):
    return pd.DataFrame({"school": ["甲校", "乙校"], column: list(values)})


def output(shown):
    """What Jupyter would keep of a value."""
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(shown)
    return planted.shown({kind: data[kind] for kind in ("text/plain", "text/html") if kind in data}, metadata)


def printed(shown):
    text = shown if isinstance(shown, str) else shown.to_string()
    return planted.code(planted.new_output("stream", name="stdout", text=text + "\n"))


def kinds(cell):
    return [leak.kind for leak in scan_notebook(planted.notebook(cell), "x.ipynb")]


SMALL = {
    "a frame": output(named("人数")),
    "a frame in English": output(named("n")),
    "a frame of the package": output(ht.table(named("n_students"))),
    "named for those counted": output(named("学生数")),
    "with a unit": output(named("人数（人）")),
    "by value_counts": output(PEOPLE.query("school == '甲校'")["sex"].value_counts()),
    "by value_counts in a frame": output(PEOPLE.query("school == '甲校'")["sex"].value_counts().reset_index()),
    "by size": output(SIZE),
    "by size, named": output(SIZE.rename("人数").reset_index()),
    "a cross-table": output(pd.crosstab(PEOPLE["school"], PEOPLE["sex"])),
    "a cross-table with margins": output(pd.crosstab(PEOPLE["school"], PEOPLE["sex"], margins=True)),
    "describe by group": output(PEOPLE.iloc[10:].groupby("school")["score"].agg(["count", "mean"])),
    "counts at the side": output(pd.DataFrame({"甲校": [3, 4.5], "乙校": [12, 5.5]}, index=["人数", "均分"])),
    "a printed frame": printed(named("人数")),
    "a printed frame with words after it": printed(named("人数").assign(note=["a b", "c"])),
    "a printed series": printed("sex\n男     3\n女    11\nName: count, dtype: int64"),
    "floats": output(named("n", (3.0, 12.0))),
    "with percentages": output(named("人数", ("3 (20%)", "12 (80%)"))),
    "full width": output(named("人数", ("３", "１２"))),
    "a sentence": printed("甲校未达标的人数：3"),
    "n in a sentence": printed("甲校 n = 4, 平均 71.2"),
    "typed into the narrative": nbformat.v4.new_markdown_cell(
        "| 学校 | 人数 |\n|---|---:|\n| 甲校 | 3 |\n| 乙校 | 12 |"
    ),
    "HTML by hand": planted.shown({"text/html": "<table><tr><th>学校<th>教师数<tr><td>甲校<td>2</table>"}),
}

SAFE = {
    "large counts": output(LARGE),
    "years": output(pd.DataFrame({"year": [2021, 2022], "mean": [3.1, 4.2]})),
    "grades": output(pd.DataFrame({"grade": [7, 8, 9], "mean": [3.1, 4.2, 5.0]})),
    "grades beside counts": output(pd.DataFrame({"grade": [7, 8, 9], "n": [120, 131, 118]})),
    "numbers of items": output(pd.DataFrame({"量表": ["秩序"], "题数": [5], "items": [5]})),
    "degrees of freedom": output(pd.DataFrame({"term": ["x"], "df": [4], "p": [1], "statistic": [3]})),
    "ranks": output(pd.DataFrame({"school": ["甲校", "乙校"], "rank": [1, 2]})),
    "days and times": output(pd.DataFrame({"天数": [7, 9], "次数": [2, 3]})),
    "planned numbers": output(pd.DataFrame({"到 0.7 的人数": [5, 8], "每班人数": [9, 8], "所需人数": [6, 4]})),
    "means of counts": output(named("人数", (3.4, 5.5))),
    "percentages": output(named("n", ("3%", "12%"))),
    "a series of numbers": output(pd.Series([3, 4], name="items")),
    "columns without counts": output(pd.Series({"a": 3, "b": 2})),
    "coefficients": printed("Intercept    3\nslope        4\n"),
    "a sentence": printed("第 3 组，n = 312，人数：45"),
    "a formula": printed("n = 3/4 of all"),
    "suppressed": output(named("人数", ("<10", "12"))),
    "zero": output(named("人数", (0, 12))),
    "a cross-table of large counts": output(pd.crosstab(PEOPLE["school"], "all")),
    "means in a cross-table": output(pd.crosstab(PEOPLE["school"], PEOPLE["sex"], PEOPLE["score"], aggfunc="mean")),
    "narrative": nbformat.v4.new_markdown_cell("| 年级 | 题数 |\n|---|---:|\n| 7 | 3 |"),
    "dates": printed("2024-3-5 有 45 人"),
}  # fmt: skip


@pytest.mark.parametrize("what", SMALL)
def test_a_small_count_is_found(what):
    assert kinds(SMALL[what]) == ["small_cell"]


@pytest.mark.parametrize("what", SAFE)
def test_what_only_looks_like_one_is_not(what):
    assert kinds(SAFE[what]) == []


@pytest.mark.parametrize("what", SMALL)
def test_it_can_be_left_to_a_person_for_one_cell(what):
    cell = nbformat.from_dict({**SMALL[what], "metadata": {"tags": ["no-persons"]}})
    assert kinds(cell) == []


@cache
def checked() -> ht.disclosure.Tabulation:
    """Return a table that may leave though few teachers stand behind some of its cells."""
    pupils = pd.DataFrame({"student_id": range(80), "teacher_id": [i % 4 for i in range(80)]})
    return ht.disclosure.tabulate(pupils.assign(school_id=pupils["teacher_id"], sex=["f"] * 40 + ["m"] * 40), "sex")


def bundles():
    counted = pd.DataFrame({"sex": ["f", "m"], "n_students": [30, 31], "n_teachers": [4, 5], "n_schools": [3, 4]})
    return {
        "a table": checked()._repr_mimebundle_(),
        "shown": ht.disclosure.show(checked())._repr_mimebundle_(),
        "inside": ht.disclosure.show(checked(), "internal")._repr_mimebundle_(),
        "asserted": ht.disclosure.show(counted, statistic="count")._repr_mimebundle_(),
    }


def test_what_has_passed_is_let_through_and_still_searched():
    made = bundles()
    for data, metadata in (made["a table"], made["shown"]):
        assert kinds(planted.shown(data)) == ["small_cell"]
        assert kinds(planted.shown(data, metadata)) == []
        named = {**metadata, "who": "13912345678"}
        assert kinds(planted.shown(data, named)) == ["phone"]


def test_a_seal_holds_for_what_was_sealed_only():
    data, metadata = bundles()["a table"]
    edited = {kind: text.replace("40", "41") for kind, text in data.items()}
    assert kinds(planted.shown(edited, metadata)) == ["small_cell"]
    for said in ("pass", {"verdict": "pass"}, {**metadata["disclosure"], "seal": "0" * 64}):
        assert kinds(planted.shown(data, {"disclosure": said})) == ["small_cell"]
    loosened = {**metadata["disclosure"], "threshold": 30}
    assert kinds(planted.shown(data, {"disclosure": loosened})) == ["small_cell"]


@pytest.mark.parametrize("how", ["inside", "asserted"])
def test_no_seal_for_what_stays_inside_or_was_only_asserted(how):
    assert kinds(planted.shown(*bundles()[how])) == ["small_cell"]


def test_what_may_not_leave_is_not_shown():
    few = pd.DataFrame({"student_id": range(30), "teacher_id": 1, "school_id": 1, "sex": ["f"] * 29 + ["m"]})
    with pytest.raises(ht.disclosure.RefusedError) as refused:
        ht.disclosure.show(ht.disclosure.tabulate(few, "sex"))
    assert len(refused.value.faults) > 1
    assert not refused.value.verdicts.passed


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.csv", "学校,人数\n甲校,3\n"),
        ("a.tsv", "school\tn\nA\t3\n"),
        ("a.html", "<html><table><tr><th>n</th></tr><tr><td>3</td></tr></table></html>"),
        ("a.md", "| 学校 | 人数 |\n|---|---|\n| 甲校 | 3 |\n"),
    ],
)
def test_in_files(name, text):
    assert [leak.kind for leak in scan_content(name, text.encode())] == ["small_cell"]
    assert list(scan_content(name, text.encode(), small_counts=False)) == []
    assert list(scan_content(name, text.replace("3", "30").encode())) == []
