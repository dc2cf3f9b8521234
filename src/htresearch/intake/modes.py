"""How the closed answers of a file are written: by text, by the option's number, or by its score.

A platform writes a whole file one way. The way is found from the answers: it is the one that they all fit. Where they
fit two that would give different values (options scored 0 to 4, and nobody chose the first or the last), the user
says which it is; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from htresearch.errors import Fault
from htresearch.instruments import Item
from htresearch.intake.decoding import REFUSED, Cells, Meaning, by_labels, choice_table, reader
from htresearch.language import Text, listing

NAMES = {
    "text": Text("按选项文本", "by the options' text"),
    "number": Text("按选项序号", "by the options' numbers"),
    "score": Text("按选项分数", "by the options' scores"),
}
#: How many times more answers must misfit the second-best way where none is without a misfit.
_CLEARLY = 10
_CLEARLY_TEXT = 2

Answers = Mapping[str, tuple[Item, Cells]]


@dataclass(frozen=True, eq=False)
class Settled:
    """The way that was found, and what every distinct cell means by it.

    Attributes
    ----------
    mode : str or None
        None where there is nothing to tell by.
    meanings : mapping of str to list of Meaning
        By item.
    notes : tuple of Text
    fault : Fault or None
        Where no way could be told from another.
    """

    mode: str | None
    meanings: Mapping[str, list[Meaning]]
    notes: tuple[Text, ...] = ()
    fault: Fault | None = None


def settle(answers: Answers, modes: Sequence[str], file: str, given: str | None = None) -> Settled:
    """Find the way of writing, and read every closed answer by it.

    Parameters
    ----------
    answers
        Closed items with the cells of their column.
    modes
        The ways that the source knows.
    file
        Its name, for messages.
    given
        The way, where the user says it.
    """
    if modes == ("label",):
        read = {name: _by_label(item, c) for name, (item, c) in answers.items()}
        return Settled(None, read)
    numeric = [mode for mode in modes if mode != "text"]
    if given in numeric or not any(_worded(item, c) for item, c in answers.values()):
        return _choose(answers, numeric, file, given if given in numeric else None)
    # Scales stand as numbers even where everything else stands as text.
    bare = {name: pair for name, pair in answers.items() if _bare(*pair)}
    texts = {name: pair for name, pair in answers.items() if name not in bare}
    settled = _choose(texts, list(modes), file, given)
    if settled.mode != "text":
        return _choose(answers, numeric, file, None)
    scales = _choose(bare, numeric, file, None) if bare else Settled(None, {})
    note = Text("这些题写的是数字，不是选项文字：{all}", "These are written as numbers, not as text: {all}")
    return Settled(
        "text",
        {**settled.meanings, **scales.meanings},
        (*settled.notes, note.format(all=listing(bare))) if bare else settled.notes,
        settled.fault or scales.fault,
    )


def _by_label(item: Item, cells: Cells) -> list[Meaning]:
    read = by_labels(item, cells.column)
    return [read(v, k) for v, k in zip(cells.distinct, cells.keys, strict=True)]


def _meanings(answers: Answers, mode: str) -> dict[str, list[Meaning]]:
    found = {}
    for name, (item, cells) in answers.items():
        read = reader(item, mode)
        found[name] = [read(v, k) for v, k in zip(cells.distinct, cells.keys, strict=True)]
    return found


def _numeral(key: str) -> bool:
    return key.lstrip("+-").replace(".", "", 1).isdecimal()


def _by_text(item: Item, cells: Cells) -> list[Meaning]:
    read = reader(item, "text")
    return [read(v, k) for v, k in zip(cells.distinct, cells.keys, strict=True)]


def _worded(item: Item, cells: Cells) -> bool:
    """Tell whether a column holds labels of its choices, or could: numerals that label other values."""
    table = choice_table(item, "text")
    if any(_numeral(label) and label != str(value) for label, value in table.items()):
        return True
    meant = zip(cells.keys, _by_text(item, cells), strict=True)
    return any((m.why is None or m.aside) and not _numeral(key) for key, m in meant)


def _bare(item: Item, cells: Cells) -> bool:
    """Tell whether a column holds numbers that are no labels of its choices."""
    meant = _by_text(item, cells)
    refused = [k for k, m in zip(cells.keys, meant, strict=True) if m.why is REFUSED]
    return bool(refused) and all(m.why is not None for m in meant) and all(map(_numeral, refused))


def _misfits(answers: Answers, meanings: Mapping[str, list[Meaning]]) -> int:
    return sum(
        int(n)
        for name, (_, cells) in answers.items()
        for m, n in zip(meanings[name], cells.counts, strict=True)
        if m.why is REFUSED
    )


def _choose(answers: Answers, modes: list[str], file: str, given: str | None) -> Settled:
    if given is not None:
        return Settled(given, _meanings(answers, given), (_SAID.format(mode=NAMES[given]),))
    read = {mode: _meanings(answers, mode) for mode in modes}
    misfits = {mode: _misfits(answers, read[mode]) for mode in modes}
    ranked = sorted(modes, key=misfits.get)
    best, others = ranked[0], [m for m in ranked[1:] if not _same(read[m], read[ranked[0]])]
    meanings = read[best]
    if not others or (misfits[best] == 0 and misfits[others[0]] > 0):
        note = (_FOUND.format(mode=NAMES[best]),) if others else ()
        return Settled(best, meanings, note)
    times = _CLEARLY_TEXT if "text" in (best, others[0]) else _CLEARLY
    if misfits[best] > 0 and misfits[others[0]] >= times * misfits[best]:
        return Settled(best, meanings, (_FOUND.format(mode=NAMES[best]),))
    rivals = [best, *(m for m in others if misfits[m] == misfits[others[0]])]
    return Settled(best, meanings, fault=_undecided(answers, read, rivals, file))


def _same(one: Mapping[str, list[Meaning]], other: Mapping[str, list[Meaning]]) -> bool:
    return all(a == b for name in one for a, b in zip(one[name], other[name], strict=True))


_FOUND = Text("答案的写法：{mode}（由答案本身判断）", "Answers are written {mode} (found from the answers)")
_SAID = Text("答案的写法：{mode}（由使用者指明）", "Answers are written {mode} (said by the user)")


def _undecided(answers: Answers, read: Mapping[str, Mapping], rivals: list[str], file: str) -> Fault:
    first, second = rivals[:2]
    differ = [
        item
        for name, (item, _) in answers.items()
        if any(a != b for a, b in zip(read[first][name], read[second][name], strict=True))
    ]
    example = differ[0]
    return Fault(
        file,
        Text(
            "答案既可能是{a}，也可能是{b}，读出的数不同（如 {item}）",
            "the answers could be written {a} or {b}, which gives different values (for example {item})",
        ).format(a=NAMES[first], b=NAMES[second], item=example.id),
        Text(
            "请看导出时选的是哪一种，写 mode={a!r} 或 mode={b!r}；最稳妥的是按选项文本重新导出",
            "See how it was exported and give mode={a!r} or mode={b!r}; safest is a new export by text (按选项文本)",
        ).format(a=first, b=second),
    )
