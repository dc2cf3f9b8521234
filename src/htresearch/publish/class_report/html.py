"""The report as one page that stands alone: no script, nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from htresearch.publish.class_report.contents import Report

#: How many records stand below one another before the next column begins.
_TALL = 15


def to_html(report: Report) -> str:
    """Return the report as a whole HTML file."""
    rows = report.records.rows
    return render(
        "report.html",
        report.language,
        report=report,
        picture=b64encode(report.picture.png).decode() if report.picture else "",
        blocks=[rows[start : start + _TALL] for start in range(0, len(rows), _TALL)],
    )


def render(template: str, language: str, **content: object) -> str:
    """Fill a template with what every page has, and content of its own."""
    from markupsafe import Markup

    return (
        _environment()
        .get_template(template)
        .render(
            tag={"zh": "zh-CN", "en": "en"}[language],
            version=version("htresearch"),
            style=Markup(_style()),
            **content,
        )
    )


@cache
def _style() -> str:
    parts: Sequence[str] = ("html/style.css", "class_report/report.css")
    return "\n".join(files("htresearch.publish").joinpath(part).read_text(encoding="utf-8") for part in parts)


@cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("htresearch.publish", "class_report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
