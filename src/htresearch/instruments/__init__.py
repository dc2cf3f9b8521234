"""Instruments as data: questionnaires and observation forms, read from YAML and checked."""

from htresearch.instruments.instrument import Choice, Instrument, Item, Question, Scale
from htresearch.instruments.reading import lint, load_instrument

__all__ = ["Choice", "Instrument", "Item", "Question", "Scale", "lint", "load_instrument"]
