"""What a form's columns can answer, and by which words a header can say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from htresearch.instruments import Choice, Instrument, Item, Question
from htresearch.intake.export import Column, Export, words
from htresearch.language import Text

SEVERAL = ("multiple", "ranking")


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
            name=self.name, n=self.question.number, zh=short(said.zh), en=short(said.en)
        )


def all_targets(instrument: Instrument) -> dict[str, Target]:
    """Return everything that a column can answer, by name."""
    listed = [Target(q, i, c) for q in instrument.questions for i in q.items for c in (None, *several(i))]
    return {target.name: target for target in listed}


def target_names(instrument: Instrument) -> frozenset[str]:
    """Return every name under which a column can answer: items, and ``item_value`` for choices."""
    return frozenset(all_targets(instrument))


def target_words(instrument: Instrument) -> frozenset[str]:
    """Return the words of every header that can answer without a number."""
    targets = all_targets(instrument).values()
    return frozenset(form for target in targets for form in forms(target, alone=False) if form)


@dataclass
class Search:
    """What is known of the form while columns are looked up."""

    export: Export
    instrument: Instrument
    said: dict[str, str | None]
    without: frozenset[str]
    numbers: bool
    dropped: list[Column] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @cached_property
    def targets(self) -> dict[str, Target]:
        """Everything a column can answer, by name."""
        return all_targets(self.instrument)

    @cached_property
    def worded(self) -> dict[str, list[Target]]:
        """Targets by the words of a header."""
        known = defaultdict(list)
        for target in self.targets.values():
            for form in {w for w in forms(target) if w}:
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

    def key(self, column: Column) -> str | None:
        """Return how the user names a column, if at all: by its header, or by where that stands."""
        return next((k for k in (column.header.strip(), column.header, column.place) if k in self.said), None)

    def target(self, column: Column) -> Target | bool | None:
        """Return what a column answers, True where the user has settled it, None where nothing is certain."""
        key = self.key(column)
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
        if number is None:
            # The name of a choice alone, without number or question, could be anything.
            hits = [] if self.export.strict else [t for t in hits if said in set(forms(t, alone=False))]
        elif self.numbers:
            hits = [t for t in hits if t.question.number == number]
        return hits[0] if len(hits) == 1 else None


def several(item: Item) -> Iterable[Choice]:
    """Return the choices that may have a column each."""
    return item.choices if item.type in SEVERAL else ()


def forms(target: Target, alone: bool = True) -> Iterator[str]:
    """Yield the words by which a header can name a target: with the question above it, and `alone` where it may."""
    for language in ("zh", "en"):
        stem = words(getattr(target.question.text, language))
        if target.choice is not None:
            label = words(getattr(target.choice.label, language))
            yield from ((label, stem + label) if alone else (stem + label,)) if label else ()
        elif target.question.type == "matrix":
            row = words(getattr(target.item.text, language))
            yield from (row, stem + row) if row else ()
        else:
            yield stem


def short(text: str, length: int = 18) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= length else text[: length - 1] + "…"
