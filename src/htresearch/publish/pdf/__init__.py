"""Pages for print: Typst, one font, no clock; the same content gives the same bytes."""

from htresearch.publish.pdf.compile import compile_pdf
from htresearch.publish.pdf.glyphs import missing_glyphs, printable

__all__ = ["compile_pdf", "missing_glyphs", "printable"]
