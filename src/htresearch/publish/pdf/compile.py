"""From a Typst template and data to the bytes of a PDF."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text, listing
from htresearch.publish.pdf.glyphs import code_font, font_folder, missing_glyphs

if TYPE_CHECKING:
    import typst


def compile_pdf(template: str, data: Mapping[str, object], pictures: Mapping[str, bytes] | None = None) -> bytes:
    """Set data with a template as an accessible PDF (PDF/UA-1), in Noto Sans SC, code in DejaVu Sans Mono.

    Nothing is read from the machine or from the network: neither its fonts, nor its clock, nor packages. The same
    arguments give the same bytes.

    Parameters
    ----------
    template
        Typst source. It may ``#import "style.typ": *`` and reads its data by ``json("data.json")``. All words come
        from the data, so that every character is checked.
    data
        What can be written as JSON.
    pictures
        Images by the file names under which the template asks for them.

    Returns
    -------
    bytes

    Raises
    ------
    ArgumentError
        If the data hold a character that the font lacks, or the template cannot be compiled with them.

    Examples
    --------
    >>> template = '#import "style.typ": *\\n#show: page_style.with(json("data.json"))\\n= #json("data.json").title'
    >>> compile_pdf(template, {"title": "班级研究", "language": "zh"})[:5]
    b'%PDF-'
    """
    import typst

    checks.require(_unprintable(data))
    content = {
        "main.typ": template.encode(),
        "style.typ": _style(),
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
        **(pictures or {}),
    }
    with tempfile.TemporaryDirectory(prefix="htresearch-", ignore_cleanup_errors=True) as folder:
        for name, written in content.items():  # Typst takes text from memory, but no pictures
            (Path(folder) / name).write_bytes(written)
        try:
            return typst.compile(
                Path(folder) / "main.typ", root=folder, font_paths=_fonts(), format="pdf", pdf_standards=["ua-1"]
            )
        except typst.TypstError as error:
            raise ArgumentError(_unset(error)) from error


def _unset(error: Exception) -> Fault:
    return Fault(
        checks.argument("template"),
        Text("Typst 无法排版：{why}", "Typst cannot set it: {why}").format(why=str(error).rstrip(".")),
        Text("请检查模板和数据是否相配", "Check that template and data belong together"),
    )


def _unprintable(data: Mapping[str, object]) -> Fault | None:
    lacking = missing_glyphs(data)
    if not lacking:
        return None
    shown = listing([f"{mark} (U+{ord(mark):04X})" for mark in lacking[:10]])
    return Fault(
        checks.argument("data"),
        Text("字体中没有这些字符：{all}", "the font lacks these characters: {all}").format(all=shown),
        Text("请改用别的写法", "Write it with other characters"),
    )


@cache
def _fonts() -> typst.Fonts:
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_folder(), code_font()]
    )


@cache
def _style() -> bytes:
    return files("htresearch.publish").joinpath("pdf/style.typ").read_bytes()
