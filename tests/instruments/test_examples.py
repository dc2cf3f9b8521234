"""The examples in the docstrings run as they stand."""

import doctest
import importlib

import pytest

from .written import ROOT

MODULES = ["instrument", "reading", "codebook", "paper", "labelled", "lavaan"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(f"htresearch.instruments.{name}")
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted or name == "instrument"
