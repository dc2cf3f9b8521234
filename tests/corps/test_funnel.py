"""Limits of funnel plots against SciPy's binomial, and what is drawn and what is not."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

import htresearch as ht
from htresearch.corps.catalogue import handbook
from htresearch.corps.funnel import LEVELS, binomial_limit, limits
from htresearch.errors import ArgumentError

from . import small

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    study = small.opened(small.Corps(7).study_tables(), tmp_path_factory.mktemp("funnel") / "study")
    return ht.corps.indicators(study, only=["novices", "years_as_head", "school_spread"])


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("below", [0.001, 0.025, 0.975, 0.999])
def test_a_limit_lies_between_the_counts_around_it(share, below):
    n = np.array([3, 17, 40, 333])
    found = binomial_limit(share, n, below) * n
    count = stats.binom.ppf(below, n, share)
    assert (found <= count + 1e-9).all() and (found >= np.maximum(count - 1, 0) - 1e-9).all()


def test_a_limit_is_interpolated_as_published():
    """Appendix A.1.1 by hand: n = 2, share 1/2, 0.975 lies between P(R <= 1) = 0.75 and P(R <= 2) = 1."""
    assert binomial_limit(0.5, np.array([2]), 0.975)[0] == pytest.approx((2 - 0.025 / 0.25) / 2)


def test_limits_of_means_shrink_with_the_root(result):
    district = result.district.set_index("indicator_id").loc["years_as_head"].iloc[0]
    definition = ht.corps.definitions()["years_as_head"]
    n = np.array([1.0, 4.0])
    _, high = limits(definition, district, n, 0.95)
    wide = high - district["estimate"]
    assert wide[0] == pytest.approx(2 * wide[1])
    assert wide[0] == pytest.approx(stats.norm.ppf(0.975) * district["std_error"] * district["denominator"] ** 0.5)


def test_a_funnel_has_every_unit_two_pairs_of_limits_and_no_name(result):
    ax = result.plot("novices")
    rows = result.of("novices")
    rows = rows[(rows["term_id"] == rows["term_id"].max()) & rows["estimate"].notna()]
    points = next(line for line in ax.get_lines() if line.get_marker() == "o")
    assert sorted(points.get_ydata()) == sorted(rows["estimate"])
    assert len(ax.get_lines()) == 1 + 1 + 2 * len(LEVELS)
    assert not ax.texts
    assert {text.get_text() for text in result.plot("novices", labels=True).texts} == set(rows["school_id"])


def test_what_cannot_be_drawn_is_said(result, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        result.plot("school_spread")
    zh, en = in_both_languages(error.value)
    assert "没有任何估计值" in zh and "no estimate" in en
    with pytest.raises(ArgumentError):
        result.plot()
    with pytest.raises(ArgumentError):
        result.trend("novices", unit="nobody")


def test_a_trend_shows_the_district_and_one_unit(result):
    unit = result.frame["school_id"].iloc[0]
    ax = result.trend("years_as_head", unit=unit)
    assert [line.get_label() for line in ax.get_lines()] == ["全区", unit]
    whole = result.district[(result.district["indicator_id"] == "years_as_head") & (result.district["group"] == "")]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), whole["estimate"])


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_the_handbook_is_that_of_the_documentation(spoken):
    name = "indicators.zh-CN.md" if spoken == "zh" else "indicators.md"
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == handbook(spoken)
