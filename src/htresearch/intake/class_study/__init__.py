"""A head teacher's own study of one class: a workbook to fill in, and what was filled in."""

from htresearch.intake.class_study.study import Change, ClassStudy, Plan

__all__ = ["Change", "ClassStudy", "Plan"]
