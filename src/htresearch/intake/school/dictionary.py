"""What the words of schools' sheets mean, read from ``dictionary.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from htresearch.intake.school.plain import plain
from htresearch.study.schema import Schema

_IN_BRACKETS = re.compile(r"[(\[【〔].*?[)\]】〕]|[:：]$")
_ENDINGS = re.compile(r"(成绩|分数|得分|卷面分?|等级|等第|总评|评定|测试|\d+分)$")
_LONGEST_HEADER = 24
_LEVEL = re.compile(r"等级|等第|等次")
_MAXIMUM = re.compile(r"(?:满分|总分|共)[:为]?(\d{1,4}(?:\.5)?)|[(](\d{2,4})分?[)]|(?<=[一-龥])(\d{2,4})分$")


@dataclass(frozen=True)
class Measure:
    """What is measured, and what a sheet need not say about it.

    Attributes
    ----------
    name : str
        As the study calls it.
    words : tuple of str
        What headers call it.
    domain, rated_by, better
        As in `assessments`.
    set_by : str
        Who usually sets it.
    unit : str or None
        ``seconds``, where it is no mark.
    """

    name: str
    words: tuple[str, ...]
    domain: str
    set_by: str = "district"
    rated_by: str = "test"
    better: str | None = None
    unit: str | None = None


class Word(NamedTuple):
    """What a text means as a header (`role`, `subject`), and what kind of row it begins."""

    role: str | None
    subject: str | None
    sums_up: bool
    states_maximum: bool
    may_be_prose: bool


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The words of schools' sheets.

    Attributes
    ----------
    roles : mapping of str to str
        What a column with this header holds.
    measures : mapping of str to Measure
        By name.
    subjects : mapping of str to str
        The measure of each word.
    words : mapping of str to (mapping of str to str)
        The values of cells: by list, the value of each word.
    patterns : mapping of str to (mapping of str to re.Pattern)
        What titles say: by list, the pattern of each value.
    sets : mapping of str to frozenset of str
        Words that say that a row or a cell holds no result of anyone.
    examinations : tuple of (re.Pattern, str)
        What an examination is called, and what the ids of its assessments end in.
    footers : re.Pattern
        What lines below a table begin with.
    levels : frozenset of str
        The study's own levels.
    """

    roles: Mapping[str, str]
    measures: Mapping[str, Measure]
    subjects: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    patterns: Mapping[str, Mapping[str, re.Pattern]]
    sets: Mapping[str, frozenset[str]]
    examinations: tuple[tuple[re.Pattern, str], ...]
    footers: re.Pattern
    levels: frozenset[str]
    _met: dict[str, Word] = field(default_factory=dict, repr=False)

    def word(self, written: str) -> Word:
        """Return what a text means as a header or as the first word of a row; each is looked up once."""
        met = self._met.get(written)
        if met is None:
            text = plain(written)
            short = len(text) <= _LONGEST_HEADER
            first = base(text)
            met = self._met[written] = Word(
                self.role(text) if short else None,
                self.subject(text) if short else None,
                first in self.sets["summary_rows"],
                text in self.sets["maximum_rows"],
                ":" in text or bool(self.footers.search(text)),
            )
        return met

    def subject(self, header: str) -> str | None:
        """Return the measure that a header names; a header that names two, or none that is known, has none."""
        text = base(header)
        return self.subjects.get(text) or self.subjects.get(_ENDINGS.sub("", text))

    def near_subjects(self, header: str) -> list[str]:
        """Return the known subjects whose words lie nearest to a header."""
        text = _ENDINGS.sub("", base(header))
        near = get_close_matches(text, list(self.subjects), n=3, cutoff=0.4)
        return near or [word for word in self.subjects if set(word) & set(text)][:3]

    def role(self, header: str) -> str | None:
        """Return what a column holds whose header is no subject."""
        return self.roles.get(header) or self.roles.get(base(header))

    def value(self, name: str, word: str) -> str | None:
        """Return the vocabulary value that a cell's word means."""
        return self.words[name].get(word)

    def said(self, name: str, texts: Iterable[str]) -> list[str]:
        """Return the values that titles name, in the order of the list."""
        texts = list(texts)
        return [value for value, pattern in self.patterns[name].items() if any(map(pattern.search, texts))]

    def examination(self, text: str) -> str | None:
        """Return which examination a title names; None where it names none."""
        return next((ending for pattern, ending in self.examinations if pattern.search(text)), None)


def base(header: str) -> str:
    """Return a header without what stands in brackets.

    Examples
    --------
    >>> base("数学(满分120)")
    '数学'
    """
    return _IN_BRACKETS.sub("", header)


def is_level(header: str) -> bool:
    """Tell whether a header says that its column holds levels."""
    return bool(_LEVEL.search(header))


def maximum(header: str) -> float | None:
    """Return the maximum score that a header states.

    Examples
    --------
    >>> maximum("数学(满分120)"), maximum("数学(100分)"), maximum("语文")
    (120.0, 100.0, None)
    """
    match = _MAXIMUM.search(header)
    return float(next(part for part in match.groups() if part)) if match else None


def dictionary(schema: Schema, measures: Mapping[str, Mapping] | None = None) -> Dictionary:
    """Return the dictionary with the labels of a study's vocabularies and with a caller's own measures.

    Parameters
    ----------
    schema
        The study's schema; its labels are understood where the vocabularies are closed.
    measures
        More measures, or others: name to ``{"words": [...], "domain": ..., "set_by": ..., "rated_by": ...,
        "better": ..., "unit": "seconds"}``.
    """
    content = _content()
    known = {**content["measures"], **{name: dict(spec) for name, spec in (measures or {}).items()}}
    built = {
        name: Measure(name, **{k: tuple(map(plain, v)) if k == "words" else v for k, v in spec.items()})
        for name, spec in known.items()
    }
    words = {name: _by_word(content[name]) for name in ("statuses", "levels", "reason", "signed")}
    for name, vocabulary in (
        ("training_level", "level"),
        ("award_level", "awarded_by"),
        ("format", "format"),
        ("theme", "theme"),
        ("mode", "mode"),
        ("incentive", "incentive"),
        ("reason", "reason_ended"),
    ):
        values = schema.vocabularies[vocabulary]
        labels = {plain(schema.label(value, vocabulary).zh): value for value in values}
        listed = {word: v for word, v in _by_word(content.get(name, {})).items() if v in values}
        words[name] = {**labels, **dict(zip(values, values, strict=True)), **listed}
    return Dictionary(
        roles=_by_word(content["headers"]),
        measures=built,
        subjects={word: name for name, measure in built.items() for word in measure.words},
        words=words,
        patterns={
            name: {value: re.compile(pattern) for value, pattern in content[name].items()}
            for name in ("kinds", "set_by", "awarding_body")
        },
        sets={name: frozenset(map(plain, content[name])) for name in ("summary_rows", "maximum_rows", "empty")},
        examinations=tuple((re.compile(p), ending) for p, ending in content["examinations"].items()),
        footers=re.compile(content["footers"]),
        levels=frozenset(schema.vocabularies["grade_level"]),
    )


def _by_word(listed: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {plain(str(word)): value for value, words in listed.items() for word in words}


@cache
def _content() -> dict:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("htresearch.intake.school").joinpath("dictionary.yaml").read_text(encoding="utf-8")
    return yaml.load(text, loader)
