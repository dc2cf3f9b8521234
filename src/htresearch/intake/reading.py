"""One file on its way from cells to a frame, with everything that is to be said of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import pandas as pd

from htresearch import checks, identifiers
from htresearch.errors import Fault, IntakeError
from htresearch.instruments import Instrument, Item
from htresearch.intake.decoding import (
    CLOSED,
    REFUSED,
    Cells,
    Decoded,
    Meaning,
    by_labels,
    cells,
    decode,
    decode_split,
    reader,
)
from htresearch.intake.export import Column, Export, plain
from htresearch.intake.matching import Matched
from htresearch.intake.modes import settle
from htresearch.intake.receipt import MOST_PLACES, Exclusion, Receipt
from htresearch.intake.screening import RULES, Screen, against_skips, holds
from htresearch.intake.times import durations, moments
from htresearch.language import Text, label, listing

#: A column with so many refused answers, more than half of all, is not the item's at all.
_REFUSED_IS_WRONG = 5
_ALIKE = 0.6


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of a file.

    Attributes
    ----------
    frame : pandas.DataFrame
        respondent_id, submitted_at, duration_s, and a column for each item that does not identify.
    identifying : pandas.DataFrame
        The answers that say who somebody is or where they belong, by item, with the frame's index.
    receipt : Receipt
    rows : array of int
        Which row of answers of the file, from 0, each row of the frame is.
    cells : mapping of str to callable
        By item, what gives the cell of a row of the file.
    """

    frame: pd.DataFrame
    identifying: pd.DataFrame
    receipt: Receipt
    rows: np.ndarray
    cells: Mapping[str, Callable[[int], Text | str]]

    def place(self, item: str, row: int) -> Text | str:
        """Return the cell of an item in a row of the frame."""
        return self.cells[item](int(self.rows[row]))


