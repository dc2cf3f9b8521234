"""The simulated district: reproducible, sound, true to its own truth, and wrong where a naive study is wrong."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.study import simulate as simulation
from htresearch.study import validate
from htresearch.study.district import District
from htresearch.study.open import Study
from htresearch.study.store import open_store
from htresearch.study.truth import THEMES, Truth


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    size = {"schools": 1, "classes_per_school": 2, "terms": 2}
    one, two, three = (
        ht.simulate(tmp_path / name, **size, seed=seed) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert contents(one) == contents(two)
    assert contents(one)["outcomes.parquet"] != contents(three)["outcomes.parquet"]
    assert contents(one)["truth.json"] == contents(three)["truth.json"]


@pytest.mark.parametrize(("schools", "classes", "terms"), [(1, 1, 1), (2, 3, 3), (3, 2, 4)])
def test_every_size_is_a_sound_study(tmp_path, schools, classes, terms):
    out = ht.simulate(tmp_path / "study", schools=schools, classes_per_school=classes, terms=terms)
    assert validate(out).empty
    assert len(pd.read_parquet(out / "schools.parquet")) == schools
    written = pd.read_parquet(out / "terms.parquet")
    assert len(written) == terms
    assert set(written["school_year"]) <= {"2023-2024", "2024-2025"}
    assert "2024-2025" in set(written["school_year"])
    assert len(pd.read_parquet(out / "classes.parquet")) >= schools * classes


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(ArgumentError, match="已有内容"):
        ht.simulate(tmp_path, schools=1, classes_per_school=1, terms=1)
    assert [f.name for f in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "study").mkdir()
    assert (ht.simulate(tmp_path / "study", schools=1, classes_per_school=1, terms=1) / "truth.json").is_file()


def test_all_bad_arguments_are_named_at_once(tmp_path):
    with pytest.raises(ArgumentError) as caught:
        ht.simulate(
            tmp_path / "study", schools=0, classes_per_school=100, terms=2.5, luck=3, measures=["maths", "art"]
        )
    said = str(caught.value)
    assert len(caught.value.faults) == 5
    assert all(name in said for name in ("schools", "classes_per_school", "terms", "luck", "measures"))
    assert not (tmp_path / "study").exists()


def test_nothing_is_left_of_a_failed_simulation(tmp_path, monkeypatch):
    def fails(self):
        yield self._schools()
        raise RuntimeError("full disk")

    monkeypatch.setattr(District, "tables", fails)
    with pytest.raises(RuntimeError, match="full disk"):
        ht.simulate(tmp_path / "study", schools=1, classes_per_school=1, terms=1)
    assert not list(tmp_path.iterdir())


class Watched(District):
    """A district that remembers the state of each term's first day."""

    def _teach(self, term):
        names = self._teacher(np.arange(len(self.tier)))
        hours = sum(self.hours[theme] for theme in THEMES)
        self.seen.append(
            pd.DataFrame(
                {
                    "teacher_id": names,
                    "tier_rank": self.tier,
                    "training_hours": hours,
                    "studio_member": self.studio >= 0,
                    "term_id": self.calendar.name(term),
                }
            )
        )
        self.led.append(
            pd.DataFrame(
                {
                    "class_id": self._class(self.slot_class),
                    "term_id": self.calendar.name(term),
                    "teacher_id": self._teacher(self.slot_teacher),
                }
            )
        )
        yield from super()._teach(term)


def test_the_panel_finds_the_state_that_was_meant(tmp_path, monkeypatch):
    """Tier, studio, hours and head teacher of each first day, derived from the tables alone."""
    monkeypatch.setattr(Watched, "seen", [], raising=False)
    monkeypatch.setattr(Watched, "led", [], raising=False)
    monkeypatch.setattr(simulation, "District", Watched)
    out = ht.simulate(tmp_path / "study", schools=6, classes_per_school=10, terms=5, seed=3, measures=["run"])
    study = Study(open_store(out))
    key = ["term_id", "teacher_id"]
    meant = pd.concat(Watched.seen).sort_values(key, ignore_index=True)
    found = study.teacher_terms().sort_values(key, ignore_index=True)[meant.columns]
    pd.testing.assert_frame_equal(found, meant, check_dtype=False)
    assert set(meant["tier_rank"]) == {0, 1, 3}
    assert meant["studio_member"].any()
    led = pd.concat(Watched.led).merge(
        study.class_terms(), on=["class_id", "term_id"], how="left", suffixes=("", "_found")
    )
    assert led["teacher_id"].equals(led["teacher_id_found"])


