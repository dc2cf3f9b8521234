"""What every analysis returns."""

import matplotlib as mpl
import pandas as pd
import pytest

from htresearch import language
from htresearch.language import Text
from htresearch.result import TIDY, Estimates


@pytest.fixture
def estimates():
    frame = pd.DataFrame(
        {
            "extra": [1, 2, 3],
            "conf_high": [1.0, 2.0, 3.0],
            "conf_low": [0.0, 1.0, 2.0],
            "estimate": [0.5, 1.5, 2.5],
            "term": ["(Intercept)", "tier", "prior"],
        },
        index=[7, 8, 9],
    )
    return Estimates(frame, pd.DataFrame({"n_students": [40]}), (Text("甲。", "A."), Text("乙。", "B.")))


def test_the_columns_stand_in_their_order(estimates):
    assert estimates.tidy().columns.tolist() == ["term", "estimate", "conf_low", "conf_high", "extra"]
    assert [c for c in TIDY if c in estimates.tidy()] == estimates.tidy().columns.tolist()[:-1]
    assert estimates.tidy().index.tolist() == [0, 1, 2]


def test_what_is_returned_is_a_copy(estimates):
    tidy, glance = estimates.tidy(), estimates.glance()
    tidy["estimate"], glance["n_students"] = 99, 99
    assert estimates.tidy().loc[0, "estimate"] == 0.5
    assert estimates.glance().loc[0, "n_students"] == 40


def test_renaming_returns_new_estimates(estimates):
    renamed = estimates.rename({"tier": Text("梯队", "Tier")})
    assert renamed.tidy()["term"].tolist() == ["(Intercept)", "梯队", "prior"]
    assert estimates.tidy()["term"].tolist() == ["(Intercept)", "tier", "prior"]


def test_notes_are_one_paragraph(estimates):
    assert estimates.notes() == "甲。乙。"
    with language.speaking("en"):
        assert estimates.notes() == "A. B."


def test_the_plot_shows_all_but_the_intercept(estimates):
    mpl.use("Agg")
    ax = estimates.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["梯队层级", "前测成绩"]
    assert ax.get_xlabel()
    chosen = estimates.plot(terms=["prior"])
    assert [t.get_text() for t in chosen.get_yticklabels()] == ["前测成绩"]
    mpl.pyplot.close("all")


def test_estimates_of_several_lines_share_the_terms():
    frame = pd.DataFrame(
        {
            "term": ["tier", "tier"],
            "estimate": [0.1, 0.2],
            "conf_low": [0.0, 0.1],
            "conf_high": [0.2, 0.3],
            "line": ["naive", "adjusted"],
        }
    )
    ax = Estimates(frame, pd.DataFrame({"n": [1]})).plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["梯队层级"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        str(language.label(n, "line")) for n in frame["line"]
    ]
    mpl.pyplot.close("all")
