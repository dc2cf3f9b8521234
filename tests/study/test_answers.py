"""The survey rounds: apart from all else, true to their truth, and wrong where real answers are wrong."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, InstrumentError
from htresearch.study import validate
from htresearch.study.answer_truth import AnswerTruth
from htresearch.study.answers import Surveys
from htresearch.study.district import District
from htresearch.study.truth import Truth

ROOT = Path(__file__).parents[2]
SURVEYS = ROOT / "surveys"
SIZE = {"schools": 10, "classes_per_school": 12, "terms": 3, "measures": ["run"]}
DESCRIBE = ("truth.json", "datapackage.json", "CODEBOOK.md", "CODEBOOK.zh-CN.md")


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    return ht.simulate(tmp_path_factory.mktemp("district") / "study", **SIZE, surveys=SURVEYS)


def read(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def truth(district):
    return json.loads((district / "truth.json").read_text("utf-8"))["surveys"]


@pytest.fixture(scope="module")
def people(district):
    return read(district, "truth/respondents")


def wide(district, instrument: str, people: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return answers, a row a respondent; of `people` only, if they are given."""
    long = read(district, "responses").query("instrument_id == @instrument")
    frame = long.pivot_table(index=["wave", "respondent_id"], columns="item", values="value", aggfunc="first")
    if people is None:
        return frame
    kept = people[people["answered"] & (people["instrument_id"] == instrument)].set_index(["wave", "respondent_id"])
    return frame.loc[frame.index.isin(kept.index)]


def attentive(people):
    return people[people["careless"].isna()]


# --- apart from all else ---------------------------------------------------------------------------------------


def test_everything_else_is_the_same_with_and_without_surveys(tmp_path, district):
    plain = ht.simulate(tmp_path / "plain", **SIZE)
    for file in sorted(f.relative_to(plain) for f in plain.rglob("*") if f.is_file()):
        if file.name not in DESCRIBE:
            assert (district / file).read_bytes() == (plain / file).read_bytes(), file
    with_surveys = json.loads((district / "truth.json").read_text("utf-8"))
    del with_surveys["surveys"]
    assert with_surveys == json.loads((plain / "truth.json").read_text("utf-8"))


def test_the_demo_district_is_what_the_simulator_makes(tmp_path):
    made = ht.simulate(tmp_path / "demo", schools=26, classes_per_school=20, terms=6, seed=1)
    names = [f.stem for f in made.glob("*.parquet")]
    assert len(names) == 18
    for name in names:
        pd.testing.assert_frame_equal(read(made, name), read(ROOT / "data" / "demo", name))


def test_the_same_seed_gives_the_same_answers(tmp_path):
    size = {"schools": 1, "classes_per_school": 3, "terms": 1, "measures": ["run"], "surveys": SURVEYS}
    one, two, three = (ht.simulate(tmp_path / n, **size, seed=s) for n, s in (("a", 5), ("b", 5), ("c", 6)))
    for name in ("responses", "waves", "truth/respondents", "truth/latents", "truth/mediators"):
        assert (one / f"{name}.parquet").read_bytes() == (two / f"{name}.parquet").read_bytes()
    assert (one / "responses.parquet").read_bytes() != (three / "responses.parquet").read_bytes()
    assert (one / "truth.json").read_bytes() == (three / "truth.json").read_bytes()


def test_an_instrument_is_answered_alike_whatever_else_is_asked(tmp_path):
    alone = tmp_path / "surveys"
    alone.mkdir()
    (alone / "home_school.yaml").write_bytes((SURVEYS / "home_school.yaml").read_bytes())
    size = {"schools": 1, "classes_per_school": 3, "terms": 1, "measures": ["run"]}
    both = [ht.simulate(tmp_path / n, **size, surveys=s) for n, s in (("a", SURVEYS), ("b", alone))]
    values = [wide(d, "home_school").reset_index(drop=True) for d in both]
    pd.testing.assert_frame_equal(*values)


# --- a sound study ---------------------------------------------------------------------------------------------


def test_the_study_is_sound(district):
    assert validate(district).empty


def test_rounds_are_held_in_every_second_term_and_within_it(district):
    waves = read(district, "waves").merge(read(district, "terms"), left_on="wave", right_on="term_id")
    assert set(waves["wave"]) == {"2023-1", "2024-1"}  # the last of three terms, and the first
    assert (waves["opened_on"] > waves["starts_on"]).all()
    assert (waves["closed_on"] < waves["ends_on"]).all()
    assert set(waves["instrument_id"]) == {"head_teacher", "class_climate", "pupil_wellbeing", "home_school"}


