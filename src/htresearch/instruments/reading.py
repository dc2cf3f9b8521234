"""Instruments read from YAML, with every fault of a file said at once: its structure first, then its sense."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from htresearch.checks import suggestion
from htresearch.errors import Fault, InstrumentError
from htresearch.instruments import sense
from htresearch.instruments.instrument import Choice, Instrument, Item, Question, Scale
from htresearch.language import Text, listing

#: An instrument is a page or two of text; what is larger is something else, and slow to read.
_LARGEST = 200_000
#: How much of a long value a message shows.
_SHOWN = 60


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
        faults = [*_structure(path.name, content), *sense.faults(path, content)]
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
    """Plain YAML: no repeated keys, which would lose an item in silence, no aliases, which can grow, no tags."""

    def compose_node(self, parent: object, index: object) -> yaml.Node:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise yaml.MarkedYAMLError(problem="alias", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tag", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise yaml.MarkedYAMLError(problem="infinite", problem_mark=node.start_mark)
        return number

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                raise yaml.MarkedYAMLError(problem="name", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem="repeated", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)

_PROBLEMS = {
    "alias": (
        Text("不能用 YAML 的锚点与别名（& 和 *）", "YAML's anchors and aliases (& and *) cannot be used"),
        Text("共用的选项请写在 choices 中，按名称引用", "Put shared choices under `choices` and name them"),
    ),
    "tag": (
        Text("不能用 YAML 的类型标记（! 开头）", "YAML's tags (beginning with !) cannot be used"),
        Text(
            "请删去标记；文字中有感叹号的请加引号", "Remove the tag; put text that begins with ! in quotation marks"
        ),
    ),
    "infinite": (
        Text("不是有限的数", "is no finite number"),
        Text("请写一个数，或删去这一行", "Write a number, or remove the line"),
    ),
    "name": (
        Text("冒号前须是一个简单的名称", "what stands before the colon must be a plain name"),
        Text("请改成“名称: 值”", "Write `name: value`"),
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
            Text("一份问卷一个 YAML 文件，不超过 200 KB", "One instrument a YAML file, at most 200 KB"),
        )
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except UnicodeDecodeError:
        return refuse(Text("不是 UTF-8 编码", "is not in UTF-8"), Text("请另存为 UTF-8", "Save it as UTF-8"))
    except OSError:
        return refuse(Text("打不开", "cannot be opened"), Text("请检查读取权限", "See whether you may read it"))
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
    # jsonschema builds a grammar of web addresses as soon as it is imported, if it finds one, and takes seconds over
    # it; no schema here has such an address.
    grammar = "rfc3987_syntax"
    absent = sys.modules.setdefault(grammar, None) is None
    import jsonschema

    if absent:
        del sys.modules[grammar]
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
    if len(str(shown)) > _SHOWN:
        shown = f"{str(shown)[:_SHOWN]}…"
    if error.validator == "required":
        lacking = [name for name in rule if name not in value]
        return Fault(
            where,
            Text("缺少 {all}", "{all} is missing").format(all=listing(lacking)),
            Text("请补上", "Add it"),
        )
    if error.validator == "additionalProperties" and isinstance(value, dict):
        known = list(error.schema.get("properties", ()))
        extra = [str(name)[:_SHOWN] for name in value if name not in known][:20]
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
    if error.validator == "pattern" and rule == r"\S":
        return Fault(
            where,
            Text("是空白", "is blank"),
            Text("请填写，或删去这一行", "Fill it in, or remove the line"),
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
        "maxLength": Text(
            "名称最多 {rule} 个字符（Stata 的上限）", "Names have at most {rule} characters, Stata's limit"
        ).format(rule=rule),
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
    when = {name: tuple(map(int, values)) for name, values in written.get("when", {}).items()}
    return Question(number, kind, _text(written), items, when, written.get("optional", False))


def _text(written: dict | None) -> Text:
    """Return the wording; an item without one is known by its number alone."""
    return Text(written.get("zh", ""), written.get("en", "")) if written else Text("", "")


def _built_choices(listed: Iterable[dict]) -> tuple[Choice, ...]:
    return tuple(Choice(int(c["value"]), _text(c), c.get("missing", False)) for c in listed)


def _codes(listed: Iterable[dict]) -> dict[int, Text]:
    return {int(c["value"]): _text(c) for c in listed}
