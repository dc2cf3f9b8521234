"""What head teachers study most: for each topic a plan that is ready to be made one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from htresearch import checks
from htresearch.errors import ArgumentError
from htresearch.language import Text

_TEXTS = (
    "name", "question", "watched", "counting", "unit", "before", "after", "success", "sheet", "ethics",
)  # fmt: skip


@dataclass(frozen=True)
class Topic:
    """A study that many classes could do.

    Attributes
    ----------
    key : str
        By which it is asked for, such as ``"homework"``.
    name, question, watched, counting, unit, before, after, success : Text
        As in `Plan`.
    sheet : Text
        What to mind while recording.
    ethics : Text
        What is owed to pupils and families.
    scale, improvement, design : str
        As in `Plan`.
    records : int
        How many records to plan.
    out_of : int or None
        None where it is the number of pupils, or where the scale has none.
    earliest, latest : int or None
        From which to which record the start is drawn; None where an order is drawn instead.
    """

    key: str
    name: Text
    question: Text
    watched: Text
    counting: Text
    unit: Text
    before: Text
    after: Text
    success: Text
    sheet: Text
    ethics: Text
    scale: str
    improvement: str
    design: str
    records: int
    out_of: int | None = None
    earliest: int | None = None
    latest: int | None = None


@cache
def topics() -> Mapping[str, Topic]:
    """Return the topics by their keys.

    Examples
    --------
    >>> list(topics())[:3], topics()["homework"].name.zh
    (['homework', 'lateness', 'conflicts'], '作业按时上交')
    """
    import yaml

    content = files("htresearch.intake.class_study").joinpath("topics.yaml").read_text(encoding="utf-8")
    return {key: _topic(key, held) for key, held in yaml.safe_load(content).items()}


def _topic(key: str, held: dict) -> Topic:
    return Topic(key, **{name: Text(*value) if name in _TEXTS else value for name, value in held.items()})


def topic(said: str | Topic) -> Topic:
    """Return the topic that is meant: by its key or its name in either language.

    Raises
    ------
    ArgumentError
        If there is none.

    Examples
    --------
    >>> topic("迟到").key
    'lateness'
    """
    if isinstance(said, Topic):
        return said
    for key, known in topics().items():
        if str(said).strip().casefold() in (key, known.name.zh, known.name.en.casefold()):
            return known
    names = [Text(f"{key}（{t.name.zh}）", f"{key} ({t.name.en})") for key, t in topics().items()]
    raise ArgumentError(checks.one_of("topic", str(said)[:40], names))