def test_pupils_and_parents_stay_unknown_and_head_teachers_are_followed(district, people):
    responses = read(district, "responses")
    assert set(responses.columns) == {
        "instrument_id", "wave", "respondent_kind", "respondent_id", "class_id", "item", "value",
    }  # fmt: skip
    teachers = responses[responses["respondent_kind"] == "teacher"]
    assert set(teachers["respondent_id"]) <= set(read(district, "teachers")["teacher_id"])
    assert teachers.groupby("respondent_id")["wave"].nunique().max() == 2
    others = responses[responses["respondent_kind"] != "teacher"]
    assert others["class_id"].notna().all()
    each = others.drop_duplicates(["instrument_id", "wave", "respondent_id", "class_id"])
    assert each["respondent_id"].is_unique  # one class, one round, one form
    assert not set(others["respondent_id"]) & set(read(district, "students")["student_id"])
    who = people[people["respondent_kind"] == "pupil"]
    assert set(who["person_id"]) <= set(read(district, "students")["student_id"])


def test_pupils_of_the_first_two_grades_are_not_asked(district):
    pupils = read(district, "responses").query("respondent_kind == 'pupil'").drop_duplicates(["wave", "class_id"])
    classes = pupils.merge(read(district, "classes"), on="class_id")
    grade = classes["entry_grade"] + classes["wave"].str[:4].astype(int) - classes["entry_year"]
    assert grade.min() == 3
    assert {4, 7, 9} <= set(grade)


def test_answers_are_possible_ones_and_skips_are_kept(district):
    for path in SURVEYS.glob("*.yaml"):
        instrument = ht.load_instrument(path)
        if instrument.id not in ("head_teacher", "class_climate", "pupil_wellbeing", "home_school"):
            continue
        answers = wide(district, instrument.id)
        assert set(answers) == {name for name, item in instrument.items.items() if not item.identifies}
        for question in instrument.questions:
            asked = pd.Series(True, answers.index)
            for name, values in question.when.items():
                asked &= answers[name].isin([str(v) for v in values])
            for item in question.items:
                if item.identifies:
                    continue
                given = answers[item.id]
                assert given[~asked].isna().all()
                assert given[asked].notna().any()
                parts = given.dropna().str.split(";").explode() if item.type != "text" else given.dropna()
                if item.choices:
                    assert set(parts) <= {str(choice.value) for choice in item.choices}
                if item.type == "number":
                    assert parts.astype(int).between(item.minimum, item.maximum).all()


def test_answers_agree_with_the_district(district):
    answers = wide(district, "head_teacher").reset_index()
    tiers = read(district, "tiers").query("decision in ['accredited', 'renewed'] and tier != 'ordinary'")
    held = answers.merge(tiers, left_on="respondent_id", right_on="teacher_id")
    opened = held["wave"].str[:4].astype(int).map(lambda year: pd.Timestamp(year, 11, 20))
    held = held[(pd.to_datetime(held["effective_on"]) <= opened) & (pd.to_datetime(held["ends_on"]) > opened)]
    agree = held["tier_x"].map({"1": "ordinary", "2": "backbone", "4": "chief"}) == held["tier_y"]
    assert len(held) > 10
    assert agree.mean() > 0.9  # a head teacher may have been both backbone and, later, chief
    attended = set(read(district, "attendance")["teacher_id"])
    last = answers[answers["wave"] == "2024-1"]
    assert set(last.loc[last["trained"] == "1", "respondent_id"]) <= attended


# --- what was meant is found -----------------------------------------------------------------------------------


def cuts(answers: pd.Series, choices: int) -> np.ndarray:
    """Return the thresholds of a standard normal variable that make the shares of the answers."""
    below = [(answers.dropna().astype(int) <= value).mean() for value in range(1, choices)]
    return np.array([NormalDist().inv_cdf(min(max(p, 0.002), 0.998)) for p in below])


def triads(answers: pd.DataFrame) -> pd.Series:
    """Return loadings of one factor from correlations alone: the median over triads of (r_ij r_ik / r_jk)^½."""
    r = answers.astype(float).corr().to_numpy()
    n = len(r)
    found = [
        np.median([np.sqrt(abs(r[i, j] * r[i, k] / r[j, k])) for j in range(n) for k in range(j) if i not in (j, k)])
        for i in range(n)
    ]
    return pd.Series(found, answers.columns)


