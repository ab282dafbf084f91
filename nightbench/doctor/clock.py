"""Whether the clock is right: what the kernel says of it, and how far it is from those of whom the night speaks to."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from nightbench import __version__
from nightbench.alerts.exchange import Exchange, in_time
from nightbench.doctor.database import connected
from nightbench.doctor.finding import Finding, Topic
from nightbench.errors import NightbenchError
from nightbench.settings import Settings

CLOCK = Topic("host", "clock")

FAR, TOO_FAR = 2.0, 60.0
"""Seconds away from another's clock: past the first, times of a night do not match; past the second tokens fail."""
_SECONDS = 3.0
_MEND = "timedatectl set-ntp true, or start chronyd, on the machine that is off"
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_STRUCT_TIMEX = 512  # bytes; it has 208, and libraries differ in what they keep free behind it


class Offset(NamedTuple):
    """Another's clock.

    Attributes:
        of: Whose.
        seconds: By which it is ahead of ours.
        doubt: By how much that may be wrong, to either side.
    """

    of: str
    seconds: float
    doubt: float


def judge_kernel(state: int | None) -> Finding:
    """What the kernel says (adjtimex); None where it does not tell."""
    if state is None:
        return CLOCK.ok("the kernel does not tell whether it is synchronised")
    if state == _UNSYNCHRONISED:
        return CLOCK.warning("the kernel says that nobody keeps it right", _MEND)
    return CLOCK.ok("the kernel says that it is kept right")


def judge_offset(offset: Offset) -> Finding:
    """How far another's clock is from ours."""
    away = max(0.0, abs(offset.seconds) - offset.doubt)
    side = "ahead of" if offset.seconds > 0 else "behind"
    if away > TOO_FAR:
        return CLOCK.failure(f"that of {offset.of} is {abs(offset.seconds):,.0f} s {side} ours", _MEND)
    if away > FAR:
        return CLOCK.warning(f"that of {offset.of} is {abs(offset.seconds):.1f} s {side} ours", _MEND)
    return CLOCK.ok(f"that of {offset.of} is the same, within {abs(offset.seconds) + offset.doubt:.1f} s")


def kernel_findings() -> Iterator[Finding]:
    """Ask the kernel."""
    yield judge_kernel(_adjtimex())


def database_clock_findings(settings: Settings) -> Iterator[Finding]:
    """Compare with the clock of the PostgreSQL; of one that cannot be reached, another check tells."""
    try:
        with connected(settings) as connection:
            begin = time.time()
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            end = time.time()
    except NightbenchError:
        return
    assert row is not None
    yield judge_offset(Offset("the PostgreSQL", row[0] - (begin + end) / 2, (end - begin) / 2))


def http_clock_findings(name: str, url: str) -> Iterator[Finding]:
    """Compare with the ``Date`` of whoever answers HTTP at `url`; of one who does not, another check tells."""
    begin = time.time()
    said = _date(url)
    end = time.time()
    if said is None:
        return
    # it is cut to whole seconds
    yield judge_offset(Offset(name, said + 0.5 - (begin + end) / 2, 0.5 + (end - begin) / 2))


def http_clocks(settings: Settings, prefect_url: str | None) -> Sequence[tuple[str, str]]:
    """Who is asked: a name, and where; without what is secret in the address."""
    asked = []
    if settings.websocket_url is not None:
        asked.append(("the WebSocket's host", settings.websocket_url))
    if settings.sentry_dsn is not None:
        asked.append(("the Sentry server", settings.sentry_dsn.get_secret_value()))
    if prefect_url:
        asked.append(("the Prefect server", prefect_url))
    return asked


def _date(url: str) -> float | None:
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    headers = {"User-Agent": f"nightbench/{__version__}", "Connection": "close"}
    try:
        exchange = Exchange(scheme, parts.hostname or "", parts.port, connect_seconds=_SECONDS, most_bytes=1)
        speak = partial(exchange.speak, "HEAD", "/", None, headers, pause_seconds=_SECONDS)
        found = parsedate_to_datetime(in_time(_SECONDS, speak, exchange.break_off).headers.get("date", ""))
    except (OSError, HTTPException, ValueError, TypeError):
        return None
    return (found if isinstance(found, datetime) and found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _adjtimex() -> int | None:
    """The state of the kernel's clock; nothing is changed, since no mode is set."""
    if os.name != "posix":
        return None
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_STRUCT_TIMEX))
    except (OSError, AttributeError):
        return None
    return state if state >= 0 else None
