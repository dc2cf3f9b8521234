"""Secrets of every kind, all invented, and every place in which one may stand."""

import base64
import io
import struct
import zipfile
import zlib

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from htresearch.publish import compile_pdf

NAMES = ["顾晓岚", "阿依古丽·买买提"]
IDS = ["T-2041", "stu0099", "PX-77-18"]

#: What is planted by its kind, pieced together so that this file holds no path itself.
SECRETS = {
    "name": "顾晓岚",
    "name, spaced": "顾 晓　岚",
    "name, dotted": "阿依古丽",
    "pseudonym": "t_0f3a9c27d1b84e65a1c2",
    "pseudonym, pupil": "s_91be02c4d7f6a8305512",
    "study_id": "stu0099",
    "study_id, dashed": "PX-77-18",
    "study_id, simulated": "P00012345",
    "phone": "13912345678",
    "phone, grouped": "139-1234-5678",
    "id_card": "11010519491231002X",
    "student_number": "G11010519491231002X",
    "email": "guxl@school.example.cn",
    "ip": "10.23.145.67",
    "wechat": "微信号：lan_8812",
    "path": "C:" + "\\Users\\guxl\\成绩.xlsx",
    "path, home": "/" + "home/guxl/scores.csv",
    "path, drive": "D:" + "/班主任/成绩.xlsx",
}

PIXEL = (
    b"\x89PNG\r\n\x1a\n",
    b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(b"\0\0")),
        )
    ),
)


def png(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    extra = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return PIXEL[0] + PIXEL[1] + extra + end + behind


def said(secret: str, name: str = "Comment") -> bytes:
    return png((b"tEXt", name.encode() + b"\0" + secret.encode()))


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def shown(data: dict, metadata: dict | None = None) -> nbformat.NotebookNode:
    return code(new_output("display_data", data=data, metadata=metadata or {}))


def code(*outputs, source: str = "show()", **metadata) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def picture(content: bytes, kind: str = "image/png", alt: str = "x") -> nbformat.NotebookNode:
    return shown({kind: coded(content)}, {kind: {"alt": alt}})


def attached(name: str, content: bytes) -> dict:
    return {name: {"image/png": coded(content)}}


def within(secret: str) -> str:
    return "data:image/svg+xml;base64," + coded(f"<svg><desc>{secret}</desc></svg>".encode())


def jpeg(comment: str) -> bytes:
    data = comment.encode("utf-16-le")
    return b"\xff\xd8\xff\xfe" + struct.pack(">H", 2 + len(data)) + data + b"\xff\xd9"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if ord(c) > 127 else c for c in text.replace("\\", "\\\\"))


