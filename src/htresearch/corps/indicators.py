"""The indicators of schools, school zones or the district, term by term."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.checks import argument
from htresearch.corps.appraisals import appraisals
from htresearch.corps.catalogue import BASE, Definition, definitions
from htresearch.corps.classwork import classwork
from htresearch.corps.estimates import assemble
from htresearch.corps.incentives import amounts_missing, incentives
from htresearch.corps.ladder import ladder, studios
from htresearch.corps.outcomes import begin_results, outcomes
from htresearch.corps.record import Record
from htresearch.corps.stability import stability
from htresearch.corps.tally import Level, Tally
from htresearch.corps.training import training
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.study.open import Study

_LEVELS = {"school_id": "school", "zone_id": "zone", None: "district"}
_FAMILIES = (ladder, studios, training, incentives, appraisals, classwork, stability, outcomes)
#: Rows that a notebook shows.
_SHOWN = 60
_HEADINGS = {
    "unit": Text("单位", "Unit"),
    "indicator": Text("指标", "Indicator"),
    "numerator": Text("分子", "Numerator"),
    "denominator": Text("分母", "Denominator"),
}
_SOURCE = (
    "Wilson (1927), doi:10.1080/01621459.1927.10502953; Cochran (1977), Sampling Techniques, chapter 6; "
    "Spiegelhalter (2005), doi:10.1002/sim.1970"
)
_METHOD = Text(
    "比例给出 Wilson 95% 区间；人均、班均和时长之比给出以教师或班级为单位的比率估计 t 区间；"
    "两个比率之比的区间在对数尺度上求得；标准差不给区间。区间描述的是人数少时的偶然波动，不是抽样误差。",
    "Shares have Wilson's 95 % interval; means and ratios of sums have Student's t interval of the ratio estimator "
    "over teachers or classes; a ratio of rates has its interval on the log scale; standard deviations have none. "
    "The intervals describe chance in small numbers, not sampling.",
)


@dataclass(frozen=True)
class Indicators(Estimates):
    """Indicators with exact numerators and denominators, complete when built.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row per unit, term and indicator (``group`` empty), and one for each value of its breakdowns: term (the
        indicator's id), estimate, std_error, conf_low, conf_high, numbers of pupils, teachers, schools and classes
        behind it, the unit, term_id, indicator_id, group, value, numerator, denominator, target, why. Units stand in
        the order of their ids: nothing is ranked.
    district : pandas.DataFrame
        The same rows for the whole district, to see a unit against.
    by : str or None
        The units.
    """

    district: pd.DataFrame = field(default_factory=pd.DataFrame, kw_only=True, repr=False, compare=False)
    by: str | None = field(default=None, kw_only=True)

    zero = False

    @property
    def unit(self) -> str:
        """The column that names the unit."""
        return self.by or "unit"

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        known = definitions()
        shown = self.frame[self.frame["group"] == ""].head(_SHOWN)
        cells = shown[[self.unit, "term_id"]].assign(
            indicator=[str(known[name].name) for name in shown["indicator_id"]],
            **{c: shown[c] for c in ("estimate", "conf_low", "conf_high", "numerator", "denominator", "why")},
        )
        rest = Text("", "")
        if len(self.frame) > len(shown):
            rest = Text("这里只列出 {n} 行，其余见 tidy()。", "Only {n} rows are shown; tidy() has them all. ")
        said = Text("{rest}{notes}", "{rest}{notes}").format(rest=rest.format(n=len(shown)), notes=self.notes())
        return table(cells, note=said, names=_HEADINGS)._repr_mimebundle_(include, exclude)

    def of(self, indicator_id: str) -> pd.DataFrame:
        """Return the rows of one indicator without its breakdowns."""
        checks.require(checks.one_of("indicator_id", indicator_id, list(dict.fromkeys(self.frame["indicator_id"]))))
        return self.frame[(self.frame["indicator_id"] == indicator_id) & (self.frame["group"] == "")]

    def plot(
        self,
        indicator_id: str | None = None,
        term: str | None = None,
        labels: bool = False,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw a funnel: each unit's estimate against its denominator, within limits around the district's.

        Parameters
        ----------
        indicator_id
            Which indicator; may be left out where there is only one.
        term
            A term_id; the last term with an estimate otherwise.
        labels
            Whether to name the units.
        ax
            Where to draw; a new figure otherwise.
        """
        from htresearch.corps.funnel import funnel

        return funnel(self, indicator_id, term, labels, ax)

    def trend(self, indicator_id: str, unit: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw an indicator over terms with its intervals: the district, and one unit if it is named."""
        from htresearch.corps.funnel import trend

        return trend(self, indicator_id, unit, ax)


def indicators(
    study: Study,
    by: str | None = "school_id",
    term: str | Collection[str] | None = None,
    only: Collection[str] | None = None,
) -> Indicators:
    """Compute the indicators of every unit and term.

    What a study lacks is no error: the rows that need it say why they are empty. `definitions` says what each
    indicator counts.

    Parameters
    ----------
    study
        As `open_study` gives it.
    by
        ``"school_id"``, ``"zone_id"`` (schools without a zone stand in none) or None for the whole district.
    term
        A term_id or several; all terms otherwise.
    only
        Ids of indicators; all of them otherwise.

    Returns
    -------
    Indicators
        ``.tidy()`` has a row per unit, term and indicator, and one for each value of its breakdowns; ``.plot()`` is a
        funnel plot, ``.trend()`` a line over terms.

    Raises
    ------
    ArgumentError
        If `by`, `term` or `only` names what does not exist, or no school has a zone.
    MissingTableError
        If the study has no schools or no terms.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> vacant = ht.corps.indicators(study, by=None, term="2024-2", only=["classes_without_head"])
    >>> vacant.tidy()["numerator"].head(1).tolist()
    [0.0]
    """
    study.needs(["schools", "terms"])
    known = definitions()
    only = [only] if isinstance(only, str) else only
    asked = None if term is None else [term] if isinstance(term, str) else list(term)
    record = Record(study, asked)
    _check(record, by, asked, only, known)
    wanted = frozenset(known if only is None else only)
    levels = _levels(record)
    lacking = {name: why for name in known if (why := _lacking(study, known[name]))}
    with ThreadPoolExecutor(1) as pool:
        begin_results(record, pool, wanted - set(lacking))
        found = {name: _tallied(record, levels[name], known, wanted, lacking) for name in {_LEVELS[by], "district"}}
    frame, district = found[_LEVELS[by]], found["district"]
    return Indicators(
        frame,
        _summary(record, frame, levels[_LEVELS[by]], wanted),
        _note(record, by, lacking, wanted),
        _SOURCE,
        district=district,
        by=by,
    )


def _tallied(
    record: Record, level: Level, known: dict[str, Definition], wanted: frozenset[str], lacking
) -> pd.DataFrame:
    tally = Tally(level, len(record.terms.ids), wanted, known, why=dict(lacking))
    if tally.wants(*wanted):
        for family in _FAMILIES:
            family(record, tally)
    return assemble(tally, known, record)


def _levels(record: Record) -> dict[str, Level]:
    schools = record.schools
    ids, count = schools["ids"].to_pylist(), len(schools["ids"])
    return {
        "school": Level("school", ids, np.arange(count)),
        "zone": Level("zone", schools["zones"], schools["zone"]),
        "district": Level("district", ["district"], np.zeros(count, np.int64)),
    }


def _check(record: Record, by, terms: list[str] | None, only: Collection[str] | None, known) -> None:
    study = record.study
    every = study.table("terms").select("term_id").collect("pandas").to_native()["term_id"].tolist()
    checks.require(
        checks.one_of("by", by, list(_LEVELS)),
        *(checks.one_of("term", one, sorted(every)) for one in terms or ()),
        *(_unknown(one, known) for one in only or () if one not in known),
    )
    if by == "zone_id" and not record.schools["zones"]:
        checks.require(
            Fault(
                argument("by"),
                Text("本研究没有一所学校写明学区", "no school of the study has a zone"),
                Text(
                    '请在 schools 表填写 zone_id，或用 by="school_id"',
                    'Fill in zone_id of schools, or use by="school_id"',
                ),
                by,
            )
        )


def _unknown(name: object, known: Iterable[str]) -> Fault:
    return Fault(
        argument("only"),
        Text("没有这个指标", "there is no such indicator"),
        checks.suggestion(name, known)
        or Text("全部指标见 ht.corps.definitions()", "ht.corps.definitions() lists them all"),
        name,
    )


def _lacking(study: Study, definition: Definition) -> Text | None:
    """Say which tables or columns an indicator needs and the study lacks."""
    tables = [name for name in (*BASE, *definition.tables) if name not in study.tables]
    if tables:
        return Text("缺少数据表：{all}", "the study lacks tables: {all}").format(all=listing(tables))
    columns = [name for name in definition.columns if not study.store.has(*name.split("."))]
    if columns:
        return Text("缺少列：{all}", "the study lacks columns: {all}").format(all=listing(columns))
    return None


def _summary(record: Record, frame: pd.DataFrame, level: Level, wanted: frozenset[str]) -> pd.DataFrame:
    whole = frame[frame["group"] == ""]
    return pd.DataFrame(
        {
            "n_units": [len(level.ids)],
            "n_terms": [len(record.terms.ids)],
            "n_indicators": [len(wanted)],
            "n_rows": [len(frame)],
            "n_estimated": [int(whole["estimate"].notna().sum())],
            "n_without": [int(whole["estimate"].isna().sum())],
        }
    )


def _note(record: Record, by: str | None, lacking: dict[str, Text], wanted: frozenset[str]) -> tuple[Text, ...]:
    notes = [_METHOD]
    without = int((record.schools["zone"] < 0).sum())
    if by == "zone_id" and without:
        said = Text("{n} 所学校没有学区，不在任何一行之内。", "{n} schools have no zone and stand in no row.")
        notes.append(said.format(n=without))
    missing = [name for name in wanted if name in lacking]
    if missing:
        said = Text(
            "{n} 个指标缺少数据表或列，原因见 why。", "{n} indicators lack tables or columns; why says which."
        )
        notes.append(said.format(n=len(missing)))
    if (
        wanted - set(missing)
        and {"incentives"} <= set(record.study.tables)
        and {"performance_pay", "allowance"} & wanted
    ):
        record.leave_out(Text("津贴和绩效工资记录没有金额", "payments without an amount"), amounts_missing(record))
    left = [Text("{why}：{n}", "{why}: {n}").format(why=why, n=n) for why, n in record.left_out.items()]
    if left:
        notes.append(Text("未计入的记录：{all}。", "Records left out: {all}.").format(all=listing(left)))
    return tuple(notes)
