"""What the columns of the fixed part are like over the rows used: where predictions for typical rows start from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Reference:
    """Means of the numeric columns of the fixed part, and how often categories occur together.

    Attributes
    ----------
    means : dict
        Of each numeric column, over the rows used.
    categories : dict
        The categories of each other column, in order.
    cells : pandas.DataFrame
        A row per combination of categories that occurs, a column per column of `categories`.
    sizes : numpy.ndarray
        Rows in each cell.
    aliases : numpy.ndarray, kept by left out
        Each column left out of the design as a combination of those kept.
    """

    means: dict[str, float]
    categories: dict[str, list]
    cells: pd.DataFrame
    sizes: np.ndarray
    aliases: np.ndarray

    @classmethod
    def of_rows(cls, data: pd.DataFrame, columns: Iterable[str], written: str, aliases: np.ndarray) -> Reference:
        """Describe rows in memory; `written` is the formula's fixed part."""
        means, categories, codes = {}, {}, []
        for name in columns:
            if not is_category(name, written, _is_number(data[name])):
                means[name] = float(data[name].mean())
                continue
            column = data[name].astype("category")
            categories[name] = column.cat.categories.tolist()
            codes.append(column.cat.codes.to_numpy())
        if not codes:
            return cls(means, {}, pd.DataFrame(index=[0]), np.array([len(data)]), aliases)
        shape = tuple(len(values) for values in categories.values())
        cell, occurring = pd.factorize(np.ravel_multi_index(codes, shape))
        at = np.unravel_index(occurring, shape)
        cells = {
            name: pd.Series(categories[name], dtype=object).iloc[i].tolist()
            for name, i in zip(categories, at, strict=True)
        }
        return cls(means, categories, pd.DataFrame(cells, dtype=object), np.bincount(cell), aliases)

    def numbers(self, wanted: pd.DataFrame) -> np.ndarray:
        """Return how many rows there are with each combination of categories; `wanted` may leave columns out."""
        if not len(wanted.columns):
            return np.full(len(wanted), self.sizes.sum())
        names = list(wanted.columns)
        index = pd.MultiIndex.from_frame(self.cells[names])
        sums = pd.Series(self.sizes, index=index).groupby(level=list(range(len(names)))).sum()
        return sums.reindex(pd.MultiIndex.from_frame(wanted.astype(object)), fill_value=0).to_numpy()


def is_category(name: str, written: str, number: bool) -> bool:
    """Tell whether a formula takes a column as a category: text, true or false, and numbers in ``C()``."""
    return not number or re.search(rf"\bC\(\s*`?{re.escape(name)}`?\s*[,)]", written) is not None


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
