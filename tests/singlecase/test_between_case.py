"""Effects between cases against the papers' examples, and against nlme on drawn data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError, ColumnError, HTResearchError, ModelError
from htresearch.singlecase import between_case_smd

from .published_cases import ANGLESEA, LAMBERT, LASKI, SADDLER, SCHUTTE, cases


def known(found, **expected):
    """Compare with values given to so many digits."""
    row = {**found.glance().iloc[0].to_dict(), **found.tidy().iloc[0].to_dict()}
    for name, value in expected.items():
        decimals = len(str(value).partition(".")[2])
        assert row[name] == pytest.approx(value, abs=0.51 * 10.0**-decimals), name


def test_hedges_pustejovsky_shadish_2013_saddler_quality():
    found = between_case_smd(cases(SADDLER["quality"]), time="time")
    known(
        found,
        n=41,
        numerator=2.097222,
        variance_total=0.952381,
        unadjusted=2.149013,
        autocorrelation=0.09965017,
        variance_within=0.349322,
        icc=0.63321198,
        kappa=0.200641,
        df=8.91814603,
        estimate=1.96307272,
        variance=0.33491289,
    )


def test_hedges_pustejovsky_shadish_2013_saddler_t_unit_length():
    found = between_case_smd(cases(SADDLER["t_unit"]), time="time")
    known(found, estimate=0.78540043, variance=0.08023320, df=9.60204004, autocorrelation=-0.07542229, icc=0.61453091)


def test_hedges_pustejovsky_shadish_2013_saddler_constructions():
    found = between_case_smd(cases(SADDLER["constructions"]), time="time")
    known(found, estimate=0.74755356, variance=0.07847359, df=7.57981360, autocorrelation=-0.11159420, icc=0.73123744)


def test_hedges_pustejovsky_shadish_2013_laski():
    found = between_case_smd(cases(LASKI), time="time")
    known(
        found,
        n=128,
        numerator=31.822475,
        variance_total=465.815861,
        unadjusted=1.474439,
        autocorrelation=0.016526,
        variance_within=142.555268,
        icc=0.693966,
        kappa=0.102497,
        df=13.100415,
        estimate=1.388385,
        variance=0.10050132,
    )


def test_hedges_pustejovsky_shadish_2012_lambert():
    found = between_case_smd(cases(LAMBERT), time="time", design="reversal")
    known(
        found,
        numerator=-5.457995,
        variance_total=4.673913,
        unadjusted=-2.524601,
        autocorrelation=0.224680,
        variance_within=4.534312,
        icc=0.029868,
        kappa=0.144926,
        df=164.492271,
        estimate=-2.513073,
        variance=0.04054616,
    )


def test_hedges_pustejovsky_shadish_2012_anglesea():
    found = between_case_smd(cases(ANGLESEA), design="reversal")
    known(
        found,
        numerator=86.870476,
        variance_total=2347.845708,
        unadjusted=1.792823,
        autocorrelation=0.175859,
        variance_within=198.369968,
        icc=0.915510,
        kappa=0.091347,
        df=2.340135,
        estimate=1.149507,
        variance=2.43956417,
    )


def test_pustejovsky_hedges_shadish_2014_saddler():
    """The vignette of scdhlm 0.7.2."""
    found = between_case_smd(cases(SADDLER["quality"]), time="time", method="reml")
    known(
        found,
        numerator=2.181029,
        autocorrelation=0.382,
        variance_within=0.443,
        variance_total=0.882,
        unadjusted=2.323,
        estimate=2.174,
        std_error=0.557,
        df=11.963,
        kappa=0.249,
    )


def test_pustejovsky_hedges_shadish_2014_laski():
    found = between_case_smd(cases(LASKI), time="time", method="reml")
    known(found, estimate=1.40489, std_error=0.28632, autocorrelation=0.25277, icc=0.56061, df=18.552)
    known(found, conf_low=0.80462, conf_high=2.00515)


def test_pustejovsky_hedges_shadish_2014_laski_with_varying_effects():
    found = between_case_smd(cases(LASKI), time="time", method="reml", model="MB2")
    known(found, unadjusted=1.271, estimate=1.181, std_error=0.358, df=10.776)


@pytest.mark.parametrize(
    ("model", "estimate", "error", "df"), [("MB3", -1.337, 0.627, 29.152), ("MB4", -1.013, 0.469, 14.302)]
)
def test_pustejovsky_hedges_shadish_2014_schutte(model, estimate, error, df):
    found = between_case_smd(cases(SCHUTTE), time="time", method="reml", model=model, at=(2, 9))
    known(found, estimate=estimate, std_error=error, df=df)


def test_noncentral_intervals_are_those_of_scdhlm():
    laski = cases(LASKI)
    known(between_case_smd(laski, time="time", interval="noncentral"), conf_low=0.8786207, conf_high=2.0639828)
    found = between_case_smd(laski, time="time", method="reml", interval="noncentral")
    known(found, conf_low=0.91437, conf_high=2.00467)


@pytest.mark.parametrize("number", range(5))
def test_restricted_maximum_likelihood_is_that_of_nlme(models, number):
    expected = models["cases"][number]
    at = tuple(expected["at"]) if expected["model"] in ("MB3", "MB4") else None
    frame = pd.DataFrame(expected["data"])
    found = between_case_smd(frame, time="time", method="reml", model=expected["model"], at=at)
    row = {**found.glance().iloc[0].to_dict(), **found.tidy().iloc[0].to_dict()}
    for ours, theirs in {
        "estimate": "g",
        "unadjusted": "unadjusted",
        "df": "df",
        "kappa": "kappa",
        "variance": "variance",
        "variance_within": "sigma2",
        "variance_total": "total",
    }.items():
        assert row[ours] == pytest.approx(expected[theirs], rel=1e-4), ours
    assert row["autocorrelation"] == pytest.approx(expected["phi"], abs=2e-5)


def drawn(seed, n_cases=4, n=12):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "case": f"c{i}",
                "phase": ["A"] * (4 + i) + ["B"] * (n - 4 - i),
                "value": rng.normal(0, 1) + rng.normal(0, 1, n) + 2 * (np.arange(n) >= 4 + i),
                "time": np.arange(n),
            }
        )
        for i in range(n_cases)
    ]
    return pd.concat(parts, ignore_index=True)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_unit_and_origin_of_the_scale_do_not_matter(seed, unit, origin):
    frame = drawn(seed)
    before = between_case_smd(frame, time="time").tidy().drop(columns="term")
    after = between_case_smd(frame.assign(value=unit * frame["value"] + origin), time="time").tidy()
    assert after.drop(columns="term").to_numpy() == pytest.approx(before.to_numpy(), rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("method", ["moment", "reml"])
def test_a_decrease_is_an_increase_of_the_negative(method):
    frame = drawn(3)
    down = between_case_smd(frame, method=method, improvement="decrease").tidy()
    up = between_case_smd(frame.assign(value=-frame["value"]), method=method).tidy()
    assert down["estimate"][0] == pytest.approx(up["estimate"][0], rel=1e-5)
    assert down["conf_low"][0] == pytest.approx(up["conf_low"][0], rel=1e-5)


def test_rows_may_come_in_any_order_and_phases_be_numbered():
    frame = drawn(5)
    before = between_case_smd(frame, time="time").tidy()
    again = between_case_smd(frame.sample(frac=1, random_state=1), time="time").tidy()
    named = between_case_smd(frame.replace({"A": "A1", "B": "B1"}), time="time").tidy()
    assert again["estimate"][0] == pytest.approx(before["estimate"][0])
    assert named["estimate"][0] == before["estimate"][0]


def test_a_missing_session_counts_as_absent_and_is_said():
    frame = drawn(6)
    missing = frame.assign(value=frame["value"].where(frame.index != 2))
    found = between_case_smd(missing, time="time")
    assert found.tidy()["estimate"][0] == between_case_smd(frame.drop(index=2), time="time").tidy()["estimate"][0]
    assert "c0 1 次" in found.notes()


def test_too_few_degrees_of_freedom_leave_no_standard_error():
    frame = drawn(1, n_cases=3)
    shift = frame["case"].map({"c0": 0, "c1": 50, "c2": -50})
    found = between_case_smd(frame.assign(value=frame["value"] + shift), time="time")
    row = found.tidy().iloc[0]
    assert row["df"] <= 2.01
    assert np.isnan(row["std_error"]) == (row["df"] <= 2)
    assert "自由度只有" in found.notes() or "个自由度" in found.notes()


def test_reversals_of_odd_numbers_of_phases_have_a_model():
    frame = pd.concat([drawn(7), drawn(8).query("phase == 'A'").assign(time=lambda f: f["time"] + 12)])
    with pytest.raises(ArgumentError, match="reml"):
        between_case_smd(frame, time="time", design="reversal")
    found = between_case_smd(frame, time="time", design="reversal", method="reml")
    assert found.tidy()["std_error"][0] > 0
    changes = found.plot().lines[1].get_xdata()
    first = frame[frame["case"] == "c0"].sort_values("time")
    runs = [first.iloc[a:b]["value"].mean() for a, b in ((0, 4), (4, 12), (12, 16))]
    assert changes[0] == pytest.approx(runs[1] - (runs[0] + runs[2]) / 2)


def test_the_figure_shows_every_case():
    ax = between_case_smd(cases(LASKI), time="time").plot()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1", "2", "4", "5", "6", "7", "8", "9"]
    ax.figure.clear()


@pytest.mark.parametrize(
    ("change", "options", "error"),
    [
        (lambda f: f[f["case"] != "c0"].query("case != 'c1'"), {}, ArgumentError),
        (lambda f: f.assign(value=f["phase"].map({"A": 1.0, "B": 2.0})), {}, ModelError),
        (lambda f: f.assign(value=1.0), {}, ModelError),
        (lambda f: f.assign(value=f["value"].astype(object).where(f.index != 3, "x")), {}, ArgumentError),
        (lambda f: f.assign(phase="A"), {}, ArgumentError),
        (lambda f: f.assign(phase=["A", "B", "C"] * 16), {}, ArgumentError),
        (lambda f: f, {"design": "reversal", "model": "MB3"}, ArgumentError),
        (lambda f: f, {"model": "MB2"}, ArgumentError),
        (lambda f: f, {"method": "reml", "model": "MB3"}, ArgumentError),
        (lambda f: f, {"method": "reml", "model": "MB3", "at": (9, 2)}, ArgumentError),
        (lambda f: f, {"method": "reml", "at": (2, 9)}, ArgumentError),
        (lambda f: f.assign(time=f["time"] + 0.5), {"time": "time"}, ArgumentError),
        (lambda f: f.assign(time=1), {"time": "time"}, ArgumentError),
        (lambda f: f.drop(columns="phase"), {}, ColumnError),
        (lambda f: f, {"conf_level": 1}, ArgumentError),
        (lambda f: f, {"design": "AB"}, ArgumentError),
        (lambda f: f["value"].tolist(), {}, ArgumentError),
        (lambda f: f.head(0), {}, ArgumentError),
    ],
)
def test_what_cannot_be_is_refused(change, options, error, in_both_languages):
    with pytest.raises(error) as raised:
        between_case_smd(change(drawn(2)), **options)
    assert isinstance(raised.value, HTResearchError)
    assert all(in_both_languages(raised.value))
