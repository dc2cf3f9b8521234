"""Instruments read from YAML, with every fault of a file said at once: its structure first, then its sense."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from htresearch.checks import suggestion
from htresearch.errors import Fault, InstrumentError
from htresearch.instruments.instrument import PLACES, Choice, Instrument, Item, Question, Scale
from htresearch.language import Text, listing

#: An instrument is a page or two of text; what is larger is something else.
_LARGEST = 1_000_000
_CLOSED = ("single", "multiple", "ranking", "matrix")
#: Columns that every table of answers has.
RESERVED = ("respondent_id", "submitted_at", "duration_s")


def load_instrument(path: str | Path) -> Instrument:
    """Read an instrument from a YAML file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Instrument

    Raises
    ------
    InstrumentError
        If the file breaks a rule; all faults are listed, each with the item it stands at.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/head_teacher.yaml")
    >>> instrument.respondent
    'teacher'
    """
    path = Path(path)
    content, faults = _content(path)
    if not faults:
        faults = [*_structure(path.name, content), *_sense(path, content)]
    if faults:
        raise InstrumentError(*faults)
    return _build(content)


def lint(path: str | Path) -> list[Fault]:
    """Return every fault of an instrument, or of all in a folder.

    Parameters
    ----------
    path
        A YAML file or a folder of them.

    Returns
    -------
    list of Fault
        Each names the file, the item, the rule and what to do.

    Examples
    --------
    >>> from htresearch import instruments
    >>> instruments.lint("surveys")
    []
    """
    path = Path(path)
    if not path.is_dir():
        return _faults_of(path)
    found = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml"))
    if not found:
        rule = Text("文件夹中没有 YAML 文件", "there is no YAML file in the folder")
        return [Fault(str(path), rule, Text("请给出问卷所在的文件夹", "Name the folder of the instruments"))]
    return [fault for file in found for fault in _faults_of(file)]


def _faults_of(path: Path) -> list[Fault]:
    try:
        load_instrument(path)
    except InstrumentError as error:
        return list(error.faults)
    return []


# --- the file -------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML without repeated keys, which would lose an item in silence, and without aliases, which can grow."""

    def compose_node(self, parent: object, index: object) -> yaml.Node:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="alias", problem_mark=self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem="repeated", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_PROBLEMS = {
    "alias": (
        Text("不能用 YAML 的锚点与别名（& 和 *）", "YAML's anchors and aliases (& and *) cannot be used"),
        Text("共用的选项请写在 choices 中，按名称引用", "Put shared choices under `choices` and name them"),
    ),
    "repeated": (
        Text("同一个名称出现了两次，前一个会丢失", "a name stands there twice, and the first would be lost"),
        Text("请改名或删去一个", "Rename one of them or remove it"),
    ),
}


def _content(path: Path) -> tuple[dict, list[Fault]]:
    def refuse(rule: Text, fix: Text, where: object = path.name) -> tuple[dict, list[Fault]]:
        return {}, [Fault(where, rule, fix)]

    if not path.is_file():
        return refuse(Text("没有这个文件", "there is no such file"), Text("请检查路径", "Check the path"), str(path))
    if path.stat().st_size > _LARGEST:
        return refuse(
            Text("文件太大，不像一份问卷", "too large for an instrument"),
            Text("一份问卷一个 YAML 文件，不超过 1 MB", "One instrument a YAML file, at most 1 MB"),
        )
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except UnicodeDecodeError:
        return refuse(Text("不是 UTF-8 编码", "is not in UTF-8"), Text("请另存为 UTF-8", "Save it as UTF-8"))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else Text(f" 第 {mark.line + 1} 行", f", line {mark.line + 1}")
        rule, fix = _PROBLEMS.get(
            getattr(error, "problem", None),
            (
                Text("不是可读的 YAML", "is not readable YAML"),
                Text("请检查这一行附近的缩进、冒号和引号", "Check indents, colons and quotation marks near there"),
            ),
        )
        return refuse(rule, fix, Text("{f}{line}", "{f}{line}").format(f=path.name, line=line))
    if not isinstance(content, dict):
        return refuse(
            Text("不是一份问卷", "is not an instrument"),
            Text("文件由“名称: 值”组成，见 surveys 中的例子", "It reads `name: value`; see the files in surveys"),
        )
    return content, []