@pytest.mark.parametrize("instrument", ["class_climate", "home_school", "pupil_wellbeing", "head_teacher"])
def test_thresholds_and_loadings_are_found_again(district, people, truth, instrument):
    known = truth["instruments"][instrument]["scales"]
    answers = wide(district, instrument, attentive(people))
    odd, steps = set(truth["not_invariant"]["items"]), [np.zeros(1)]
    for scale in known.values():
        items = {name: item for name, item in scale["items"].items() if name not in odd}
        for name, item in items.items():
            found, meant = cuts(answers[name], 5), np.array(item["thresholds"])
            if instrument == "head_teacher":  # ten schools' leaders may lie anywhere on average: the steps may not
                steps.append(np.diff(found)[1:-1] - np.diff(meant)[1:-1])
            else:
                assert found[1:-1] == pytest.approx(meant[1:-1], abs=0.15), name
        if instrument != "head_teacher" and len(scale["items"]) >= 4 and not odd & set(scale["items"]):
            loadings = triads(answers[list(items)])
            # Five categories attenuate Pearson's correlations by about a tenth.
            meant = np.array([abs(item["loading"]) for item in items.values()])
            assert loadings.to_numpy() == pytest.approx(0.95 * meant, abs=0.09)
    assert np.abs(np.concatenate(steps)).mean() < 0.1


def test_items_keyed_the_other_way_run_against_their_scale(district, people):
    for path in ("class_climate", "home_school", "head_teacher"):
        instrument = ht.load_instrument(SURVEYS / f"{path}.yaml")
        answers = wide(district, path, attentive(people))
        for scale in instrument.scales.values():
            upright = [name for name, weight in scale.items.items() if weight == 1]
            total = answers[upright].astype(float).mean(axis=1)
            for name, weight in scale.items.items():
                if weight == -1:
                    assert answers[name].astype(float).corr(total) < -0.25


def test_latent_values_have_variance_one(district):
    latents = read(district, "truth/latents").query("instrument_id != 'head_teacher'")
    spread = latents.groupby(["instrument_id", "scale"])["value"].std()
    assert len(spread) == 13
    assert spread.between(0.93, 1.07).all()


def test_one_scale_is_not_invariant_and_the_others_are(district, people, truth):
    stage = read(district, "classes").set_index("class_id")["stage"]
    answers = wide(district, "class_climate", attentive(people))
    where = (
        people.query("instrument_id == 'class_climate'").set_index(["wave", "respondent_id"])["class_id"].map(stage)
    )
    primary = answers[(where == "primary").reindex(answers.index)]
    secondary = answers[(where != "primary").reindex(answers.index)]
    shifts = {
        name: np.mean(cuts(secondary[name], 5)[1:] - cuts(primary[name], 5)[1:])
        for name in answers
        if name[-1].isdigit()
    }
    odd = truth["not_invariant"]
    assert (odd["instrument"], odd["scale"]) == ("class_climate", "belonging")
    assert set(odd["items"]) == {"belonging_2", "belonging_3"}
    assert shifts.pop("belonging_3") == pytest.approx(0.8, abs=0.2)
    assert max(abs(shift) for shift in shifts.values()) < 0.25
    mine = ["belonging_1", "belonging_2", "belonging_4"]
    loadings = [triads(part[mine])["belonging_2"] for part in (primary, secondary)]
    assert loadings[0] > 0.55
    assert loadings[1] < 0.45


def test_careless_answerers_are_as_many_and_as_careless_as_meant(district, people):
    answered = people[people["answered"]]
    shares = answered["careless"].value_counts(normalize=True)
    assert shares.sum() * answered["careless"].notna().mean() == pytest.approx(0.05, abs=0.01)
    assert shares.to_numpy() == pytest.approx(0.25, abs=0.06)
    answers = wide(district, "class_climate").drop(columns="sex").astype(float)
    order = [n for n in ht.load_instrument(SURVEYS / "class_climate.yaml").items if n in answers]
    answers = answers[order]
    kind = answered.query("instrument_id == 'class_climate'").set_index(["wave", "respondent_id"])["careless"]
    kind = kind.reindex(answers.index)
    distinct = answers.nunique(axis=1)
    assert (distinct[kind == "longstring"] == 1).all()
    steps = answers.diff(axis=1).abs()
    steps = steps.where(answers.notna() & answers.shift(axis=1).notna())
    assert (steps[kind == "alternating"].min(axis=1) == 1).all()
    assert (steps[kind == "alternating"].max(axis=1) == 1).all()
    assert distinct[kind.isna()].mean() > 3.5
    counts = answers[kind == "random"].melt()["value"].value_counts(normalize=True)
    assert counts.to_numpy() == pytest.approx(0.2, abs=0.05)
    pace = answered["duration_s"] / answered["instrument_id"].map(
        {i: len(ht.load_instrument(SURVEYS / f"{i}.yaml").items) for i in answered["instrument_id"].unique()}
    )
    assert pace[answered["careless"] == "speeding"].max() < 2
    assert pace[answered["careless"].isna()].quantile(0.02) > 2


