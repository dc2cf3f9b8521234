"""What an instrument is: questions, the items they fill, and the scales that items make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from htresearch.language import Text

STATUSES = ("draft", "piloted", "validated")
#: What a question can be. A matrix asks several items with the same choices; the others ask one.
TYPES = ("single", "multiple", "ranking", "matrix", "number", "text", "date")
#: What an answer may tell of the respondent; intake links by it and keeps it out of what it writes.
IDENTIFIES = ("name", "phone", "id_card", "student_number", "seat_number", "certificate", "wechat", "email")
#: What an answer may tell of where the respondent belongs; intake turns it into the ids of the study.
PLACES = ("school", "class")


@dataclass(frozen=True)
class Choice:
    """A possible answer: the number that stands for it, and its label.

    Attributes
    ----------
    value : int
    label : Text
    missing : bool
        Whether it says that there is no answer, such as "not observed": it stands on the form, is among the codes of
        `Item.missing`, and is missing in the data.
    """

    value: int
    label: Text
    missing: bool = False


@dataclass(frozen=True)
class Item:
    """One column of answers.

    Attributes
    ----------
    id : str
        Name of the column.
    type : str
        ``"single"``, ``"multiple"``, ``"ranking"``, ``"number"``, ``"text"`` or ``"date"``; the rows of a matrix are
        single.
    text : Text
        The question, or the row of the matrix.
    choices : tuple of Choice
        In the order of the form, with those that say there is no answer; empty for numbers, texts and dates.
    minimum, maximum : float or None
        Bounds of a number.
    missing : mapping of int to Text
        Codes that say why there is no answer, such as -3, skipped; those that can be chosen are among them.
    identifies : str or None
        What the answer tells of the respondent or of the place, one of `IDENTIFIES` or `PLACES`.
    """

    id: str
    type: str
    text: Text
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    missing: Mapping[int, Text] = field(default_factory=dict)
    identifies: str | None = None

    @property
    def values(self) -> tuple[int, ...]:
        """The numbers that may stand in the data."""
        return tuple(choice.value for choice in self.choices if not choice.missing)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest answer, between which a reversed item is turned; ``None`` without such ends."""
        ends = self.values or (self.minimum, self.maximum)
        return None if None in ends else (min(ends), max(ends))

    @property
    def personal(self) -> bool:
        """Whether the answer says who somebody is, so that it never reaches a table."""
        return self.identifies in IDENTIFIES


@dataclass(frozen=True)
class Question:
    """What stands under one number on the form.

    Attributes
    ----------
    number : int
        1 for the first.
    type : str
        One of `TYPES`.
    text : Text
        The wording; of a matrix, the words above it.
    items : tuple of Item
        The rows of a matrix; else one item.
    when : mapping of str to tuple of int
        Answers to earlier items on which it is asked: all of them must hold; empty where it is always asked.
    optional : bool
        Whether it may be left without an answer.
    """

    number: int
    type: str
    text: Text
    items: tuple[Item, ...]
    when: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True)
class Scale:
    """What several items measure together.

    Attributes
    ----------
    id : str
    label : Text
    items : mapping of str to int
        1, or -1 for an item that is keyed the other way.
    scoring : str
        ``"mean"`` or ``"sum"``.
    min_answered : float
        Share of the items that must be answered.
    norms : mapping
        Means and standard deviations of groups, where there are any.
    """

    id: str
    label: Text
    items: Mapping[str, int]
    scoring: str = "mean"
    min_answered: float = 0.8
    norms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def bounds(self, items: Mapping[str, Item]) -> tuple[float, float] | None:
        """Return the lowest and the highest score that the items can make; ``None`` where one of them has no ends."""
        ends = [items[name].bounds for name in self.items]
        if None in ends:
            return None
        low, high = (sum(end[side] for end in ends) for side in (0, 1))
        return (low, high) if self.scoring == "sum" else (low / len(ends), high / len(ends))


@dataclass(frozen=True)
class Instrument:
    """A questionnaire or an observation form.

    Attributes
    ----------
    id, version, status : str
        `status` is ``"draft"``, ``"piloted"`` or ``"validated"``: scores of a draft are shown with a warning.
    title, purpose, introduction, source : Text
        `introduction` is what respondents read first.
    licence, citation : str
    respondent : str
        ``"teacher"``, ``"pupil"``, ``"parent"`` or ``"observer"``.
    anonymous : bool
        Whether nothing asks who the respondent is.
    clauses : tuple of str
        The clauses of the policy that it speaks to.
    minutes : int or None
        How long it takes.
    questions : tuple of Question
    scales : mapping of str to Scale
    worded : bool
        Whether the wording is here: of a licensed instrument only numbers and keys may be.
    """

    id: str
    version: str
    status: str
    title: Text
    purpose: Text
    introduction: Text
    source: Text
    licence: str
    citation: str
    respondent: str
    anonymous: bool
    clauses: tuple[str, ...]
    minutes: int | None
    questions: tuple[Question, ...]
    scales: Mapping[str, Scale]
    worded: bool = True

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every item by its id, in the order of the form."""
        return {item.id: item for question in self.questions for item in question.items}

    @property
    def caution(self) -> tuple[Text, ...]:
        """What is to be said wherever scores are shown: nothing, once field data have spoken for the instrument."""
        if self.status == "validated":
            return ()
        state = {"draft": Text("尚未试测", "not piloted yet"), "piloted": Text("仅经试测", "piloted only")}[
            self.status
        ]
        return (
            Text(
                "《{title}》{state}，信度与结构有待实地数据检验，分数只宜作参考。",
                "“{title}” is {state}: field data have still to show its reliability and structure; "
                "read its scores with reserve.",
            ).format(title=self.title, state=state),
        )
