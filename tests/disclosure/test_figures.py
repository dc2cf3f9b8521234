"""Figures: every mark is a person until it is known who stands behind it."""

import base64
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.disclosure import check, tabulate

from .districts import pupils

ENOUGH = pd.DataFrame({"n_students": [120, 90, 60], "n_teachers": [6, 5, 4], "n_schools": [3, 3, 3]})


@pytest.fixture(autouse=True)
def closed():
    ht.theme()
    yield
    plt.close("all")


def frame(n: int = 1200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    teacher = np.arange(n) % 60
    return pd.DataFrame(
        {
            "student_id": np.arange(n),
            "teacher_id": teacher,
            "school_id": teacher % 10,
            "sex": np.where(np.arange(n) // 60 % 2, "f", "m"),
            "x": rng.normal(size=n),
            "score": rng.normal(70, 10, n) + (teacher % 10),
        }
    )


def axes():
    return plt.subplots()[1]


def fitted():
    return ht.fit_multilevel("score ~ x + sex + (1 | school_id/teacher_id)", frame())


def bars(counts=None, statistic="mean", heights=(60.0, 70.0, 65.0)):
    ax = axes()
    ax.bar(["a", "b", "c"], heights)
    return check(ax, counts=ENOUGH if counts is None else counts, statistic=statistic)


def drawn(draw, **what):
    ax = axes()
    draw(ax)
    return check(ax, **what)


COUNTED = {"counts": ENOUGH, "statistic": "mean"}


def curve_with_band(ax):
    ax.plot([1, 2, 3], [60, 70, 65])
    ax.fill_between([1, 2, 3], [58, 69, 62], [62, 71, 68], alpha=0.2)


def band_elsewhere():
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2, 3], [60, 70, 65])
    right.fill_between([1, 2, 3], [58, 69, 62], [62, 71, 68])
    return check(figure, **COUNTED)


def band_of_a_result(shift=0.0):
    rows = fitted().tidy()
    ax = axes()
    places = range(len(rows))
    ax.plot(places, rows["estimate"])
    ax.fill_between(places, rows["conf_low"] + shift, rows["conf_high"], alpha=0.2)
    ax.set_xticks(list(places), list(rows["term"]))
    return check(ax, data=fitted())


def per_teacher():
    return frame().groupby("teacher_id")["score"].mean()


def hidden_in_png():
    ax = axes()
    ax.scatter(range(60), per_teacher())
    return ht.figure(ax, alt="dots")


def alt_names():
    ax = fitted().plot()
    return check(ht.figure(ax, alt="The lowest is T00017."), data=fitted())