def test_times_lie_in_the_round_and_in_the_day(district, people):
    answered = people[people["answered"]].merge(read(district, "waves"), on=["instrument_id", "wave"])
    day = answered["submitted_at"].dt.date
    assert (day >= answered["opened_on"]).all()
    assert (day <= answered["closed_on"]).all()
    assert answered.query("respondent_kind == 'pupil'")["submitted_at"].dt.hour.between(9, 16).all()
    silent = people[~people["answered"]]
    assert silent["submitted_at"].isna().all()
    assert silent["duration_s"].isna().all()


def test_burnout_silences(tmp_path):
    surveys = Surveys(SURVEYS, 1, Truth())
    lived = District(60, 20, 1, 1, Truth(), ("run",), surveys)
    pieces = [columns for name, columns in lived.tables() if name == "truth/respondents"]
    burnout = pd.Series(lived.burnout, lived._teacher(np.arange(len(lived.burnout))))
    for kind, rate in (("teacher", 0.86), ("parent", 0.73)):
        ours = [c for c in pieces if c["respondent_kind"][0].as_py() == kind]
        answered = np.concatenate([c["answered"] for c in ours])
        assert answered.mean() == pytest.approx(rate, abs=0.03)
        head = pd.Series(lived._teacher(lived.slot_teacher), lived._class(lived.slot_class))
        felt = head.loc[np.concatenate([c["class_id"] for c in ours])].map(burnout).to_numpy()
        worn = felt > 0
        assert answered[~worn].mean() - answered[worn].mean() > 0.04


# --- mediation -------------------------------------------------------------------------------------------------


def test_mediators_carry_into_outcomes_what_the_truth_says():
    """Given the outcomes' class effects, mediators are drawn so that regression finds b of each, and no more."""
    rng, truth, answers = np.random.default_rng(1), Truth(), AnswerTruth()
    surveys = Surveys(SURVEYS, 1, truth)
    effect = rng.normal(0, truth.class_sd, 400_000)
    variances = (answers.efficacy_of_class, answers.climate_of_class)
    own = surveys._given(rng, effect, truth.class_sd, variances)
    assert own.var(axis=0) == pytest.approx(variances, rel=0.02)
    assert abs(np.corrcoef(own.T)[0, 1]) < 0.01
    slopes, *_ = np.linalg.lstsq(own, effect)
    assert slopes == pytest.approx([0.05, 0.06], abs=0.002)


def test_half_of_research_training_runs_through_the_mediators(truth):
    said = truth["mediation"]
    through = (
        said["efficacy_per_10_research_hours"] * said["efficacy_on_outcome"]
        + said["climate_per_10_research_hours"] * said["climate_on_outcome"]
    )
    whole = Truth().theme_weights("academic")["research"] * Truth().training_per_10_hours
    assert through == pytest.approx(Truth().mediated_share * whole, abs=1e-6)
    assert said["share_of_research_training"]["academic"] == 0.5


def test_the_state_of_a_round_holds_the_mediators():
    """In a whole district: class effect and luck of the term on the two mediators, given what else moves them."""

    class Watched(Surveys):
        def _state(self, district, term):
            self.seen = super()._state(district, term), district.class_effect[district.slot_class] + district.shock
            return self.seen[0]

    surveys = Watched(SURVEYS, 3, Truth())
    surveys.instruments = surveys.instruments[:1]
    for _ in District(100, 30, 1, 3, Truth(), ("run",), surveys).tables():
        pass
    state, outcome = surveys.seen
    names = ("efficacy", "climate", "quality", "burnout", "hours_research")
    slopes, *_ = np.linalg.lstsq(np.column_stack([np.ones(len(outcome)), *(state[n] for n in names)]), outcome)
    assert slopes[1:3] == pytest.approx([0.05, 0.06], abs=0.012)
    assert state["efficacy"].std() == pytest.approx(1, abs=0.05)
    assert state["climate"].std() == pytest.approx(1, abs=0.05)


