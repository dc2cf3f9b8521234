"""Models side by side: the fits' own numbers, likelihoods that may be compared, the same words in HTML and text."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.multilevel import model_table

from .dense import nested_frame


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(21, schools=12).rename(columns={"school": "school_id", "class": "class_id"})
    return made.assign(area=np.random.default_rng(2).choice(["town", "city"], len(made)))


def fitted(frame, fixed, random="(1 | school_id/class_id)", **options):
    return ht.fit_multilevel(f"y ~ {fixed} + {random}", frame, **options)


@pytest.fixture(scope="module")
def models(frame):
    slopes = "(1 + x | school_id) + (1 | school_id:class_id)"
    return {
        "甲": fitted(frame, "1"),
        "乙": fitted(frame, "x + size"),
        "丙": fitted(frame, "x * area + size", slopes),
    }


def text(note, spoken="zh"):
    return "".join(getattr(n, spoken) for n in note)


def test_tidy_holds_the_fits_own_numbers(models):
    found = model_table(models, "kenward-roger", conf_level=0.9).tidy()
    for name, fit in models.items():
        own = found[found["model"] == name]
        fixed = own[own["effect"] == "fixed"].drop(columns=["model", "effect", "group"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(fixed, fit.tidy("kenward-roger", 0.9), check_dtype=False)
        random = own[own["effect"] == "random"].set_index(["group", "term"])["estimate"]
        for _, row in fit.variance_components.iterrows():
            value = row["variance"] if not np.isnan(row["variance"]) else row["correlation"]
            assert random[row["group"], row["term"]] == value


def test_likelihoods_are_of_ml_where_fixed_parts_differ(models):
    shown = model_table(models)
    found = shown.glance().set_index("model")
    for name, fit in models.items():
        by_ml = fit.refit("ml")
        assert found.loc[name, ["method", "likelihood"]].tolist() == ["reml", "ml"]
        assert found.loc[name, ["log_likelihood", "aic", "bic"]].tolist() == [
            by_ml.log_likelihood,
            by_ml.aic,
            by_ml.bic,
        ]
        assert found.loc[name, "icc_school_id"] == fit.icc()["icc"][0]
    assert "（ML）重新拟合" in text(shown.note) and "(ML)" in text(shown.note, "en")


def test_likelihoods_stay_reml_where_fixed_parts_are_the_same(frame):
    pair = {"a": fitted(frame, "x"), "b": fitted(frame, "x", "(1 | school_id)")}
    shown = model_table(pair)
    assert shown.glance()["log_likelihood"].tolist() == [fit.log_likelihood for fit in pair.values()]
    assert set(shown.glance()["likelihood"]) == {"reml"} and "固定部分相同" in text(shown.note)
    recoded = {"a": fitted(frame, "area"), "b": fitted(frame, "C(area, contr.treatment(base='town'))")}
    assert set(model_table(recoded).glance()["likelihood"]) == {"ml"}


def test_methods_that_differ_are_said(frame):
    shown = model_table({"a": fitted(frame, "x"), "b": fitted(frame, "x", method="ml")})
    assert set(shown.glance()["likelihood"]) == {"ml"} and shown.glance()["method"].tolist() == ["reml", "ml"]
    assert "a 用 REML、b 用 ML" in text(shown.note)


def test_other_rows_are_said(frame, models):
    holes = frame.assign(x=frame["x"].where(frame.index > 5))
    shown = model_table(
        {
            "全部": models["甲"],
            "缺失": fitted(holes, "x"),
            "别的": fitted(frame.assign(y=-frame["y"]), "x"),
        }
    )
    note, english = text(shown.note), text(shown.note, "en")
    assert f"缺失（{len(frame) - 6} 行）、别的（{len(frame)} 行）所用的行或因变量与 全部" in note
    assert "must not be compared" in english and "缺失：" in note
    assert "不能在它们之间比较" not in text(model_table(models).note)


def test_crossed_models_and_models_read_again(frame, tmp_path):
    crossed = ht.fit_multilevel("y ~ x + (1 | school_id) + (1 | area)", frame)
    again = ht.load_fit(crossed.save(tmp_path / "model"))
    shown = model_table({"a": crossed, "b": again, "c": fitted(frame, "1")})
    rows = shown.glance()
    assert rows["log_likelihood"][0] == pytest.approx(rows["log_likelihood"][1], rel=1e-12)
    assert np.isnan(rows["n_area"][2]) and "不能在它们之间比较" not in text(shown.note)


def lines(shown):
    return [line.strip() for line in shown.plain.splitlines()]


def test_the_table_in_both_languages(models):
    found = model_table(models)
    chinese = found.table(title="三个模型")
    with language.speaking("en"):
        english = found.table()
    beta = models["乙"].tidy().set_index("term")
    for shown, words in (
        (
            chinese,
            ["固定效应", "截距", "随机部分的方差", "学校：截距", "班级：截距", "残差", "组内相关：学校", "对数似然"],
        ),
        (
            english,
            ["Fixed effects", "(Intercept)", "School: slope of x", "Residual", "ICC: School", "Log-likelihood"],
        ),
    ):
        for word in [*words, f"{beta.loc['x', 'estimate']:.3g}", f"({beta.loc['x', 'std_error']:.3g})"]:
            assert word in shown.plain and word in shown.html
    assert 'id="htresearch"' in chinese.html and "*" not in chinese.plain
    at = next(i for i, line in enumerate(lines(english)) if line.startswith("x "))
    assert lines(english)[at + 1].startswith("(")
    assert lines(english)[at].split()[1] == f"{beta.loc['x', 'estimate']:.3g}"  # model 1 has no x: its cell is empty


def test_beside_with_intervals_and_stars(models):
    shown = model_table(models, conf_level=0.9, uncertainty="interval", beside=True, stars=(0.001, 0.05))
    row = models["甲"].tidy(conf_level=0.9).set_index("term").loc["(Intercept)"]
    cell = f"{row['estimate']:.3g}** [{row['conf_low']:.3g}, {row['conf_high']:.3g}]"
    assert cell in shown.table().plain
    assert "90% 置信区间" in text(shown.note) and "* p < 0.05，** p < 0.001" in text(shown.note)
    assert "* p < 0.05, ** p < 0.001" in text(shown.note, "en")


def test_names_for_readers(models):
    shown = model_table(models).table(names={"x": language.Text("前测", "Prior score")})
    assert "学校：前测的斜率" in shown.plain and "学校：截距与前测的相关" in shown.plain


@pytest.mark.parametrize(
    ("options", "zh", "en"),
    [
        ({"models": {}}, "至少一个模型", "one at least"),
        ({"uncertainty": "sd"}, "std_error", "Choose from"),
        ({"stars": (5,)}, "超出范围", "out of range"),
    ],
)
def test_wrong_arguments_are_refused(options, zh, en, models, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        model_table(**{"models": models, **options})
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese and en in english
