"""Every indicator equals its plain computation, on the demo district and on random small studies."""

from collections import defaultdict
from functools import cache
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.rates import confint_poisson_2indep

import htresearch as ht
from htresearch import language
from htresearch.corps.catalogue import BASE, UNITS, words
from htresearch.corps.estimates import estimate, wilson
from htresearch.errors import ArgumentError, MissingTableError

from . import plain, small

DEMO = Path(__file__).parents[2] / "data" / "demo"
BY = {"school": "school_id", "zone": "zone_id", "district": None}
KNOWN = ht.corps.definitions()


def expected(tables, vocabularies, level: str, names) -> dict[tuple, list]:
    """What the plain computation counts, by unit, term, indicator, group and value."""
    study, found = plain.Plain(tables, vocabularies), defaultdict(list)
    for cell in plain.cells(study, level):
        for name in names:
            definition = KNOWN[name]
            if not study.has(*definition.tables):
                continue
            for group, value, x, m in plain.DONE[name](cell):
                found[cell.unit, cell.term["term_id"], name, group, value].append((float(x), float(m)))
    return found


def compare(frame: pd.DataFrame, unit: str, counted: dict[tuple, list]) -> None:
    """Compare every row, and see that no row is missing or too many."""
    wrong, seen = [], set()
    for row in frame.to_dict("records"):
        key = (row[unit], row["term_id"], row["indicator_id"], row["group"], row["value"])
        seen.add(key)
        pairs = counted.get(key, [])
        x, m = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
        definition = KNOWN[row["indicator_id"]]
        if row["why"] is not None and "denominator is empty" not in row["why"].en:
            sound = np.isnan(row["estimate"]) and not m
        elif not m:
            sound = np.isnan(row["estimate"]) and row["denominator"] == 0
        else:
            value = sqrt(x / m) if definition.unit == "sd" else definition.per * x / m
            got = (row["numerator"], row["denominator"], row["estimate"])
            sound = np.allclose(got, (x, m, value), rtol=1e-9, atol=1e-9) and row["why"] is None
            if definition.interval in ("wilson", "ratio"):
                interval = (row["conf_low"], row["conf_high"])
                sound &= np.allclose(interval, interval_of(pairs, definition), rtol=1e-6, atol=1e-7, equal_nan=True)
        if not sound:
            wrong.append((key, (x, m), {k: row[k] for k in ("numerator", "denominator", "estimate", "why")}))
    missing = [k for k, pairs in counted.items() if k not in seen and sum(p[1] for p in pairs)]
    assert not wrong, wrong[:5]
    assert not missing, missing[:5]


@cache  # the same small numbers come again and again
def wilson_by_scipy(x: int, m: int) -> tuple[float, float]:
    return stats.binomtest(x, m).proportion_ci(0.95, "wilson")


@cache
def quantile_by_scipy(df: int) -> float:
    return stats.t.ppf(0.975, df)


def interval_of(pairs, definition):
    x, m = (np.array([p[i] for p in pairs if p[1]]) for i in (0, 1))
    if definition.interval == "wilson":
        low, high = wilson_by_scipy(int(x.sum()), int(m.sum()))
        return definition.per * low, definition.per * high
    if len(x) < 2:
        return np.nan, np.nan
    value = x.sum() / m.sum()
    residual = x - value * m
    half = quantile_by_scipy(len(x) - 1) * sqrt(len(x) * residual.dot(residual) / (len(x) - 1)) / m.sum()
    return max(value - half, 0), min(value + half, 1) if definition.unit == "share" else value + half


@pytest.fixture(scope="module")
def demo():
    return ht.open_study(DEMO)


@pytest.mark.parametrize("seed", range(20))
def test_every_indicator_equals_its_plain_computation(seed, tmp_path):
    study = small.opened(small.Corps(seed).study_tables(), tmp_path / "study", checked=seed < 2)
    tables, vocabularies = small.plain_tables(study), study.store.schema.vocabularies
    by_school = ht.corps.indicators(study)
    compare(by_school.tidy(), "school_id", expected(tables, vocabularies, "school", KNOWN))
    compare(by_school.district, "unit", expected(tables, vocabularies, "district", KNOWN))
    if seed % 2 and tables["schools"]["zone_id"].notna().any():
        compare(
            ht.corps.indicators(study, by="zone_id").tidy(),
            "zone_id",
            expected(tables, vocabularies, "zone", KNOWN),
        )


def test_the_demo_district_equals_its_plain_computation(demo):
    names = set(KNOWN)
    counted = expected(small.plain_tables(demo), demo.store.schema.vocabularies, "district", names)
    compare(ht.corps.indicators(demo, by=None).tidy(), "unit", counted)


def test_random_studies_try_everything(tmp_path):
    """Every indicator has an estimate, and every reason is given, in some of the random studies."""
    estimated, nothing = set(), set()
    for seed in range(4):
        study = small.opened(small.Corps(seed).study_tables(), tmp_path / str(seed))
        frame = ht.corps.indicators(study, by=None).tidy()
        estimated |= set(frame.loc[frame["estimate"].notna(), "indicator_id"])
        nothing |= set(frame.loc[frame["estimate"].isna(), "indicator_id"])
    assert estimated == set(KNOWN)
    assert len(nothing) > 10