@dataclass(frozen=True, eq=False)
class Reading:
    """One file on its way to a frame."""

    export: Export
    instrument: Instrument
    matched: Matched
    window: tuple[pd.Timestamp | None, pd.Timestamp | None]
    exclude: frozenset[str]
    tests: tuple[str, ...]
    people: Callable[[pd.DataFrame], pd.Series] | None

    def answers(self, mode: str | None, names: Iterable[str]) -> Answers:
        """Decode every column, screen the rows, and say what was done."""
        items = self.instrument.items
        asked = [name for name in items if name in self.matched.whole or name in self.matched.split]
        decoded, refused, notes = self._decoded(asked, mode)
        told = {name: _text_of(column) for name, column in self.export.facts.items() if name not in _TIMES}
        identifying = self._identifying(asked, decoded)
        known = self._names(identifying, names)
        frame, more = self._frame(asked, decoded, told, known)
        notes += more
        kept, exclusions, reported, skips = self._screened(frame, identifying, told)
        masked = self._mask(frame, known, kept)
        findings = [*self._refused(refused, kept), *reported, *self._skips(skips, kept), *self._times(frame, kept)]
        receipt = Receipt(
            source=identifiers.mask(_sayable(self.export.path.name), known),
            sha256=self.export.sha256,
            rows_in=self.export.rows,
            rows_kept=int(kept.sum()),
            exclusions=tuple(exclusions),
            notes=(*self.export.notes, *self.matched.notes, *notes, *self._left_out(known), *masked[1]),
            tables=self._tables(asked, decoded, kept, masked[0]),
            findings=tuple(findings),
        )
        frame, identifying = (f[kept].reset_index(drop=True) for f in (frame, identifying))
        # Only where cells stand goes on: what the file holds is many times what its answers take.
        where = {name: self._column(name).locate for name in asked}
        return Answers(frame, identifying, receipt, np.flatnonzero(kept), where)

    def _column(self, name: str) -> Column:
        return self.matched.whole.get(name) or next(iter(self.matched.split[name].values()))

    # --- cells to values ------------------------------------------------------------------------------------------

    def _decoded(self, asked: list[str], mode: str | None):
        """Return the answers by item, the refused cells by item, and notes; raise where columns cannot be read."""
        items, whole = self.instrument.items, self.matched.whole
        file = self.export.path.name
        read = {name: cells(column) for name, column in whole.items()}
        closed = {name: (items[name], read[name]) for name in read if items[name].type in CLOSED}
        settled = settle(closed, self.export.modes, file, mode)
        decoded: dict[str, Decoded] = {}
        refused: dict[str, list[tuple[Column, np.ndarray]]] = {}
        faults = [settled.fault] if settled.fault else []
        for name in asked:
            if name in whole:
                meanings = settled.meanings.get(name) or _open_meanings(items[name], read[name])
                decoded[name] = decode(items[name], read[name], meanings)
                refused[name] = [(whole[name], decoded[name].rows(REFUSED))]
                if settled.fault is None:
                    faults += _wrong_column(file, items[name], whole[name], read[name], meanings)
                del read[name]
            else:
                decoded[name], bad = decode_split(items[name], self.matched.split[name])
                alone = decoded[name].rows(REFUSED)
                named = [pair for pair in bad.values() if len(pair[1])]
                seen = np.unique(np.concatenate([rows for _, rows in named])) if named else np.empty(0, int)
                refused[name] = [*named, (self._column(name), np.setdiff1d(alone, seen))]
        checks.require(*faults, error=IntakeError)
        notes = list(settled.notes)
        aside = sum(d.aside for d in decoded.values())
        if aside:
            notes.append(
                Text(
                    f"选项后另填的文字 {aside} 处，只收选项，不收文字",
                    f"Words beside a choice, {aside} times: the choice was taken in, the words were not",
                )
            )
        return decoded, refused, notes

    def _identifying(self, asked: list[str], decoded: Mapping[str, Decoded]) -> pd.DataFrame:
        items = self.instrument.items
        told = {name: _labels(items[name], decoded[name].given) for name in asked if items[name].identifies}
        return pd.DataFrame(told, index=range(self.export.rows))

    def _names(self, identifying: pd.DataFrame, names: Iterable[str]) -> identifiers.Names:
        """Return the names that nothing may hold: those of the roster and those of the file itself."""
        items = self.instrument.items
        own = [identifying[i] for i in identifying if items[i].identifies == "name"]
        return identifiers.Names([*names, *pd.unique(pd.concat(own).dropna())] if own else list(names))

    def _frame(
        self,
        asked: list[str],
        decoded: Mapping[str, Decoded],
        told: Mapping[str, np.ndarray],
        known: identifiers.Names,
    ) -> tuple[pd.DataFrame, list[Text]]:
        rows = self.export.rows
        respondent, notes = _respondents(told.get("respondent"), rows, known)
        submitted, duration, more = self._moments()
        columns = {"respondent_id": respondent, "submitted_at": submitted, "duration_s": duration}
        for name, item in self.instrument.items.items():
            if item.identifies is None:
                columns[name] = decoded[name].given if name in asked else _nothing(item, rows)
        return pd.DataFrame(columns, index=range(rows)), [*notes, *more]

    def _moments(self) -> tuple[pd.Series, pd.Series, list[Text]]:
        facts, rows, notes = self.export.facts, self.export.rows, []

        def at(name: str) -> pd.Series:
            return moments(facts[name].read()) if name in facts else moments([None] * rows)

        submitted, started = at("submitted_at"), at("started_at")
        if "duration_s" in facts:
            duration = durations(facts["duration_s"].read())
        elif "started_at" in facts and "submitted_at" in facts:
            gap = (submitted - started).dt.total_seconds()
            duration = durations([None if s != s or s < 0 else s for s in gap])
            notes.append(Text("用时由开始和提交时间相减得到", "Durations were computed from start and submission"))
        else:
            duration = pd.Series(pd.array([None] * rows, dtype="Int64"))
        for name, said in (("submitted_at", _NO_TIME), ("duration_s", _NO_DURATION)):
            if name not in facts and not (name == "duration_s" and notes):
                notes.append(said)
        return submitted, duration, notes

    # --- rows -----------------------------------------------------------------------------------------------------

    def _screened(self, frame: pd.DataFrame, identifying: pd.DataFrame, told: Mapping[str, np.ndarray]):
        """Return which rows are kept, what was left out, what is reported, and answers against the form's rules."""
        items = [name for name in self.instrument.items if name in frame]
        person = self.people(identifying) if self.people else None
        given = Screen(self.instrument, frame, identifying, told, *self.window, self.tests, items, person)
        kept = np.ones(len(frame), bool)
        exclusions, reported = [], []
        for rule in sorted(RULES, key=lambda rule: rule not in self.exclude):
            # Rule after rule, on what the ones before have left: so the counts add up.
            rows = holds(rule, given, kept)
            if rows.any():
                (exclusions if rule in self.exclude else reported).append(
                    self._found(RULES[rule], np.flatnonzero(rows))
                )
            if rule in self.exclude:
                kept &= ~rows
        return kept, exclusions, reported, against_skips(given)

    def _found(self, rule: Text, rows: np.ndarray) -> Exclusion:
        lines = self.export.lines
        places = tuple(Text(f"第 {lines[i]} 行", f"row {lines[i]}") for i in rows[:MOST_PLACES].tolist())
        return Exclusion(rule, len(rows), places)

    def _skips(self, skips: Mapping[str, np.ndarray], kept: np.ndarray) -> Iterator[Exclusion]:
        for name, rows in skips.items():
            rows = rows[kept[rows]]
            column = self._column(name)
            if len(rows):
                rule = Text(
                    "{item}：按跳题规则不该答却有答案，未改动",
                    "{item}: answered though the form does not ask it; left as it is",
                )
                yield Exclusion(
                    rule.format(item=_named(self.instrument, name)),
                    len(rows),
                    tuple(column.locate(i) for i in rows[:MOST_PLACES].tolist()),
                )

    def _refused(self, refused: Mapping[str, list], kept: np.ndarray) -> Iterator[Exclusion]:
        for name, parts in refused.items():
            item, count, places = self.instrument.items[name], 0, []
            for column, rows in parts:
                rows = rows[kept[rows]]
                count += len(rows)
                if len(rows) and len(places) < MOST_PLACES:
                    values = column.read()
                    for i in rows[: MOST_PLACES - len(places)].tolist():
                        places.append(_with_value(column.locate(i), shown(values[i], item)))
            if count:
                rule = Text("{item}：不是可能的答案，记为缺失", "{item}: no possible answer, made missing")
                yield Exclusion(rule.format(item=_named(self.instrument, name)), count, tuple(places))

    def _times(self, frame: pd.DataFrame, kept: np.ndarray) -> Iterator[Exclusion]:
        for name in ("submitted_at", "duration_s"):
            column = self.export.facts.get(name)
            if column is None:
                continue
            blank = np.array([plain(v) in ("", "--") for v in column.read()], dtype=bool)
            rows = np.flatnonzero(frame[name].isna().to_numpy() & ~blank & kept)
            if len(rows):
                rule = Text("{name}读不出，记为缺失", "{name} cannot be read, made missing").format(name=label(name))
                yield Exclusion(rule, len(rows), tuple(column.locate(i) for i in rows[:MOST_PLACES].tolist()))

    # --- what identifies ------------------------------------------------------------------------------------------

    def _mask(self, frame: pd.DataFrame, known: identifiers.Names, kept: np.ndarray):
        """Take what identifies somebody out of the text answers that are kept; return counts by kind, and notes."""
        items = self.instrument.items
        kinds: Counter[str] = Counter()
        for name in frame:
            if name in items and items[name].type == "text":
                held = identifiers.any_in(frame[name], known).to_numpy() & kept
                if not held.any():
                    continue
                new = frame[name].to_numpy(dtype=object, copy=True)
                for i in np.flatnonzero(held):
                    found = identifiers.find(new[i]) + known.find(new[i])
                    kinds.update(f.kind for f in found)
                    new[i] = identifiers.mask(new[i], known)
                frame[name] = pd.Series(new, dtype="str")
        counts = {label(kind, within="identifier"): n for kind, n in sorted(kinds.items())}
        note = Text(
            f"文字答案中的身份信息 {sum(kinds.values())} 处，已换成标记",
            f"{sum(kinds.values())} identifiers in text answers were replaced by marks",
        )
        return counts, [note] if kinds else []

    # --- the receipt ----------------------------------------------------------------------------------------------

    def _left_out(self, known: identifiers.Names) -> Iterator[Text]:
        names = [identifiers.mask(" ".join(c.header.split())[:40], known) or c.place for c in self.matched.left_out]
        if names:
            yield Text("没有收的列：{all}", "Columns that were not taken in: {all}").format(all=listing(names[:50]))
        if names[50:]:
            yield Text(f"另有 {len(names) - 50} 列没有收", f"{len(names) - 50} more columns were not taken in")

    def _tables(self, asked: list[str], decoded: Mapping[str, Decoded], kept: np.ndarray, masked: Mapping):
        kinds: Counter[Text] = Counter()
        by_item: dict[Text, int] = {}
        for name in asked:
            counts = np.bincount(decoded[name].why[kept], minlength=len(decoded[name].reasons) + 1)
            kinds.update({reason: int(n) for reason, n in zip(decoded[name].reasons, counts[1:], strict=True) if n})
            if missing := int(counts[1:].sum()):
                by_item[_named(self.instrument, name)] = missing
        return {
            Text("没有答案的原因", "Why there is no answer"): dict(kinds.most_common()),
            Text("换成标记的身份信息", "Identifiers replaced by marks"): dict(masked),
            Text("各题没有答案的人数", "Respondents without an answer, by item"): by_item,
        }


