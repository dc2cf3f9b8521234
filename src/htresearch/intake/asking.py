"""What is asked where a header and the form do not agree: the column, what differs, and what it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from htresearch.checks import suggestion
from htresearch.errors import Fault
from htresearch.instruments import Instrument, Item, Question
from htresearch.intake.export import Column, Export, words
from htresearch.intake.targets import Search, Target, forms, several, short
from htresearch.language import Text, listing

_NEAR, _CANDIDATES, _MOST_ASKED, _LONGEST = 0.5, 3, 12, 200


def argument_faults(search: Search) -> Iterator[Fault]:
    """Yield what the user says of columns and items that are not there."""
    for key, name in search.said.items():
        if key not in search.used:
            headers = [c.header.strip() for c in (*search.export.questions, *search.export.others)]
            yield Fault(
                Text("参数 columns", "Argument columns"),
                Text(f"文件中没有“{key}”这一列", f"the file has no column {key!r}"),
                suggestion(key, headers) or Text("请照表头原样写", "Write the header as it stands"),
            )
        if name is not None and name not in search.targets:
            yield _unknown_item("columns", name, search)
    for name in sorted(search.without):
        if name not in search.instrument.items:
            yield _unknown_item("without", name, search)


def _unknown_item(argument: str, name: str, search: Search) -> Fault:
    return Fault(
        Text(f"参数 {argument}", f"Argument {argument}"),
        Text("问卷中没有这道题", "the instrument has no such item"),
        suggestion(name, search.targets) or Text("请写题目的名称（id）", "Write the item's name (id)"),
        name,
    )


def nothing_matches(export: Export, instrument: Instrument) -> Fault:
    """Return the one fault of a file that is of another form."""
    # No header is shown: in a file without headers the first row is somebody's answers.
    return Fault(
        export.path.name,
        Text("没有一列与《{title}》的题目对得上", "no column answers an item of “{title}”").format(
            title=instrument.title
        ),
        Text(
            "请检查问卷和文件是否给对，题目列的表头是否完整（如“1、您的性别”）",
            "See whether these are the right instrument and file, and whether headers are complete (such as 1、…)",
        ),
    )


def doubled(export: Export, found: Mapping[str, tuple[Target, list[Column]]]) -> Iterator[Fault]:
    """Yield a fault for each item that more than one column answers."""
    for target, columns in found.values():
        if len(columns) > 1:
            yield Fault(
                Text("{f} · {all}", "{f} · {all}").format(f=export.path.name, all=listing([c.name for c in columns])),
                Text("对应同一题 {t}", "answer the same item, {t}").format(t=target.shown),
                Text(
                    "请用 columns 指明哪一列要收，另一列写 None",
                    "Say with `columns` which one counts; give None for the other",
                ),
            )


def ask(search: Search, asked: list[Column], spare: list[Column], found: set[str]) -> Iterator[Fault]:
    """Yield a fault for each column that matches nothing exactly; one for all where only the numbers differ."""
    open_targets = [t for n, t in search.targets.items() if n not in found and t.item.id not in search.without]
    moved = [c for c in asked if len(search.worded.get(c.heading.words, ())) == 1]
    if len(moved) == len(asked) > 2:
        first = moved[0]
        target = search.worded[first.heading.words][0]
        yield Fault(
            Text("{f} · {c} 等 {n} 列", "{f} · {c} and others, {n} columns").format(
                f=search.export.path.name, c=first.name, n=len(moved)
            ),
            Text(
                "题干与问卷相同，题号不同（文件第 {a} 题，问卷第 {b} 题）",
                "have the words of the form but other numbers (question {a} in the file is {b} on the form)",
            ).format(a=first.heading.number, b=target.question.number),
            Text(
                "若确是同一份问卷，请写 numbers=False（只按题干对应）",
                "If it is the same form, give numbers=False (words alone decide)",
            ),
        )
        yield from _absent(search, spare, found | {search.worded[c.heading.words][0].name for c in moved})
        return
    suggested = set()
    for question, rows in _rewritten(search, asked):
        suggested |= {target.name for _, target in rows}
        asked = [c for c in asked if not any(c is column for column, _ in rows)]
        yield _new_stem(search, question, rows)
    for column in asked[:_MOST_ASKED]:
        near = _nearest(column, open_targets)
        suggested |= {t.name for t in near}
        yield Fault(
            Text("{f} · {c}", "{f} · {c}").format(f=search.export.path.name, c=column.name),
            _difference(search, column),
            _choose(column, near),
        )
    if rest := asked[_MOST_ASKED:]:
        yield Fault(
            Text("{f} · {a} 至 {b}", "{f} · {a} to {b}").format(
                f=search.export.path.name, a=rest[0].place, b=rest[-1].place
            ),
            Text(f"另有 {len(rest)} 列对不上", f"{len(rest)} more columns match nothing"),
            Text("请先处理上面各列", "See to those above first"),
        )
    else:
        yield from _absent(search, spare, found | suggested)


def _rewritten(search: Search, asked: list[Column]) -> Iterator[tuple[Question, list[tuple[Column, Target]]]]:
    """Yield columns that end with a row of their matrix, word for word, under another question."""
    for question in search.instrument.questions:
        if question.type != "matrix":
            continue
        rows = {words(t): Target(question, i) for i in question.items for t in (i.text.zh, i.text.en) if words(t)}
        found = []
        for column in asked:
            hits = {t.name: t for w, t in rows.items() if column.heading.words.endswith(w)}
            if column.heading.number == question.number and len(hits) == 1:
                found.append((column, *hits.values()))
        if len(found) > 1:
            yield question, found


def _new_stem(search: Search, question: Question, rows: list[tuple[Column, Target]]) -> Fault:
    said = ", ".join(f'"{column.place}": "{target.name}"' for column, target in rows)
    return Fault(
        Text("{f} · {a} 至 {b}", "{f} · {a} to {b}").format(
            f=search.export.path.name, a=rows[0][0].place, b=rows[-1][0].place
        ),
        Text(
            "各行与第 {n} 题相同，上面的题干却不是“{zh}”",
            "have the rows of question {n}, but the words above them are not “{en}”",
        ).format(n=question.number, zh=short(question.text.zh), en=short(question.text.en)),
        Text("若确是这道题，请写 columns={said}", "If it is this question, give columns={said}").format(
            said="{" + said + "}"
        ),
    )


def _difference(search: Search, column: Column) -> Text:
    number, same = column.heading.number, search.worded.get(column.heading.words, [])
    if same and number is not None:
        return Text("题号是 {a}，题干却是第 {b} 题的", "bears the number {a} but the words of question {b}").format(
            a=number, b=same[0].question.number
        )
    if len(same) > 1:
        return Text("题干与不止一题相同", "has the words of more than one item")
    here = [q for q in search.instrument.questions if q.number == number]
    if here:
        said = here[0].text if here[0].text.zh else here[0].items[0].text
        return Text("题干与第 {n} 题“{zh}”不同", "does not have the words of question {n}, “{en}”").format(
            n=number, zh=short(said.zh), en=short(said.en)
        )
    return Text("问卷中没有这道题", "is no question of the instrument")


def _likeness(column: Column, target: Target) -> float:
    said = column.heading.words[:_LONGEST]
    same = 0.15 * (target.question.number == column.heading.number)
    return same + max((SequenceMatcher(None, said, form).ratio() for form in forms(target)), default=0.0)


def _nearest(column: Column, targets: list[Target]) -> list[Target]:
    ranked = sorted(((_likeness(column, t), -i, t) for i, t in enumerate(targets)), key=lambda r: r[:2], reverse=True)
    near = [t for score, _, t in ranked if score >= _NEAR]
    # What stands under the number of a question may be it, however it is worded.
    own = [t for t in targets if t.question.number == column.heading.number and t.choice is None]
    return (near or own)[:_CANDIDATES]


def _choose(column: Column, near: list[Target]) -> Text:
    out = f'columns={{"{column.place}": None}}'
    if not near:
        return Text(
            f"若不收这一列，请写 {out}；若是某题，请写出那题的名称",
            f"To leave it out, give {out}; if it answers an item, name that item",
        )
    pick = f'columns={{"{column.place}": "{near[0].name}"}}'
    return Text(
        "最接近的是 {all}。若就是它，请写 {pick}；若不收这一列，请写 {out}",
        "Nearest: {all}. If that is it, give {pick}; to leave the column out, {out}",
    ).format(all=listing([t.shown for t in near]), pick=pick, out=out)


def _absent(search: Search, spare: list[Column], seen: set[str]) -> Iterator[Fault]:
    """Yield a fault for each question with items that no column answers or may answer."""
    for question in search.instrument.questions:
        lacking = [
            item
            for item in question.items
            if item.id not in search.without
            and item.id not in seen
            and not any(f"{item.id}_{choice.value}" in seen for choice in several(item))
        ]
        if lacking:
            names = [item.id for item in lacking]
            said = question.text if question.text.zh else lacking[0].text
            yield Fault(
                Text("{f} · 第 {n} 题“{zh}”", "{f} · question {n}, “{en}”").format(
                    f=search.export.path.name, n=question.number, zh=short(said.zh), en=short(said.en)
                ),
                Text("没有对应的列：{all}", "no column answers {all}").format(all=listing(names)),
                _may_be(search, spare, question, lacking),
            )


def _may_be(search: Search, spare: list[Column], question: Question, lacking: list[Item]) -> Text:
    """Return what to do about items without a column: there may be one that bears no number."""
    near = {}
    for item in lacking:
        alike = [(_likeness(c, Target(question, item)), c) for c in spare[:_LONGEST]]
        score, column = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if score >= _NEAR:
            near[column.place] = (column.name, item.id)
    if near:
        pick = "{" + ", ".join(f'"{place}": "{name}"' for place, (_, name) in near.items()) + "}"
        return Text(
            "最接近的列是 {all}，但题号或题干不完全相同。若就是它，请写 columns={pick}",
            "Nearest is {all}, but its number or words are not quite the same. If that is it, give columns={pick}",
        ).format(all=listing([name for name, _ in near.values()]), pick=pick)
    return Text(
        "请检查导出是否完整；若当时没有问，请写 without={names}",
        "See whether the export is complete; if it was not asked, give without={names}",
    ).format(names=[item.id for item in lacking])
