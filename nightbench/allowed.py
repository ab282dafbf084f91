"""The allow-list: which databases a load test may write to beside those that say so themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

PORT = 5432
_LOOKS = "an entry looks like host:5432/database, host/database or /folder/of/socket:5432/database"
_NO_HOST = re.compile(r"^\s|^$|[\[\]]|\s$")


@dataclass(frozen=True)
class Place:
    """A database as libpq addresses it.

    Attributes:
        host: As the DSN gives it, without the brackets of an IPv6 address; of a unix socket its folder.
    """

    host: str
    port: int
    database: str

    @classmethod
    def parse(cls, entry: str) -> Self:
        """Read an entry of the allow-list.

        Raises:
            ValueError: without a piece of the entry, which may hold a password.
        """
        if "://" in entry or "@" in entry:
            msg = f"holds a whole DSN; {_LOOKS}"
            raise ValueError(msg)
        address, slash, database = entry.strip().rpartition("/")
        if not slash or not database or not address:
            msg = f"lacks a host or a database; {_LOOKS}"
            raise ValueError(msg)
        if address.startswith("["):
            host, _, rest = address[1:].partition("]")
            colon, port = rest[:1], rest[1:]
        else:
            host, colon, port = address.partition(":")
        if _NO_HOST.search(host) or (colon and colon != ":") or "?" in entry or "=" in entry:
            msg = f"has no host that can be read; {_LOOKS}"
            raise ValueError(msg)
        return cls(host.lower(), _port(port, colon), database)

    def __str__(self) -> str:
        """As an entry is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}"


def _port(text: str, colon: str) -> int:
    if not colon:
        return PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        msg = f"has a port that is no number up to 65535; {_LOOKS}"
        raise ValueError(msg)
    return int(text)