def test_truth_is_complete(tmp_path):
    out = ht.simulate(tmp_path / "study", schools=1, classes_per_school=2, terms=1, selection=0.5, luck=1)
    written = json.loads((out / "truth.json").read_text("utf-8"))
    assert written["parameters"] == asdict(replace(Truth(), selection=0.5, luck=1))
    assert {"training_hours", "backbone", "chief", "studio", "lost_tier", "mediation"} <= set(written["effects"])
    assert all("found_by" in effect for effect in written["effects"].values())
    by_theme = written["training_by_theme_per_10_hours"]
    assert by_theme["academic"]["ideas"] == 0
    assert np.mean(list(by_theme["academic"].values())) == pytest.approx(0.04, abs=1e-6)
    assert by_theme["academic"]["research"] == pytest.approx(by_theme["academic"]["methods"] / 2, abs=1e-6)
    hidden = pd.read_parquet(out / "truth" / "teachers.parquet")
    assert set(hidden["teacher_id"]) == set(pd.read_parquet(out / "teachers.parquet")["teacher_id"])


def test_no_study_reads_the_truth(tmp_path):
    """The hidden folder may be garbage or gone: the study is the same."""
    out = ht.simulate(tmp_path / "study", schools=1, classes_per_school=1, terms=1)
    for file in (out / "truth").iterdir():
        file.write_text("nobody reads me")
    (out / "truth.json").write_text("nor me")
    store = open_store(out)
    assert not store.faults
    assert "truth" not in store.tables
    columns = {c for name in store.tables for c in store.table(name).collect_schema().names()}
    assert not columns & {"quality", "burnout", "workload", "effect"}


def lived(seed=3, **knobs) -> District:
    district = District(10, 10, 2, seed, replace(Truth(), **knobs), ("run",))
    for _ in district.tables():
        pass
    return district


def test_sorting_gathers_abler_pupils_with_better_head_teachers():
    def correlation(district):
        return np.corrcoef(district.class_mean, district.quality[district.slot_teacher])[0, 1]

    assert correlation(lived(sorting=1.0)) > 0.8
    assert abs(correlation(lived(sorting=0.0))) < 0.3


def test_selection_promotes_better_head_teachers():
    def difference(district):
        quality, tier = district.quality[district.slot_teacher], district.tier[district.slot_teacher]
        return quality[tier > 0].mean() - quality[tier == 0].mean()

    strong, none = (np.mean([difference(lived(seed, selection=s)) for seed in (1, 2, 3)]) for s in (2.0, 0.0))
    assert strong > 0.5
    assert abs(none) < 0.35
    assert strong > none + 0.4


def test_luck_moves_the_appraisal():
    def correlation(district):
        return np.corrcoef(district.appraisal[district.slot_teacher], district.shock_year)[0, 1]

    assert correlation(lived(luck=1.0)) > 0.5
    assert abs(correlation(lived(luck=0.0))) < 0.3


def backbone(panel: pd.DataFrame, *adjusted: str) -> float:
    """Return the least-squares coefficient of holding a tier."""
    rows = panel.dropna(subset=["score", "tier_rank", *adjusted])
    columns = [np.ones(len(rows)), (rows["tier_rank"] > 0).astype(float), *(rows[name] for name in adjusted)]
    return np.linalg.lstsq(np.column_stack(columns).astype(float), rows["score"].astype(float))[0][1]


def test_the_naive_comparison_is_visibly_wrong(tmp_path):
    """Two seeds of what the bias study does over many: truth .06, naive about .3, less with the prior."""
    naive, adjusted = [], []
    for seed in (1, 2):
        out = ht.simulate(
            tmp_path / str(seed), schools=10, classes_per_school=12, seed=seed, terms=3, measures=["maths"]
        )
        panel = Study(open_store(out)).class_terms("maths")
        naive.append(backbone(panel))
        adjusted.append(backbone(panel, "prior_mean"))
    truth = Truth().backbone
    assert np.mean(naive) > 3 * truth
    assert truth / 2 < np.mean(adjusted) < np.mean(naive) / 1.5
