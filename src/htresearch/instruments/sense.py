"""What the structure of an instrument's file cannot tell: names that clash, missing choices, keys that lead nowhere.

Each check passes over what the structure refuses already, so that all faults of a file are said at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from htresearch.checks import suggestion
from htresearch.errors import Fault
from htresearch.instruments.instrument import PLACES
from htresearch.language import Text, listing

_CLOSED = ("single", "multiple", "ranking", "matrix")
#: Columns that every table of answers has.
RESERVED = ("respondent_id", "submitted_at", "duration_s")
#: Words that R, SPSS or Stata keep for themselves.
_KEPT = """all and break by byte double else eq false float for function ge gt if in inf int le long lt na nan ne next
not null or repeat str to true using while with"""
_KEYWORDS = frozenset(_KEPT.split())


def faults(path: Path, content: dict) -> Iterator[Fault]:
    """Yield every fault of sense in the content of a file."""
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
    yield from _repeated_wording(path.name, items)
    earlier: dict[str, tuple[int, ...]] = {}
    missing = _list(content.get("missing"))
    yield from _choices(f"{path.name} · missing", missing)
    for question in items:
        where = f"{path.name} · {question['id']}"
        yield from _question(where, question, lists, missing, content)
        yield from _condition(where, question.get("when"), earlier)
        if question.get("type") in ("single", "matrix"):
            for name in _columns(question):
                earlier[name] = tuple(c["value"] for c in _listed(question.get("choices"), lists))
    scales = content.get("scales") if isinstance(content.get("scales"), dict) else {}
    kinds = {name: q for q in reversed(items) for name in _columns(q)}
    for name, scale in scales.items():
        yield from _scale_name(f"{path.name} · scales · {name}", name, kinds)
        yield from _scale(f"{path.name} · scales · {name}", scale, kinds)


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _columns(question: dict) -> list[str]:
    rows = question.get("rows")
    return list(rows) if question.get("type") == "matrix" and isinstance(rows, dict) else [question["id"]]


def _listed(choices: object, lists: dict) -> list[dict]:
    """Return the choices of a question, written there or named."""
    written = lists.get(choices) if isinstance(choices, str) else choices
    return [c for c in _list(written) if isinstance(c, dict) and isinstance(c.get("value"), int | float)]


def _repeated_wording(file: str, items: list[dict]) -> Iterator[Fault]:
    """Refuse the same words twice in one place: answers could not be told apart by them."""
    groups = [(q["id"], q["rows"].values()) for q in items if isinstance(q.get("rows"), dict)]
    groups.append(("items", [q for q in items if q.get("type") != "matrix"]))
    for place, texts in groups:
        for side in ("zh", "en"):
            said = Counter(t[side] for t in texts if isinstance(t, dict) and isinstance(t.get(side), str))
            for words in (w for w, n in said.items() if n > 1):
                yield Fault(
                    f"{file} · {place}",
                    Text("题干重复", "the same wording twice"),
                    Text("请改写其中一题", "Reword one of them"),
                    words,
                )


def _repeated(file: str, items: list[dict]) -> Iterator[Fault]:
    names = Counter(name for q in items for name in {*_columns(q), q["id"]})
    for name, count in names.items():
        if count > 1:
            yield Fault(
                f"{file} · {name}",
                Text(f"这个名称用了 {count} 次", f"the name is used {count} times"),
                Text("每道题、每一行的名称须不同", "Every question and row has a name of its own"),
            )
        yield from _taken(f"{file} · {name}", name)


def _taken(where: str, name: str) -> Iterator[Fault]:
    """Refuse a name that something else has already."""
    fix = Text("请换一个名称", "Choose another name")
    if name in RESERVED:
        yield Fault(where, Text("是答卷表自有的列名", "is a column that every table of answers has"), fix)
    if name in _KEYWORDS:
        yield Fault(
            where, Text("是 R、SPSS 或 Stata 的保留字", "is a word that R, SPSS or Stata keep for themselves"), fix
        )


def _choices(where: str, choices: object) -> Iterator[Fault]:
    listed = [c for c in _list(choices) if isinstance(c, dict)]
    for key in ("value", "zh", "en"):
        said = Counter(c[key] for c in listed if isinstance(c.get(key), str | int | float))
        twice = [value for value, count in said.items() if count > 1]
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
    yield from _offered(where, kind, _listed(choices, lists))
    yield from _codes(where, question, _listed(choices, lists), missing)
    yield from _identity(where, question, content.get("anonymous", False))


def _offered(where: str, kind: object, listed: list[dict]) -> Iterator[Fault]:
    """Check the choices for the question that offers them."""
    if kind in ("single", "matrix") and listed and sum(c.get("missing") is not True for c in listed) < 2:
        yield Fault(
            where,
            Text("至少要有两个算作答案的选项", "at least two of the choices must be answers"),
            Text("请补选项，或检查 missing: true", "Add choices, or look at `missing: true`"),
        )
    # Each of these choices becomes a column of its own in SPSS and Stata, named by its number.
    if kind in ("multiple", "ranking") and any(c.get("missing") is True or c["value"] < 0 for c in listed):
        yield Fault(
            where,
            Text(
                f"{kind} 题的选项须从 0 起编号，且不能标 missing",
                f"choices of a {kind} question are numbered from 0 up and none is `missing`",
            ),
            Text("请改选项的数值，或改用 single 题", "Change the values, or make it a single question"),
        )


def _codes(where: str, question: dict, listed: list[dict], missing: list) -> Iterator[Fault]:
    """Refuse missing codes that could be answers."""
    fix = Text("请换一个缺失码，如 -3", "Choose another missing code, such as -3")
    yield from _choices(where, question.get("missing"))
    low, high = question.get("min"), question.get("max")
    for code in [*missing, *_list(question.get("missing"))]:
        value = code.get("value") if isinstance(code, dict) else None
        if not isinstance(value, int | float):
            continue
        if any(c["value"] == value for c in listed):
            rule = Text("既是选项又是缺失码", "is both a choice and a missing code")
            yield Fault(where, rule, fix, value)
        if question.get("type") == "number" and _within(value, low, high):
            yield Fault(
                where, Text("缺失码在 min 与 max 之间", "the missing code lies between min and max"), fix, value
            )


def _within(value: float, low: object, high: object) -> bool:
    """Whether a number could be an answer; where no lower bound is given, negative ones are not."""
    floor = low if isinstance(low, int | float) else 0
    return floor <= value and not (isinstance(high, int | float) and value > high)


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
        # Without choices, which is a fault of its own, every value would be another.
        for value in (v for v in _list(values) if earlier[name] and v not in earlier[name]):
            yield Fault(
                f"{where} · when",
                Text(f"不是“{name}”的选项", f"is no choice of {name!r}"),
                Text("可选：{all}", "Choose from: {all}").format(all=listing(earlier[name])),
                value,
            )


def _scale_name(where: str, name: str, kinds: dict[str, dict]) -> Iterator[Fault]:
    yield from _taken(where, name)
    if name in kinds:
        yield Fault(
            where,
            Text("已是一道题的名称", "is the name of an item"),
            Text(
                "量表与题目的名称须不同，得分才能与答卷并列",
                "Scales and items need different names: both become columns",
            ),
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
