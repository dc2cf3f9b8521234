"""The report for print: two pages of A4."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.resources import files

from htresearch.language import Text
from htresearch.publish.class_report.contents import Report
from htresearch.publish.pdf import compile_pdf, missing_glyphs, printable
from htresearch.publish.pdf.glyphs import GETA


def to_pdf(report: Report) -> bytes:
    """Return the report as a PDF. What a teacher wrote with characters that the font lacks is said to be replaced."""
    data = {name: value for name, value in asdict(report).items() if name != "picture"}
    data["picture"] = report.picture.alt if report.picture else None
    lacking = missing_glyphs(data)
    if lacking:
        data = printable(data)
        said = Text(
            f"有 {len(lacking)} 个字符印不出来，用“{GETA}”代替。",
            f"{len(lacking)} character{'' if len(lacking) == 1 else 's'} cannot be printed; {GETA} stands for them.",
        )
        data["records_note"] = f"{data['records_note']}{getattr(said, report.language)}"
    pictures = {"picture.png": report.picture.png} if report.picture else {}
    return compile_pdf(_template(), data, pictures)


@cache
def _template() -> str:
    return files("htresearch.publish").joinpath("class_report/report.typ").read_text(encoding="utf-8")
