"""Every index of every case in one table, and which phases are compared."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from htresearch import language, singlecase
from htresearch.errors import ArgumentError
from htresearch.singlecase import INDICES, effect_sizes, lrr, nap, pogo, tau

from .schmidt import DISRUPTIVE, ON_TASK
from .test_overlap import MCKISSICK, A, B, row

FIRST = ["case", "pair", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
TERMS = [*INDICES[:-1], "gradual_immediate", "gradual_total", "gradual_delay"]


def frame_of(cases):
    """A row per observation of cases that each have a list of phases."""
    rows = [
        {"case": name, "phase": label, "value": value}
        for name, phases in cases.items()
        for label, values in phases
        for value in values
    ]
    return pd.DataFrame(rows).assign(day=lambda d: d.groupby("case").cumcount())


def schmidt(behaviour):
    pupils = dict.fromkeys(name for name, _ in behaviour)
    return frame_of(
        {
            name: [
                (f"{letter}{k}", values)
                for k in (1, 2)
                for letter, values in zip("AB", behaviour[name, k], strict=True)
            ]
            for name in pupils
        }
    )


WORKED = frame_of({"series": [("A", A), ("B", B)]})


def test_every_index_of_the_worked_series():
    """Parker, Vannest & Davis (2011), and the rest as SingleCaseES 0.7.4 prints it for their series."""
    found = effect_sizes(WORKED, goal=30, scale="percentage").tidy()
    assert found.columns.tolist() == [*FIRST, "n_baseline", "n_treatment", "improvement", "reason"]
    assert found["term"].tolist() == TERMS
    estimates = found.set_index("term")["estimate"]
    expected = {
        "nap": 38.5 / 42,
        "tau": 35 / 42,
        "tau_u": 31 / 42,
        "tau_bc": 12 / 42,
        "pnd": 5 / 7,
        "pem": 1,
        "pand": 11 / 13,
        "ird": 6 / 7 - 1 / 6,
        "smd": 1.649932,
        "hedges_g": 1.876247,
        "lrr": 0.195396,
        "lrm": 0.218689,
        "pogo": 66.88312,
    }
    for term, value in expected.items():
        assert estimates[term] == pytest.approx(value, abs=5e-6), term
    errors = found.set_index("term")["std_error"]
    for term, value in {
        "nap": 0.069007,
        "tau": 0.138013,
        "tau_bc": 0.359516,
        "smd": 0.634094,
        "lrm": 0.076415,
    }.items():
        assert errors[term] == pytest.approx(value, abs=1e-6), term
    assert estimates.notna().all()
    assert found["reason"].isna().all()


#: NAP with its error and interval, of SingleCaseES's vignette.
SCHMIDT_NAP = {
    ("Albert", 1): (1.0, 0.007),
    ("Albert", 2): (0.861, 0.144),
    ("Faith", 1): (0.958, 0.042),
    ("Faith", 2): (1.0, 0.063),
    ("Lilly", 1): (0.777, 0.147),
    ("Lilly", 2): (1.0, 0.063),
}
SCHMIDT_ON_TASK_NAP = {
    ("Albert", 1): (0.735, 0.145),
    ("Albert", 2): (0.444, 0.294),
    ("Faith", 1): (0.771, 0.127),
    ("Faith", 2): (0.933, 0.067),
    ("Lilly", 1): (0.580, 0.135),
    ("Lilly", 2): (0.867, 0.133),
}


@pytest.mark.parametrize(
    ("behaviour", "direction", "published"),
    [(DISRUPTIVE, "decrease", SCHMIDT_NAP), (ON_TASK, "increase", SCHMIDT_ON_TASK_NAP)],
)
def test_schmidt_2007_abab_by_pairs(behaviour, direction, published):
    found = effect_sizes(schmidt(behaviour), improvement=direction, indices="nap", time="day")
    tidy = found.tidy().set_index(["case", "pair"])
    assert set(tidy.index) == set(published)
    for pair, expected in published.items():
        assert tidy.loc[pair, ["estimate", "std_error"]].tolist() == pytest.approx(expected, abs=5.1e-4), pair
    assert "紧接其后的实施阶段" in found.notes()


def test_schmidt_2007_pooled():
    found = effect_sizes(schmidt(DISRUPTIVE), improvement="decrease", indices=["nap"], phases="pooled")
    assert found.tidy()["pair"].tolist() == [1, 1, 1]
    before = DISRUPTIVE["Faith", 1][0] + DISRUPTIVE["Faith", 2][0]
    after = DISRUPTIVE["Faith", 1][1] + DISRUPTIVE["Faith", 2][1]
    faith = found.tidy().set_index("case").loc["Faith"]
    assert faith["estimate"] == row(nap(before, after, "decrease"))["estimate"]
    assert faith[["n_baseline", "n_treatment"]].tolist() == [12, 13]
    assert "合并比较" in found.notes()


def test_mckissick_2010_three_classes():
    frame = frame_of({c: [("A", a), ("B", b)] for c, (a, b) in MCKISSICK.items()})
    found = effect_sizes(frame, improvement="decrease", indices=["nap", "pnd"]).tidy()
    assert found["case"].tolist() == ["Period 1"] * 2 + ["Period 2"] * 2 + ["Period 3"] * 2
    assert found["estimate"].tolist() == pytest.approx([1, 1, 0.7714286, 0.4285714, 0.9166667, 0.75], abs=5e-8)


def test_directions_per_case():
    frame = frame_of({"up": [("A", A), ("B", B)], "down": [("A", B), ("B", A)]})
    expected = [38.5 / 42, 38.5 / 42]
    by_mapping = effect_sizes(frame, improvement={"up": "increase", "down": "decrease"}, indices="nap")
    named = frame.assign(better=np.where(frame["case"] == "up", "increase", "decrease"))
    by_column = effect_sizes(named, improvement="better", indices="nap")
    assert by_mapping.tidy()["estimate"].tolist() == pytest.approx(expected)
    pd.testing.assert_frame_equal(by_mapping.tidy(), by_column.tidy())
    assert by_mapping.tidy()["improvement"].tolist() == ["increase", "decrease"]


def test_one_value_per_index_is_that_of_its_function():
    found = effect_sizes(
        WORKED, improvement="decrease", conf_level=0.8, indices=["tau", "lrr", "pogo"], goal={"series": 9}
    )
    estimates = found.tidy().set_index("term")
    for index in (
        tau(A, B, "decrease", conf_level=0.8),
        lrr(A, B, "decrease", conf_level=0.8),
        pogo(A, B, 9, "decrease", 0.8),
    ):
        one = row(index)
        columns = ["estimate", "std_error", "conf_low", "conf_high"]
        assert estimates.loc[one["term"], columns].tolist() == one[columns].tolist()


def test_what_cannot_be_computed_is_missing_with_its_reason_and_nothing_else_fails():
    frame = frame_of({"flat": [("A", [0, 0, 0]), ("B", [0, 0])], "one": [("A", [3]), ("B", [4])]})
    found = effect_sizes(frame)
    tidy = found.tidy().set_index(["case", "term"])
    assert len(tidy) == 2 * len(TERMS)
    missing = tidy[tidy["estimate"].isna()]
    assert (missing["reason"].map(type) == language.Text).all()
    assert tidy.loc[tidy["estimate"].notna(), "reason"].isna().all()
    assert found.glance()["not_computed"][0] == len(missing)
    assert tidy.loc[("flat", "nap"), "estimate"] == 0.5
    assert "标准差为 0" in tidy.loc[("flat", "smd"), "reason"].zh
    assert "standard deviation is 0" in tidy.loc[("flat", "smd"), "reason"].en
    assert "goal" in tidy.loc[("flat", "pogo"), "reason"].en
    assert "percentage" in tidy.loc[("one", "lor"), "reason"].zh


def test_a_phase_without_any_observed_value_is_a_reason():
    found = effect_sizes(
        frame_of({"a": [("A", [None, None]), ("B", [3, 4])]}), indices=["nap", "lrr", "gradual_effects"]
    )
    assert found.tidy()["estimate"].isna().all()
    assert all("baseline" in reason.en for reason in found.tidy()["reason"])


def test_missing_observations_are_counted_once_and_kept_in_time():
    frame = frame_of({"a": [("A", [1, None, 3, 4]), ("B", [5, 6, None, 8])]})
    found = effect_sizes(frame, indices=["nap", "tau_bc", "pet"])
    assert found.notes().count("缺失的观察未计入") == 1
    assert found.glance()[["observations", "missing"]].iloc[0].tolist() == [6, 2]
    assert found.tidy().set_index("term")["estimate"]["tau_bc"] == 0
    assert found.tidy()[["n_baseline", "n_treatment"]].iloc[0].tolist() == [3, 3]


def test_time_orders_and_rows_do_otherwise():
    shuffled = WORKED.sample(frac=1, random_state=1)
    expected = effect_sizes(WORKED, indices=["nap", "tau_u", "pet"]).tidy()
    pd.testing.assert_frame_equal(
        effect_sizes(shuffled, time="day", indices=["nap", "tau_u", "pet"]).tidy(), expected
    )


def test_the_frame_is_left_as_it_was():
    before = WORKED.copy()
    effect_sizes(WORKED)
    pd.testing.assert_frame_equal(WORKED, before)


def test_columns_by_other_names_and_one_case_without_a_column():
    renamed = WORKED.rename(columns={"phase": "阶段", "value": "次数", "case": "班级"})
    found = effect_sizes(renamed, phase="阶段", value="次数", case="班级", indices="nap")
    assert found.tidy()["case"].tolist() == ["series"]
    alone = effect_sizes(WORKED.drop(columns="case"), indices="nap")
    assert alone.tidy()["estimate"].tolist() == found.tidy()["estimate"].tolist()
    assert "一个案例" in alone.notes()


@pytest.mark.parametrize(
    ("labels", "baseline", "pairs"),
    [
        ("AABB", None, [([0, 1], [2, 3])]),
        ("AABBAABB", None, [([0, 1], [2, 3]), ([4, 5], [6, 7])]),
        ("AABBCC", None, [([0, 1], [2, 3])]),
        ("BBAABB", "A", [([2, 3], [4, 5])]),
        ("BBAABB", None, [([0, 1], [2, 3])]),
        ("AACCBB", ["A", "C"], [([2, 3], [4, 5])]),
    ],
)
def test_each_baseline_phase_is_compared_with_the_treatment_after_it(labels, baseline, pairs):
    frame = pd.DataFrame({"case": 1, "phase": list(labels), "value": np.arange(len(labels))})
    found, note = singlecase.phase_pairs.phase_pairs(frame, baseline=baseline)
    assert [(p.baseline.tolist(), p.treatment.tolist()) for p in found] == pairs
    used = sum(len(a) + len(b) for a, b in pairs)
    assert any("未比较" in str(n) for n in note) == (used < len(labels))


def test_numbered_labels_are_phases_of_one_kind():
    frame = pd.DataFrame({"case": 1, "phase": ["A1", "A1", "B1", "B1", "A2", "B2"], "value": range(6)})
    found, _ = singlecase.phase_pairs.phase_pairs(frame)
    assert [(p.baseline.tolist(), p.treatment.tolist()) for p in found] == [([0, 1], [2, 3]), ([4], [5])]
    zeros = pd.DataFrame({"case": 1, "phase": [0, 0, 1, 1], "value": range(4)})
    assert [p.baseline.tolist() for p in singlecase.phase_pairs.phase_pairs(zeros)[0]] == [[0, 1]]
    chinese = frame.assign(phase=["改变前"] * 3 + ["改变后"] * 3)
    assert [p.baseline.tolist() for p in singlecase.phase_pairs.phase_pairs(chinese)[0]] == [[0, 1, 2]]


def test_a_case_without_treatment_has_reasons_not_a_crash():
    found = effect_sizes(frame_of({"a": [("A", [1, 2])], "b": [("A", A), ("B", B)]}), indices=["nap", "pnd"])
    assert found.tidy()["estimate"].isna().tolist() == [True, True, False, False]


BROKEN = {
    "no frame": ([1, 2], {}),
    "no rows": (WORKED.iloc[:0], {}),
    "no phase": (WORKED.drop(columns="phase"), {}),
    "wrong name": (WORKED, {"value": "valeu"}),
    "no such case column": (WORKED, {"case": "pupil"}),
    "text": (WORKED.assign(value="many"), {}),
    "infinite": (WORKED.assign(value=np.inf), {}),
    "a phase is empty": (WORKED.assign(phase=[None, *WORKED["phase"][1:]]), {}),
    "a case is empty": (WORKED.assign(case=[None, *WORKED["case"][1:]]), {}),
    "a time is empty": (WORKED.assign(day=[None, *WORKED["day"][1:]]), {"time": "day"}),
    "a time twice": (WORKED.assign(day=1), {"time": "day"}),
    "times of two kinds": (WORKED.assign(day=["x", *WORKED["day"][1:]]), {"time": "day"}),
    "no index": (WORKED, {"indices": []}),
    "unknown index": (WORKED, {"indices": ["nap", "nab"]}),
    "index by number": (WORKED, {"indices": 3}),
    "direction": (WORKED, {"improvement": "up"}),
    "direction of no kind": (WORKED, {"improvement": 1}),
    "direction of a case": (WORKED, {"improvement": {"other": "increase"}}),
    "direction by column": (WORKED, {"improvement": "day"}),
    "phases": (WORKED, {"phases": "all"}),
    "baseline": (WORKED, {"baseline": "a"}),
    "one baseline of two": (WORKED, {"baseline": ["A", "X"]}),
    "scale": (WORKED, {"scale": "likert"}),
    "level": (WORKED, {"conf_level": 95}),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_cannot_be_is_refused(name, in_both_languages):
    frame, options = BROKEN[name]
    with pytest.raises(ArgumentError) as error:
        effect_sizes(frame, **options)
    assert all(in_both_languages(error.value))


values = st.one_of(
    st.none(), st.integers(-2, 6), st.floats(-1e3, 1e3), st.sampled_from([0.0, 1e300, 1e49, -1e49, 1e-49])
)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(values, max_size=7), st.lists(values, max_size=7), st.sampled_from(["count", "percentage", "other"]))
def test_nothing_crashes(before, after, scale):
    if not before and not after:
        return
    frame = frame_of({"a": [("A", before), ("B", after)]}).astype({"value": object})
    found = effect_sizes(frame, scale=scale, goal=3, intervals=20).tidy()
    assert found["term"].tolist() == TERMS
    numbers = found[FIRST[3:]].to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    assert (found["std_error"].isna() | (found["std_error"] > 0)).all()
    assert found["reason"].notna().tolist() == found["estimate"].isna().tolist()
    inside = found.dropna(subset=["conf_low"])
    assert ((inside["conf_low"] <= inside["estimate"]) & (inside["estimate"] <= inside["conf_high"])).all()


# --- figures --------------------------------------------------------------------------------------------------------


def drawn(ax):
    import matplotlib.pyplot as plt

    points = next(line for line in ax.lines if line.get_marker() == "o")
    vertical = [list(line.get_xdata()) for line in ax.lines if line.get_marker() == "None"]
    labels = [t.get_text() for t in ax.get_yticklabels()]
    plt.close(ax.figure)
    return points.get_xdata().tolist(), vertical, labels


def test_the_forest_of_one_index_has_a_row_per_case_and_its_own_line_of_no_effect():
    frame = frame_of({c: [("A", a), ("B", b)] for c, (a, b) in MCKISSICK.items()})
    found = effect_sizes(frame, improvement="decrease", indices=["nap", "tau"])
    estimates, vertical, labels = drawn(found.plot())
    assert estimates == pytest.approx([1, 0.7714286, 0.9166667], abs=5e-8)
    assert vertical == [[0.5, 0.5]]
    assert labels == ["Period 1", "Period 2", "Period 3"]
    assert drawn(found.plot(index="tau"))[1] == [[0, 0]]


def test_the_forest_of_one_case_has_a_row_per_index():
    found = effect_sizes(WORKED)
    estimates, vertical, labels = drawn(found.plot())
    assert len(estimates) == len(labels) > 5
    assert vertical == [[0, 0]]
    assert "Tau" in labels
    assert not any("NAP" in name for name in labels)  # its no effect is another value
    assert drawn(found.plot(case="series", terms=["tau", "ird"]))[0] == pytest.approx([35 / 42, 6 / 7 - 1 / 6])
    abab = effect_sizes(schmidt(DISRUPTIVE), improvement="decrease", indices="nap")
    assert drawn(abab.plot())[2][:2] == ["Faith · 1", "Faith · 2"]
    with pytest.raises(ArgumentError, match="nap"):
        abab.plot(index="tau")


def test_tables_speak_both_languages():
    found = effect_sizes(WORKED, indices=["nap", "lor"])
    assert "对数比值比" in found._repr_mimebundle_()["text/plain"]
    with language.speaking("en"):
        shown = found._repr_mimebundle_()["text/plain"]
    assert "Log odds ratio" in shown
    assert "needs percentages" in shown
    assert math.isnan(found.tidy()["estimate"][1])
