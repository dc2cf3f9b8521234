"""The group of commands that write reports."""

from htresearch.cli.class_study import class_report
from htresearch.cli.commands import CommandGroup
from htresearch.cli.corps import archive_report, school_report
from htresearch.language import Text

report = CommandGroup("report", Text("写报告。", "Write reports."), (class_report, archive_report, school_report))
