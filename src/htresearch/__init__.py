"""htresearch: research on the professionalisation of head teachers (班主任).

Everything here loads on first use, so that ``import htresearch as ht`` costs next to nothing.
"""

from importlib import import_module
from importlib.metadata import version

_MODULES = frozenset(
    {
        "checks",
        "corps",
        "disclosure",
        "errors",
        "identifiers",
        "instruments",
        "intake",
        "language",
        "multilevel",
        "publish",
        "result",
        "scales",
        "singlecase",
        "study",
    }
)
_NAMES = {
    "Estimates": "htresearch.result",
    "HTResearchError": "htresearch.errors",
    "figure": "htresearch.appearance",
    "fit_multilevel": "htresearch.multilevel",
    "load_fit": "htresearch.multilevel",
    "load_instrument": "htresearch.instruments",
    "minimum_detectable_effect": "htresearch.multilevel",
    "open_study": "htresearch.study",
    "read_responses": "htresearch.intake",
    "score": "htresearch.scales",
    "simulate": "htresearch.study.simulate",
    "table": "htresearch.appearance",
    "theme": "htresearch.appearance",
}

__all__ = sorted(_MODULES | set(_NAMES))


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        value = globals()[name] = getattr(import_module(_NAMES[name]), name)
        return value
    if name == "__version__":
        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
