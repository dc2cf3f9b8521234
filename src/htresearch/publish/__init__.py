"""What readers see: notebooks as a site in both languages, and reports on class studies; never half-written.

Each part loads on first use: who writes reports needs no Jupyter.
"""

from importlib import import_module

_NAMES = {
    "ClassReports": "class_report",
    "Leak": "leaks",
    "Page": "html.page",
    "SchoolReports": "school_report",
    "Secrets": "leaks",
    "TeacherFiles": "teacher_file",
    "Checked": "checking",
    "build_site": "site",
    "check_notebooks": "checking",
    "compile_pdf": "pdf",
    "execute": "runs",
    "page_pdf": "pdf.page",
    "record_sheet": "class_report",
    "refresh": "runs",
    "render": "html.page",
    "report_archives": "teacher_file",
    "report_class": "class_report",
    "report_schools": "school_report",
    "scan": "leaks",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str):
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
