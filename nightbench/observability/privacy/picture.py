"""Pictures without what is written beside them: texts, EXIF with its places, comments, what follows the end."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_OF_A_PNG = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT", b"bKGD"}
)
"""Chunks that the pixels are drawn from; tEXt, zTXt, iTXt, eXIf, tIME, iCCP and private ones are not."""
_LONGEST_SMALL = 1024  # all of them but PLTE and IDAT have a few bytes

_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_TABLES = frozenset({0xDB, 0xC4, 0xDD, *range(0xC0, 0xD0), 0xDA}) - {0xC8, 0xCC}
"""Segments that the pixels are drawn from: tables, frames, scans."""
_JFIF, _ADOBE = (0xE0, b"JFIF\x00", 16), (0xEE, b"Adobe", 14)
"""Of application data, those that say how colours are meant: marker, beginning, length without a thumbnail."""


def picture(content: bytes) -> bytes | None:
    """A PNG or JPEG with its pixels alone; None of anything else, or of one that cannot be read to its end."""
    try:
        if content.startswith(_PNG):
            return _PNG + b"".join(_chunks(content))
        return _JPEG + b"".join(_segments(content)) if content.startswith(_JPEG) else None
    except (ValueError, IndexError, struct.error):
        return None


def _chunks(content: bytes) -> Iterator[bytes]:
    """The chunks of a PNG that draw it (W3C PNG, 5: length, type, data, CRC)."""
    at = len(_PNG)
    while True:
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise ValueError("cut")
        is_small = kind in (b"PLTE", b"IDAT") or length <= _LONGEST_SMALL
        if kind in _OF_A_PNG and is_small and (kind != b"IEND" or length == 0):
            yield content[at:end]
        if kind == b"IEND":
            return
        at = end


def _segments(content: bytes) -> Iterator[bytes]:
    """The segments of a JPEG that draw it (ITU-T T.81, B.1.1: a marker, a length, data; a scan goes on after it)."""
    at = len(_JPEG)
    while True:
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END:
            yield content[at : at + 2]
            return
        length = 0 if marker in _ALONE else struct.unpack_from(">H", content, at + 2)[0]
        end = at + 2 + length
        if end > len(content) or (length < 2 and marker not in _ALONE):
            raise ValueError("cut")
        if marker == _SCAN:
            end = _end_of_scan(content, end)
        if marker in _ALONE | _TABLES or _tells_colours(content, at, length):
            yield content[at:end]
        at = end


def _tells_colours(content: bytes, at: int, length: int) -> bool:
    return any(
        content[at + 1] == marker and length == whole and content.startswith(name, at + 4)
        for marker, name, whole in (_JFIF, _ADOBE)
    )


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands: within a scan 0xFF is followed by zero or is a restart."""
    while True:
        at = content.index(b"\xff", at)
        if content[at + 1] != 0x00 and content[at + 1] not in _ALONE:
            return at
        at += 2
