"""Chinese and English: which one is spoken, and the words of tables, figures and messages.

The language is Chinese unless the environment variable ``HTRESEARCH_LANGUAGE`` or `use` says otherwise.
Labels of columns and of vocabulary values stand in ``words.yaml``, once; sentences stand as a `Text` where they
are said.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "en")

_chosen: str | None = None


def current() -> str:
    """Return the language now spoken, ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        What `use` or `speaking` chose; else what the environment says; else ``"zh"``.

    Examples
    --------
    >>> with speaking("en"):
    ...     current()
    'en'
    """
    spoken = _chosen or os.environ.get("HTRESEARCH_LANGUAGE", "zh").strip().lower()[:2]
    return spoken if spoken in LANGUAGES else "zh"


def use(language: str) -> None:
    """Speak `language` from now on.

    Parameters
    ----------
    language
        ``"zh"`` or ``"en"``.

    Returns
    -------
    None
        All messages, tables and figures follow.

    Raises
    ------
    ArgumentError
        If `language` is neither.

    Examples
    --------
    >>> use("zh")
    >>> str(label("training_hours"))
    '累计培训时长（小时）'
    """
    from htresearch import checks

    global _chosen
    checks.require(checks.one_of("language", language, LANGUAGES))
    _chosen = language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` within a ``with`` block.

    Parameters
    ----------
    language
        ``"zh"`` or ``"en"``.

    Yields
    ------
    None
        Afterwards the language is what it was.

    Raises
    ------
    ArgumentError
        If `language` is neither.

    Examples
    --------
    >>> with speaking("en"):
    ...     print(label("chief"))
    Chief
    """
    global _chosen
    before = _chosen
    use(language)
    try:
        yield
    finally:
        _chosen = before


@dataclass(frozen=True)
class Text:
    """A sentence in both languages; ``str()`` gives it in the one now spoken.

    Examples
    --------
    >>> from htresearch import language
    >>> greeting = language.Text("{n} 名班主任", "{n} head teachers").format(n=3)
    >>> with language.speaking("en"):
    ...     print(greeting)
    3 head teachers
    """

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if current() == "zh" else self.en

    def format(self, **values: object) -> "Text":
        """Fill the placeholders of both sentences; a `Text` among the values is said in each language."""

        def fill(language: str) -> str:
            said = {k: getattr(v, language) if isinstance(v, Text) else v for k, v in values.items()}
            return getattr(self, language).format(**said)

        return Text(fill("zh"), fill("en"))


@cache
def words() -> dict[str, Text]:
    """Return every label of ``words.yaml`` by its name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = files("htresearch").joinpath("words.yaml").read_text(encoding="utf-8")
    return {str(name): Text(zh, en) for name, (zh, en) in yaml.load(content, loader).items()}


def label(name: str, within: str | None = None) -> Text:
    """Return the label of a column or of a vocabulary value.

    Parameters
    ----------
    name
        A column name such as ``"training_hours"`` or a value such as ``"senior"``.
    within
        The vocabulary a value belongs to, where one word means two things (``senior`` is a stage and a title).

    Returns
    -------
    Text
        The label; an unknown name is its own label, so that users' columns can be shown too.

    Examples
    --------
    >>> label("my_column").en
    'my column'
    """
    known = words()
    found = known.get(f"{within}.{name}") if within else None
    return found or known.get(name) or _composed(name) or Text(str(name), str(name).replace("_", " "))


#: Columns made of other words: the pattern, the vocabulary of its last word where it is fixed, and the label.
_COMPOSED = (
    (r"(.+)\[(?:T\.)?(.+)\]", None, Text("{0}：{1}", "{0}: {1}")),
    (r"(training_hours(?:_last_year)?)_(level|format|theme|mode)_(.+)", None, Text("{0}：{1}", "{0}: {1}")),
    (r"()(.+)_yuan_last_year", "incentive", Text("近一年{1}（元）", "{1} in the last year (yuan)")),
    (r"()(.+)_last_year", "incentive", Text("近一年{1}（次）", "{1} in the last year (times)")),
    (r"()(.+)_appraisal_score", "appraisal", Text("最近一次{1}得分", "Score of the last {1}")),
    (r"()(.+)_appraisal_result", "appraisal", Text("最近一次{1}等次", "Result of the last {1}")),
    (r"(.+?)_(within|between|between_minus_within)", "split", Text("{0}：{1}", "{0}: {1}")),
)


def _composed(name: str) -> Text | None:
    for pattern, vocabulary, whole in _COMPOSED:
        if match := re.fullmatch(pattern, str(name)):
            first, *dimension, last = match.groups()
            value = label(last, within=vocabulary or (dimension or [first])[0])
            start = label(first) if first else Text("", "")
            return Text(whole.zh.format(start.zh, value.zh), whole.en.format(start.en, value.en))
    return None


def listing(items: object) -> Text:
    """Join words as each language does: ``甲、乙`` and ``A, B``.

    Parameters
    ----------
    items
        Words, in order; a `Text` among them is said in each language.

    Returns
    -------
    Text
        The list in both languages.

    Examples
    --------
    >>> listing(["A", "B"])
    Text(zh='A、B', en='A, B')
    """
    items = list(items)
    zh = "、".join(i.zh if isinstance(i, Text) else str(i) for i in items)
    en = ", ".join(i.en if isinstance(i, Text) else str(i) for i in items)
    return Text(zh, en)
