"""The simulated district's scale that is not invariant is found, and its others pass."""

from pathlib import Path
from shutil import copy

import pandas as pd
import pytest

import htresearch as ht

SURVEYS = Path(__file__).parents[2] / "surveys"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_scale_that_is_not_invariant_is_found_and_the_others_pass(seed, tmp_path):
    forms = tmp_path / "forms"
    forms.mkdir()
    copy(SURVEYS / "class_climate.yaml", forms)
    out = ht.simulate(tmp_path / "study", 12, 14, 1, seed, measures=["run"], surveys=forms)
    rows = pd.read_parquet(out / "responses.parquet").query("instrument_id == 'class_climate'")
    answers = rows.pivot_table(index="respondent_id", columns="item", values="value", aggfunc="first")
    people = pd.read_parquet(out / "truth" / "respondents.parquet").query(
        "answered and instrument_id == 'class_climate'"
    )
    class_id = people.set_index("respondent_id")["class_id"].reindex(answers.index)
    stage = class_id.map(pd.read_parquet(out / "classes.parquet").set_index("class_id")["stage"])
    frame = answers.apply(pd.to_numeric, errors="coerce").assign(primary=stage == "primary", class_id=class_id)
    instrument = ht.load_instrument(SURVEYS / "class_climate.yaml")
    # With all respondents, careless ones among them, as they come from the field.
    found = ht.scales.scale_invariance(frame.reset_index(), instrument, "primary", "class_id")
    levels = {name: steps.glance()["level"].item() for name, steps in found.items()}
    assert levels.pop("belonging") == "configural"
    # Means can be compared; residuals of some hundred pupils may differ by chance.
    assert set(levels.values()) <= {"scalar", "strict"}
