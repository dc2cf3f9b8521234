"""A fit as tables for other programs: CSV files, and one JSON file with all of it."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from htresearch.atomic import new_folder

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

FORMAT = "htresearch multilevel results"


def export(
    fit: MultilevelFit,
    folder: str | Path,
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
    random_effects: bool = False,
) -> Path:
    """Write the results as tables that Excel, R or SPSS read.

    The folder then holds ``coefficients.csv``, ``variance_components.csv``, ``icc.csv`` and ``glance.csv``, each as
    the method of that name returns it (the first as `tidy`), and ``fit.json``, which has all of them with the
    formula, the method, the notes in both languages and the sources. Numbers have every digit; a missing one is an
    empty cell, ``null`` in JSON, where an infinite one is ``"Infinity"``. CSV files are UTF-8 with a byte order mark,
    without which Excel on Chinese Windows shows Chinese wrongly; pandas wants ``encoding="utf-8-sig"``, R
    ``fileEncoding = "UTF-8-BOM"``.

    Parameters
    ----------
    folder
        The folder to make, whole or not at all. One that exists is replaced only if it is empty or holds earlier
        results.
    inference, conf_level, cluster
        As in `estimates`.
    random_effects
        Whether to write a file for each level with its groups' predicted effects too,
        ``random_effects_<columns>.csv``: they name schools, classes or pupils.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ArgumentError
        If the folder holds something else, or an argument is outside what it can be.
    UnsupportedError
        As `estimates` and `random_effects` raise it.
    """
    found = fit.estimates(inference, conf_level, cluster)
    tables = {
        "coefficients": found.tidy(),
        "variance_components": fit.variance_components,
        "icc": fit.icc(),
        "glance": fit.glance(),
    }
    if random_effects:
        for level in fit.design.levels:
            tables[f"random_effects_{'_'.join(level.columns)}"] = fit.random_effects(level.name)
    words = {
        "format": FORMAT,
        "written_by": f"htresearch {version('htresearch')}",
        "formula": str(fit.formula),
        "method": fit.method,
        "engine": fit.engine,
        "inference": inference,
        "conf_level": conf_level,
        "converged": fit.converged,
        "singular": fit.singular,
        "note": {language: [getattr(note, language) for note in found.note] for language in ("zh", "en")},
        "source": found.source,
        **{name: _records(table) for name, table in {**tables, "r_squared": fit.r_squared()}.items()},
    }
    with new_folder(folder, _holds_results) as fresh:
        for name, table in tables.items():
            (fresh / f"{name}.csv").write_bytes(table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        content = json.dumps(words, ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / "fit.json").write_text(content, encoding="utf-8")
    return Path(folder)


def _records(table: pd.DataFrame) -> list[dict]:
    """Return a row per record, in values that every reader of JSON knows."""
    return [{name: _value(value) for name, value in row.items()} for row in table.astype(object).to_dict("records")]


def _value(value: object) -> object:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, bool | int | float | str) else str(value)


def _holds_results(folder: Path) -> bool:
    try:
        return json.loads((folder / "fit.json").read_text(encoding="utf-8")).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        return False