ATTACKS = {
    "a dot per teacher": lambda: drawn(lambda ax: ax.scatter(range(60), per_teacher())),
    "a dot per teacher, counted": lambda: drawn(
        lambda ax: ax.scatter(range(60), per_teacher()),
        counts=pd.DataFrame({"n_students": [20] * 60, "n_teachers": [1] * 60, "n_schools": [1] * 60}),
        statistic="mean",
    ),
    "a dot per teacher, persons alone counted": lambda: drawn(
        lambda ax: ax.scatter(range(60), per_teacher()), counts={"n_students": [20] * 60}, statistic="mean"
    ),
    "a dot per teacher under a model": lambda: drawn(lambda ax: ax.scatter(range(60), per_teacher()), data=fitted()),
    "a dot per teacher in a finished figure": lambda: check(hidden_in_png()),
    "a line through pupils": lambda: drawn(lambda ax: ax.plot(frame()["score"].head(30))),
    "bars without counts": lambda: drawn(lambda ax: ax.bar(["a", "b"], [60, 70])),
    "bars of few": lambda: bars(ENOUGH.assign(n_students=[120, 9, 60])),
    "bars of one teacher each": lambda: bars(ENOUGH.assign(n_teachers=1)),
    "bars of maxima": lambda: bars(statistic="max"),
    "bars of something": lambda: bars(statistic=None),
    "counts that are not the heights": lambda: bars(statistic="count", heights=(5.0, 3.0, 2.0)),
    "fewer counts than bars": lambda: bars(ENOUGH.head(2)),
    "a histogram from the least to the most": lambda: drawn(
        lambda ax: ax.hist(frame()["score"], bins=3),
        counts=pd.DataFrame({"n_students": np.histogram(frame()["score"], bins=3)[0]}).assign(
            n_teachers=50, n_schools=10
        ),
        statistic="count",
    ),
    "a boxplot": lambda: drawn(lambda ax: ax.boxplot(frame()["score"])),
    "a boxplot without outliers": lambda: drawn(
        lambda ax: ax.boxplot(frame()["score"], showfliers=False), counts=ENOUGH.head(1), statistic="median"
    ),
    "a violin": lambda: drawn(lambda ax: ax.violinplot(frame()["score"])),
    "a heatmap of teachers": lambda: drawn(lambda ax: ax.imshow(per_teacher().to_numpy().reshape(6, 10))),
    "a mesh of teachers": lambda: drawn(lambda ax: ax.pcolormesh(per_teacher().to_numpy().reshape(6, 10))),
    "a pie": lambda: drawn(lambda ax: ax.pie([3, 4])),
    "hexagons": lambda: drawn(lambda ax: ax.hexbin(frame()["x"], frame()["score"])),
    "contours": lambda: drawn(lambda ax: ax.contour(per_teacher().to_numpy().reshape(6, 10))),
    "a stepped histogram": lambda: drawn(lambda ax: ax.hist(frame()["score"], histtype="step")),
    "a table in a figure": lambda: drawn(lambda ax: ax.table([["T", "43.2"]])),
    "a line at a value": lambda: drawn(lambda ax: ax.axvline(per_teacher().min()), data=fitted()),
    "colour that tells more": lambda: drawn(
        lambda ax: ax.scatter([0, 1, 2], [60, 70, 65], c=[1.5, 2.5, 9.5]), counts=ENOUGH, statistic="mean"
    ),
    "a value written beside": lambda: drawn(
        lambda ax: (ax.bar(["a", "b", "c"], [60, 70, 65]), ax.text(0, 1, "lowest: 43.2")),
        counts=ENOUGH,
        statistic="mean",
    ),
    "a pseudonym as a label": lambda: drawn(
        lambda ax: ax.bar(["T00012", "b", "c"], [60, 70, 65]), counts=ENOUGH, statistic="mean"
    ),
    "a class in the title": lambda: drawn(
        lambda ax: (ax.bar(["a", "b", "c"], [60, 70, 65]), ax.set_title("C000123")), counts=ENOUGH, statistic="mean"
    ),
    "a pseudonym in the alternative text": alt_names,
    "caterpillar": lambda: check(fitted().caterpillar("teacher_id"), data=fitted()),
    "a model that fails": lambda: check(_rare().plot(), data=_rare()),
    "nothing": lambda: check(axes()),
    "a band without counts": lambda: drawn(curve_with_band),
    "a band alone": lambda: drawn(lambda ax: ax.fill_between([1, 2, 3], [5, 6, 7], [8, 9, 9]), **COUNTED),
    "a band from the least to the most": lambda: drawn(
        lambda ax: ax.fill_between(range(60), per_teacher() - 1, per_teacher() + 1), data=fitted()
    ),
    "a band beside its curve": lambda: drawn(
        lambda ax: (ax.plot([1, 2, 3], [60, 70, 65]), ax.fill_between([1, 2, 3], [61, 71, 66], [63, 73, 68])),
        **COUNTED,
    ),
    "a band with corners of its own": lambda: drawn(
        lambda ax: (
            ax.plot([1, 2, 3], [60, 70, 65]),
            ax.fill_between([1, 1.5, 2, 3], [50, 43.2, 60, 60], [80, 80, 80, 80]),
        ),
        **COUNTED,
    ),
    "a stack of areas": lambda: drawn(lambda ax: ax.stackplot([1, 2, 3], [[1, 2, 3], [3, 2, 1]]), **COUNTED),
    "a band on another panel": band_elsewhere,
    "a violin, counted": lambda: drawn(
        lambda ax: (ax.plot([1, 2, 3], [60, 70, 65]), ax.violinplot(frame()["score"], showextrema=False)), **COUNTED
    ),
    "a band that draws values of no result": lambda: band_of_a_result(shift=0.37),
}


def _rare():
    rows = frame().assign(one=lambda f: (f["teacher_id"] == 3).astype(float))
    return ht.fit_multilevel("score ~ one + (1 | school_id/teacher_id)", rows)


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_gets_through(name):
    assert not ATTACKS[name]().passed


def rounded_histogram():
    edges = np.arange(40, 121, 20)
    inside = frame()[frame()["score"].between(40, 119.9)]
    rows = inside.assign(bin=pd.cut(inside["score"], edges, right=False))
    counts = rows.groupby("bin", observed=False)[["student_id", "teacher_id", "school_id"]].nunique()
    counts.columns = ["n_students", "n_teachers", "n_schools"]
    keep = counts["n_students"].to_numpy() >= 10
    first, last = np.flatnonzero(keep)[[0, -1]]
    shown = edges[first : last + 2]
    return drawn(
        lambda ax: ax.hist(inside["score"], bins=shown), counts=counts.iloc[first : last + 1], statistic="count"
    )


