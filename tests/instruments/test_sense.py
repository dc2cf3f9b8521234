"""What the structure cannot tell: each fault of sense once, alone, with its place."""

import pytest

from htresearch import instruments, language

from .written import content, item, save

NOT_THERE = {"value": -9, "zh": "跳过", "en": "Skipped"}


def add(document: dict, **question: object) -> None:
    document["items"].append({"id": "extra", "type": "text", "zh": "还有", "en": "More"} | question)


def choices(*values: int) -> list[dict]:
    return [{"value": v, "zh": f"选项{v}", "en": f"Choice {v}"} for v in values]


FAULTS = {
    "file": (lambda c: c.update(id="large"), "small.yaml · id", "须与文件名相同"),
    "item twice": (lambda c: add(c, id="years"), "small.yaml · years", "用了 2 次"),
    "row and item": (lambda c: add(c, id="view_1"), "small.yaml · view_1", "用了 2 次"),
    "matrix and item": (lambda c: add(c, id="views"), "small.yaml · views", "用了 2 次"),
    "reserved column": (lambda c: add(c, id="duration_s"), "small.yaml · duration_s", "自有的列名"),
    "reserved word": (lambda c: add(c, id="function"), "small.yaml · function", "保留字"),
    "reserved scale": (
        lambda c: c["scales"].update({"if": c["scales"].pop("liking")}),
        "small.yaml · scales · if",
        "保留字",
    ),
    "scale named as an item": (
        lambda c: c["scales"].update(years=c["scales"].pop("liking")),
        "small.yaml · scales · years",
        "已是一道题的名称",
    ),
    "wording twice": (lambda c: add(c, zh="年数："), "small.yaml · items", "题干重复"),
    "wording twice in a matrix": (
        lambda c: item(c, "views")["rows"]["view_2"].update(en="I like the work."),
        "small.yaml · views",
        "题干重复",
    ),
    "choices not used": (
        lambda c: c["choices"].update(unused=choices(1, 2)),
        "small.yaml · choices · unused",
        "没有题目用到",
    ),
    "value twice": (
        lambda c: c["choices"]["agreement"][1].update(value=1),
        "small.yaml · choices · agreement",
        "value 重复：1",
    ),
    "label twice": (
        lambda c: item(c, "trained")["choices"][1].update(en="Yes"),
        "small.yaml · trained",
        "en 重复：Yes",
    ),
    "missing code twice": (
        lambda c: c["missing"].append({"value": -3, "zh": "空", "en": "Empty"}),
        "small.yaml · missing",
        "value 重复：-3",
    ),
    "missing code of an item twice": (
        lambda c: item(c, "years").update(missing=[NOT_THERE, NOT_THERE | {"zh": "空", "en": "Empty"}]),
        "small.yaml · years",
        "value 重复：-9",
    ),
    "no choices": (lambda c: item(c, "ways").pop("choices"), "small.yaml · ways", "缺少选项"),
    "choices of a text": (
        lambda c: item(c, "comment").update(choices=choices(1, 2)),
        "small.yaml · comment",
        "没有选项",
    ),
    "unknown choices": (
        lambda c: item(c, "trained").update(choices="agrement"),
        "small.yaml · trained",
        "没有这组选项。是否想写 agreement",
    ),
    "rows without a matrix": (
        lambda c: item(c, "years").update(rows={"row_1": {"zh": "甲", "en": "A"}}),
        "small.yaml · years",
        "矩阵题须有 rows",
    ),
    "one answer only": (
        lambda c: item(c, "trained").update(choices=[choices(1)[0], NOT_THERE | {"missing": True}]),
        "small.yaml · trained",
        "至少要有两个算作答案的选项",
    ),
    "missing among several": (
        lambda c: item(c, "ways")["choices"][2].update(missing=True),
        "small.yaml · ways",
        "从 0 起编号",
    ),
    "negative among several": (
        lambda c: item(c, "ways")["choices"][2].update(value=-7),
        "small.yaml · ways",
        "从 0 起编号",
    ),
    "choice and missing code": (
        lambda c: item(c, "trained").update(missing=[NOT_THERE | {"value": 2}]),
        "small.yaml · trained（现为 2）",
        "既是选项又是缺失码",
    ),
    "missing code within bounds": (
        lambda c: item(c, "years").update(missing=[NOT_THERE | {"value": 45}]),
        "small.yaml · years（现为 45）",
        "缺失码在 min 与 max 之间",
    ),
    "missing code without bounds": (
        lambda c: add(c, type="number", missing=[NOT_THERE | {"value": 99}]),
        "small.yaml · extra（现为 99）",
        "缺失码在 min 与 max 之间",
    ),
    "no English": (lambda c: item(c, "years").pop("en"), "small.yaml · years", "缺少中文或英文题干"),
    "row without wording": (
        lambda c: item(c, "views")["rows"].update(view_2=None),
        "small.yaml · views",
        "缺少中文或英文题干",
    ),
    "bounds of a text": (lambda c: item(c, "comment").update(max=3), "small.yaml · comment", "只有 number 题"),
    "bounds turned round": (
        lambda c: item(c, "years").update(min=50),
        "small.yaml · years（现为 50）",
        "min 大于 max",
    ),
    "name as a number": (
        lambda c: item(c, "name").update(type="number", min=1, max=2),
        "small.yaml · name",
        "身份信息须是 text 题",
    ),
    "name in an anonymous survey": (lambda c: c.update(anonymous=True), "small.yaml · name", "匿名问卷不能问身份"),
    "condition on a later item": (
        lambda c: item(c, "trained").update(when={"view_1": [1]}),
        "small.yaml · trained · when",
        "不是前面的单选题",
    ),
    "condition on a misspelt item": (
        lambda c: item(c, "formats").update(when={"traind": [1]}),
        "small.yaml · formats · when",
        "是否想写 trained",
    ),
    "condition on no choice": (
        lambda c: item(c, "formats").update(when={"trained": [3]}),
        "small.yaml · formats · when（现为 3）",
        "可选：1、2",
    ),
    "unknown item in a scale": (
        lambda c: c["scales"]["liking"]["items"].update(view_3=1),
        "small.yaml · scales · liking（现为 'view_3'）",
        "没有这道题。是否想写 view_",
    ),
    "words in a scale": (
        lambda c: c["scales"]["liking"]["items"].update(comment=1),
        "small.yaml · scales · liking（现为 'comment'）",
        "不能计分的题型",
    ),
    "several answers in a scale": (
        lambda c: c["scales"]["liking"]["items"].update(formats=1),
        "small.yaml · scales · liking（现为 'formats'）",
        "不能计分的题型",
    ),
    "reversed without bounds": (
        lambda c: item(c, "years").pop("max"),
        "small.yaml · scales · length（现为 'years'）",
        "反向计分须有 min 和 max",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(tmp_path, name):
    change, where, rule = FAULTS[name]
    changed = content()
    change(changed)
    (fault,) = instruments.lint(save(tmp_path, changed))
    assert str(fault).startswith(where)
    assert rule in str(fault)
    with language.speaking("en"):
        assert not any("一" <= character <= "鿿" for character in str(fault.rule) + str(fault.fix))


def test_wording_of_a_licensed_instrument(tmp_path):
    changed = content() | {"worded": False}
    said = [str(fault) for fault in instruments.lint(save(tmp_path, changed))]
    assert len(said) == len(changed["items"])
    assert all("受版权保护的问卷不能带题干" in fault for fault in said)


SOUND = {
    "place in an anonymous survey": lambda c: (
        c.update(anonymous=True),
        item(c, "name").update(identifies="class"),
    ),
    "negative bounds": lambda c: add(c, type="number", min=-9, max=-8, missing=[NOT_THERE | {"value": -10}]),
    "missing code above the bounds": lambda c: item(c, "years").update(missing=[NOT_THERE | {"value": 99}]),
    "condition on a row": lambda c: add(c, when={"view_1": [3], "trained": [1, 2]}),
    "scale named as a matrix": lambda c: c["scales"].update(views=c["scales"].pop("liking")),
    "a matrix without words above it": lambda c: (item(c, "views").pop("zh"), item(c, "views").pop("en")),
    "zero among several": lambda c: item(c, "ways")["choices"][2].update(value=0),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_let_through(tmp_path, name):
    changed = content()
    SOUND[name](changed)
    if name == "negative bounds":  # the codes of all items lie within them no longer
        changed["missing"] = []
    assert [str(fault) for fault in instruments.lint(save(tmp_path, changed))] == []
