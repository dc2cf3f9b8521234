import numpy as np
import pytest

import htresearch as ht

from .dense import nested_frame


def test_each_group_is_left_out_in_turn():
    frame = nested_frame(41, schools=7)
    fit = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame)
    influence = fit.influence("school")
    assert influence.columns.tolist() == ["school", "term", "estimate", "change", "change_in_std_errors"]
    assert len(influence) == 7 * 3
    for school in range(7):
        without = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame[frame["school"] != school]).tidy()
        ours = influence[influence["school"] == school]
        np.testing.assert_allclose(ours["estimate"], without["estimate"], rtol=1e-6)
    full = fit.tidy()
    first = influence.iloc[:3]
    np.testing.assert_allclose(first["change"], first["estimate"] - full["estimate"])
    np.testing.assert_allclose(first["change_in_std_errors"], first["change"] / full["std_error"])


def test_classes_are_named_by_their_school_too():
    fit = ht.fit_multilevel("y ~ x + (1 | school/class)", nested_frame(41, schools=5))
    influence = fit.influence("class")
    assert influence.columns.tolist()[:3] == ["school", "class", "term"]
    assert len(influence) == 2 * fit.glance()["n_school:class"][0]


def test_a_coefficient_that_hangs_on_one_group_is_missing_without_it():
    frame = nested_frame(41, schools=5)
    frame["pilot"] = (frame["school"] == 2).astype(float)
    influence = ht.fit_multilevel("y ~ pilot + (1 | school)", frame).influence("school").set_index(["school", "term"])
    assert np.isnan(influence.loc[(2, "pilot"), "estimate"])
    assert influence["estimate"].notna().sum() == 9


def test_with_one_group_left_nothing_is_claimed():
    frame = nested_frame(41, schools=2)
    assert ht.fit_multilevel("y ~ x + (1 | school)", frame).influence("school")["estimate"].isna().all()


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_method_is_kept(method):
    frame = nested_frame(43, schools=6)
    fit = ht.fit_multilevel("y ~ x + (1 | school)", frame, method=method)
    without = ht.fit_multilevel("y ~ x + (1 | school)", frame[frame["school"] != 0], method=method)
    np.testing.assert_allclose(fit.influence("school")["estimate"][:2], without.tidy()["estimate"], rtol=1e-7)
