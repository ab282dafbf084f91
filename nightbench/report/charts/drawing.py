"""A chart's spec as a picture: PNG for mail, SVG for pages; no browser, no network, no fonts of the machine.

vl-convert is a JavaScript engine in a library: what it does to a process (90 MB that stay, threads, and its end when
memory runs out) is done to a child of a second's life, and one that hangs is killed.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from nightbench.errors import NightbenchError
from nightbench.scrub import one_line

PATIENCE_SECONDS = 30.0
"""It takes one; more than that it may on a machine that is busy."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class UndrawnError(NightbenchError):
    """A chart that could not be drawn."""


def png(spec: Mapping[str, Any], *, patience: float = PATIENCE_SECONDS) -> bytes:
    """The chart in two pixels a point, on a ground of its own, so that it is readable in dark mail too.

    Args:
        spec: Vega-Lite, with its data.
        patience: Seconds that it may take.

    Raises:
        UndrawnError: when it is no chart, or took too long.
    """
    return packed(_drawn(spec, "png", patience))


def svg(spec: Mapping[str, Any], *, patience: float = PATIENCE_SECONDS) -> str:
    """The chart as SVG; the same spec gives the same text.

    Raises:
        UndrawnError: as `png`.
    """
    return _drawn(spec, "svg", patience).decode()


def svgs(specs: Iterable[Mapping[str, Any]], *, patience: float = PATIENCE_SECONDS) -> tuple[str | None, ...]:
    """Several charts as `svg` draws each, in one child, which costs as much as eight charts; None for what is no chart.

    Args:
        specs: As of `png`; those of an iterator are made while the child starts.
        patience: Seconds that all of them together may take.

    Raises:
        UndrawnError: when that was not enough, or the child ended.
    """
    drawn: list[str | None] = json.loads(_drawn(specs, "svgs", patience))
    return tuple(drawn)


def packed(image: bytes) -> bytes:
    """A PNG as small as zlib makes it: vl-convert's own are compressed for speed, and six times as large.

    Raises:
        UndrawnError: when it is no PNG.
    """
    if not image.startswith(_SIGNATURE):
        raise UndrawnError("what was drawn is no PNG")
    head, pixels, place = bytearray(_SIGNATURE), bytearray(), len(_SIGNATURE)
    try:
        while place < len(image):
            (size,) = struct.unpack_from(">I", image, place)
            kind, end = image[place + 4 : place + 8], place + 12 + size
            if kind == b"IDAT":
                pixels += image[place + 8 : end - 4]
            elif kind != b"IEND":
                head += image[place:end]
            place = end
        data = zlib.compress(zlib.decompress(pixels), 9)
    except (struct.error, zlib.error):
        raise UndrawnError("what was drawn is a torn PNG") from None
    return bytes(head + _chunk(b"IDAT", data) + _chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _drawn(spec: Mapping[str, Any] | Iterable[Mapping[str, Any]], medium: str, patience: float) -> bytes:
    try:
        with subprocess.Popen(  # noqa: S603  # our own module, its input is data
            [sys.executable, "-m", "nightbench.report.charts", medium],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            try:
                whole = spec if isinstance(spec, Mapping) else list(spec)
                data = json.dumps(whole, allow_nan=False).encode()
                drawn, said = child.communicate(data, timeout=patience)
            except BaseException:
                child.kill()
                raise
    except subprocess.TimeoutExpired:
        raise UndrawnError(f"a chart was not drawn within {patience:g} s") from None
    except (OSError, ValueError, TypeError) as error:
        raise UndrawnError(f"a chart could not be drawn: {type(error).__name__}") from error
    if child.returncode or not drawn:
        raise UndrawnError(f"a chart could not be drawn: {_why(child.returncode, said)}")
    return drawn


def _why(code: int, last_words: bytes) -> str:
    """The error that a child died of, without the stack below it."""
    _, found, rest = last_words.decode(errors="replace").rpartition("Error: ")
    said = one_line(rest.partition("\n")[0])[:200]
    return said if found and said else f"it ended with {code}"
