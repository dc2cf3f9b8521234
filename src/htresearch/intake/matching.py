"""Which column answers which item: the number and the words of a header must both say so, else the user is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from htresearch.checks import suggestion
from htresearch.errors import Fault, IntakeError
from htresearch.instruments import Choice, Instrument, Item, Question
from htresearch.intake.export import Column, Export, words
from htresearch.language import Text, listing

_SEVERAL = ("multiple", "ranking")
_NEAR, _CANDIDATES, _MOST_ASKED, _LONGEST = 0.5, 3, 30, 200


@dataclass(frozen=True)
class Target:
    """What a column can answer: an item, or one choice of an item with several answers."""

    question: Question
    item: Item
    choice: Choice | None = None

    @property
    def name(self) -> str:
        """How users name it: the item, or the item and the value of a choice."""
        return self.item.id if self.choice is None else f"{self.item.id}_{self.choice.value}"

    @property
    def shown(self) -> Text:
        """How messages name it."""
        said = self.item.text if self.choice is None else self.choice.label
        return Text("{name}（第 {n} 题“{zh}”）", "{name} (question {n}, “{en}”)").format(
            name=self.name, n=self.question.number, zh=_short(said.zh), en=_short(said.en)
        )


@dataclass(frozen=True, eq=False)
class Matched:
    """The columns of each item.

    Attributes
    ----------
    whole : mapping of str to Column
        By item: its one column.
    split : mapping of str to mapping
        By item with several answers: a column for each choice, by its value.
    left_out : tuple of Column
        Columns that answer nothing.
    notes : tuple of Text
    """

    whole: Mapping[str, Column]
    split: Mapping[str, Mapping[int, Column]]
    left_out: tuple[Column, ...]
    notes: tuple[Text, ...] = ()


def _all_targets(instrument: Instrument) -> dict[str, Target]:
    listed = [Target(q, i, c) for q in instrument.questions for i in q.items for c in (None, *_several(i))]
    return {target.name: target for target in listed}


def target_names(instrument: Instrument) -> frozenset[str]:
    """Return every name under which a column can answer: items, and ``item_value`` for choices."""
    return frozenset(_all_targets(instrument))


def target_words(instrument: Instrument) -> frozenset[str]:
    """Return the words of every header that can answer."""
    return frozenset(form for target in _all_targets(instrument).values() for form in _forms(target) if form)


def match(
    export: Export,
    instrument: Instrument,
    columns: Mapping[str, str | None] | None = None,
    without: Collection[str] = (),
    numbers: bool = True,
) -> Matched:
    """Find the columns of each item.

    Parameters
    ----------
    export, instrument
        The file and the form it should be an export of.
    columns
        What the user says: header (or the place of the header, such as ``"C1"``) to the name of an item, to
        ``item_value`` for one choice of it, or to None for a column that is to be left out.
    without
        Items that the form did not ask.
    numbers
        Whether numbers must agree as well; False where questions were renumbered and words alone decide.

    Raises
    ------
    IntakeError
        With a fault for every column that does not match exactly, with the nearest items, and for every question
        without a column.
    """
    search = _Search(export, instrument, dict(columns or {}), frozenset(without), numbers)
    found = {}  # target name -> (target, columns)
    unmatched = []
    for column in export.questions:
        target = search.target(column)
        if target is None:
            unmatched.append(column)
        elif isinstance(target, Target):
            found.setdefault(target.name, (target, []))[1].append(column)
    faults = [*search.faults, *_argument_faults(search), *_doubled(export, found)]
    asked = [c for c in unmatched if export.strict or c.heading.number is not None]
    if not found and not any(c.heading.words in search.worded for c in asked):
        raise IntakeError(*(faults or [_nothing(export, instrument)]))
    faults += _ask(search, asked, set(found))
    whole, split, more = _assemble(search, found)
    faults += more
    if faults:
        raise IntakeError(*faults)
    left = [c for c in unmatched if c not in asked] + search.dropped + list(export.others)
    return Matched(whole, split, tuple(left), tuple(_notes(search)))


@dataclass
class _Search:
    """What is known of the form while columns are looked up."""

    export: Export
    instrument: Instrument
    said: dict[str, str | None]
    without: frozenset[str]
    numbers: bool
    faults: list[Fault] = field(default_factory=list)
    dropped: list[Column] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @cached_property
    def targets(self) -> dict[str, Target]:
        """Everything a column can answer, by name."""
        return _all_targets(self.instrument)

    @cached_property
    def worded(self) -> dict[str, list[Target]]:
        """Targets by the words of a header."""
        known = defaultdict(list)
        for target in self.targets.values():
            for form in {w for w in _forms(target) if w}:
                known[form].append(target)
        return dict(known)

    @cached_property
    def by_order(self) -> dict[Column, Target]:
        """Columns of an instrument whose wording is not here: they stand in its order under its numbers."""
        if self.instrument.worded:
            return {}
        numbered = [c for c in self.export.questions if c.heading.number is not None]
        items = [Target(q, i) for q in self.instrument.questions for i in q.items]
        if [c.heading.number for c in numbered] == list(range(1, len(items) + 1)):
            return dict(zip(numbered, items, strict=True))
        found = {}
        for question in self.instrument.questions:
            own = [c for c in numbered if c.heading.number == question.number]
            if len(own) == len(question.items):
                found |= {c: Target(question, item) for c, item in zip(own, question.items, strict=True)}
        return found

    def target(self, column: Column) -> Target | bool | None:
        """Return what a column answers, True where the user has settled it, None where nothing is certain."""
        key = next((k for k in (column.header.strip(), column.header, column.place) if k in self.said), None)
        if key is not None:
            self.used.add(key)
            if self.said[key] is None:
                self.dropped.append(column)
                return True
            return self.targets.get(self.said[key], True)
        if column.variable in self.targets:
            return self.targets[column.variable]
        if column in self.by_order:
            return self.by_order[column]
        number, said = column.heading.number, column.heading.words
        hits = self.worded.get(said, [])
        if self.numbers and number is not None:
            hits = [t for t in hits if t.question.number == number]
        elif self.numbers and self.export.strict:
            hits = []
        return hits[0] if len(hits) == 1 else None


def _several(item: Item) -> Iterable[Choice]:
    return item.choices if item.type in _SEVERAL else ()


def _forms(target: Target) -> Iterator[str]:
    """Yield the words by which a header can name a target: with and without the question above it."""
    for language in ("zh", "en"):
        stem = words(getattr(target.question.text, language))
        if target.choice is not None:
            label = words(getattr(target.choice.label, language))
            yield from (label, stem + label) if label else ()
        elif target.question.type == "matrix":
            row = words(getattr(target.item.text, language))
            yield from (row, stem + row) if row else ()
        else:
            yield stem


def _short(text: str, length: int = 18) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# --- what is wrong --------------------------------------------------------------------------------------------------


def _argument_faults(search: _Search) -> Iterator[Fault]:
    for key, name in search.said.items():
        if key not in search.used:
            headers = [c.header.strip() for c in search.export.questions]
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


def _unknown_item(argument: str, name: str, search: _Search) -> Fault:
    return Fault(
        Text(f"参数 {argument}", f"Argument {argument}"),
        Text("问卷中没有这道题", "the instrument has no such item"),
        suggestion(name, search.targets) or Text("请写题目的名称（id）", "Write the item's name (id)"),
        name,
    )


def _nothing(export: Export, instrument: Instrument) -> Fault:
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


def _doubled(export: Export, found: Mapping[str, tuple[Target, list[Column]]]) -> Iterator[Fault]:
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


def _ask(search: _Search, asked: list[Column], found: set[str]) -> Iterator[Fault]:
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
        yield from _absent(search, found | {search.worded[c.heading.words][0].name for c in moved})
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
        yield from _absent(search, found | suggested)


def _rewritten(search: _Search, asked: list[Column]) -> Iterator[tuple[Question, list[tuple[Column, Target]]]]:
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


def _new_stem(search: _Search, question: Question, rows: list[tuple[Column, Target]]) -> Fault:
    said = ", ".join(f'"{column.place}": "{target.name}"' for column, target in rows)
    return Fault(
        Text("{f} · {a} 至 {b}", "{f} · {a} to {b}").format(
            f=search.export.path.name, a=rows[0][0].place, b=rows[-1][0].place
        ),
        Text(
            "各行与第 {n} 题相同，上面的题干却不是“{zh}”",
            "have the rows of question {n}, but the words above them are not “{en}”",
        ).format(n=question.number, zh=_short(question.text.zh), en=_short(question.text.en)),
        Text("若确是这道题，请写 columns={said}", "If it is this question, give columns={said}").format(
            said="{" + said + "}"
        ),
    )


def _difference(search: _Search, column: Column) -> Text:
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
            n=number, zh=_short(said.zh), en=_short(said.en)
        )
    return Text("问卷中没有这道题", "is no question of the instrument")


def _nearest(column: Column, targets: list[Target]) -> list[Target]:
    said = column.heading.words[:_LONGEST]

    def likeness(target: Target) -> float:
        same = 0.15 * (target.question.number == column.heading.number)
        return same + max((SequenceMatcher(None, said, form).ratio() for form in _forms(target)), default=0.0)

    ranked = sorted(((likeness(t), -i, t) for i, t in enumerate(targets)), key=lambda r: r[:2], reverse=True)
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


def _absent(search: _Search, seen: set[str]) -> Iterator[Fault]:
    """Yield a fault for each question with items that no column answers or may answer."""
    for question in search.instrument.questions:
        lacking = [
            item
            for item in question.items
            if item.id not in search.without
            and item.id not in seen
            and not any(f"{item.id}_{choice.value}" in seen for choice in _several(item))
        ]
        if lacking:
            names = [item.id for item in lacking]
            said = question.text if question.text.zh else lacking[0].text
            yield Fault(
                Text("{f} · 第 {n} 题“{zh}”", "{f} · question {n}, “{en}”").format(
                    f=search.export.path.name, n=question.number, zh=_short(said.zh), en=_short(said.en)
                ),
                Text("没有对应的列：{all}", "no column answers {all}").format(all=listing(names)),
                Text(
                    "请检查导出是否完整；若当时没有问，请写 without={names}",
                    "See whether the export is complete; if it was not asked, give without={names}",
                ).format(names=names),
            )


def _assemble(search: _Search, found: Mapping[str, tuple[Target, list[Column]]]):
    """Return the columns of each item, whole or split by choice, and what is wrong with the split ones."""
    whole: dict[str, Column] = {}
    split: dict[str, dict[int, Column]] = defaultdict(dict)
    for target, (column, *_) in found.values():
        if target.choice is None:
            whole[target.item.id] = column
        else:
            split[target.item.id][target.choice.value] = column
    faults = []
    for name, columns in split.items():
        item = search.instrument.items[name]
        where = f"{search.export.path.name} · {name}"
        lacking = [c.label for c in item.choices if c.value not in columns and not c.missing]
        if name in whole:
            faults.append(
                Fault(
                    where,
                    Text(
                        "既有一列合并的答案，又有每个选项的列",
                        "has one column with all answers and a column a choice",
                    ),
                    Text("请用 columns 把其中一种写为 None", "Leave one kind out with `columns`"),
                )
            )
        elif lacking:
            faults.append(
                Fault(
                    where,
                    Text("缺少这些选项的列：{all}", "lacks the columns of {all}").format(all=listing(lacking)),
                    Text("请重新导出全部选项", "Export all choices"),
                )
            )
    return whole, dict(split), faults


def _notes(search: _Search) -> Iterator[Text]:
    if search.used:
        yield Text(f"{len(search.used)} 列由使用者指明对应", f"{len(search.used)} columns were assigned by the user")
    if not search.numbers:
        yield Text("只按题干对应，未核对题号", "Columns were matched by words alone, not by numbers")
    if search.by_order:
        yield Text(
            "问卷不含题干，各列按题号和次序对应，请自行核对",
            "The instrument has no wording: columns were matched by number and order; check them",
        )
    if search.without:
        yield Text("问卷没有问：{all}", "Not asked: {all}").format(all=listing(sorted(search.without)))
