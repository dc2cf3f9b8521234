"""Studies of one's own class: inside, by consent; in public only what many say together."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.disclosure import check

BEFORE, AFTER = [5, 4, 6, 5, 5, 4], [3, 2, 4, 1, 2, 2, 1]


def case() -> pd.DataFrame:
    values = [*BEFORE, *AFTER]
    return pd.DataFrame({"case": "a", "phase": ["A"] * len(BEFORE) + ["B"] * len(AFTER), "value": values})


def many(studies: int):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "study": [f"s{i}" for i in range(studies)],
            "case": "one",
            "estimate": rng.normal(0.6, 0.1, studies),
            "std_error": 0.1,
        }
    )
    return ht.singlecase.synthesis(frame)


RESULTS = {
    "nap": lambda: ht.singlecase.nap(BEFORE, AFTER, improvement="decrease"),
    "all effect sizes": lambda: ht.singlecase.effect_sizes(case(), improvement="decrease"),
    "what is seen": lambda: ht.singlecase.visual_analysis(case()),
    "piecewise": lambda: ht.singlecase.piecewise([*BEFORE, *AFTER], ["A"] * 6 + ["B"] * 7),
    "observers": lambda: ht.singlecase.observer_agreement(BEFORE, [5, 4, 6, 5, 4, 4]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_class_is_shown_inside_by_consent_only(name):
    result = RESULTS[name]()
    assert not check(result).passed
    assert not check(result, "public-minors", consent=True).passed
    assert not check(result, "internal").passed
    assert check(result, "internal", consent=True).passed


def test_the_graph_of_a_case_is_refused():
    assert not check(ht.singlecase.plot_case([*BEFORE, *AFTER], ["A"] * 6 + ["B"] * 7)).passed


def test_many_studies_together_may_be_published_but_not_each():
    whole = many(12)
    assert check(whole).passed
    assert not check(whole, part="plot").passed
    assert not check(whole.plot()).passed
    assert not check(whole.leave_one_out()).passed
    assert not check(many(6)).passed


def test_a_plan_holds_no_data():
    assert check(ht.singlecase.power([20], 5, 5, effect=2, series=100)).passed
