"""What a slot is for: subjects under one name each, however their addresses are written."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from nightbench.addresses import port_of
from nightbench.database.connection import server_of
from nightbench.plan import Suite
from nightbench.scrub import scrub, stored_address
from nightbench.settings import Settings

Kind = Literal["websocket", "database", "embedded"]

HERE = "127.0.0.1"
"""How a label names this machine."""

_SOCKET_FOLDERS = frozenset({"/var/run/postgresql", "/run/postgresql", "/tmp"})  # noqa: S108  # where PostgreSQL has them
_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 40


@dataclass(frozen=True, order=True)
class SlotKey:
    """A subject that one run at a time may load. Keys have an order, in which several are taken.

    Attributes:
        identity: Tells it from others, on all machines; may hold what is secret in a path.
        kind: Which suite loads it, or that it is what nightbench brings along.
        label: What people are told, such as ``the database db.example.org:5432/app``.
    """

    identity: str = field(repr=False)
    kind: Kind
    label: str

    @property
    def digest(self) -> str:
        """Names its files."""
        return hashlib.sha256(self.identity.encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def shared_name(self) -> str:
        """Names it on a server that several machines share."""
        slug = _SLUG.sub("-", self.label.lower().removeprefix("the "))[:_SLUG_LENGTH].strip("-")
        return f"nightbench-{slug}-{self.digest[:8]}"


def keys_of(
    settings: Settings, suites: Collection[Suite], *, machine: str | None = None
) -> tuple[SlotKey, ...]:
    """The keys of what `suites` load, in the order in which they are taken.

    Names are not looked up: two names of one machine are two subjects, but for those of this one, which
    ``localhost`` and its addresses mean.

    Args:
        settings: What they load.
        suites: Which run.
        machine: The name of this machine; asked for unless given.

    Raises:
        ConfigurationError: when the DSN is none.
    """
    here = (machine or socket.gethostname()).lower().rstrip(".")
    keys = set()
    for suite in suites:
        if suite == "websocket" and settings.websocket_url is not None:
            keys.add(_websocket(settings.websocket_url, here))
        elif suite == "database" and settings.database_dsn is not None:
            keys.add(_database(settings.database_dsn.get_secret_value(), here))
        else:
            keys.add(SlotKey(f"embedded {here}", "embedded", "the embedded subject of this machine"))
    return tuple(sorted(keys))


def _websocket(url: str, here: str) -> SlotKey:
    parts = urlsplit(url)
    host = _host(parts.hostname or "", here)
    port = port_of(parts) or 0
    path = unquote(parts.path).rstrip("/")
    shown = stored_address(f"{parts.scheme}://{_shown(host, here)}:{port}{path}").partition("://")[2]
    return SlotKey(f"websocket {host} {port} {path}", "websocket", f"the WebSocket {shown}")


def _database(dsn: str, here: str) -> SlotKey:
    told = server_of(dsn)
    # an address beside the name is the one that libpq connects to
    address, port, name = told["hostaddr"] or told["host"], told["port"], told["dbname"]
    host = _socket_host(address, here) if address[:1] in ("", "/", "@") else _host(address, here)
    shown = scrub(f"{_shown(host, here)}:{port}/{name}")
    return SlotKey(f"database {host} {port} {name}", "database", f"the database {shown}")


def _shown(host: str, here: str) -> str:
    """This machine's name is nobody's business where a label may end up."""
    if host == here:
        return HERE
    if host.startswith((f"{here}/", f"{here}@")):
        return host.removeprefix(here)
    return f"[{host}]" if ":" in host else host


def _socket_host(folder: str, here: str) -> str:
    """The machine for where a server that also listens on TCP has its socket, or that very folder on it."""
    if folder.startswith("@"):
        return f"{here}{folder}"
    real = os.path.realpath(folder) if folder else ""
    usual = {os.path.realpath(each) for each in _SOCKET_FOLDERS} | _SOCKET_FOLDERS | {""}
    return here if real in usual else f"{here}{real}"


def _host(name: str, here: str) -> str:
    name = name.strip("[]")
    with suppress(UnicodeError):  # first: digits and dots of other scripts make an address as well
        name = name.encode("idna").decode()
    name = name.rstrip(".").lower()
    if (address := _address(name)) is not None:
        return here if address.is_loopback or address.is_unspecified else str(address)
    return here if name == "localhost" or name.endswith(".localhost") else name


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is written as, also in the ways of inet_aton, such as ``127.1``."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except (OSError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address
