"""Reference values of the models of single cases, made by R."""

import json
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[1] / "reference" / "single_case_models.json"


@pytest.fixture(scope="session")
def models():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))
