"""What the pictures show, and whom they name: nobody unless asked."""

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from scipy import stats

import htresearch as ht
from htresearch import appearance, language
from htresearch.errors import ArgumentError
from htresearch.multilevel import figures
from htresearch.multilevel.figures import comparison_factor

from .dense import nested_frame


@pytest.fixture(autouse=True)
def drawn():
    with plt.rc_context({"backend": "Agg"}):
        appearance.theme()
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def frame():
    frame = nested_frame(11, schools=9)
    frame["y"] += (frame["x"] - 50) * np.random.default_rng(5).normal(0, 0.7, 9)[frame["school"]]
    return frame.assign(school=[f"第{s}中学" for s in frame["school"]])


@pytest.fixture(scope="module")
def fit(frame):
    return ht.fit_multilevel("y ~ x + (1 + x | school) + (1 | school:class)", frame)


def words(drawn):
    """Every word on a figure, drawn first so that ticks and glyphs are settled."""
    whole = getattr(drawn, "figure", drawn)
    whole.draw_without_rendering()
    return " ".join(text.get_text() for text in whole.findobj(plt.Text))


def test_diagnostics_show_rows_and_every_effect(fit, frame):
    axes = fit.diagnostics().axes
    titles = [ax.get_title("left") for ax in axes]
    assert titles == ["残差", "残差的正态性", "离散程度", "学校", "学校：x", "班级"]
    x, y = axes[0].lines[1].get_data()
    np.testing.assert_allclose(x + y * np.sqrt(fit.solution.sigma2), frame["y"], rtol=1e-9)
    quantiles = np.sort(axes[3].lines[1].get_ydata())
    residuals = fit.level_residuals("school")
    np.testing.assert_allclose(quantiles, np.sort(residuals.loc[residuals["term"] == "(Intercept)", "standardised"]))
    (x, y), n = axes[1].lines[1].get_data(), len(frame)
    np.testing.assert_allclose(x, stats.norm.ppf((np.arange(n) + 0.5) / n))
    assert (np.diff(y) >= 0).all()


def test_residuals_are_drawn_in_the_rows_own_deviations(frame):
    weighted = ht.fit_multilevel("y ~ x + (1 | school)", frame.assign(w=4.0), weights="w")
    plain = ht.fit_multilevel("y ~ x + (1 | school)", frame)
    ours, theirs = (np.sort(f.diagnostics().axes[1].lines[1].get_ydata()) for f in (weighted, plain))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_many_rows_are_counted_and_said(fit, frame, monkeypatch):
    monkeypatch.setattr(figures, "DOTS", len(frame) - 1)
    monkeypatch.setattr(figures, "QUANTILES", 20)
    whole = fit.diagnostics()
    assert any(isinstance(drawn, PolyCollection) for drawn in whole.axes[0].collections)
    assert len(whole.axes[1].lines[1].get_xdata()) <= 120
    assert f"{len(frame)} 行（六边形计数）" in words(whole)
    with language.speaking("en"):
        assert f"of {len(frame)} rows" in words(fit.diagnostics())


def test_a_lazy_table_shows_its_groups(frame):
    lazy = ht.fit_multilevel("y ~ x + (1 | school/class)", duckdb.from_df(frame))
    assert [ax.get_title("left") for ax in lazy.diagnostics().axes] == ["学校", "班级"]
    assert len(lazy.caterpillar("class").lines[1].get_xdata()) == lazy.design.levels[1].size


@pytest.mark.parametrize("ask", ["diagnostics", "caterpillar", "influence_plot"])
def test_nobody_is_named_unless_asked(frame, ask, monkeypatch):
    steep = frame.assign(y=frame["y"] + 5 * (frame["x"] - 50) * (frame["school"] == "第2中学"))
    fit = ht.fit_multilevel("y ~ x + (1 | school)", steep)
    arguments = () if ask == "diagnostics" else ("school",)
    assert "中学" not in words(getattr(fit, ask)(*arguments))
    assert "中学" in words(getattr(fit, ask)(*arguments, labels=True))
    if ask == "caterpillar":
        monkeypatch.setattr(figures, "NAMES", 8)
        assert "中学" not in words(fit.caterpillar("school", labels=True))


@pytest.mark.parametrize("term", ["(Intercept)", "x"])
def test_a_caterpillar_stands_in_order_with_comparison_intervals(fit, term):
    ax = fit.caterpillar("school", term)
    rows = fit.level_residuals("school")
    rows = rows[rows["term"] == term].sort_values("estimate")
    np.testing.assert_allclose(ax.lines[1].get_xdata(), rows["estimate"])
    reach = np.array([segment[1, 0] - segment[0, 0] for segment in ax.collections[0].get_segments()]) / 2
    factor = comparison_factor(rows["comparative_sd"].to_numpy())
    np.testing.assert_allclose(reach, factor * rows["comparative_sd"])
    assert f"±{factor:.2f} 个标准差" in words(ax)
    wide = fit.caterpillar("school", term, comparison=False).collections[0].get_segments()
    np.testing.assert_allclose([s[1, 0] - s[0, 0] for s in wide], 2 * stats.norm.ppf(0.975) * rows["comparative_sd"])
    assert ("x" in ax.get_title("left")) == (term == "x")


def test_both_languages(fit):
    with language.speaking("en"):
        said = words(fit.caterpillar("school")) + words(fit.influence_plot("school")) + words(fit.diagnostics())
    assert "comparison interval" in said and "Cook's distance" in said and "Normal quantile" in said
    said = words(fit.caterpillar("school")) + words(fit.influence_plot("school"))
    assert "比较区间" in said and "库克距离" in said


def test_goldstein_and_healy_factor():
    """1.39 for equal deviations, their table's; for a pair exactly what makes touching mean 5%."""
    assert comparison_factor(np.full(5, 0.3)) == pytest.approx(1.386, abs=5e-4)
    s, t = 1.0, 3.0
    pair = comparison_factor(np.array([s, t]))
    assert pair == pytest.approx(stats.norm.ppf(0.975) * np.hypot(s, t) / (s + t))
    assert comparison_factor(np.zeros(4)) == pytest.approx(1.386, abs=5e-4)
    many = np.random.default_rng(1).uniform(1, 3, 1500)
    i, j = np.triu_indices(1500, 1)
    touching = comparison_factor(many) * (many[i] + many[j]) / np.hypot(many[i], many[j])
    assert 2 * stats.norm.sf(touching).mean() == pytest.approx(0.05, abs=1e-4)


def test_cooks_distances_fall_and_what_cannot_be_told_is_counted(frame):
    pilot = frame.assign(pilot=(frame["school"] == "第2中学").astype(float))
    ax = ht.fit_multilevel("y ~ pilot + (1 | school)", pilot).influence_plot("school")
    y = ax.lines[0].get_ydata()
    assert len(y) == 8 and (np.diff(y) <= 0).all()
    assert "另有 1 组" in words(ax)
    assert ax.lines[1].get_ydata()[0] == pytest.approx(4 / 9)


def test_a_variance_of_nothing_is_said(frame):
    flat = frame.assign(y=np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + frame["x"])
    singular = ht.fit_multilevel("y ~ x + (1 | school)", flat)
    assert "方差估计为 0" in words(singular.diagnostics())
    assert len(singular.caterpillar("school").lines[1].get_xdata()) == 9


def test_a_figure_can_be_finished_for_display(fit):
    assert ht.figure(fit.diagnostics(), "x").png.startswith(b"\x89PNG")


def test_an_effect_that_is_not_there_is_refused(fit):
    with pytest.raises(ArgumentError, match="term"):
        fit.caterpillar("school", "size")
