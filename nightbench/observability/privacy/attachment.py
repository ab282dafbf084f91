"""Attachments: texts scrubbed, pictures with their pixels alone, anything else not at all."""

from __future__ import annotations

import json
from typing import Any

from nightbench.observability.privacy.picture import picture
from nightbench.scrub import REDACTED, scrub, scrub_tree

MOST_BYTES = 1_000_000
"""A larger text is left out: no one reads it, and to scrub it takes time that the backend needs."""


def attachment(content: bytes, content_type: str) -> tuple[bytes, str]:
    """What may be sent of an attachment's content, and as which content type."""
    kind = content_type.partition(";")[0].strip().lower()
    text = _as_text(content)
    if text is None and kind in ("image/png", "image/jpeg", "image/jpg"):
        drawn = picture(content)
        return _note(f"{len(content)} bytes that are no whole picture") if drawn is None else (drawn, kind)
    if len(content) > MOST_BYTES:
        return _note(f"{len(content)} bytes, too large to be scrubbed")
    if text is None:
        return _note(f"{len(content)} bytes that are no text")
    return _text(text).encode("utf-8", "replace"), kind if _is_text(kind) else "text/plain"


def _as_text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _text(text: str) -> str:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(scrub_tree(json.loads(text)), ensure_ascii=False)
        except ValueError:
            pass
    return scrub(text)


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in ("application/json", "image/svg+xml", "application/xml")


def _note(why: str) -> tuple[bytes, str]:
    return f"{REDACTED} ({why})".encode(), "text/plain"


def filename(name: Any) -> str:
    """The scrubbed name of an attached file, without the folders it came from."""
    plain = str(name).replace("\\", "/").rpartition("/")[2]
    return scrub(plain[:200]) or "attachment"
