"""The schema of a study: its tables, columns, keys and vocabularies, read from ``schema.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from htresearch.language import Text, label

#: The types that are not vocabularies, with the type each has in a Frictionless Data Package.
TYPES = {
    "id": "string",
    "text": "string",
    "date": "date",
    "timestamp": "datetime",
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
}


@dataclass(frozen=True)
class Column:
    """A column: its type, whether it may be empty, its bounds and what it refers to."""

    name: str
    type: str
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    refers_to: str | None = None
    alone: bool = False  # may stand in a study that lacks the table it refers to

    @property
    def vocabulary(self) -> str | None:
        """Name of the vocabulary that closes the column, if one does."""
        return None if self.type in TYPES else self.type


@dataclass(frozen=True)
class Table:
    """A table: its columns, its key and the rules that hold between its columns."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    apart: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Column:
        return next(c for c in self.columns if c.name == column)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True)
class Schema:
    """All tables and vocabularies; a study may extend the vocabularies, never the tables."""

    tables: Mapping[str, Table]
    vocabularies: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Text] = field(default_factory=dict)

    def extend(self, vocabularies: Mapping[str, Mapping[str, Text]]) -> Schema:
        """Return a schema whose vocabularies also hold a study's own values with their labels.

        A list that names every value there was decides the order, which is a ranking for tiers and grades; otherwise
        the new values follow the known ones.
        """
        grown = dict(self.vocabularies)
        for name, listed in vocabularies.items():
            known = self.vocabularies[name]
            complete = set(known) <= set(listed)
            grown[name] = tuple(listed) if complete else (*known, *(v for v in listed if v not in known))
        words = {f"{name}.{value}": text for name, listed in vocabularies.items() for value, text in listed.items()}
        return replace(self, vocabularies=grown, words={**self.words, **words})

    def label(self, name: str, within: str | None = None) -> Text:
        """Return the label of a column, table or value, the study's own ones included."""
        return self.words.get(f"{within}.{name}") or label(name, within)


@cache
def schema() -> Schema:
    """Return the schema that the package ships."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(files("htresearch.study").joinpath("schema.yaml").read_text(encoding="utf-8"), loader)
    keys = {spec["key"][0]: name for name, spec in content["tables"].items() if len(spec.get("key", ())) == 1}
    tables = {name: _table(name, spec, keys) for name, spec in content["tables"].items()}
    return Schema(tables, {name: tuple(values) for name, values in content["vocabularies"].items()})


def _table(name: str, spec: dict, keys: dict[str, str]) -> Table:
    return Table(
        name,
        tuple(_column(name, column, written, keys) for column, written in spec["columns"].items()),
        tuple(spec.get("key", ())),
        tuple((a, b) for a, b in spec.get("order", ())),
        tuple(spec.get("apart", ())),
        {other: tuple(columns) for other, columns in spec.get("references", {}).items()},
    )


def _column(table: str, name: str, written: str | dict, keys: dict[str, str]) -> Column:
    spec = {"type": written} if isinstance(written, str) else written
    named_after = keys.get(name)
    return Column(
        name,
        spec["type"].removesuffix("?"),
        spec["type"].endswith("?") or spec.get("optional", False),
        spec.get("min"),
        spec.get("max"),
        spec.get("to", named_after if named_after != table else None),
        spec.get("alone", False),
    )
