"""A head teacher's own study of one class: a workbook to fill in, and what was filled in."""

from htresearch.intake.class_study.form import write_workbook
from htresearch.intake.class_study.history import PlanHistory
from htresearch.intake.class_study.reading import from_frame, read_class_study, read_plan
from htresearch.intake.class_study.study import Change, ClassStudy, Plan
from htresearch.intake.class_study.topics import Topic, topics

__all__ = [
    "Change",
    "ClassStudy",
    "Plan",
    "PlanHistory",
    "Topic",
    "from_frame",
    "read_class_study",
    "read_plan",
    "topics",
    "write_workbook",
]
