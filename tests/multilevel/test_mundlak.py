import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ColumnError
from htresearch.multilevel import mundlak

from .dense import nested_frame


def test_parts_add_up_and_the_within_part_is_the_fixed_effects_slope():
    frame = nested_frame(51, schools=10)
    split = mundlak(frame, ["x"], "school")
    np.testing.assert_allclose(split["x_within"] + split["x_between"], frame["x"])
    assert list(frame.columns) == list(split.columns[: len(frame.columns)])
    fit = ht.fit_multilevel("y ~ x_within + x_between + (1 | school)", split)
    dummies = pd.get_dummies(frame["school"]).to_numpy(float)
    slope = np.linalg.lstsq(np.column_stack([frame["x"], dummies]), frame["y"], rcond=None)[0][0]
    assert fit.tidy()["estimate"][1] == pytest.approx(slope, rel=1e-8)


def test_missing_values_stay_missing_and_out_of_the_mean():
    frame = pd.DataFrame({"g": ["a", "a", "b", None], "x": [1.0, np.nan, 5.0, 7.0]})
    split = mundlak(frame, ["x"], ["g"])
    np.testing.assert_array_equal(split["x_between"], [1.0, 1.0, 5.0, np.nan])
    np.testing.assert_array_equal(split["x_within"], [0.0, np.nan, 0.0, np.nan])


def test_faults_come_together(in_both_languages):
    with pytest.raises(ColumnError) as caught:
        mundlak(pd.DataFrame({"g": [1], "name": ["a"]}), ["name", "hours"], "school")
    assert len(caught.value.faults) == 3
    chinese, english = in_both_languages(caught.value)
    assert "不是数值列" in chinese and "没有“hours”这一列" in chinese
    assert "is not numeric" in english and "no column 'school'" in english