#: A cell that holds a secret, by where in it.
CELLS = {
    "narrative": lambda s: new_markdown_cell(f"## 结果\n\n这一班的 {s} 最好。"),
    "narrative between Chinese": lambda s: new_markdown_cell(f"请找{s}的家长"),
    "link": lambda s: new_markdown_cell(f"[名单](名单.html?who={s})"),
    "raw cell": lambda s: nbformat.v4.new_raw_cell(s),
    "code": lambda s: code(source=f"who = {s!r}\nprint(who)"),
    "comment": lambda s: code(source=f"# {s}\n1 + 1"),
    "escaped in code": lambda s: code(source=f'who = "{escaped(s)}"'),
    "standard output": lambda s: code(new_output("stream", name="stdout", text=f"得分\n{s} 5.5\n")),
    "coloured output": lambda s: code(new_output("stream", name="stdout", text=f"\x1b[31m{s}\x1b[0m\n")),
    "error stream": lambda s: code(new_output("stream", name="stderr", text=f"Warning: {s}: line 3\n")),
    "error": lambda s: code(new_output("error", ename="KeyError", evalue=s, traceback=["", f"KeyError: {s}"])),
    "text": lambda s: code(new_output("execute_result", data={"text/plain": f"  who  x\n {s}  1.5"})),
    "table": lambda s: shown({"text/html": f"<table><tr><td>{s}</td><td>1.5</td></tr></table>"}),
    "split by tags": lambda s: shown({"text/html": f"<p><i>{s[:1]}</i>{s[1:3]}<b>{s[3:]}</b></p>"}),
    "attribute": lambda s: shown({"text/html": f'<table><tr><td title="{s}">1.5</td></tr></table>'}),
    "comment in HTML": lambda s: shown({"text/html": f"<p>1.5</p><!-- {s} -->"}),
    "style": lambda s: shown({"text/html": f"<style>/* {s} */</style><p>1.5</p>"}),
    "SVG": lambda s: shown({"image/svg+xml": f"<svg><title>{s}</title><text>x</text></svg>"}),
    "SVG in HTML": lambda s: shown({"text/html": f'<img alt="x" src="{within(s)}">'}),
    "JSON": lambda s: shown({"application/json": {"rows": [{"who": s}]}}),
    "Vega": lambda s: shown({"application/vnd.vegalite.v5+json": {"data": {"values": [{s: 1}]}}}),
    "LaTeX": lambda s: shown({"text/latex": f"\\begin{{tabular}}{{l}} {s} \\end{{tabular}}"}),
    "Markdown output": lambda s: shown({"text/markdown": f"**{s}**"}),
    "alt text": lambda s: picture(png(), alt=f"点图：{s} 在右上角"),
    "image": lambda s: picture(said(s)),
    "packed in an image": lambda s: picture(png((b"iTXt", b"XML\0\1\0\0\0" + zlib.compress(s.encode())))),
    "behind an image": lambda s: picture(png(behind=s.encode())),
    "JPEG": lambda s: picture(jpeg(s), "image/jpeg"),
    "cell's metadata": lambda s: code(owner=s),
    "cell's tag": lambda s: new_markdown_cell("x", metadata={"tags": ["zh", s]}),
    "attachment": lambda s: new_markdown_cell("![图](attachment:a.png)", attachments=attached("a.png", said(s))),
    "attachment's name": lambda s: new_markdown_cell("x", attachments=attached(f"{s}.png", png())),
}  # fmt: skip


def notebook(*cells, **metadata) -> nbformat.NotebookNode:
    return new_notebook(cells=[new_markdown_cell("# 题目"), *cells], metadata=metadata)


def package(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in files.items():
            whole.writestr(name.replace("_", "/") + ".xml", content)
    return buffer.getvalue()


def pdf(text: str = "x", title: str = "x") -> bytes:
    template = '#import "style.typ": *\n#show: page_style.with(json("data.json"))\n#json("data.json").text'
    return compile_pdf(template, {"title": title, "language": "zh", "text": text})


#: A file that holds a secret, by where in it.
FILES = {
    "page.html": lambda s: f"<html><body><p>{s}</p></body></html>".encode(),
    "title.html": lambda s: f"<!doctype html><title>{s}</title>".encode(),
    "image.html": lambda s: f'<p><img alt="x" src="data:image/png;base64,{coded(said(s))}"></p>'.encode(),
    "link.html": lambda s: f'<p><a href="a.html#{s}">x</a></p>'.encode(),
    "table.csv": lambda s: f"who,x\n{s},1.5\n".encode("utf-8-sig"),
    "gbk.csv": lambda s: f"姓名,分数\n{s},1.5\n".encode("gb18030"),
    "notes.md": lambda s: f"# x\n\n{s}\n".encode(),
    "data.json": lambda s: f'{{"who": "{escaped(s)}"}}'.encode(),
    "figure.png": lambda s: said(s, "Author"),
    "figure.svg": lambda s: f"<svg><text><tspan>{s}</tspan></text></svg>".encode(),
    "report.docx": lambda s: package(word_document=f"<w:p><w:t>{s[:2]}</w:t><w:t>{s[2:]}</w:t></w:p>"),
    "about.docx": lambda s: package(docProps_core=f"<x><dc:creator>{s}</dc:creator></x>"),
    "nested.ipynb": lambda s: nbformat.writes(notebook(new_markdown_cell(s))).encode(),
}  # fmt: skip