def test_climate_is_a_property_of_classes(district):
    relation = read(district, "truth/latents").query("scale == 'relation' and instrument_id == 'class_climate'")
    classes = read(district, "truth/respondents")[["wave", "respondent_id", "class_id"]]
    relation = relation.merge(classes, on=["wave", "respondent_id"])
    groups = relation.groupby(["wave", "class_id"])["value"]
    n = groups.size().mean()
    between, within = n * groups.mean().var(), groups.var().mean()
    icc = (between - within) / (between + (n - 1) * within)
    assert icc == pytest.approx(0.45**2, abs=0.07)


# --- instruments of one's own ----------------------------------------------------------------------------------

OWN = """
id: own
version: "1"
status: draft
title: {zh: 自编问卷, en: A form of our own}
purpose: {zh: 试, en: To try}
source: {zh: 自编, en: Our own}
licence: CC0
respondent: parent
choices:
  often: [{value: 0, zh: 从不, en: Never}, {value: 1, zh: 有时, en: Sometimes}, {value: 2, zh: 经常, en: Often}]
items:
  - {id: child, type: text, zh: 孩子姓名, en: "Child's name", identifies: name}
  - {id: met_on, type: date, zh: 最近一次见面, en: Last met on}
  - {id: minutes, type: number, zh: 每天分钟, en: Minutes a day, min: 0, max: 60}
  - id: calm
    type: matrix
    choices: often
    rows: {calm_1: {zh: 甲, en: A}, calm_2: {zh: 乙, en: B}, calm_3: {zh: 丙, en: C}, calm_4: {zh: 丁, en: D}}
scales:
  calm: {zh: 平静, en: Calm, items: {calm_1: 1, calm_2: 1, calm_3: 1, calm_4: -1, minutes: 1}}
"""


def test_another_instrument_is_answered_too(tmp_path):
    folder = tmp_path / "surveys"
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN, "utf-8")
    out = ht.simulate(tmp_path / "study", 2, 6, 1, measures=["run"], surveys=folder)
    assert validate(out).empty
    answers = wide(out, "own")
    assert set(answers) == {"met_on", "minutes", "calm_1", "calm_2", "calm_3", "calm_4"}
    assert set(answers["calm_1"].dropna()) == {"0", "1", "2"}
    assert answers["minutes"].dropna().astype(int).between(0, 60).all()
    assert answers["minutes"].astype(float).corr(answers["calm_1"].astype(float)) > 0.2
    assert pd.to_datetime(answers["met_on"].dropna()).max() < pd.Timestamp(2024, 12, 1)
    # It is not anonymous, so a family keeps its id.
    assert answers.index.get_level_values("respondent_id").str.fullmatch(r"F\d{8}").all()
    said = json.loads((out / "truth.json").read_text("utf-8"))["surveys"]
    assert said["not_invariant"]["scale"] == "calm"
    assert len(said["instruments"]["own"]["scales"]["calm"]["items"]["calm_1"]["thresholds"]) == 2


def test_what_is_not_answered_is_named(truth):
    assert set(truth["left_out"]) == {"class_visit", "maslach_educators", "my_class"}


def test_a_folder_without_instruments_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="没有班主任、学生或家长的问卷"):
        ht.simulate(tmp_path / "study", 1, 1, 1, surveys=tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


def test_a_broken_instrument_is_refused_before_anything_is_written(tmp_path):
    folder = tmp_path / "surveys"
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN.replace("status: draft", "status: finished"), "utf-8")
    (folder / "other.yaml").write_text(OWN, "utf-8")
    with pytest.raises(InstrumentError) as caught:
        ht.simulate(tmp_path / "study", 1, 1, 1, surveys=folder)
    assert {str(fault.where).split(" · ")[0] for fault in caught.value.faults} == {"own.yaml", "other.yaml"}
    assert not (tmp_path / "study").exists()


def test_selection_off_leaves_the_answers_sound(tmp_path):
    """Knobs of the district reach the mediators without breaking them."""
    surveys = Surveys(SURVEYS, 1, replace(Truth(), selection=0.0, luck=1.0))
    district = District(4, 5, 1, 1, surveys.truth, ("run",), surveys)
    values = [c["climate"] for name, c in district.tables() if name == "truth/mediators"]
    assert np.isfinite(np.concatenate(values)).all()
