"""Values as words and arrays, and back: what a file can hold without anything in it ever being run.

Words are what JSON knows; arrays stand beside them under a name. Objects are built from a closed list of classes, by
their fields, so that a file can name nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType

import numpy as np
import pandas as pd

from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text

_DTYPES = re.compile(
    r"u?int\d+|U?Int\d+|float\d+|Float\d+|bool|boolean|str|string|object|datetime64\[(s|ms|us|ns)(, [\w/+:-]+)?\]"
)


def classes_of(modules: Iterable[ModuleType]) -> dict[str, type]:
    """Return the dataclasses that modules define, each under the module's name and its own."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__
    }


def pack(value: object, arrays: dict[str, np.ndarray], classes: Mapping[str, type], at: str) -> object:
    """Return a value as words; its arrays are put into `arrays` under where they stand.

    Raises
    ------
    ArgumentError
        If it holds what cannot be written down, such as a date among the categories.
    """

    def go(part: object, at: str) -> object:
        if isinstance(part, np.generic):
            part = part.item()
        if part is None or isinstance(part, bool | int | float | str):
            return part
        if isinstance(part, list):
            return [go(one, f"{at}.{i}") for i, one in enumerate(part)]
        if isinstance(part, tuple):
            return {"is": "tuple", "items": go(list(part), at)}
        if isinstance(part, dict):
            pairs = [[go(k, f"{at}.key"), go(v, f"{at}.{i}")] for i, (k, v) in enumerate(part.items())]
            return {"is": "dict", "items": pairs}
        if isinstance(part, np.ndarray) and part.dtype.kind in "biuf":
            arrays[at] = part
            return {"is": "array", "name": at}
        if isinstance(part, pd.DataFrame):
            columns = [[str(name), _column(part[name], go, f"{at}.{i}")] for i, name in enumerate(part.columns)]
            return {"is": "frame", "rows": len(part), "columns": columns}
        name = f"{type(part).__module__.rpartition('.')[2]}.{type(part).__name__}"
        if classes.get(name) is type(part):
            inside = {f.name: go(getattr(part, f.name), f"{at}.{f.name}") for f in fields(part)}
            return {"is": name, "fields": inside}
        raise ArgumentError(_unwritable(part, at))

    return go(value, at)


def unpack(words: object, arrays: Mapping[str, np.ndarray], classes: Mapping[str, type]) -> object:
    """Return the value that `pack` wrote down.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the words are none of `pack`'s.
    """

    def go(part: object) -> object:
        if isinstance(part, list):
            return [go(one) for one in part]
        if not isinstance(part, dict):
            return part
        kind = part["is"]
        if kind == "tuple":
            return tuple(go(part["items"]))
        if kind == "dict":
            return {go(key): go(value) for key, value in part["items"]}
        if kind == "array":
            return arrays[part["name"]]
        if kind == "frame":
            columns = {name: _series(column, go) for name, column in part["columns"]}
            return pd.DataFrame(columns, index=pd.RangeIndex(part["rows"]))
        return classes[kind](**{name: go(value) for name, value in part["fields"].items()})

    return go(words)


def _column(column: pd.Series, go, at: str) -> dict:
    """Write a column down: categories and codes, or a type and values."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _column(dtype.categories.to_series(), go, f"{at}.categories")
        codes = go(column.cat.codes.to_numpy(), f"{at}.codes")
        return {"categories": categories, "codes": codes, "ordered": bool(dtype.ordered)}
    name = str(dtype) if _DTYPES.fullmatch(str(dtype)) else "object"
    values = column.astype(str) if name.startswith("datetime") else column.astype(object)
    return {"dtype": name, "values": go(values.tolist(), at)}


def _series(words: dict, go) -> pd.Series:
    """Return the column written down."""
    if "categories" in words:
        categories = pd.Index(_series(words["categories"], go))
        return pd.Series(pd.Categorical.from_codes(go(words["codes"]), categories, ordered=words["ordered"]))
    if not _DTYPES.fullmatch(words["dtype"]):
        raise ValueError(words["dtype"])
    return pd.Series(go(words["values"]), dtype=words["dtype"])


def _unwritable(value: object, at: str) -> Fault:
    return Fault(
        Text(f"模型中的 {at}", f"{at} of the model"),
        Text("这种类型的值不能写入模型文件", "values of this type cannot be written to a model file"),
        Text(
            "请先把该列换成文字或数字，再拟合并保存", "Turn the column into text or numbers, then fit and save again"
        ),
        type(value).__name__,
    )
