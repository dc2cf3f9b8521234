"""What a report is made of: plain words in one language, whatever it is then written as."""

from __future__ import annotations

from dataclasses import dataclass

from htresearch.appearance import Figure


@dataclass(frozen=True)
class Table:
    """A table of words; columns in `numeric`, counted from 0, are set to the right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading, and what stands under it, point by point."""

    title: str
    points: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All that a report says.

    Attributes
    ----------
    language
        ``"zh"`` or ``"en"``.
    kind, stamp, place
        What it is, whom it is for, and from where: above the title.
    title, question
        How it opens.
    plan_title, plan
        What was planned: pairs of a name and what it is.
    picture, caption
        The graph, its alternative text, and what to see in it.
    sentences_title, sentences
        The three of page one.
    numbers_title, tables, remarks
        The numbers of page two, and how to take them.
    sections
        The rest of page two.
    records
        Every record.
    records_note, foot
        What stands below.
    """

    language: str
    kind: str
    stamp: str
    place: str
    title: str
    question: str
    plan_title: str
    plan: tuple[tuple[str, str], ...]
    picture: Figure
    caption: str
    sentences_title: str
    sentences: tuple[str, ...]
    numbers_title: str
    tables: tuple[Table, ...]
    remarks: str
    sections: tuple[Section, ...]
    records: Table
    records_note: str
    foot: str
