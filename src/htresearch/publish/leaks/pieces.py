"""What a file says, piece by piece: everything in it that somebody could read or dig out."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.language import Text
from htresearch.publish.leaks import images

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: How deep files within files are opened, and how much of them.
_DEEPEST, _LARGEST = 4, 300_000_000

#: The tag of a cell whose small counts count no persons, as a person has made sure of.
NO_PERSONS = "no-persons"


@dataclass(frozen=True)
class Piece:
    """Something that a file says.

    Attributes
    ----------
    where
        Where in the file, in words that quote nothing of it.
    text
        What it says; ``None`` where it cannot be read.
    table
        How it would write a table: ``"html"``, ``"csv"``, ``"markdown"``, ``"latex"``, ``"text"``; ``"words"`` for
        sentences alone; none for what holds no counts or only checked ones.
    """

    where: Text
    text: str | None
    table: str = ""


_NOWHERE = Text("", "")
_FONTS = (b"wOFF", b"wOF2", b"OTTO", b"\x00\x01\x00\x00\x00", b"true")


def of_file(name: str, content: bytes, depth: int = 0) -> Iterator[Piece]:
    """Give the pieces of a file, told by what it begins with and then by its ending."""
    ending = name.rpartition(".")[2].lower()
    if depth > _DEEPEST or len(content) > _LARGEST:
        yield Piece(_NOWHERE, None)
    elif images.is_image(content):
        yield from (Piece(Text("图片的元数据", "the image's metadata"), said) for said in images.said(content))
    elif content[:1024].lstrip()[:5] == b"%PDF-":
        yield from _of_pdf(content, depth)
    elif content.startswith(b"PK\x03\x04") or zipfile.is_zipfile(io.BytesIO(content)):
        yield from _of_package(content, depth)
    elif content.startswith(_FONTS):
        return
    else:
        yield from _of_text(ending, content, depth)


def _of_text(ending: str, content: bytes, depth: int) -> Iterator[Piece]:
    for coding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "gb18030"):
        try:
            text = content.decode(coding)
            break
        except UnicodeDecodeError:
            continue
    else:
        yield Piece(_NOWHERE, None)
        return
    if text.count("\0") > len(text) / 100:
        yield Piece(_NOWHERE, None)
    elif ending == "ipynb":
        import nbformat  # it takes seconds, and most files are no notebooks

        try:
            yield from of_notebook(nbformat.reads(text, as_version=4), depth)
        except Exception:  # noqa: BLE001 - whatever nbformat stumbles over, what cannot be read cannot go out
            yield Piece(_NOWHERE, None)
    elif ending in ("html", "htm", "xhtml", "svg", "xml", "rels") or text.lstrip()[:5].lower() in (
        "<!doc",
        "<html",
        "<svg",
    ):
        yield from of_html(text, "html" if ending in ("html", "htm", "xhtml") else "", depth)
    elif ending in ("csv", "tsv"):
        yield Piece(_NOWHERE, text, "csv")
    elif ending in ("md", "txt", "rst", "log"):
        yield Piece(_NOWHERE, text, "text")
    else:
        yield from _loose(text, "", depth)


# --- notebooks ------------------------------------------------------------------------------------------------------


def of_notebook(notebook: NotebookNode, depth: int = 0) -> Iterator[Piece]:
    """Give the pieces of a notebook: narrative, code, attachments, outputs, and all metadata."""
    from htresearch.publish import cells

    about = {key: value for key, value in notebook.items() if key != "cells"}
    yield Piece(Text("笔记本的元数据", "the notebook's metadata"), _strings(about))
    code = {id(cell): number for number, cell in cells.numbered(notebook)}
    for number, cell in enumerate(notebook.cells, 1):
        where = Text(f"第 {number} 个单元格", f"cell {number}")
        if id(cell) in code:
            where = Text(f"{where.zh}（代码 [{code[id(cell)]}]）", f"{where.en} (code [{code[id(cell)]}])")
        uncounted = NO_PERSONS in cells.tags(cell)
        for piece in _of_cell(cell, where, depth):
            yield replace(piece, table="") if uncounted else piece


def _of_cell(cell: NotebookNode, where: Text, depth: int) -> Iterator[Piece]:
    is_code = cell.cell_type == "code"
    source = _then(where, "代码" if is_code else "文字", "source" if is_code else "text")
    yield from _placed(source, _loose(cell.source, "" if is_code else "markdown", depth))
    rest = {k: v for k, v in cell.items() if k not in ("source", "outputs", "attachments", "cell_type")}
    yield Piece(_then(where, "元数据", "metadata"), _strings(rest))
    for name, bundle in (cell.get("attachments") or {}).items():
        place = _then(where, "附件", "attachment")
        yield Piece(place, name)
        for kind, data in bundle.items():
            yield from _placed(place, _of_data(kind, data, depth))
    for number, output in enumerate(cell.get("outputs", []), 1):
        place = _then(where, f"第 {number} 个输出", f"output {number}")
        yield from _of_output(output, place, depth)


def _of_output(output: NotebookNode, where: Text, depth: int) -> Iterator[Piece]:
    metadata = output.get("metadata", {})
    yield Piece(_then(where, "替代文字与元数据", "alt text and metadata"), _strings(metadata), "words")
    if output.output_type == "stream":
        kind = Text("打印的文字", "printed text") if output.name == "stdout" else Text("错误流", "the error stream")
        yield Piece(_then(where, kind.zh, kind.en), _bare(output.text), "text")
    elif output.output_type == "error":
        said = _strings([output.get("ename"), output.get("evalue"), output.get("traceback")])
        yield Piece(_then(where, "错误", "error"), _bare(said))
    data = output.get("data", {})
    for kind, content in data.items():
        checked = "disclosure" in metadata and _is_sealed(data, metadata)
        for piece in _placed(_then(where, kind, kind), _of_data(kind, content, depth)):
            # The plain text beside a table in HTML is the same table.
            same = kind == "text/plain" and "text/html" in data
            yield replace(piece, table="") if checked or same else piece


def _is_sealed(data: dict, metadata: dict) -> bool:
    """Tell whether ``htresearch.disclosure`` has let pass what is shown; metadata that only say so are not enough."""
    from htresearch.disclosure.seals import is_sealed

    return is_sealed(data, metadata)


def _of_data(kind: str, content: object, depth: int) -> Iterator[Piece]:
    """Give the pieces of one form of an output or an attachment."""
    if not isinstance(content, str):
        yield Piece(_NOWHERE, _strings(content))
        yield Piece(_NOWHERE, json.dumps(content, ensure_ascii=False, default=str), "words")
    elif kind == "text/html":
        yield from of_html(content, "html", depth)
    elif kind == "image/svg+xml" or kind.endswith("xml"):
        yield from of_html(content, "words", depth)
    elif kind.startswith(("text/", "application/json")) or kind.endswith("+json") or kind == "application/javascript":
        tables = {"text/markdown": "markdown", "text/plain": "text", "text/csv": "csv", "text/latex": "latex"}
        table = tables.get(kind, "")
        yield from _loose(_bare(content), table, depth)
    elif _BASE64.fullmatch(content):
        try:
            yield from of_file("", base64.b64decode(content), depth + 1)
        except binascii.Error:
            yield Piece(_NOWHERE, content)
    else:  # no file, but words
        yield from _loose(_bare(content), "", depth)


def _strings(thing: object) -> str:
    """Return every key and value of something nested, each apart: no number is broken from one to the next."""
    if isinstance(thing, dict):
        return "\n\n".join(_strings(part) for pair in thing.items() for part in pair)
    if isinstance(thing, list | tuple):
        return "\n\n".join(map(_strings, thing))
    return "" if thing is None else str(thing)


def _bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _then(where: Text, zh: str, en: str) -> Text:
    return Text(f"{where.zh}，{zh}", f"{where.en}, {en}") if where.zh else Text(zh, en)


def _placed(where: Text, pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield replace(piece, where=_then(where, piece.where.zh, piece.where.en) if piece.where.zh else where)


# --- text with files in it ------------------------------------------------------------------------------------------

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
_PACKED = re.compile(r"[A-Za-z0-9+/\n\r]{64,}={0,2}")


def _loose(text: str, table: str, depth: int) -> Iterator[Piece]:
    """Give a text, and the files that stand in it as base64, as images in pages do."""
    packed = []
    for match in _PACKED.finditer(text):
        word = re.sub(r"\s", "", match[0])
        content = _decoded(word)
        if content and (images.is_image(content) or content.startswith((b"%PDF-", b"PK\x03\x04", b"<svg", b"<?xml"))):
            packed.append((match.span(), content))
    if text.lstrip()[:1] in "{[" and not table:
        with suppress(ValueError):
            yield Piece(_NOWHERE, _strings(json.loads(text)))
    for (start, end), content in reversed(packed):
        text = f"{text[:start]} {text[end:]}"
        svg = "x.svg" if content.startswith((b"<svg", b"<?xml")) else ""
        yield from of_file(svg, content, depth + 1)
    yield Piece(_NOWHERE, text, table)


def _decoded(word: str) -> bytes | None:
    if len(word) % 4 == 1:  # no base64 has this length: a letter of what stands behind it was taken along
        word = word[:-1]
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4))
    except binascii.Error:
        return None


# --- pages ----------------------------------------------------------------------------------------------------------

_BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "figcaption",
        ),
        *(
            "figure",
            "footer",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
            "option",
        ),
        *("p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul"),
        *("text", "desc", "metadata"),  # of SVG
        *("w:p", "w:tc", "w:tab", "w:br", "a:p", "si", "c", "v", "row", "text:p", "text:h"),  # of office files
        *("dc:title", "dc:creator", "dc:description", "cp:keywords", "cp:lastmodifiedby"),
    )
)


def of_html(html: str, table: str, depth: int = 0) -> Iterator[Piece]:
    """Give what a page shows, and what stands in its attributes, comments, styles and scripts."""
    reader = _Page()
    reader.feed(html)
    reader.close()
    shown = "".join(reader.shown)
    without = "words" if table else ""
    yield from _loose(shown, "text" if table == "html" and not reader.tables else without, depth)
    if reader.tables and table == "html":
        yield Piece(Text("表格", "a table"), "", "html:" + html)
    yield from _placed(Text("标签与属性", "tags and attributes"), _loose("\n\n".join(reader.hidden), "", depth))


class _Page(HTMLParser):
    """Reads a page apart: what is shown, and what is not."""

    def __init__(self):
        super().__init__()
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self.tables = False
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += [value for _, value in attrs if value]
        self.hidden += [name for name, _ in attrs if not name.isascii() or re.search("[0-9]{4}", name)]
        self.tables |= tag == "table"
        if tag in ("script", "style"):
            self._silent += 1
        if tag in _BLOCKS:
            self.shown.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        if tag in _BLOCKS:
            self.shown.append("\n")

    def handle_data(self, data: str) -> None:
        (self.hidden if self._silent else self.shown).append(data)

    def handle_comment(self, data: str) -> None:
        self.hidden.append(data)

    def handle_decl(self, decl: str) -> None:
        self.hidden.append(decl)

    unknown_decl = handle_pi = handle_decl


# --- packages and PDF -----------------------------------------------------------------------------------------------


def _of_package(content: bytes, depth: int) -> Iterator[Piece]:
    """Give the pieces of what is packed: Word and Excel files are packages too."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            yield Piece(Text("包内的说明", "the package's comment"), package.comment.decode("utf-8", "replace"))
            if sum(member.file_size for member in package.infolist()) > _LARGEST:
                yield Piece(_NOWHERE, None)
                return
            for member in package.infolist():
                yield Piece(Text("包内文件名", "a file name in the package"), member.filename)
                if not member.is_dir():
                    inside = Text("包内文件", "a file in the package")
                    yield from _placed(inside, of_file(member.filename, package.read(member), depth + 1))
            if any(member.filename.startswith("xl/worksheets/") for member in package.infolist()):
                yield from _of_sheets(content)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):  # broken, locked, packed otherwise
        yield Piece(_NOWHERE, None)


