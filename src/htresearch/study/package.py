"""A study's own description: ``datapackage.json`` (Frictionless Data Package) and the codebook."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.study.schema import TYPES, Schema, Table

DESCRIPTOR = "datapackage.json"
#: Vocabularies whose order, from low to high or from near to wide, is used.
RANKED = ("tier", "awarded_by", "grade_level", "set_by", "comparable_within")


def descriptor(schema: Schema, tables: Mapping[str, str], title: Text, licence: str = "") -> dict:
    """Return the Data Package descriptor of a study.

    Parameters
    ----------
    schema
        The schema, with the study's own vocabulary values.
    tables
        The file of each table that the study has.
    title
        What the study is, in both languages.
    licence
        Name of its licence, such as ``"CC0-1.0"``.
    """
    described = {
        "profile": "data-package",
        "name": "study",
        "title": title.en,
        "title:zh": title.zh,
        "resources": [_resource(schema, schema.tables[name], path) for name, path in tables.items()],
        "vocabularies": {
            name: [{"value": v, **_both(schema.label(v, name))} for v in values]
            for name, values in schema.vocabularies.items()
        },
    }
    if licence:
        described["licenses"] = [{"name": licence}]
    return described


def _both(text: Text) -> dict[str, str]:
    return {"title": text.en, "title:zh": text.zh}


def _resource(schema: Schema, table: Table, path: str) -> dict:
    fields = []
    for column in table.columns:
        constraints = {} if column.optional else {"required": True}
        if column.vocabulary:
            constraints["enum"] = list(schema.vocabularies[column.vocabulary])
        constraints |= {k: v for k, v in (("minimum", column.minimum), ("maximum", column.maximum)) if v is not None}
        fields.append(
            {
                "name": column.name,
                "type": TYPES.get(column.type, "string"),
                **_both(schema.label(column.name, table.name)),
                **({"constraints": constraints} if constraints else {}),
            }
        )
    foreign = [
        {"fields": c.name, "reference": {"resource": c.refers_to, "fields": schema.tables[c.refers_to].key[0]}}
        for c in table.columns
        if c.refers_to
    ]
    described = {"fields": fields}
    if table.key:
        described["primaryKey"] = list(table.key)
    if foreign:
        described["foreignKeys"] = foreign
    return {
        "name": table.name,
        "path": path,
        "format": Path(path).suffix.lstrip("."),
        **_both(schema.label(table.name)),
        "schema": described,
    }


def vocabularies(path: Path, schema: Schema) -> tuple[dict[str, dict[str, Text]], list[Fault]]:
    """Read a study's own vocabulary values from its ``datapackage.json``; a study without one has none.

    For a DuckDB file ``NAME.duckdb`` it lies beside it as ``NAME.datapackage.json``.

    Returns
    -------
    tuple
        The values that it lists, with their labels, by vocabulary; and what is wrong with the file.
    """
    file = path / DESCRIPTOR if path.is_dir() else path.with_suffix(f".{DESCRIPTOR}")
    if not file.is_file():
        return {}, []
    try:
        written = json.loads(file.read_text(encoding="utf-8-sig")).get("vocabularies", {})
        listed = {
            name: {_word(entry["value"]): _labels(entry) for entry in entries} for name, entries in written.items()
        }
    except (UnicodeDecodeError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return {}, [
            Fault(
                DESCRIPTOR,
                Text("不是可读的数据包说明（UTF-8 编码的 JSON）", "not a readable data package (JSON in UTF-8)"),
                Text(
                    "请恢复或删除该文件；vocabularies 须为“名称: [{value, title, title:zh}]”",
                    "Restore the file or remove it; vocabularies read name: [{value, title, title:zh}]",
                ),
            )
        ]
    unknown = [
        Fault(
            DESCRIPTOR,
            Text(f"没有“{name}”这个词表", f"there is no vocabulary {name!r}"),
            Text("词表名见编码手册", "The codebook lists the vocabularies"),
        )
        for name in listed
        if name not in schema.vocabularies
    ]
    return listed, unknown + [_unranked(name, schema) for name in RANKED if _is_partial(listed, name, schema)]


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return value


def _labels(entry: dict) -> Text:
    value = entry["value"]
    return Text(_word(entry.get("title:zh", value)), _word(entry.get("title", value)))


def _is_partial(listed: Mapping[str, Mapping], name: str, schema: Schema) -> bool:
    """Tell whether a ranking is extended without saying where the new values stand."""
    known = set(schema.vocabularies[name])
    return bool(set(listed.get(name, ())) - known) and not known <= set(listed[name])


def _unranked(name: str, schema: Schema) -> Fault:
    return Fault(
        f"{DESCRIPTOR} · {name}",
        Text(
            "这个词表的次序有意义，只列新值不知道排在哪里",
            "its order is a ranking, and new values alone have no place in it",
        ),
        Text("请由低到高列全：{all} 和新值", "List all from low to high: {all} and the new ones").format(
            all=listing(schema.vocabularies[name])
        ),
    )


def codebook(schema: Schema, tables: Iterable[str] | None = None) -> str:
    """Return the codebook as Markdown, in the language now spoken.

    Examples
    --------
    >>> from htresearch import language
    >>> from htresearch.study import package, schema
    >>> with language.speaking("en"):
    ...     print(package.codebook(schema.schema(), ["terms"]).splitlines()[2])
    ## terms · Terms
    """
    head = Text("编码手册", "Codebook")
    columns = Text("列 | 含义 | 类型 | 取值与规则", "Column | Meaning | Type | Values and rules")
    parts = [f"# {head}", ""]
    for name in tables if tables is not None else schema.tables:
        table = schema.tables[name]
        key = Text("主键：", "Key: ")
        parts += [f"## {name} · {schema.label(name)}", ""]
        if table.key:
            parts += [f"{key}{', '.join(table.key)}", ""]
        parts += [f"| {columns} |", "|---|---|---|---|"]
        parts += [_codebook_row(schema, table, c) for c in table.columns]
        parts.append("")
    return "\n".join(parts)


def _codebook_row(schema: Schema, table: Table, column) -> str:
    rules = []
    if column.vocabulary:
        values = schema.vocabularies[column.vocabulary]
        rules.append("; ".join(f"{v} = {schema.label(v, column.vocabulary)}" for v in values))
    if column.refers_to:
        rules.append(str(Text(f"见 {column.refers_to}", f"refers to {column.refers_to}")))
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        rules.append(f"{low}–{high}")
    if column.optional:
        rules.append(str(Text("可为空", "may be empty")))
    kind = column.vocabulary or column.type
    return f"| {column.name} | {schema.label(column.name, table.name)} | {kind} | {'; '.join(rules)} |"
