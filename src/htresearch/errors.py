"""What can be wrong, said so that a user can mend it.

Every error of the package carries its faults: each names where, the value found, the rule and what to do, in the
language now spoken (`htresearch.language`). One error holds all faults that were found, not the first.
"""

from dataclasses import dataclass

from htresearch.language import Text, current


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an argument, a cell or a file."""

    where: Text | str
    rule: Text
    fix: Text
    value: object = None

    def __str__(self) -> str:
        found = "" if self.value is None else Text(f"（现为 {self.value!r}）", f" (found {self.value!r})")
        return str(
            Text("{where}{found}：{rule}。{fix}", "{where}{found}: {rule}. {fix}").format(
                where=self.where,
                found=found,
                rule=self.rule,
                fix=Text(sentence(self.fix, "zh"), sentence(self.fix, "en")),
            )
        )


def sentence(text: Text | str, language: str | None = None) -> str:
    """Return a text with a full stop, unless it ends in a mark of its own.

    Parameters
    ----------
    text
        The text.
    language
        ``"zh"`` or ``"en"``; the one now spoken otherwise.

    Returns
    -------
    str
        The text in that language, with its stop.

    Examples
    --------
    >>> sentence("Give a whole number", "en"), sentence("请给整数", "zh")
    ('Give a whole number.', '请给整数。')
    """
    said = getattr(text, language) if language and isinstance(text, Text) else str(text)
    stop = "。" if (language or current()) == "zh" else "."
    return said if said.endswith(("？", "?", "。", ".", "！", "!")) else said + stop


class HTResearchError(Exception):
    """Base of every error that the package raises on purpose.

    Attributes
    ----------
    faults : tuple of Fault
        All that is wrong, in the order in which it was found.
    """

    def __init__(self, *faults: Fault):
        self.faults = faults
        super().__init__(*faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        return "\n".join(f"{i}. {fault}" for i, fault in enumerate(self.faults, 1))


class ArgumentError(HTResearchError, ValueError):
    """An argument has a value that the function cannot take."""


class ColumnError(HTResearchError, KeyError):
    """A column that was asked for is missing or holds what cannot be used."""

    __str__ = HTResearchError.__str__  # KeyError would show the repr


class FormulaError(HTResearchError, ValueError):
    """A model formula cannot be read."""


class ModelError(HTResearchError, ValueError):
    """A model cannot be estimated from these data."""


class UnsupportedError(HTResearchError):
    """Something sensible that this part cannot do; the fault says what can."""


class ComparabilityError(HTResearchError):
    """Scores would be compared more widely than they are comparable."""


class MissingTableError(HTResearchError):
    """The study lacks a table that the analysis needs."""


class StudyError(HTResearchError):
    """A study breaks its rules.

    Attributes
    ----------
    table : pandas.DataFrame
        Every fault: table, row, column, value, rule, fix.
    """

    def __init__(self, *faults: Fault, table, text: str):
        super().__init__(*faults)
        self.table, self.text = table, text

    def __str__(self) -> str:
        return self.text


class InstrumentError(HTResearchError):
    """An instrument's file breaks a rule."""


class IntakeError(HTResearchError):
    """A file from the field cannot be taken in as it is."""


class NotebookError(HTResearchError):
    """A notebook failed or cannot be published."""
