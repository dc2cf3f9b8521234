"""Every test speaks Chinese unless it says otherwise, whatever a test before it or the machine has chosen."""

import pytest
from hypothesis import settings

from htresearch import language

# A property is no stopwatch: a busy machine fails no test. The rest of the profile is Hypothesis' own for the place.
settings.register_profile("patient", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def speaks_chinese(monkeypatch):
    monkeypatch.setenv("HTRESEARCH_LANGUAGE", "zh")
    monkeypatch.setattr(language, "_chosen", None)


@pytest.fixture
def in_both_languages():
    """Return an error's text in Chinese and in English."""

    def say(error):
        said = []
        for spoken in language.LANGUAGES:
            with language.speaking(spoken):
                said.append(str(error))
        return said

    return say
