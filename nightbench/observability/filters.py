"""Which errors are not worth an event: of health checks, of WebSockets that closed well, at a desk of connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from logging import LogRecord
from typing import TYPE_CHECKING

from nightbench.observability.connections import is_connection_error, is_normal_close
from nightbench.observability.requests import is_health_check, path_of

_SEEN = "_of_a_health_check"
"""Marks an exception, of which there can be no weak reference."""
_REQUEST_LINE = re.compile(r"\b(?:GET|HEAD|POST|OPTIONS) (/\S{0,200})")

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def event_filter(*, development: bool) -> Callable[[Event, Hint], Event | None]:
    """A ``before_send`` that drops what nobody has to look at, and keeps whatever it cannot judge.

    Args:
        development: Whether connection errors are dropped as well: at a desk the database that is not up yet is
            no news; in production it is.
    """

    def before_send(event: Event, hint: Hint) -> Event | None:
        try:
            error = _error_of(hint)
            unwanted = _of_health_check(event, hint, error) or (
                error is not None and (is_normal_close(error) or (development and is_connection_error(error)))
            )
        except Exception:  # noqa: BLE001  # a filter that fails must not cost an event
            return event
        return None if unwanted else event

    return before_send


def _error_of(hint: Hint) -> BaseException | None:
    exc_info = hint.get("exc_info")
    error = exc_info[1] if isinstance(exc_info, tuple) and len(exc_info) > 1 else None
    return error if isinstance(error, BaseException) else None


def _of_health_check(event: Event, hint: Hint, error: BaseException | None) -> bool:
    if error is not None and vars(error).get(_SEEN, False):
        return True
    found = _in_health_check(event, hint)
    if found and error is not None:
        # the server logs the same exception once more, outside of the request
        with suppress(Exception):
            setattr(error, _SEEN, True)
    return found


def _in_health_check(event: Event, hint: Hint) -> bool:
    request = event.get("request")
    url = request.get("url") if isinstance(request, Mapping) else None
    if isinstance(url, str) and url:
        return is_health_check(path_of(url))
    name = event.get("transaction")
    if isinstance(name, str) and is_health_check(path_of(name)):
        return True
    record = hint.get("log_record")
    return isinstance(record, LogRecord) and _logs_health_check(record)


def _logs_health_check(record: LogRecord) -> bool:
    """Whether it is a line of an access log about a health check."""
    if "access" not in record.name:
        return False
    line = _REQUEST_LINE.search(record.getMessage())
    return line is not None and is_health_check(path_of(line[1]))
