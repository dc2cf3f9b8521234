"""Which column answers which item: the number and the words of a header must both say so, else the user is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from htresearch.errors import Fault, IntakeError
from htresearch.instruments import Instrument
from htresearch.intake.asking import argument_faults, ask, doubled, nothing_matches
from htresearch.intake.export import Column, Export
from htresearch.intake.targets import Search, Target
from htresearch.language import Text, listing


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
    search = Search(export, instrument, dict(columns or {}), frozenset(without), numbers)
    found = {}  # target name -> (target, columns)
    unmatched = []
    for column in (*export.questions, *(c for c in export.others if search.key(c) is not None)):
        target = search.target(column)
        if target is None:
            unmatched.append(column)
        elif isinstance(target, Target):
            found.setdefault(target.name, (target, []))[1].append(column)
    faults = [*argument_faults(search), *doubled(export, found)]
    asked = [c for c in unmatched if export.strict or c.heading.number is not None]
    if not found and not any(c.heading.words in search.worded for c in asked):
        raise IntakeError(*(faults or [nothing_matches(export, instrument)]))
    spare = [c for c in (*unmatched, *export.others) if c not in asked and search.key(c) is None]
    faults += ask(search, asked, spare, set(found))
    whole, split, more = _assemble(search, found)
    faults += more
    if faults:
        raise IntakeError(*faults)
    return Matched(whole, split, (*spare, *search.dropped), tuple(_notes(search)))


def _assemble(search: Search, found: Mapping[str, tuple[Target, list[Column]]]):
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


def _notes(search: Search) -> Iterator[Text]:
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
