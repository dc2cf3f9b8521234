"""The corps at a glance, fit to be published: tables, breakdowns, trends and funnels in which nobody can be found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.appearance import significant, table
from htresearch.checks import argument
from htresearch.corps.catalogue import Definition, definitions
from htresearch.corps.estimates import VOCABULARY
from htresearch.corps.funnel import Funnel, funnel_of, panels
from htresearch.corps.indicators import Indicators, indicators
from htresearch.corps.split import split_rows
from htresearch.corps.spread import spread
from htresearch.corps.withholding import withheld
from htresearch.errors import Fault
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htresearch.study.open import Study

_NONE = "–"
_HEADINGS = {
    "clause": Text("条目", "Clause"),
    "indicator": Text("指标", "Indicator"),
    "head": Text("指标", "Indicator"),
    "value": Text("数值（95% 区间）", "Value (95 % interval)"),
    "counts": Text("分子/分母", "Counts"),
    "target": Text("目标", "Target"),
    "reached": Text("与目标相比", "Against the target"),
    "whole": Text("全区", "District"),
    "n_units": Text("学校数", "Schools"),
    "chance": Text("碰巧的差距", "Spread by chance"),
    "beyond": Text("之外的差距", "Spread beyond it"),
    "p_value": Text("p 值", "p"),
    "expected": Text("碰巧界外", "Outside by chance"),
    "outside": Text("实际界外", "Outside in fact"),
}
_REACHED, _MISSED = Text("达到", "reached"), Text("未达到", "not reached")
_UNCLEAR = Text("还说不准", "cannot be told")


@dataclass(frozen=True)
class Board:
    """A table of indicators for readers, with the rows that it shows.

    Attributes
    ----------
    rows : pandas.DataFrame
        The rows of `Indicators` behind it, as they are shown: what is hidden is missing.
    by : str or None
        The units of the rows.
    cells : pandas.DataFrame
        What a reader sees.
    title, note : Text or str
        Above and below.
    """

    rows: pd.DataFrame = field(repr=False)
    by: str | None
    cells: pd.DataFrame
    title: Text | str = ""
    note: Text | str = ""
    names: Mapping[str, Text] = field(default_factory=dict, repr=False)
    right: tuple[str, ...] = ()
    groups: str | None = None

    def tidy(self) -> pd.DataFrame:
        """Return the rows behind the table."""
        return self.rows.copy()

    def _repr_mimebundle_(self, include=None, exclude=None):
        names = {**_HEADINGS, **self.names}
        shown = table(self.cells, self.title, self.note, names=names, groups=self.groups, right=self.right)
        return shown._repr_mimebundle_(include, exclude)


@dataclass(frozen=True)
class Dashboard:
    """The indicators of a district in one term and over the terms, without what would point at somebody.

    Attributes
    ----------
    district : Indicators
        The whole district, breakdowns included.
    units : dict of str to Indicators
        Schools (``"school_id"``), and zones (``"zone_id"``) where there are any.
    term : str
        The term that tables are about.
    fewest : int
        The least number of persons behind a number.
    spread : pandas.DataFrame
        Of each indicator, how far schools differ beyond chance; see `differences`.
    sizes : dict of str to float
        Of each indicator, the denominator of a middling school.
    """

    district: Indicators
    units: Mapping[str, Indicators]
    term: str
    fewest: int
    spread: pd.DataFrame = field(repr=False)
    sizes: Mapping[str, float] = field(repr=False)

    def table(self, indicator_ids: Collection[str] | None = None, title: Text | str = "") -> Board:
        """Return the district's indicators of the term with their intervals, counts and targets.

        Parameters
        ----------
        indicator_ids
            Which, in this order; all of them otherwise.
        title
            Above the table.
        """
        known, rows = definitions(), self._rows(indicator_ids)
        cells = pd.DataFrame([_line(row, known[row["indicator_id"]]) for row in rows.to_dict("records")])
        empty = [c for c in ("target", "reached") if (cells[c] == _NONE).all()]
        right = ("value", "counts", "target")
        return Board(rows, None, cells.drop(columns=empty), title, self._said(rows), right=right)

    def groups(self, group: str, indicator_ids: Collection[str] | None = None, title: Text | str = "") -> Board:
        """Return indicators for the district and, below it, for each value of one breakdown.

        Parameters
        ----------
        group
            Such as ``"stage"``, ``"school_type"``, ``"location"``, ``"level"`` or ``"theme"``.
        indicator_ids
            Which; all that have this breakdown otherwise.
        title
            Above the table.
        """
        known = definitions()
        if indicator_ids is None:
            indicator_ids = [n for n in self._known() if group in known[n].groups]
        checks.require(
            *(_no_group(name, group, known[name].groups) for name in indicator_ids if name in self._known()),
            None
            if len(indicator_ids)
            else _no_group("", group, sorted({g for n in self._known() for g in known[n].groups})),
        )
        rows = self._rows(indicator_ids, group)
        lines = [
            _part(row, str(known[row["indicator_id"]].heading), known[row["indicator_id"]])
            for row in rows.to_dict("records")
        ]
        names = {"who": label(group)}
        return Board(rows, None, pd.DataFrame(lines), title, self._said(rows), names, ("value", "counts"), "head")

    def split(
        self, indicator_id: str, people: pd.DataFrame, yes: str, by: Mapping[str, Text | str], title: Text | str = ""
    ) -> Board:
        """Return a share among groups of persons that the indicator itself does not know.

        Parameters
        ----------
        indicator_id
            A share of persons. Its own numbers of the term must come out of `people`, so that both are about the
            same persons.
        people
            A row per person of the denominator, with `yes`, the columns in `by`, and ``school_id``.
        yes
            The column that says of whom it is true.
        by
            Columns of groups, each with its heading. Who has no value stands in no group.
        title
            Above the table.
        """
        rows = split_rows(people, yes, list(by), self._rows([indicator_id]), self.fewest)
        definition = definitions()[indicator_id]
        heads = {"": Text("全区", "District"), **by}
        lines = [_part(row, str(heads[row["group"]]), definition) for row in rows.to_dict("records")]
        names = {"who": Text("组", "Group"), "value": _INTERVAL.format(name=definition.name)}
        return Board(rows, None, pd.DataFrame(lines), title, self._said(rows), names, ("value", "counts"), "head")

    def trends(self, indicator_ids: Collection[str] | None = None, columns: int = 2) -> Figure:
        """Draw the district's indicators over the terms with their intervals, and the target where there is one.

        Parameters
        ----------
        indicator_ids
            Which, each in a panel of its own; all of them otherwise.
        columns
            How many panels stand side by side.
        """
        checks.require(checks.integer("columns", columns, 1, 4))
        chosen = self._chosen(indicator_ids)
        return panels({name: self.district.of(name) for name in chosen}, columns)

    def funnel(self, indicator_id: str, by: str = "school_id") -> Funnel:
        """Return each unit's value against its size within the limits of chance, no unit being named.

        Parameters
        ----------
        indicator_id
            Which indicator.
        by
            ``"school_id"`` or ``"zone_id"``. What rests on too few persons is not drawn, and counted in the note.
        """
        checks.require(checks.one_of("by", by, list(self.units)))
        self._chosen([indicator_id])
        return funnel_of(self.units[by], indicator_id, self.term, self.sizes[indicator_id])

    def differences(self, indicator_ids: Collection[str] | None = None, title: Text | str = "") -> Board:
        """Return whether schools differ more than chance makes them differ.

        By chance alone schools with the same conditions have different numbers, the more so the smaller they are.
        ``Spread by chance`` is the standard deviation that this makes, ``Spread beyond it`` what is left (the moment
        estimator of DerSimonian and Laird), p of Cochran's Q; then how many schools lie outside the 95 % limits, and
        how many would by chance. No school is named, and one or two are not told from none.

        Parameters
        ----------
        indicator_ids
            Which; all that have limits otherwise.
        title
            Above the table.

        References
        ----------
        Spiegelhalter, D. J. (2005). Handling over-dispersion of performance indicators. Quality and Safety in Health
        Care, 14, 347-351. https://doi.org/10.1136/qshc.2005.013755
        """
        known = definitions()
        chosen = [name for name in self._chosen(indicator_ids) if name in set(self.spread["indicator_id"])]
        checks.require(None if chosen else _no_limits())
        rows = self.spread.set_index("indicator_id", drop=False).loc[chosen].reset_index(drop=True)

        def shown(row: dict, column: str) -> str:
            return _plain(row[column], known[row["indicator_id"]])

        cells = pd.DataFrame(
            [
                {
                    "indicator": str(known[row["indicator_id"]].heading),
                    "n_units": int(row["n_units"]),
                    **{c: shown(row, c) for c in ("whole", "chance", "beyond")},
                    "p_value": row["p_value"],
                    "expected": row["expected"],
                    "outside": _few(row["outside"]),
                }
                for row in rows.to_dict("records")
            ]
        )
        right = ("whole", "chance", "beyond", "outside")
        return Board(rows, "school_id", cells, title, _SPREAD, right=right)

    def _known(self) -> list[str]:
        return list(dict.fromkeys(self.district.frame["indicator_id"]))

    def _chosen(self, indicator_ids: Collection[str] | None) -> list[str]:
        chosen = self._known() if indicator_ids is None else list(dict.fromkeys(indicator_ids))
        checks.require(*(checks.one_of("indicator_ids", name, self._known()) for name in chosen))
        return chosen

    def _rows(self, indicator_ids: Collection[str] | None, group: str = "") -> pd.DataFrame:
        chosen, frame = self._chosen(indicator_ids), self.district.frame
        rows = frame[(frame["term_id"] == self.term) & frame["indicator_id"].isin(chosen)]
        rows = rows[rows["group"].isin({"", group})]
        order = {name: i for i, name in enumerate(chosen)}
        return rows.sort_values("indicator_id", key=lambda ids: ids.map(order), kind="stable").reset_index(drop=True)

    def _said(self, rows: pd.DataFrame) -> Text:
        """Say of which term it is, and why numbers are missing."""
        said = [_TERM.format(term=self.term)]
        said += [_HIDDEN.format(n=self.fewest)] if (rows["hidden"] != "").any() else []
        lacking = rows[rows["estimate"].isna() & (rows["hidden"] == "") & (rows["group"] == "")]
        known = definitions()
        for why, names in lacking.groupby(lacking["why"].map(repr), sort=False)["indicator_id"]:
            reason = lacking.loc[lacking["why"].map(repr) == why, "why"].iloc[0]
            what = Text("、", ", ")
            listed = Text(
                what.zh.join(known[n].name.zh for n in names), what.en.join(known[n].name.en for n in names)
            )
            said.append(Text("{what}：{why}。", "{what}: {why}.").format(what=listed, why=reason))
        return Text("".join(t.zh for t in said), " ".join(t.en for t in said))


_TERM = Text("{term} 学期。", "Term {term}.")
_HIDDEN = Text(
    "“<”和“>”：有此事或无此事的不足 {n} 人（也可能一个没有），"
    "具体人数不公布，界限取整。"
    "“不公布”：涉及的人太少，或由它能推算出别的数。",
    "“<” and “>”: it is true, or not true, of fewer than {n} persons (perhaps of none), who are not counted "
    "in public; bounds are round. “Withheld”: too few are behind it, or it would give another number away.",
)
_SPREAD = Text(
    "“碰巧的差距”：各校条件完全相同时，人数少本身造成的标准差；"
    "“之外的差距”：扣除它以后还剩的标准差"
    "（DerSimonian–Laird 矩估计，0 表示没有剩余）。"
    "p 值：碰巧会出现这么大差距的可能性（Cochran 的 Q 检验）。"
    "界外：落在 95% 界限之外的学校数，碰巧会有几所，实际有几所；不足 3 所的不说几所。",
    "Spread by chance: the standard deviation that small numbers make where all schools are alike; beyond it: what "
    "is left (moment estimator of DerSimonian and Laird; 0 where nothing is). p: how often chance would make them "
    "differ so much (Cochran's Q). Outside: schools outside the 95 % limits; fewer than 3 are not told apart.",
)
_INTERVAL = Text("{name}（95% 区间）", "{name} (95 % interval)")
_FEWER = Text("不足 3", "fewer than 3")


def dashboard(
    study: Study,
    only: Collection[str] | None = None,
    term: str | None = None,
    targets: Mapping[str, float] | None = None,
    fewest: int = 10,
    parts: Collection[str] = (),
) -> Dashboard:
    """Compute indicators of a district, of its schools and zones, and hide what rests on few persons.

    Parameters
    ----------
    study
        As `open_study` gives it.
    only
        Ids of indicators; all of them otherwise. See `definitions`.
    term
        The term that tables are about; the last one otherwise. Trends have all terms.
    targets
        What the district has set itself, by indicator, where the study has no table of targets.
    fewest
        The least number of persons behind a number, on either side of a share; 1 hides nothing and is for the
        district's own eyes.
    parts
        Indicators of which the parts matter and not the whole: where a part has to be hidden so that another cannot
        be computed, the whole is hidden in its stead.

    Returns
    -------
    Dashboard
        ``.table()``, ``.groups()``, ``.trends()``, ``.funnel()`` and ``.differences()`` can be shown by
        ``ht.disclosure.show``.

    Raises
    ------
    ArgumentError
        If `only`, `term` or `targets` names what does not exist.
    MissingTableError
        If the study has no schools or no terms.

    Examples
    --------
    >>> import htresearch as ht
    >>> view = ht.corps.dashboard(ht.open_study("data/demo"), only=["trained_last_year"])
    >>> view.table().rows["indicator_id"].tolist()
    ['trained_last_year']
    """
    targets = dict(targets or {})
    known = definitions()
    checks.require(
        checks.integer("fewest", fewest, 1, 1000),
        *(checks.one_of("targets", name, list(known)) for name in targets),
        *(checks.one_of("parts", name, list(known)) for name in parts),
    )
    schools = indicators(study, "school_id", only=only)
    terms = list(dict.fromkeys(schools.district["term_id"]))
    checks.require(None if term is None else checks.one_of("term", term, terms))
    term = terms[-1] if term is None else term
    whole = _aimed(_of_district(schools), targets)
    units = {"school_id": withheld(schools, fewest, parts=parts)}
    has_zones = study.store.has("schools", "zone_id") and study.frame("schools")["zone_id"].notna().any()
    if has_zones:
        units["zone_id"] = withheld(indicators(study, "zone_id", only=only), fewest, parts=parts)
    district = withheld(whole, fewest, parts=parts)
    shown = district.frame[(district.frame["term_id"] == term) & (district.frame["group"] == "")]
    safe = set(shown.loc[shown["estimate"].notna(), "indicator_id"])
    differing = spread(schools, term)
    differing = differing[differing["indicator_id"].isin(safe)]
    return Dashboard(district, units, term, fewest, differing, _sizes(schools, term))


def _of_district(schools: Indicators) -> Indicators:
    """Return the whole district, which comes with its schools."""
    return replace(schools, frame=schools.district, by=None)


def _aimed(found: Indicators, targets: Mapping[str, float]) -> Indicators:
    given = found.frame["indicator_id"].map(targets).where(found.frame["group"] == "").astype(float)
    return replace(found, frame=found.frame.assign(target=found.frame["target"].fillna(given)))


def _sizes(schools: Indicators, term: str) -> dict[str, float]:
    """Return the middling denominator of a school by indicator."""
    rows = schools.frame
    rows = rows[(rows["term_id"] == term) & (rows["group"] == "") & (rows["denominator"] > 0)]
    return rows.groupby("indicator_id")["denominator"].median().astype(float).to_dict()


def _plain(value: float, definition: Definition) -> str:
    if not np.isfinite(value):
        return _NONE
    return f"{significant(100 * value)}%" if definition.unit == "share" else significant(value)


def _number(row: dict, definition: Definition) -> str:
    """Write an estimate with its interval, or on which side of a bound it lies."""
    for sign, side in (("<", "under"), (">", "over")):
        if np.isfinite(row[side]):
            return f"{sign} {100 * row[side]:g}%" if definition.unit == "share" else f"{sign} {row[side]:g}"
    if row["hidden"]:
        return str(Text("不公布", "withheld"))
    said = _plain(row["estimate"], definition)
    if np.isfinite(row["conf_low"]) and np.isfinite(row["conf_high"]):
        low, high = _plain(row["conf_low"], definition), _plain(row["conf_high"], definition)
        said += str(Text("（{a}–{b}）", " ({a}–{b})")).format(a=low, b=high)
    return said


def _line(row: dict, definition: Definition) -> dict[str, str]:
    return {
        "clause": ", ".join(definition.clauses),
        "indicator": str(definition.heading),
        "value": _number(row, definition),
        "counts": _counts(row, definition),
        "target": _plain(row["target"], definition),
        "reached": str(_against(row, definition)),
    }


def _part(row: dict, head: str, definition: Definition) -> dict[str, str]:
    within = VOCABULARY.get((definition.id, row["group"]), row["group"])
    who = label(row["value"], within=within) if row["group"] else Text("全区", "District")
    return {"head": head, "who": str(who), "value": _number(row, definition), "counts": _counts(row, definition)}


def _counts(row: dict, definition: Definition) -> str:
    counted = definition.interval == "wilson" and np.isfinite(row["estimate"])
    return f"{row['numerator']:,.0f}/{row['denominator']:,.0f}" if counted else _NONE


def _against(row: dict, definition: Definition) -> Text | str:
    """Say whether the whole interval lies on one side of the target."""
    low, high, target = row["conf_low"], row["conf_high"], row["target"]
    if not np.isfinite(target) or definition.direction == "neither" or not np.isfinite([low, high]).all():
        return _NONE
    if definition.direction == "higher":
        return _REACHED if low >= target else _MISSED if high < target else _UNCLEAR
    return _REACHED if high <= target else _MISSED if low > target else _UNCLEAR


def _few(count: float) -> str:
    return str(_FEWER) if count < 3 else f"{count:.0f}"


def _no_group(name: str, group: str, groups: Collection[str]) -> Fault | None:
    if group in groups and name:
        return None
    return Fault(
        argument("group"),
        Text("{name} 没有按它的分组", "{name} has no such breakdown").format(
            name=name or Text("所选指标", "what was chosen")
        ),
        Text("可用：{all}", "Use one of: {all}").format(all=", ".join(groups) or _NONE),
        group,
    )


def _no_limits() -> Fault:
    return Fault(
        argument("indicator_ids"),
        Text("没有可以比较各校的指标", "there is none by which schools can be compared"),
        Text("请选比例或人均的指标", "Choose shares or means"),
    )
