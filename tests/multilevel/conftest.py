import pytest

from htresearch import language


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