def _of_sheets(content: bytes) -> Iterator[Piece]:
    """Give each sheet of a workbook as a table of its cells."""
    from htresearch.errors import HTResearchError
    from htresearch.intake import open_table

    with tempfile.TemporaryDirectory(prefix="htresearch-") as folder:
        book = Path(folder) / "book.xlsx"
        book.write_bytes(content)
        try:
            sheets = open_table(book).sheets
        except HTResearchError:
            yield Piece(_NOWHERE, None)
            return
    for number, sheet in enumerate(sheets, 1):
        table = io.StringIO()
        csv.writer(table).writerows([["" if cell is None else cell for cell in row] for row in sheet.rows])
        yield Piece(Text(f"第 {number} 张工作表", f"sheet {number}"), table.getvalue(), "csv")


def _of_pdf(content: bytes, depth: int) -> Iterator[Piece]:
    """Give the text of a PDF's pages, and every string and embedded file of it."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        for number, page in enumerate(reader.pages, 1):
            yield Piece(Text(f"第 {number} 页", f"page {number}"), page.extract_text(), "text")
        for number in {*(n for table in reader.xref.values() for n in table), *reader.xref_objStm}:
            yield from _of_object(reader.get_object(number), depth)
        yield Piece(Text("PDF 的信息", "the PDF's information"), _strings(_plain_strings(reader.trailer)))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        yield Piece(_NOWHERE, None)


def _of_object(thing: object, depth: int) -> Iterator[Piece]:
    where = Text("PDF 的信息、书签、替代文字或附件", "the PDF's information, outline, alt text or attachments")
    if said := _plain_strings(thing):
        yield Piece(where, _strings(said))
    kind = thing.get("/Type") if hasattr(thing, "get") else None
    if kind in ("/EmbeddedFile", "/Metadata") and hasattr(thing, "get_data"):
        name = "x.xml" if kind == "/Metadata" else "x.txt"
        yield from _placed(where, of_file(name, bytes(thing.get_data()), depth + 1))


def _plain_strings(thing: object, depth: int = 0) -> list[str]:
    """Return the strings of one object of a PDF; what it refers to is an object of its own."""
    if isinstance(thing, dict) and depth < 20:
        return [said for part in thing.values() for said in _plain_strings(part, depth + 1)]
    if isinstance(thing, list) and depth < 20:
        return [said for part in thing for said in _plain_strings(part, depth + 1)]
    if isinstance(thing, bytes):
        return [thing.decode("utf-8", "replace")]
    if not isinstance(thing, str):
        return []
    from pypdf.generic import NameObject

    return [] if isinstance(thing, NameObject) else [str(thing)]
