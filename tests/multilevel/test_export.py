"""Exported tables say what the fit says, to the last digit, and take nobody's folder."""

import json

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError

from .dense import nested_frame


@pytest.fixture(scope="module")
def fit():
    frame = nested_frame(21, schools=12).rename(columns={"size": "班额"})
    return ht.fit_multilevel("y ~ x + 班额 + (1 + x | school) + (1 | school:class)", frame)


def read(path, like):
    """Read a CSV file with Python's own floats, whose last digit is right."""
    found = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    numbers = like.select_dtypes("float")
    flags = {c: found[c] == "True" for c in like.select_dtypes("bool")}
    floats = {c: [float(v or "nan") for v in found[c]] for c in numbers}
    return found.assign(**floats, **flags).astype(like.dtypes)


def same(path, table):
    pd.testing.assert_frame_equal(read(path, table), table, rtol=0, atol=0)


def test_tables_go_round(fit, tmp_path):
    folder = fit.export(tmp_path / "results", inference="kenward-roger", conf_level=0.9, random_effects=True)
    estimates = fit.estimates("kenward-roger", 0.9)
    same(folder / "coefficients.csv", estimates.tidy())
    same(folder / "variance_components.csv", fit.variance_components)
    same(folder / "icc.csv", fit.icc())
    same(folder / "glance.csv", fit.glance())
    for level, file in (("school", "school"), ("school:class", "school_class")):
        same(folder / f"random_effects_{file}.csv", fit.random_effects(level))
    words = json.loads((folder / "fit.json").read_text("utf-8"))
    pd.testing.assert_frame_equal(pd.DataFrame(words["coefficients"]), estimates.tidy(), rtol=0, atol=0)
    assert words["formula"] == str(fit.formula) and words["method"] == "reml"
    assert words["note"] == {language: [getattr(n, language) for n in estimates.note] for language in ("zh", "en")}
    assert words["written_by"] == f"htresearch {ht.__version__}" and words["source"] == estimates.source
    assert words["r_squared"][0]["marginal"] == fit.r_squared()["marginal"][0]


def test_excel_reads_chinese(fit, tmp_path):
    content = (fit.export(tmp_path / "results") / "coefficients.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") and "班额" in content.decode("utf-8-sig")


def test_groups_are_named_on_request_only(fit, tmp_path):
    folder = fit.export(tmp_path / "results")
    assert not [path for path in folder.iterdir() if "random" in path.name]
    assert "random" not in (folder / "fit.json").read_text("utf-8").replace("random_effects=", "")


def test_what_is_missing_or_infinite_is_proper_json(fit, tmp_path):
    folder = fit.export(tmp_path / "results", inference="normal")
    text = (folder / "fit.json").read_text("utf-8")
    words = json.loads(text, parse_constant=pytest.fail)
    assert words["coefficients"][0]["df"] == "Infinity" and words["variance_components"][0]["correlation"] is None
    assert np.isinf(read(folder / "coefficients.csv", fit.tidy("normal"))["df"]).all()


def test_earlier_results_are_replaced_and_nothing_else(fit, tmp_path):
    folder = fit.export(tmp_path / "results", random_effects=True)
    fit.export(folder)
    assert len(list(folder.iterdir())) == 5
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").write_text("x")
    with pytest.raises(ArgumentError, match="不会覆盖"):
        fit.export(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.docx").exists()


def test_a_model_read_again_is_exported_alike(fit, tmp_path):
    again = ht.load_fit(fit.save(tmp_path / "model"))
    ours, theirs = fit.export(tmp_path / "a", random_effects=True), again.export(tmp_path / "b", random_effects=True)
    for path in ours.iterdir():
        assert path.read_bytes() == (theirs / path.name).read_bytes()
