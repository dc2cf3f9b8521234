"""Instruments as data: questionnaires and observation forms, read from YAML, checked, and written out for use."""

from htresearch.instruments import codebook, labelled, lavaan, paper
from htresearch.instruments.instrument import Choice, Instrument, Item, Question, Scale
from htresearch.instruments.reading import lint, load_instrument

__all__ = [
    "Choice",
    "Instrument",
    "Item",
    "Question",
    "Scale",
    "codebook",
    "labelled",
    "lavaan",
    "lint",
    "load_instrument",
    "paper",
]
