"""What image files say beside their picture: text chunks, EXIF, comments, and what hangs on behind their end."""

import re
import struct
import zlib
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
#: Chunks of a PNG that hold numbers and pixels only.
_PIXELS = frozenset(
    (
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"bKGD", b"sBIT", b"hIST"),
        *(b"tIME", b"acTL", b"fcTL", b"fdAT", b"cICP"),
    )
)
_MOST = 1_000_000  # of a packed text: more is no text


def is_image(content: bytes) -> bool:
    """Tell an image by how it begins."""
    return content.startswith((_PNG, b"\xff\xd8\xff", b"GIF8")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def said(content: bytes) -> Iterator[str]:
    """Give the texts in an image file."""
    if content.startswith(_PNG):
        parts = _of_png(content)
    elif content.startswith(b"\xff\xd8\xff"):
        parts = _of_jpeg(content)
    elif content.startswith(b"GIF8"):
        parts = iter([content])
    else:
        parts = _of_webp(content)
    for part in parts:
        yield from _decoded(part)


def _of_png(content: bytes) -> Iterator[bytes]:
    position = len(_PNG)
    while position + 12 <= len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        kind, data = content[position + 4 : position + 8], content[position + 8 : position + 8 + length]
        position += 12 + length
        if kind not in _PIXELS:
            yield data
            # zTXt and iCCP pack what follows a name and two zero bytes; iTXt may pack its last part.
            for start in {m.start() for m in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)}:
                yield _unpacked(data[start:])
        if kind == b"IEND":
            break
    yield content[position:]


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST)
    except zlib.error:
        return b""


def _of_jpeg(content: bytes) -> Iterator[bytes]:
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        kind, (length,) = content[position + 1], struct.unpack(">H", content[position + 2 : position + 4])
        if kind == 0xFE or 0xE1 <= kind <= 0xEF:
            yield content[position + 4 : position + 2 + length]
        if kind == 0xDA:  # the picture, up to its end
            break
        position += 2 + length
    end = content.rfind(b"\xff\xd9")
    yield content[end + 2 :] if end > 0 else b""


def _of_webp(content: bytes) -> Iterator[bytes]:
    position = 12
    while position + 8 <= len(content):
        kind, (length,) = content[position : position + 4], struct.unpack("<I", content[position + 4 : position + 8])
        if kind not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"):
            yield content[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
    yield content[position:]


def _decoded(part: bytes) -> Iterator[str]:
    """Give bytes as text in the codings in which programs write Chinese."""
    if not part:
        return
    text = part.decode("utf-8", "ignore")
    yield text
    if part.isascii() and b"\0" not in part:
        return
    for coding in ("utf-16-le", "utf-16-be", "gb18030"):
        yield part.decode(coding, "ignore")
    yield part[1:].decode("utf-16-le", "ignore")
