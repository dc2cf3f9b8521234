"""A writer of the old .xls format, as far as tests need it: BIFF8 records in a compound file of one stream."""

import struct
from pathlib import Path

_SECTOR = 512


def write_xls(path: Path, sheets: dict[str, list[list]], merged: dict[str, list[tuple]] | None = None) -> Path:
    """Write text and numbers; `merged` has first row, last row, first column and last column of each range."""
    parts = [_sheet(rows, (merged or {}).get(name, ())) for name, rows in sheets.items()]
    names = [name.encode("utf-16-le") for name in sheets]
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6)) + _record(0x0042, b"\xb0\x04")
    length = len(head) + sum(4 + 8 + len(name) for name in names) + 4
    for part, name in zip(parts, names, strict=True):
        head += _record(0x0085, struct.pack("<IHBB", length, 0, len(name) // 2, 1) + name)
        length += len(part)
    path.write_bytes(_compound(head + _record(0x000A, b"") + b"".join(parts)))
    return path


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _sheet(rows: list[list], merged) -> bytes:
    width = max(map(len, rows))
    made = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6))
    made += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                made += _record(0x0204, struct.pack("<HHHHB", number, column, 0, len(value), 1) + text)
            elif value is not None:
                made += _record(0x0203, struct.pack("<HHHd", number, column, 0, value))
    if merged:
        made += _record(0x00E5, struct.pack("<H", len(merged)) + b"".join(struct.pack("<HHHH", *m) for m in merged))
    return made + _record(0x000A, b"")


def _compound(stream: bytes) -> bytes:
    """Put a stream into a compound file: a sector for its table, one for its directory, then the stream."""
    stream = stream.ljust(8 * _SECTOR, b"\0")  # shorter ones would belong into the mini stream
    count = -(-len(stream) // _SECTOR)
    assert count + 2 <= 128
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + count), 0xFFFFFFFE]
    table = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))
    directory = _entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + _entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        0xFFFFFFFE,
        0,
        0xFFFFFFFE,
        0,
        0,
    )
    header += struct.pack("<108I", *[0xFFFFFFFF] * 108)
    return header + table + directory.ljust(_SECTOR, b"\0") + stream.ljust(count * _SECTOR, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16xI16xIII", text, len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child, 0, start, size, 0
    )
