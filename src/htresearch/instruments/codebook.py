"""The codebook of an instrument: what every column of the answers means, and how the scales are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from htresearch import language
from htresearch.instruments.instrument import Instrument, Item, Question, Scale
from htresearch.language import Text, listing

_RESPONDENTS = {
    "teacher": Text("班主任", "head teachers"),
    "pupil": Text("学生", "pupils"),
    "parent": Text("家长", "parents"),
    "observer": Text("观察者", "observers"),
}
_STATUSES = {
    "draft": Text("草稿，尚未试测", "draft, not piloted yet"),
    "piloted": Text("已试测", "piloted"),
    "validated": Text("已验证", "validated"),
}
_TYPES = {
    "single": Text("单选", "single choice"),
    "multiple": Text("多选", "multiple choice"),
    "ranking": Text("排序", "ranking"),
    "matrix": Text("矩阵", "matrix"),
    "number": Text("数字", "number"),
    "text": Text("文字", "text"),
    "date": Text("日期", "date"),
}


@dataclass(frozen=True)
class _Table:
    """A table of the codebook; a row without a name in the first column stands above those that follow."""

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[str, ...], ...]


def markdown(instrument: Instrument) -> str:
    """Return the codebook as Markdown, in the language now spoken.

    Parameters
    ----------
    instrument
        As `htresearch.load_instrument` returns it.

    Returns
    -------
    str
        What the instrument is, a table of its items and a table of its scales.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> with ht.language.speaking("en"):
    ...     print(ht.instruments.codebook.markdown(instrument).splitlines()[0])
    # Pupils' survey of class climate
    """

    def cell(text: str) -> str:
        """Keep a text within its cell, and what it says from being read as markup."""
        for mark in "\\`*_<>[]|":
            text = text.replace(mark, f"\\{mark}")
        return "<br>".join(" ".join(line.split()) for line in text.splitlines())

    parts = [f"# {cell(str(instrument.title))}", ""]
    parts += [f"> {cell(str(caution))}\n" for caution in instrument.caution]
    parts += [f"- {name}{Text('：', ': ')}{cell(said)}" for name, said in _about(instrument)]
    for table in _tables(instrument):
        parts += ["", f"## {table.title}", ""]
        parts.append(f"| {' | '.join(map(str, table.columns))} |")
        parts.append("|---" * len(table.columns) + "|")
        for name, *rest in table.rows:
            parts.append(f"| {' | '.join([f'`{name}`' if name else '', *map(cell, rest)])} |")
    return "\n".join([*parts, ""])


def html(instrument: Instrument) -> str:
    """Return the codebook as a page that stands alone, in the language now spoken.

    Parameters
    ----------
    instrument
        As `htresearch.load_instrument` returns it.

    Returns
    -------
    str
        HTML with its style, without scripts or anything to be fetched; it prints on A4.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> page = ht.instruments.codebook.html(instrument)
    >>> page.startswith("<!DOCTYPE html>")
    True
    """
    spoken = "zh-CN" if language.current() == "zh" else "en"
    title = escape(f"{instrument.title} · {Text('编码手册', 'Codebook')}")
    style = files("htresearch.instruments").joinpath("codebook.css").read_text(encoding="utf-8")
    about = "".join(f"<dt>{name}</dt><dd>{escape(said)}</dd>" for name, said in _about(instrument))
    cautions = "".join(f'<p class="caution">{escape(str(caution))}</p>' for caution in instrument.caution)
    return (
        f'<!DOCTYPE html>\n<html lang="{spoken}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{escape(str(instrument.title))}"
        f"<small>{Text('编码手册', 'Codebook')}</small></h1>\n{cautions}\n<dl>{about}</dl>\n"
        f"{''.join(map(_html_table, _tables(instrument)))}</main>\n</body>\n</html>\n"
    )


def _html_table(table: _Table) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in table.columns)
    body = []
    for row in table.rows:
        name, *rest = (escape(said).replace("\n", "<br>") for said in row)
        first = f'<th scope="row"><code>{name}</code></th>' if name else "<td></td>"
        kind = "" if name else ' class="group"'
        # A row of a matrix has nothing after its wording, which takes the room.
        filled = rest if any(rest[2:]) else rest[:2]
        room = f' colspan="{len(rest) - 1}"' if len(filled) < len(rest) else ""
        cells = [f"<td>{said}</td>" for said in filled[:-1]] + [f"<td{room}>{filled[-1]}</td>"]
        body.append(f"<tr{kind}>{first}{''.join(cells)}</tr>")
    rows = "\n".join(body)
    return (
        f"<section>\n<h2>{table.title}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n"
        "</table>\n</section>\n"
    )


def _about(instrument: Instrument) -> list[tuple[Text, str]]:
    """Return what the instrument is, line by line."""
    anonymous = Text("，匿名", ", anonymous") if instrument.anonymous else ""
    minutes = Text(f"{instrument.minutes} 分钟", f"{instrument.minutes} minutes") if instrument.minutes else ""
    lines = [
        (Text("编号与版本", "Id and version"), f"{instrument.id} · {instrument.version}"),
        (Text("状态", "Status"), _STATUSES[instrument.status]),
        (Text("目的", "Purpose"), instrument.purpose),
        (Text("填写者", "Respondents"), f"{_RESPONDENTS[instrument.respondent]}{anonymous}"),
        (Text("所需时间", "Time"), minutes),
        (Text("对应条款", "Clauses of the policy"), listing(instrument.clauses)),
        (Text("各题缺失码", "Missing codes of all items"), _coded(_common(instrument))),
        (Text("来源", "Source"), instrument.source),
        (Text("许可", "Licence"), instrument.licence),
        (Text("引用", "Citation"), instrument.citation),
    ]
    return [(name, str(said)) for name, said in lines if str(said)]


def _tables(instrument: Instrument) -> Iterator[_Table]:
    yield _Table(
        Text("题目", "Items"),
        (
            Text("列", "Column"),
            Text("题号", "No."),
            Text("题目", "Item"),
            Text("类型", "Type"),
            Text("取值", "Values"),
        ),
        tuple(_item_rows(instrument)),
    )
    if instrument.scales:
        yield _Table(
            Text("量表", "Scales"),
            (
                Text("列", "Column"),
                Text("名称", "Name"),
                Text("题目", "Items"),
                Text("计分", "Scoring"),
                Text("范围", "Range"),
            ),
            tuple(_scale_row(instrument, scale) for scale in instrument.scales.values()),
        )


def _item_rows(instrument: Instrument) -> Iterator[tuple[str, ...]]:
    """Yield a row for each item; above those of a matrix one that has no column, with what they have in common."""
    common = _common(instrument)
    for question in instrument.questions:
        asked = f"[{_asked(question, instrument)}]" if question.when else ""
        if question.type == "matrix":
            values = str(Text("；", "; ")).join(_values(question.items[0], question, common))
            yield ("", str(question.number), f"{question.text} {asked}".strip(), str(_TYPES["matrix"]), values)
        for row, item in enumerate(question.items, 1):
            text = str(item.text) or str(Text("（题干受版权保护）", "(wording licensed)"))
            if question.type == "matrix":
                yield (item.id, f"{question.number}.{row}", text, "", "")
                continue
            values = "\n".join(_values(item, question, common))
            yield (item.id, str(question.number), f"{text}\n{asked}".strip(), str(_TYPES[item.type]), values)


def _common(instrument: Instrument) -> dict[int, Text]:
    """Return the missing codes that every item has."""
    first, *others = instrument.items.values()
    return {code: label for code, label in first.missing.items() if all(o.missing.get(code) == label for o in others)}


def _asked(question: Question, instrument: Instrument) -> Text:
    """Say on which earlier answers a question is asked."""
    conditions = []
    for name, values in question.when.items():
        labels = {c.value: c.label for c in instrument.items[name].choices}
        chosen = listing(Text("“{zh}”", "“{en}”").format(zh=labels[v].zh, en=labels[v].en) for v in values)
        conditions.append(Text(f"{name} 选{chosen.zh}", f"{name} is {chosen.en}"))
    return Text("只问{all}者", "asked if {all}").format(all=listing(conditions))


def _values(item: Item, question: Question, common: dict[int, Text]) -> Iterator[str]:
    if item.identifies:
        yield str(Text("收到后换成编号，原文不进入研究数据", "turned into an id on receipt; kept out of the study"))
        return
    yield from (f"{c.value} = {c.label}" for c in item.choices if not c.missing)
    if item.minimum is not None or item.maximum is not None:
        low = "" if item.minimum is None else f"{item.minimum:g}"
        high = "" if item.maximum is None else f"{item.maximum:g}"
        yield f"{low}–{high}"
    if item.type == "multiple":
        yield str(Text("选中的数值，以 ; 相连", "the values chosen, joined by ;"))
    if item.type == "ranking":
        yield str(Text("按名次排列的数值，以 ; 相连", "the values in order of rank, joined by ;"))
    own = {code: label for code, label in item.missing.items() if code not in common}
    if own:
        yield str(Text("缺失：{all}", "Missing: {all}").format(all=_coded(own)))
    if question.optional:
        yield str(Text("可不答", "optional"))


def _coded(codes: dict[int, Text]) -> Text:
    return listing(Text(f"{code} = {label.zh}", f"{code} = {label.en}") for code, label in sorted(codes.items()))


def _scale_row(instrument: Instrument, scale: Scale) -> tuple[str, ...]:
    keyed = [
        name if weight == 1 else Text(f"{name}（反向）", f"{name} (reversed)") for name, weight in scale.items.items()
    ]
    total = {"mean": Text("均值", "mean"), "sum": Text("总和", "sum")}[scale.scoring]
    least = Text("至少答 {share:.0%}", "at least {share:.0%} answered").format(share=scale.min_answered)
    ends = scale.bounds(instrument.items)
    shown = "" if ends is None else f"{ends[0]:g}–{ends[1]:g}"
    norms = [
        str(Text(f"常模 {group}：{n['mean']:g}（{n['sd']:g}）", f"Norm, {group}: {n['mean']:g} ({n['sd']:g})"))
        for group, n in scale.norms.items()
    ]
    return (
        scale.id,
        str(scale.label),
        str(listing(keyed)),
        f"{total}{Text('，', ', ')}{least}",
        "\n".join([shown, *norms]),
    )
