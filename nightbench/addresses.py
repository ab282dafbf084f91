"""What may be an address: of the WebSocket, of the PostgreSQL, of Sentry. No error repeats a piece of one."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from nightbench.plan.placeholders import placeholders

_POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9]*://")
SENTRY_DSN_FORM = "https://<key>@host/project"
ISSUES_API = re.compile(r"/api/(?:(?P<bugsink>canonical/0)|0/organizations/[^/?#]+)$")
"""The end of the address of Bugsink's API, or of Sentry's."""
_PORTS = {"ws": 80, "wss": 443}
_ENCODE = "a password with special characters must be percent-encoded"


def port_of(parts: SplitResult) -> int | None:
    """The port of a WebSocket URL, also where it is not written; None where the scheme is of something else."""
    return parts.port or _PORTS.get(parts.scheme)


def check_websocket(url: str) -> None:
    """Raise ValueError unless `url` is one that a WebSocket client takes."""
    parts = _split(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        msg = "not a WebSocket URL; it starts with ws:// or wss:// and names a host"
        raise ValueError(msg)
    if placeholders(url):
        msg = "a URL has no placeholders; headers, subprotocols, a greeting and messages have"
        raise ValueError(msg)
    if parts.port == 0:
        msg = "port 0 cannot be connected to"
        raise ValueError(msg)
    try:
        parse_uri(url)
        parts.hostname.encode("idna")
    except InvalidURI as error:
        msg = f"not a URL that a WebSocket client takes: {error.msg}"
        raise ValueError(msg) from None
    except UnicodeError:
        msg = "a part of its host is empty or too long, or it holds what is no text"
        raise ValueError(msg) from None


def check_postgresql(dsn: str) -> None:
    """Raise ValueError unless `dsn` looks like a PostgreSQL DSN."""
    parts = _split(dsn)
    if parts.scheme not in _POSTGRESQL_SCHEMES:
        msg = "not a PostgreSQL DSN; it looks like postgresql://role:password@host:5432/database"
        raise ValueError(msg)
    query = "" if parts.path else parts.query  # host:port?query@host may be role:password@host
    if "@" in parts.path + parts.fragment + query:
        msg = f"an @ stands after its host; {_ENCODE}"
        raise ValueError(msg)


def check_sentry(dsn: str) -> None:
    """Raise ValueError unless `dsn` looks like a Sentry DSN."""
    parts = _split(dsn)
    if parts.scheme not in ("http", "https") or not parts.username or not parts.path.strip("/"):
        msg = f"not a Sentry DSN; it looks like {SENTRY_DSN_FORM}"
        raise ValueError(msg)


def check_page(url: str) -> None:
    """Raise ValueError unless `url` is one that a browser opens and that anybody may read."""
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = "not the address of a page; it looks like https://host/path"
        raise ValueError(msg)
    if "@" in parts.netloc:
        msg = "credentials do not belong there; whoever reads an alert reads them"
        raise ValueError(msg)


def check_issues_api(url: str) -> None:
    """Raise ValueError unless `url` is where Bugsink or Sentry has its issues."""
    check_page(url)
    if not ISSUES_API.search(url.rstrip("/")):
        msg = (
            "not the API of issues; it looks like https://host/api/canonical/0 or …/api/0/organizations/name"
        )
        raise ValueError(msg)


def results_of(value: object) -> object:
    """Where results lie: a path for a folder, which ``file:///`` names too, or the URL of an object store.

    Raises:
        ValueError: for nothing, and for a URL that is none of a store, or that holds credentials.
    """
    if not isinstance(value, str):
        return value
    if not value.strip():  # the current folder is `.`
        msg = "it is empty; name a folder, or s3://bucket/prefix"
        raise ValueError(msg)
    if "://" not in value:
        return expanded(Path(value))
    parts = _split(value)
    if not _SCHEME.match(value):  # fsspec chains stores with ::, which is not meant
        msg = "not a URL of an object store; it looks like s3://bucket/prefix"
        raise ValueError(msg)
    if "@" in parts.netloc or parts.query or parts.fragment:
        msg = "credentials and options do not belong there; they are read from AWS_ACCESS_KEY_ID and its kind"
        raise ValueError(msg)
    if parts.scheme == "file" and not parts.netloc:
        return Path(unquote(parts.path))
    if parts.scheme == "file" or not parts.netloc:
        msg = "it names no bucket; it looks like s3://bucket/prefix, or file:///folder"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def expanded(path: Path) -> Path:
    """`path` with the home folder for ``~``.

    Raises:
        ValueError: when there is none.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        msg = "there is no such home folder"
        raise ValueError(msg) from None


def _split(address: str) -> SplitResult:
    """The parts of a URL. Python's own errors repeat pieces of it, which may be those of a password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        msg = f"its host cannot be read; {_ENCODE}"
        raise ValueError(msg) from None
    try:
        _ = parts.port
    except ValueError:
        msg = f"its port is not a number up to 65535; {_ENCODE}"
        raise ValueError(msg) from None
    return parts
