"""Posting what waits in the outbox, with the server's answer known for each.

The transport of sentry-sdk gives an event id and silence whether the server took the event or not, so the
envelope is made with its classes and posted here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

import urllib3
from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import BadDsn, Dsn

from nightbench import __version__
from nightbench.alerts.outbox import Outbox
from nightbench.files import reason
from nightbench.scrub import scrub

CLIENT = f"nightbench/{__version__}"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
MAX_FAILURES = 3
"""Server errors in a row after which the rest waits for the next run."""


@dataclass(frozen=True)
class DeliveryReport:
    """What became of the alerts in the outbox.

    Attributes:
        delivered: Taken by the server, which said so, and gone from the outbox.
        undelivered: Still in the outbox; the next run tries again.
        rejected: Set aside in ``rejected/``: the server will never take them.
        reasons: Why some were not delivered, one sentence each.
    """

    delivered: int = 0
    undelivered: int = 0
    rejected: int = 0
    reasons: tuple[str, ...] = ()


class _Answer(Enum):
    TAKEN = auto()
    REFUSED = auto()
    LATER = auto()
    """This one failed; the next may not."""
    BUSY = auto()
    """Nothing else would get through either."""


@dataclass
class _Tally:
    delivered: int = 0
    rejected: int = 0
    failures: int = 0
    reasons: dict[str, None] = field(default_factory=dict)


def deliver(
    outbox: Outbox,
    dsn: str | None,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
) -> DeliveryReport:
    """Post every pending event, oldest first, and delete those that the server took.

    It never raises for what the server or the DSN does: an alert that cannot be delivered stays.
    """
    waiting = outbox.pending()
    if not waiting:
        return DeliveryReport()
    if dsn is None:
        return DeliveryReport(undelivered=len(waiting), reasons=("no Sentry DSN is set",))
    try:
        target = Dsn(dsn)
    except (BadDsn, ValueError) as error:
        problem = f"NIGHTBENCH_SENTRY_DSN is not a Sentry DSN: {scrub(str(error))}; it looks like https://KEY@HOST/1"
        return DeliveryReport(undelivered=len(waiting), reasons=(problem,))
    timeout = urllib3.Timeout(connect=connect_seconds, read=answer_seconds)
    with urllib3.PoolManager(retries=False, timeout=timeout) as http:
        tally = _post_all(outbox, waiting, lambda event: _post(http, target, event))
    return DeliveryReport(
        delivered=tally.delivered,
        undelivered=len(outbox.pending()),
        rejected=tally.rejected,
        reasons=tuple(tally.reasons),
    )


def _post_all(
    outbox: Outbox, waiting: list[Path], post: Callable[[dict[str, Any]], tuple[_Answer, str]]
) -> _Tally:
    tally = _Tally()
    for path in waiting:
        answer, why = _offer(path, post)
        if why:
            tally.reasons[why] = None
        tally.failures = tally.failures + 1 if answer is _Answer.LATER else 0
        try:
            _settle(outbox, path, answer, tally)
        except OSError as error:
            tally.reasons[f"{path.name} stays in the outbox: {reason(error)}"] = None
        if answer is _Answer.BUSY or tally.failures >= MAX_FAILURES:
            break
    return tally


def _settle(outbox: Outbox, path: Path, answer: _Answer, tally: _Tally) -> None:
    match answer:
        case _Answer.TAKEN:
            tally.delivered += 1
            path.unlink(missing_ok=True)
        case _Answer.REFUSED:
            outbox.set_aside(path)
            tally.rejected += 1


def _offer(path: Path, post: Callable[[dict[str, Any]], tuple[_Answer, str]]) -> tuple[_Answer, str]:
    try:
        event = json.loads(path.read_bytes())
    except OSError as error:
        return _Answer.LATER, f"{path.name} cannot be read: {reason(error)}"
    except ValueError:
        event = None
    if not isinstance(event, dict) or "event_id" not in event:
        return _Answer.REFUSED, f"{path.name} is not an event"
    return post(event)


def _post(http: urllib3.PoolManager, dsn: Dsn, event: dict[str, Any]) -> tuple[_Answer, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = Envelope(headers={"event_id": event["event_id"], "sent_at": now})
    envelope.add_event(event)  # type: ignore[arg-type]  # the outbox holds what `event_of` made
    auth = dsn.to_auth(CLIENT)
    headers = {
        "Content-Type": "application/x-sentry-envelope",
        "User-Agent": CLIENT,
        "X-Sentry-Auth": auth.to_header(),
    }
    try:
        answer = http.request(
            "POST", auth.get_api_url(), body=envelope.serialize(), headers=headers, redirect=False
        )
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        return _Answer.BUSY, f"{dsn.netloc} cannot be reached: {scrub(_network_reason(error))}"
    return _read_answer(dsn.netloc, answer.status)


def _read_answer(host: str, status: int) -> tuple[_Answer, str]:
    if 200 <= status < 300:
        return _Answer.TAKEN, ""
    if status == 429:
        return _Answer.BUSY, f"{host} takes no more events for now (HTTP 429)"
    if 400 <= status < 500:
        return _Answer.REFUSED, f"{host} refused an alert (HTTP {status})"
    return _Answer.LATER, f"{host} could not take an alert (HTTP {status})"


def _network_reason(error: BaseException) -> str:
    match error:
        case urllib3.exceptions.NameResolutionError():
            return "its name is not known"
        case urllib3.exceptions.NewConnectionError():
            return "the connection was refused"
        case urllib3.exceptions.ConnectTimeoutError() | urllib3.exceptions.ReadTimeoutError():
            return "it did not answer in time"
        case urllib3.exceptions.ProtocolError():
            return "it closed the connection without an answer"
        case urllib3.exceptions.SSLError():
            return f"TLS failed: {error}"
        case _:
            return type(error).__name__