def table_of_means():
    table = tabulate(frame(), "sex", value="score", statistic="mean", margins=False)
    means = table.cells.set_index("sex")["estimate"]
    return drawn(lambda ax: ax.bar(list(means.index), means), data=table)


SAFE = {
    "coefficients": lambda: check(fitted().plot(), data=fitted()),
    "coefficients as estimates": lambda: check(fitted().estimates().plot(), data=fitted().estimates()),
    "a finished figure": lambda: check(ht.figure(fitted().plot(), alt="系数与区间"), data=fitted()),
    "means": bars,
    "means as lines": lambda: drawn(
        lambda ax: ax.plot([1, 2, 3], [60, 70, 65], "o-"), counts=ENOUGH, statistic="mean"
    ),
    "means with intervals": lambda: drawn(
        lambda ax: ax.errorbar([1, 2, 3], [60, 70, 65], yerr=[1, 2, 1], fmt="o"), counts=ENOUGH, statistic="mean"
    ),
    "level bars": lambda: drawn(
        lambda ax: ax.barh(["a", "b", "c"], [60, 70, 65]), counts=ENOUGH, statistic="percentage"
    ),
    "a cut-off": lambda: drawn(
        lambda ax: (ax.bar(["a", "b", "c"], [60, 70, 65]), ax.axhline(60)),
        counts=ENOUGH,
        statistic="mean",
        known=[60],
    ),
    "numbers of pupils": lambda: bars(statistic="count", heights=(120.0, 90.0, 60.0)),
    "a heatmap of enough": lambda: drawn(lambda ax: ax.imshow([[60.0, 70.0, 65.0]]), counts=ENOUGH, statistic="mean"),
    "a histogram with round edges": rounded_histogram,
    "a table that passed": table_of_means,
    "a curve with its band": lambda: drawn(curve_with_band, **COUNTED),
    "a level curve with its band": lambda: drawn(
        lambda ax: (ax.plot([60, 70, 65], [1, 2, 3]), ax.fill_betweenx([1, 2, 3], [58, 69, 62], [62, 71, 68])),
        **COUNTED,
    ),
    "a band with a gap": lambda: drawn(
        lambda ax: (
            ax.plot([1, 2, 3], [60, 70, 65]),
            ax.fill_between([1, 2, 3], [58, 69, np.nan], [62, 71, np.nan]),
        ),
        **COUNTED,
    ),
    "a curve of a result with its band": band_of_a_result,
}


@pytest.mark.parametrize("name", SAFE)
def test_what_is_safe_passes(name):
    verdict = SAFE[name]()
    assert verdict.passed, verdict.failures[["term", "rule", "reason"]].to_string()


def test_a_finished_figure_keeps_what_was_drawn():
    kept = hidden_in_png()
    assert kept.drawn is not None
    assert kept == hidden_in_png()


def test_neither_picture_nor_drawing_can_be_exchanged():
    """A page shows the picture, a check looks at what was drawn: they must be one another's."""
    table = tabulate(pupils(), "sex", value="score", statistic="mean", margins=False)

    def drawn(heights) -> ht.appearance.Figure:
        ax = plt.subplots()[1]
        ax.bar(["female", "male"], heights)
        return ht.figure(ax, "Mean score by sex", of=table)

    good, bad = drawn(table.tidy()["estimate"]), drawn([12.0, 99.0])
    assert check(good, data=table).passed
    assert not check(replace(good, png=bad.png), data=table).passed
    assert not check(replace(bad, drawn=good.drawn), data=table).passed


def test_a_seal_holds_for_one_picture():
    table = tabulate(pupils(), "sex", value="score", statistic="mean", margins=False)
    ax = plt.subplots()[1]
    ax.bar(["female", "male"], table.tidy()["estimate"])
    data, about = ht.disclosure.show(ht.figure(ax, "Mean score by sex", of=table), data=table)._repr_mimebundle_()
    kept = base64.encodebytes(data["image/png"]).decode()
    assert ht.disclosure.is_sealed(data, about)
    assert ht.disclosure.is_sealed({**data, "image/png": kept}, about)
    other = base64.b64encode(data["image/png"][:-1] + b"0").decode()
    assert not ht.disclosure.is_sealed({**data, "image/png": other}, about)
    assert not ht.disclosure.is_sealed({**data, "image/jpeg": kept}, about)