class TestDefinitions:
    def test_each_is_computed_and_nothing_else(self):
        assert set(plain.DONE) == set(KNOWN) and len(KNOWN) >= 25

    @pytest.mark.parametrize("name", KNOWN)
    def test_it_is_whole_and_bilingual(self, name):
        one = KNOWN[name]
        for text in (one.name, one.definition, one.numerator, one.denominator, one.caution):
            assert any("一" <= c <= "鿿" for c in text.zh)
            assert text.en and not any("一" <= c <= "鿿" for c in text.en)
        assert one.definition.zh.endswith("。") and one.definition.en.endswith(".")
        assert one.unit in UNITS and one.direction in {"higher", "lower", "neither", "zero"}
        assert one.interval in {"wilson", "ratio", "rates", "none"}
        assert one.clauses and all(c in CLAUSES for c in one.clauses)

    def test_tables_and_columns_are_those_of_a_study(self, demo):
        schema = demo.store.schema
        for one in KNOWN.values():
            assert set(one.tables) | set(BASE) <= set(schema.tables)
            for column in one.columns:
                table, name = column.split(".")
                assert table in one.tables and name in schema.tables[table].names

    def test_words_are_bilingual(self):
        assert all(word.zh.endswith("。") and word.en.endswith(".") for word in words().values())


CLAUSES = {f"M{i}" for i in range(1, 6)} | {f"O{i}" for i in range(1, 4)} | {f"W{i}" for i in range(1, 8)}


def test_wilson_is_the_published_one():
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I: 81/263, 15/148, 0/20, 1/29."""
    low, high = wilson(np.array([81.0, 15, 0, 1]), np.array([263.0, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0000, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_a_ratio_of_rates_has_the_interval_of_statsmodels():
    """Of 20 in 1000 and of 30 in 1200: the two counts are all that chance has a part in."""
    one = {"x": 20 * 1200, "m": 30 * 1000, "xx": 20, "xm": 0, "mm": 30, "n": 1000}
    made = estimate({name: np.array([float(value)]) for name, value in one.items()}, KNOWN["incentive_tilt"])
    low, high = confint_poisson_2indep(20, 1000, 30, 1200, method="wald-log", compare="ratio")
    np.testing.assert_allclose([made["conf_low"][0], made["conf_high"][0]], [low, high], rtol=1e-12)
    assert made["estimate"][0] == pytest.approx(20 / 1000 / (30 / 1200))


class TestWhatLacks:
    def test_few_tables_are_enough_and_the_rest_says_why(self, tmp_path):
        tables = small.Corps(1).study_tables()
        few = {name: tables[name] for name in ("schools", "terms", "classes", "teachers", "appointments")}
        frame = ht.corps.indicators(small.opened(few, tmp_path / "few")).tidy()
        whole = frame[frame["group"] == ""]
        assert len(whole) == len(few["schools"]) * len(few["terms"]) * len(KNOWN)
        assert whole.loc[whole["estimate"].isna(), "why"].notna().all()
        assert whole.loc[whole["indicator_id"] == "novices", "estimate"].notna().any()
        (why,) = {str(w) for w in whole.loc[whole["indicator_id"] == "training_hours", "why"]}
        assert why == "缺少数据表：training_events、attendance"

    def test_an_unused_column_is_named(self, tmp_path):
        tables = small.Corps(2).study_tables(whole=True)
        tables["attendance"] = tables["attendance"].drop(columns="rating")
        study = small.opened(tables, tmp_path / "study")
        frame = ht.corps.indicators(study, by=None, only=["training_rating"]).tidy()
        assert {w.en for w in frame["why"]} == {"the study lacks columns: attendance.rating"}

    def test_no_schools_is_an_error(self, tmp_path):
        tables = {"terms": small.Corps(1).study_tables()["terms"]}
        with pytest.raises(MissingTableError):
            ht.corps.indicators(small.opened(tables, tmp_path / "none"))


class TestArguments:
    def test_all_faults_at_once_in_both_languages(self, demo, in_both_languages):
        with pytest.raises(ArgumentError) as error:
            ht.corps.indicators(demo, by="class_id", term="1999-1", only=["noviceS"])
        zh, en = in_both_languages(error.value)
        assert len(error.value.faults) == 3
        assert "novices" in zh and "there is no such indicator" in en

    def test_no_zone_is_said(self, tmp_path):
        tables = small.Corps(1).study_tables()
        tables["schools"]["zone_id"] = None
        with pytest.raises(ArgumentError, match="学区"):
            ht.corps.indicators(small.opened(tables, tmp_path / "study"), by="zone_id")

    def test_a_term_alone_is_the_same_as_among_all(self, tmp_path):
        study = small.opened(small.Corps(5).study_tables(), tmp_path / "study")
        every = ht.corps.indicators(study, by=None).tidy()
        for term in every["term_id"].unique()[[0, -1]]:
            alone = ht.corps.indicators(study, by=None, term=term).tidy()
            rows = every[every["term_id"] == term].reset_index(drop=True)
            pd.testing.assert_frame_equal(alone, rows)


def test_targets_are_those_in_force_on_the_first_day(tmp_path):
    study = small.opened(small.Corps(3).study_tables(), tmp_path / "study")
    frame = ht.corps.indicators(study, by=None).tidy()
    ours = frame[(frame["indicator_id"] == "classes_without_head") & (frame["group"] == "")]
    assert ours["target"].tolist() == [0.25, *[0.0] * (len(ours) - 1)]
    assert frame.loc[frame["indicator_id"] != "classes_without_head", "target"].isna().all()


def test_units_stand_in_order_and_the_note_counts(demo):
    result = ht.corps.indicators(demo, term="2024-2", only=["training_hours"])
    assert result.tidy()["school_id"].is_monotonic_increasing
    assert "rank" not in result.tidy().columns
    assert "培训参加记录不在任何学期" in result.notes()
    with language.speaking("en"):
        assert "Records left out" in result.notes()
    assert result.glance().loc[0, "n_units"] == 26
