"""Pictures: their pixels leave, what is written beside them does not."""

import struct
import zlib

import pytest

from nightbench.observability.privacy.attachment import attachment

SECRET = b"password=hunter2"


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


PNG = b"\x89PNG\r\n\x1a\n"
HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
PIXELS = chunk(b"IDAT", zlib.compress(b"\x00\x7f"))
END = chunk(b"IEND")

JFIF = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
ADOBE = segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01")
FRAME = segment(0xDB, bytes(65)) + segment(0xC2, bytes(9)) + segment(0xC4, bytes(20))
SCAN = segment(0xDA, bytes(8)) + b"\x12\xff\x00\x34\xff\xd0\x56"
LAST = b"\xff\xd9"


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"prVt", b"tIME"])
def test_a_png_has_no_texts(kind):
    given = PNG + HEAD + chunk(kind, SECRET) + PIXELS + chunk(kind, SECRET) + END + SECRET
    assert attachment(given, "image/png") == (PNG + HEAD + PIXELS + END, "image/png")


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xFE, 0xF7])
def test_a_jpeg_has_no_exif_and_no_comments(marker):
    hidden = segment(marker, SECRET)
    between = SCAN + b"\xff" + hidden + segment(0xC4, bytes(20)) + SCAN
    given = b"\xff\xd8" + JFIF + hidden + ADOBE + FRAME + between + LAST + SECRET
    drawn = b"\xff\xd8" + JFIF + ADOBE + FRAME + SCAN + segment(0xC4, bytes(20)) + SCAN + LAST
    assert attachment(given, "image/jpeg; q=1") == (drawn, "image/jpeg")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG + HEAD + PIXELS, "image/png"),
        (PNG + HEAD + PIXELS + END[:-1], "image/png"),
        (PNG + bytes(20) + b"tEXt" + SECRET, "image/png"),
        (PNG, "image/png"),
        (b"\xff\xd8" + FRAME + SCAN, "image/jpeg"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\xff\xd8" + SECRET + LAST, "image/jpeg"),
        (b"\xff\xd8\xff\xe1\x00\x00", "image/jpeg"),
        (b"GIF89a\xff" + SECRET, "image/gif"),
        (b"RIFF\xff\x00\x00\x00WEBP" + SECRET, "image/webp"),
        (b"\xff" + SECRET, "image/png"),
    ],
)
def test_what_cannot_be_read_to_its_end_is_a_note(content, kind):
    told, as_kind = attachment(content, kind)
    assert told.startswith(b"*** (")
    assert as_kind == "text/plain"
