"""Three lines and fixed effects against models written out in full."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from htresearch.errors import ColumnError, ModelError
from htresearch.multilevel import fit_multilevel, fixed_effects, three_lines


@pytest.fixture(scope="module")
def panel():
    """Better teachers train more: the naive slope is too steep, the one within teachers is .5."""
    rng = np.random.default_rng(7)
    rows = []
    for school in range(12):
        base = rng.normal()
        for teacher in range(8):
            quality = rng.normal()
            for term in range(5):
                x = quality + rng.normal()
                tier = ["ordinary", "backbone"][int(quality + rng.normal() > 0.8)]
                y = base + 0.5 * x + 0.3 * (tier == "backbone") + quality + 0.1 * term + rng.normal(0, 0.3)
                rows.append((f"s{school}", f"t{school}-{teacher}", f"n{term}", x, tier, y))
    frame = pd.DataFrame(rows, columns=["school_id", "teacher_id", "term_id", "hours", "tier", "score"])
    return frame.assign(tier=pd.Categorical(frame["tier"], ["ordinary", "backbone"]))


def test_naive_line_is_clustered_least_squares(panel):
    lines = three_lines(panel, "score", ["hours", "tier"], controls=["term_id"]).tidy()
    groups = pd.factorize(panel["school_id"])[0]
    written = smf.ols("score ~ hours + tier + C(term_id)", panel).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    naive = lines[lines["line"] == "naive"].set_index("term")
    for ours, theirs in (("hours", "hours"), ("tier[backbone]", "tier[T.backbone]")):
        low, high = written.conf_int().loc[theirs]
        found = naive.loc[ours, ["estimate", "std_error", "df", "conf_low", "conf_high"]].astype(float)
        np.testing.assert_allclose(found, [written.params[theirs], written.bse[theirs], 11, low, high], rtol=1e-9)


def test_multilevel_line_is_the_nested_model(panel):
    lines = three_lines(panel, "score", ["hours"], controls=["term_id"]).tidy().set_index("line")
    fit = fit_multilevel("score ~ hours + term_id + (1 | school_id/teacher_id)", panel).tidy().set_index("term")
    np.testing.assert_allclose(lines.loc["multilevel", "estimate"], fit.loc["hours", "estimate"], rtol=1e-6)
    np.testing.assert_allclose(lines.loc["multilevel", "std_error"], fit.loc["hours", "std_error"], rtol=1e-6)


def test_within_line_is_the_teacher_dummy_estimate(panel):
    lines = three_lines(panel, "score", ["hours"], controls=["term_id"]).tidy().set_index("line")
    written = smf.ols("score ~ hours + C(term_id) + C(teacher_id)", panel).fit()
    np.testing.assert_allclose(lines.loc["within", "estimate"], written.params["hours"], rtol=1e-6)
    assert lines.loc["within", "conf_low"] < 0.5 < lines.loc["within", "conf_high"]
    assert lines.loc["naive", "conf_low"] > 0.5


def test_within_line_holds_when_the_panel_has_gaps(panel):
    gaps = panel.sample(frac=0.7, random_state=1)
    lines = three_lines(gaps, "score", ["hours"], controls=["term_id"]).tidy().set_index("line")
    written = smf.ols("score ~ hours + C(term_id) + C(teacher_id)", gaps).fit()
    np.testing.assert_allclose(lines.loc["within", "estimate"], written.params["hours"], rtol=1e-6)


def test_missing_rows_are_counted(panel):
    holes = panel.assign(score=panel["score"].where(panel.index % 10 != 0))
    lines = three_lines(holes, "score", ["hours"])
    assert lines.glance().loc[0, ["n", "left_out"]].tolist() == [432, 48]
    assert "48" in lines.note[-1].zh
    assert "48" in lines.note[-1].en


def test_fixed_effects_equal_dummies(panel):
    found = fixed_effects(panel, "score", ["hours", "tier"], group="school_id", cluster="teacher_id").tidy()
    groups = {"groups": pd.factorize(panel["teacher_id"])[0]}
    written = smf.ols("score ~ hours + tier + C(school_id)", panel).fit(
        cov_type="cluster", cov_kwds=groups, use_t=True
    )
    names = ["hours", "tier[T.backbone]"]
    np.testing.assert_allclose(found["estimate"], written.params[names], rtol=1e-9)
    np.testing.assert_allclose(found["std_error"], written.bse[names], rtol=1e-9)
    assert found["df"].tolist() == [95, 95]


def test_groups_inside_clusters_do_not_count(panel):
    """The factor is (N - 1) / (N - K) with K the coefficients alone, as panel estimators have it."""
    found = fixed_effects(panel, "score", ["hours"], group="teacher_id", cluster="school_id").tidy()
    groups = {"groups": pd.factorize(panel["school_id"])[0]}
    written = smf.ols("score ~ hours + C(teacher_id)", panel).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    n, dummies = len(panel), panel["teacher_id"].nunique()
    factor = ((n - dummies - 1) / (n - 1)) ** 0.5
    np.testing.assert_allclose(found["std_error"], written.bse["hours"] * factor, rtol=1e-9)


def test_within_line_is_clustered_by_school(panel):
    line = three_lines(panel, "score", ["hours"], controls=["term_id"]).tidy().set_index("line").loc["within"]
    alone = fixed_effects(
        panel, "score", ["hours"], group="teacher_id", cluster="school_id", controls=["term_id"]
    ).tidy()
    np.testing.assert_allclose(line["std_error"], alone.loc[0, "std_error"], rtol=1e-12)
    assert line["df"] == 11


def test_what_never_changes_within_a_teacher_has_no_within_line(panel):
    fixed = panel.assign(sex=panel["teacher_id"].str[-1].astype(int) % 2)
    lines = three_lines(fixed, "score", ["sex", "hours"])
    assert set(lines.tidy().query("term == 'sex'")["line"]) == {"naive", "multilevel"}
    assert any("性别" in n.zh and "组内" in n.zh for n in lines.note)


def test_what_says_nothing_new_is_named(panel):
    doubled = panel.assign(twice=2 * panel["hours"], same=1.0)
    lines = three_lines(doubled, "score", ["hours", "twice", "same"])
    assert set(lines.tidy()["term"]) == {"hours"}
    assert any("twice" in n.en and "same" in n.en for n in lines.note)


def test_a_column_among_exposures_and_controls_counts_once(panel):
    assert set(three_lines(panel, "score", ["hours"], controls=["hours"]).tidy()["term"]) == {"hours"}


def test_what_cannot_be_used_is_refused_by_name(panel):
    dated = panel.assign(since=pd.Timestamp("2024-09-01"))
    with pytest.raises(ColumnError) as raised:
        three_lines(dated, "tier", ["hours", "since"])
    assert "tier" in str(raised.value)
    assert "since" in str(raised.value)
    with pytest.raises(ModelError, match="school_id"):
        three_lines(panel[panel["school_id"] == "s1"], "score", ["hours"])


def test_columns_that_are_missing_are_all_named(panel):
    with pytest.raises(ColumnError) as raised:
        three_lines(panel, "scor", ["hour"])
    assert len(raised.value.faults) == 2
    assert "score" in str(raised.value)


def test_exposure_without_variation_within_groups_is_refused(panel):
    constant = panel.assign(size=panel.groupby("school_id")["hours"].transform("mean").round(3))
    with pytest.raises(ModelError) as raised:
        fixed_effects(constant, "score", ["size"], group="school_id", cluster="teacher_id")
    assert "size" in str(raised.value)