_TIMES = ("submitted_at", "started_at", "duration_s")
_NO_TIME = Text("文件中没有提交时间", "The file has no time of submission")
_NO_DURATION = Text("文件中没有答题用时", "The file has no durations")


def _text_of(column: Column) -> np.ndarray:
    read = column.read()
    distinct = {v: plain(v) for v in pd.unique(read)}
    out = np.empty(len(read), dtype=object)
    out[:] = [distinct[v] for v in read]
    return out


def _sayable(name: str) -> str:
    """Return the name of a file as text: one that is not in the system's encoding could not be written."""
    return name.encode("utf-8", "replace").decode()


def _respondents(told: np.ndarray | None, rows: int, known: identifiers.Names) -> tuple[pd.Series, list[Text]]:
    """Return an id for each row: its number in the export where that says nothing of a person."""
    own = pd.Series([str(i) for i in range(1, rows + 1)], dtype="str")
    if told is None:
        return own, [Text("文件中没有序号，按行编号", "The file has no record numbers; rows were numbered")]
    given = pd.Series(told, dtype="str")
    notes = []
    if identifiers.any_in(given).any() or identifiers.any_in(given[~given.str.isdecimal()], known).any():
        note = Text(
            "序号列含身份信息，改按行编号", "The record numbers identify somebody; rows were numbered instead"
        )
        return own, [note]
    blank = given == ""
    given = given.where(~blank, "row" + own)
    again = given.groupby(given).cumcount()
    if (again > 0).any():
        n = int((again > 0).sum())
        notes.append(Text(f"序号重复 {n} 处，后出现的加 -2、-3", f"{n} record numbers come again; -2, -3 were added"))
        given = given.where(again == 0, given + "-" + (again + 1).astype("str"))
    return given, notes


