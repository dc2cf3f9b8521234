"""Every fault of a study at once, as a table and as words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.errors import Fault, sentence
from htresearch.language import Text
from htresearch.study.rules import Finding, findings
from htresearch.study.store import Store, open_store

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the table of faults.
COLUMNS = ("table", "row", "column", "value", "rule", "fix")


def validate(path: str | Path) -> pd.DataFrame:
    """Return every fault of a study; a sound study has none.

    Parameters
    ----------
    path
        A study folder or a DuckDB file.

    Returns
    -------
    pandas.DataFrame
        A row per faulty cell with the columns of `COLUMNS`, in the language now spoken. ``row`` is the line of a CSV
        file (the header is line 1) and the row of any other table; it is missing where a whole file is at fault.

    Examples
    --------
    >>> from htresearch import study
    >>> len(study.validate("nowhere"))
    1
    """
    return inspect(open_store(path))


def inspect(store: Store) -> pd.DataFrame:
    """Return every fault of an opened store; faults of files hide the rules that need those files."""
    import pandas as pd

    frames = [_file_fault(fault) for fault in store.faults]
    frames += [_finding(found) for found in findings(store) if found.lacks not in store.refused]
    if not frames:
        return pd.DataFrame({column: [] for column in COLUMNS}, dtype=object)
    return pd.concat(frames, ignore_index=True)


def _file_fault(fault: Fault) -> pd.DataFrame:
    import pandas as pd

    said = (str(fault.where), None, None, fault.value, str(fault.rule), str(fault.fix))
    return pd.DataFrame([said], columns=list(COLUMNS), dtype=object)


def _finding(found: Finding) -> pd.DataFrame:
    frame = found.rows.astype(object).assign(
        table=found.table, column=found.column, rule=str(found.rule), fix=str(found.fix)
    )
    return frame[list(COLUMNS)].astype(object).where(frame[list(COLUMNS)].notna(), None)


def as_faults(faults: pd.DataFrame) -> tuple[Fault, ...]:
    """Return the rows of a table of faults as `Fault` objects."""
    return tuple(
        Fault(" · ".join(str(p) for p in (f.table, f.row, f.column) if p is not None), f.rule, f.fix, f.value)
        for f in faults.itertuples(index=False)
    )


def report(faults: pd.DataFrame, at_most: int = 20) -> str:
    """Write the table of faults for reading.

    Parameters
    ----------
    faults
        What `validate` returned.
    at_most
        How many lines a rule; then how many more there are is said.

    Returns
    -------
    str
        The faults, rule by rule, in the language now spoken.

    Examples
    --------
    >>> from htresearch import study
    >>> "nowhere" in study.report(study.validate("nowhere"))
    True
    """
    lines = []
    groups = faults.fillna({"column": ""}).groupby(["table", "column", "rule", "fix"], sort=False, dropna=False)
    for (table, column, rule, fix), rows in groups:
        lines.append(
            str(
                Text("【{where}】{rule}。{fix}", "[{where}] {rule}. {fix}").format(
                    where=" · ".join(p for p in (table, column) if p), rule=rule, fix=sentence(fix)
                )
            )
        )
        placed = rows[rows["row"].notna()]
        for row, value in placed[["row", "value"]].head(at_most).itertuples(index=False):
            shown = Text("（空）", "(empty)") if value is None or value != value else value
            lines.append(str(Text("    第 {row} 行：{value}", "    row {row}: {value}").format(row=row, value=shown)))
        if len(placed) > at_most:
            more = len(placed) - at_most
            lines.append(str(Text(f"    ……另有 {more} 处", f"    … and {more} more")))
    total = Text(f"共 {len(faults)} 处错误。", f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'} in all.")
    return "\n".join([*lines, str(total)])
