"""Opening a study: only a sound one opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.checks import one_of, require
from htresearch.errors import Fault, MissingTableError, StudyError
from htresearch.language import Text, listing
from htresearch.study.store import Store, open_store
from htresearch.study.validate import as_faults, inspect, report

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd


@dataclass(frozen=True)
class Study:
    """A validated study: its tables and the panels made from them.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> study.frame("schools").columns.tolist()[:2]
    ['school_id', 'zone_id']
    """

    store: Store

    @property
    def path(self) -> Path:
        """Where the study lies."""
        return self.store.path

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that this study has."""
        return self.store.tables

    def table(self, name: str) -> nw.LazyFrame:
        """Return a table as a Narwhals LazyFrame: nothing is read until it is collected."""
        self.needs([name])
        return self.store.table(name)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table as a pandas DataFrame; vocabulary columns are categorical, in the vocabulary's order."""
        collected = self.table(name).collect("pandas").to_native()
        vocabularies = {c.name: c.vocabulary for c in self.store.schema.tables[name].columns if c.vocabulary}
        return self.categorical(collected, vocabularies)

    def categorical(self, frame: pd.DataFrame, vocabularies: dict[str, str]) -> pd.DataFrame:
        """Return `frame` with the named columns as categories of their vocabularies."""
        import pandas as pd

        known = self.store.schema.vocabularies
        return frame.assign(
            **{c: pd.Categorical(frame[c], list(known[v])) for c, v in vocabularies.items() if c in frame}
        )

    def needs(self, tables: Iterable[str]) -> None:
        """Refuse an analysis whose tables the study lacks.

        Raises
        ------
        ArgumentError
            If a name is not a table of any study.
        MissingTableError
            If this study does not have it.
        """
        tables = list(tables)
        require(*(one_of("name", name, tuple(self.store.schema.tables)) for name in tables))
        lacking = [name for name in tables if name not in self.tables]
        require(
            *(
                Fault(
                    name,
                    Text("本研究没有这张表", "the study does not have this table"),
                    Text("请把它加入 {path}；已有：{all}", "Add it to {path}; present: {all}").format(
                        path=self.path.name, all=listing(self.tables)
                    ),
                )
                for name in lacking
            ),
            error=MissingTableError,
        )

    def student_terms(self, measure: str | None = None, compare: str = "district", lazy: bool = False):
        """Return the panel of pupils in terms; see `htresearch.study.panel.student_terms`."""
        from htresearch.study import panel

        return panel.student_terms(self, measure, compare, lazy)

    def class_terms(self, measure: str | None = None, compare: str = "district", lazy: bool = False):
        """Return the panel of classes in terms; see `htresearch.study.panel.class_terms`."""
        from htresearch.study import panel

        return panel.class_terms(self, measure, compare, lazy)

    def class_results(self, measure: str, compare: str = "district", lazy: bool = False):
        """Return classes in terms with their results alone; see `htresearch.study.panel.class_results`."""
        from htresearch.study import panel

        return panel.class_results(self, measure, compare, lazy)

    def teacher_terms(self, lazy: bool = False):
        """Return every teacher's exposures at each term's first day; see `htresearch.study.panel.teacher_terms`."""
        from htresearch.study import panel

        return panel.teacher_terms(self, lazy)

    def teacher_shares(self, lazy: bool = False):
        """Return who led each class in each term for how many days; see `htresearch.study.panel.teacher_shares`."""
        from htresearch.study import panel

        return panel.teacher_shares(self, lazy)


def open_study(path: str | Path) -> Study:
    """Open a study and refuse a faulty one with all its faults.

    Parameters
    ----------
    path
        A folder of Parquet or CSV (UTF-8) files named after their tables, or a DuckDB file.

    Returns
    -------
    Study
        The validated study; its tables are read lazily.

    Raises
    ------
    StudyError
        If any rule is broken. ``error.table`` holds every fault as a frame (table, row, column, value, rule, fix).

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> "appointments" in study.tables
    True
    """
    store = open_store(path)
    faults = inspect(store)
    if len(faults):
        raise StudyError(*as_faults(faults), table=faults, text=report(faults))
    return Study(store)
