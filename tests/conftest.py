"""Every test speaks Chinese unless it says otherwise, whatever a test before it or the machine has chosen."""

import pytest

from htresearch import language


@pytest.fixture(autouse=True)
def speaks_chinese(monkeypatch):
    monkeypatch.setenv("HTRESEARCH_LANGUAGE", "zh")
    monkeypatch.setattr(language, "_chosen", None)