def _nothing(item: Item, rows: int) -> pd.Series:
    empty = Cells(None, np.full(rows, -1), np.empty(0, object), np.empty(0, int))
    return decode(item, empty, []).given


def _labels(item: Item, values: pd.Series) -> pd.Series:
    """Return answers that identify as text: of a choice, its label."""
    labels = {choice.value: choice.label.zh or str(choice.value) for choice in item.choices}
    return values.map(labels).astype("str") if item.type == "single" else values


def _open_meanings(item: Item, read: Cells) -> list[Meaning]:
    means = by_labels(item, read.column) if read.column.missing else reader(item, "score")
    return [means(v, k) for v, k in zip(read.distinct, read.keys, strict=True)]


def _named(instrument: Instrument, name: str) -> Text:
    number = next(q.number for q in instrument.questions if any(i.id == name for i in q.items))
    return Text(f"第 {number} 题 {name}", f"Question {number}, {name}")


def _with_value(place: Text | str, value: Text | str) -> Text:
    return Text("{place}（{value}）", "{place} ({value})").format(place=place, value=value)


def shown(value: object, item: Item) -> Text | str:
    """Return what may be said of a refused answer: a short number, or words like a label; else its length."""
    key = plain(value)
    short = len(key) <= 6 and key[:1].isdecimal() and sum(c.isdecimal() for c in key) <= 4
    if short or (len(key) <= 4 and key.lstrip("+-").isdecimal()):
        return key
    labels = [plain(t) for c in item.choices for t in (c.label.zh, c.label.en)]
    pieces = [_piece(piece, labels) for piece in re.split("([┋→;])", key[:100])]
    return Text("".join(p.zh for p in pieces), "".join(p.en for p in pieces))


def _piece(piece: str, labels: list[str]) -> Text:
    said = identifiers.mask(piece)
    if piece in ("", "┋", "→", ";") or any(SequenceMatcher(None, piece, t).ratio() >= _ALIKE for t in labels):
        return Text(said, said)
    return Text(f"‹{len(piece)} 字›", f"‹{len(piece)} characters›")


def _wrong_column(file: str, item: Item, column: Column, read: Cells, meanings: list[Meaning]) -> Iterator[Fault]:
    """Yield a fault for a column most of whose answers are none."""
    if item.type == "text":
        return
    bad = [(k, int(n)) for k, m, n in zip(read.distinct, meanings, read.counts, strict=True) if m.why is REFUSED]
    refused = sum(n for _, n in bad)
    answered = refused + sum(int(n) for m, n in zip(meanings, read.counts, strict=True) if m.why is None)
    if refused < _REFUSED_IS_WRONG or 2 * refused <= answered:
        return
    examples = listing([shown(k, item) for k, _ in sorted(bad, key=lambda pair: -pair[1])[:3]])
    labels = listing([c.label for c in item.choices[:3]])
    fix = Text(
        "请检查这一列是否就是这道题、选项是否与问卷一致",
        "See whether the column is this item's, and its choices those of the instrument",
    )
    if item.choices:
        fix = Text("{fix}（问卷的选项：{labels}……）", "{fix} (they are {labels} …)").format(fix=fix, labels=labels)
    yield Fault(
        Text("{f} · {c}", "{f} · {c}").format(f=file, c=column.name),
        Text(
            "{answered} 个答案中有 {refused} 个不是 {item} 可能的答案（如 {examples}）",
            "{refused} of {answered} answers are none that {item} can have (such as {examples})",
        ).format(answered=answered, refused=refused, item=item.id, examples=examples),
        fix,
    )