# --- its structure, from the JSON Schema ----------------------------------------------------------------------------


@cache
def _validator():
    import jsonschema

    written = files("htresearch.instruments").joinpath("instrument.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(written))


def _structure(file: str, content: dict) -> list[Fault]:
    return [_schema_fault(file, content, error) for error in _validator().iter_errors(content)]


def _schema_fault(file: str, content: dict, error) -> Fault:
    if error.context:  # of several allowed shapes the one that was nearly met says most
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    where = _place(file, content, list(error.absolute_path))
    value, rule = error.instance, error.validator_value
    shown = value if isinstance(value, str | int | float | bool) else None
    if error.validator == "required":
        lacking = [name for name in rule if name not in value]
        return Fault(
            where,
            Text("缺少 {all}", "{all} is missing").format(all=listing(lacking)),
            Text("请补上", "Add it"),
        )
    if error.validator == "additionalProperties" and isinstance(value, dict):
        known = list(error.schema.get("properties", ()))
        extra = [name for name in value if name not in known]
        near = suggestion(extra[0], known) or Text("可用：{all}", "Known are: {all}").format(all=listing(known))
        return Fault(where, Text("没有“{all}”这一项", "there is no {all} here").format(all=listing(extra)), near)
    if error.validator in ("enum", "const"):
        known = listing(rule if isinstance(rule, list) else [rule])
        return Fault(
            where,
            Text("不在可选值之中", "not one of the possible values"),
            Text("可选：{all}", "Choose from: {all}").format(all=known),
            shown,
        )
    if error.validator == "pattern":
        return Fault(
            where,
            Text("写法不合规定", "is not written as it should be"),
            Text(
                "名称用小写英文字母、数字和下划线，以字母开头；条款如 M2、O3、W7",
                "Names are lower-case letters, digits and underscores, a letter first; clauses are like M2, O3, W7",
            ),
            shown,
        )
    fixes = {
        "type": Text("这里应是 {rule}", "This should be: {rule}").format(rule=_KINDS.get(str(rule), str(rule))),
        "minItems": Text("请至少写 {rule} 个", "Write at least {rule}").format(rule=rule),
        "minProperties": Text("请至少写 {rule} 个", "Write at least {rule}").format(rule=rule),
        "minLength": Text("请填写，或删去这一行", "Fill it in, or remove the line"),
    }
    fix = fixes.get(error.validator, Text("允许的范围：{rule}", "The bound is {rule}").format(rule=rule))
    return Fault(where, Text("不合格式", "does not fit the form"), fix, shown)


_KINDS = {
    "object": Text("一组“名称: 值”", "several `name: value`"),
    "array": Text("一个列表", "a list"),
    "string": Text("一段文字（数字和 yes/no 请加引号）", "text (put numbers and yes/no in quotation marks)"),
    "integer": Text("整数", "a whole number"),
    "number": Text("数", "a number"),
    "boolean": Text("true 或 false", "true or false"),
}


def _place(file: str, content: dict, trail: list) -> Text:
    """Name a place as a reader sees it: the file, the item by its id, then the rest of the way."""
    parts = [file]
    if len(trail) > 1 and trail[0] == "items":
        item = content["items"][trail[1]]
        name = item.get("id") if isinstance(item, dict) else None
        parts.append(Text(f"第 {trail[1] + 1} 题", f"question {trail[1] + 1}") if name is None else str(name))
        trail = trail[2:]
    parts += [str(step + 1) if isinstance(step, int) else str(step) for step in trail]
    return Text(*(" · ".join(getattr(p, side, p) for p in parts) for side in ("zh", "en")))


# --- its sense ------------------------------------------------------------------------------------------------------


def _sense(path: Path, content: dict) -> Iterator[Fault]:
    """Yield what the structure alone cannot tell; parts that the structure refuses already are passed over."""
    items = [q for q in _list(content.get("items")) if isinstance(q, dict) and isinstance(q.get("id"), str)]
    if isinstance(content.get("id"), str) and content["id"] != path.stem:
        yield Fault(
            f"{path.name} · id",
            Text("须与文件名相同", "must be the name of the file"),
            Text("请改 id 或文件名", "Change the id or the file's name"),
            content["id"],
        )
    yield from _repeated(path.name, items)
    lists = content.get("choices") if isinstance(content.get("choices"), dict) else {}
    for name, choices in lists.items():
        yield from _choices(f"{path.name} · choices · {name}", choices)
        if not any(q.get("choices") == name for q in items):
            yield Fault(
                f"{path.name} · choices · {name}",
                Text("没有题目用到这组选项", "no question uses these choices"),
                Text("请删去，或检查题目中的写法", "Remove them, or see how the questions name them"),
            )
    earlier: dict[str, tuple[int, ...]] = {}
    missing = _list(content.get("missing"))
    for question in items:
        where = f"{path.name} · {question['id']}"
        yield from _question(where, question, lists, missing, content)
        yield from _condition(where, question.get("when"), earlier)
        if question.get("type") in ("single", "matrix"):
            for name in _columns(question):
                earlier[name] = _values(question.get("choices"), lists)
    scales = content.get("scales") if isinstance(content.get("scales"), dict) else {}
    kinds = {name: q for q in items for name in _columns(q)}
    for name, scale in scales.items():
        yield from _scale(f"{path.name} · scales · {name}", scale, kinds)


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _columns(question: dict) -> list[str]:
    rows = question.get("rows")
    return list(rows) if question.get("type") == "matrix" and isinstance(rows, dict) else [question["id"]]


def _values(choices: object, lists: dict) -> tuple[int, ...]:
    listed = lists.get(choices) if isinstance(choices, str) else choices
    return tuple(c["value"] for c in _list(listed) if isinstance(c, dict) and isinstance(c.get("value"), int))


def _repeated(file: str, items: list[dict]) -> Iterator[Fault]:
    names = Counter(name for q in items for name in {*_columns(q), q["id"]})
    for name, count in names.items():
        if count > 1:
            yield Fault(
                f"{file} · {name}",
                Text(f"这个名称用了 {count} 次", f"the name is used {count} times"),
                Text("每道题、每一行的名称须不同", "Every question and row has a name of its own"),
            )
        if name in RESERVED:
            yield Fault(
                f"{file} · {name}",
                Text("是答卷表自有的列名", "is a column that every table of answers has"),
                Text("请换一个名称", "Choose another name"),
            )


def _choices(where: str, choices: object) -> Iterator[Fault]:
    listed = [c for c in _list(choices) if isinstance(c, dict)]
    for key in ("value", "zh", "en"):
        twice = [v for v, n in Counter(c[key] for c in listed if c.get(key) is not None).items() if n > 1]
        if twice:
            yield Fault(
                where,
                Text("{key} 重复：{all}", "repeated {key}: {all}").format(key=key, all=listing(twice)),
                Text("各选项的数值和文字须不同", "Values and labels of choices differ"),
            )


def _question(where: str, question: dict, lists: dict, missing: list, content: dict) -> Iterator[Fault]:
    kind, choices = question.get("type"), question.get("choices")
    if kind in _CLOSED and choices is None:
        yield Fault(
            where,
            Text("缺少选项", "choices are missing"),
            Text("请写 choices：一组选项，或上面某组的名称", "Give `choices`: a list, or the name of one above"),
        )
    if kind not in _CLOSED and choices is not None:
        yield Fault(
            where,
            Text(f"{kind} 题没有选项", f"a question of type {kind} has no choices"),
            Text("请删去 choices 或改 type", "Remove `choices` or change the type"),
        )
    if isinstance(choices, str) and choices not in lists:
        yield Fault(
            where,
            Text("没有这组选项", "there are no such choices"),
            suggestion(choices, lists) or Text("请在 choices 中写出", "Write them under `choices`"),
            choices,
        )
    if isinstance(choices, list):
        yield from _choices(where, choices)
    if (kind == "matrix") != ("rows" in question):
        yield Fault(
            where,
            Text("矩阵题须有 rows，其他题没有", "a matrix has rows, and nothing else has"),
            Text("请补上或删去 rows", "Add `rows` or remove them"),
        )
    yield from _wording(where, question, content.get("worded", True))
    yield from _bounds(where, question)
    taken = set(_values(choices, lists))
    for code in [*missing, *_list(question.get("missing"))]:
        if isinstance(code, dict) and code.get("value") in taken:
            yield Fault(
                where,
                Text("既是选项又是缺失码", "is both a choice and a missing code"),
                Text("请换一个缺失码，如 -3", "Choose another missing code, such as -3"),
                code["value"],
            )
    yield from _identity(where, question, content.get("anonymous", False))


def _wording(where: str, question: dict, worded: object) -> Iterator[Fault]:
    rows = question.get("rows") if isinstance(question.get("rows"), dict) else {}
    # The words above a matrix may be left out; its rows may not.
    open_texts = [] if question.get("type") == "matrix" else [question]
    texts = [*open_texts, *(row or {} for row in rows.values())]
    if worded is True and not all(isinstance(t, dict) and {"zh", "en"} <= set(t) for t in texts):
        yield Fault(
            where,
            Text("缺少中文或英文题干", "the wording lacks Chinese or English"),
            Text("请写 zh 和 en；受版权保护的写 worded: false", "Give zh and en; if it is licensed, `worded: false`"),
        )
    if worded is False and any(t.get("zh") or t.get("en") for t in texts if isinstance(t, dict)):
        yield Fault(
            where,
            Text("受版权保护的问卷不能带题干", "the wording of a licensed instrument cannot stand here"),
            Text("请删去 zh 和 en，只留题号和计分", "Remove zh and en; keep numbers and keys"),
        )


def _bounds(where: str, question: dict) -> Iterator[Fault]:
    low, high = question.get("min"), question.get("max")
    if (low is not None or high is not None) and question.get("type") != "number":
        yield Fault(
            where,
            Text("只有 number 题有 min 和 max", "only numbers have min and max"),
            Text("请删去，或改 type", "Remove them, or change the type"),
        )
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield Fault(where, Text("min 大于 max", "min is larger than max"), Text("请对调", "Swap them"), low)


def _identity(where: str, question: dict, anonymous: object) -> Iterator[Fault]:
    told = question.get("identifies")
    if told is None:
        return
    if told not in PLACES and question.get("type") != "text":
        yield Fault(
            where,
            Text("身份信息须是 text 题", "what identifies is asked as text"),
            Text("请改 type: text", "Use `type: text`"),
            question.get("type"),
        )
    if anonymous is True and told not in PLACES:
        yield Fault(
            where,
            Text("匿名问卷不能问身份", "an anonymous instrument cannot ask who somebody is"),
            Text("请删去这道题，或写 anonymous: false", "Remove the question, or write `anonymous: false`"),
            told,
        )


def _condition(where: str, when: object, earlier: dict[str, tuple[int, ...]]) -> Iterator[Fault]:
    for name, values in when.items() if isinstance(when, dict) else ():
        if name not in earlier:
            yield Fault(
                f"{where} · when",
                Text(f"“{name}”不是前面的单选题", f"{name!r} is no earlier question with a single answer"),
                suggestion(name, earlier) or Text("请写前面单选题的名称", "Name an earlier one"),
            )
            continue
        for value in set(_list(values)) - set(earlier[name]):
            yield Fault(
                f"{where} · when",
                Text(f"不是“{name}”的选项", f"is no choice of {name!r}"),
                Text("可选：{all}", "Choose from: {all}").format(all=listing(earlier[name])),
                value,
            )


def _scale(where: str, scale: object, kinds: dict[str, dict]) -> Iterator[Fault]:
    keys = scale.get("items") if isinstance(scale, dict) else None
    for name, weight in keys.items() if isinstance(keys, dict) else ():
        question = kinds.get(name)
        if question is None:
            yield Fault(
                where,
                Text("没有这道题", "there is no such item"),
                suggestion(name, kinds) or Text("请检查题目名称", "Check the item's name"),
                name,
            )
        elif question.get("type") not in ("single", "matrix", "number"):
            yield Fault(
                where,
                Text("不能计分的题型", "cannot be scored"),
                Text("量表由 single、matrix 或 number 题组成", "Scales are made of single, matrix or number items"),
                name,
            )
        elif weight == -1 and question.get("type") == "number" and not {"min", "max"} <= set(question):
            yield Fault(
                where,
                Text("反向计分须有 min 和 max", "an item keyed the other way needs min and max"),
                Text("请在题目中补上", "Add them to the item"),
                name,
            )


# --- what it says ---------------------------------------------------------------------------------------------------


def _build(content: dict) -> Instrument:
    lists = {name: _built_choices(listed) for name, listed in content.get("choices", {}).items()}
    missing = _codes(content.get("missing", ()))
    return Instrument(
        id=content["id"],
        version=content["version"],
        status=content["status"],
        title=_text(content["title"]),
        purpose=_text(content["purpose"]),
        introduction=_text(content.get("introduction")),
        source=_text(content["source"]),
        licence=content["licence"],
        citation=content.get("citation", ""),
        respondent=content["respondent"],
        anonymous=content.get("anonymous", False),
        clauses=tuple(content.get("clauses", ())),
        minutes=content.get("minutes"),
        questions=tuple(_built_question(n, q, lists, missing) for n, q in enumerate(content["items"], 1)),
        scales={
            name: Scale(
                name,
                _text(scale),
                dict(scale["items"]),
                scale.get("scoring", "mean"),
                scale.get("min_answered", 0.8),
                scale.get("norms", {}),
            )
            for name, scale in content.get("scales", {}).items()
        },
        worded=content.get("worded", True),
    )


def _built_question(number: int, written: dict, lists: dict, missing: dict) -> Question:
    named = written.get("choices", ())
    choices = lists[named] if isinstance(named, str) else _built_choices(named)
    codes = {c.value: c.label for c in choices if c.missing} | missing | _codes(written.get("missing", ()))
    kind = written["type"]
    rows = written.get("rows") or {written["id"]: written}
    items = tuple(
        Item(
            name,
            "single" if kind == "matrix" else kind,
            _text(text),
            choices,
            written.get("min"),
            written.get("max"),
            codes,
            written.get("identifies"),
        )
        for name, text in rows.items()
    )
    when = {name: tuple(values) for name, values in written.get("when", {}).items()}
    return Question(number, kind, _text(written), items, when, written.get("optional", False))


def _text(written: dict | None) -> Text:
    """Return the wording; an item without one is known by its number alone."""
    return Text(written.get("zh", ""), written.get("en", "")) if written else Text("", "")


def _built_choices(listed: Iterable[dict]) -> tuple[Choice, ...]:
    return tuple(Choice(c["value"], _text(c), c.get("missing", False)) for c in listed)


def _codes(listed: Iterable[dict]) -> dict[int, Text]:
    return {c["value"]: _text(c) for c in listed}
