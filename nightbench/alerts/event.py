"""The Sentry event of an alert."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from nightbench import __version__
from nightbench.alerts.alert import Alert
from nightbench.alerts.alert_record import Decision
from nightbench.alerts.wording import MOST, MOST_MESSAGE
from nightbench.history.record import clean, clean_own, clean_text
from nightbench.scrub import scrub

RELEASE_TAG = "subject_release"
"""Sentry keeps the tag ``release`` for the event's own, which is that of nightbench."""
_MAX_TAG = 200  # characters; Sentry drops longer ones
_MAX_TEXT = 1000  # characters of one text of a context
_MAX_KEYS = 50
_MAX_DEPTH = 4


class Run(Protocol):
    """What an alert is about: a measurement, or a step that gave none."""

    @property
    def run_id(self) -> str: ...
    @property
    def night_id(self) -> str: ...


def event_of(alert: Alert, run: Run, now: datetime, decision: Decision | None = None) -> dict[str, Any]:
    """The Sentry event of an alert, scrubbed and of bounded size.

    The first line of its message is the title, of which Sentry and Bugsink make that of the issue; the numbers
    stand below, where both show them first. Its id is made here, once: a server that is told of it twice keeps one.

    Args:
        alert: What to tell.
        run: That it is about.
        now: UTC.
        decision: Why it has an event of its own; None for what nobody decided about, as a roll-up.
    """
    tags = {**alert.tags, "run_id": run.run_id, "night_id": run.night_id}
    if decision is not None:
        tags["decision"] = decision
    contexts = {"benchmark": _bounded(alert.context)}
    if alert.links:
        contexts["links"] = _bounded(alert.links)
    event: dict[str, Any] = clean(
        {
            "timestamp": now,
            "platform": "python",
            "logger": "nightbench",
            "level": alert.level,
            "message": {"formatted": _message(alert, run)},
            "fingerprint": alert.fingerprint,
            "environment": alert.environment,
            "release": f"nightbench@{__version__}",
            "tags": {name: clean_text(value)[:_MAX_TAG] for name, value in tags.items()},
            "contexts": contexts,
        }
    )
    if alert.release is not None:
        event["tags"][RELEASE_TAG] = clean_own(alert.release)
    return {"event_id": uuid.uuid4().hex, **event}


def _message(alert: Alert, run: Run) -> str:
    title = " ".join(alert.title.split())
    release = "" if alert.release is None else f"release {alert.release}"
    below = [
        alert.text,
        release,
        f"night {run.night_id}",
        *(f"{name}: {url}" for name, url in alert.links.items()),
    ]
    return _cut("\n".join([title, "", *(text for text in below if text)]), MOST_MESSAGE)


def _bounded(value: Any, depth: int = 0) -> Any:
    """The same with long texts cut, and of long lists the first entries and how many more there are."""
    match value:
        case str():
            return _cut(value, _MAX_TEXT)
        case Mapping() if depth < _MAX_DEPTH:
            kept = [(str(key), _bounded(item, depth + 1)) for key, item in list(value.items())[:_MAX_KEYS]]
            return dict(kept)
        case Sequence() if depth < _MAX_DEPTH and not isinstance(value, bytes | bytearray):
            more = len(value) - MOST
            return [
                *(_bounded(item, depth + 1) for item in value[:MOST]),
                *([f"{more} more"] if more > 0 else []),
            ]
        case None | bool() | int() | float() | datetime():
            return value
        case _:
            return _cut(str(value), _MAX_TEXT)


def _cut(text: str, most: int) -> str:
    """`text` scrubbed first: half a secret is not known for one."""
    text = scrub(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
