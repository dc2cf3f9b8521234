"""A study: its schema, its store, its validation, its panels, and a simulated one."""

from htresearch.study.open import Study, open_study
from htresearch.study.validate import report, validate

__all__ = ["Study", "open_study", "report", "validate"]
