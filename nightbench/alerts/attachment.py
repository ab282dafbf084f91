"""A file that goes along with an alert, such as a chart."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attachment:
    """A small file.

    Attributes:
        filename: As the reader sees it.
        content_type: Its MIME type.
        content: Its bytes.
    """

    filename: str
    content_type: str
    content: bytes = field(repr=False)
