"""Reports on class studies: two pages for a head teacher, as page, PDF and Word; the sheet to record on by pen."""

from htresearch.publish.class_report.compose import compose
from htresearch.publish.class_report.contents import Report, Section, Table
from htresearch.publish.class_report.folder import FORMATS, ClassReports, Reported, report_class
from htresearch.publish.class_report.record_sheet import record_sheet

__all__ = [
    "FORMATS",
    "ClassReports",
    "Report",
    "Reported",
    "Section",
    "Table",
    "compose",
    "record_sheet",
    "report_class",
]
