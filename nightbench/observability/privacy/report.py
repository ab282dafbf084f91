"""Logs, metrics, sessions and what users report: each item of an envelope that is no event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nightbench.observability.privacy.bounds import bounded
from nightbench.observability.privacy.logentry import filled
from nightbench.observability.privacy.span import streamed_span, typed_attributes, value_of
from nightbench.observability.privacy.text import identifier, instant, is_secret_name, sendable, word
from nightbench.scrub import REDACTED

_TEMPLATE = "sentry.message.template"
_PARAMETER = "sentry.message.parameter."
_SHORTEST_SECRET = 3
"""A shorter value of a parameter also stands in words that have nothing to do with it."""


def batch(rule: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """`rule` for each member of a batch, ``{"version": 2, "items": […]}``."""

    def scrubbed(payload: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "version": payload.get("version", 2),
            "items": [rule(bounded(each)) for each in payload["items"]],
        }

    return scrubbed


def log(value: Any) -> dict[str, Any]:
    """One log: its text made of its template where there is one, its attributes; no parameters."""
    given = value.get("attributes")
    found: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    parameters = {
        key.removeprefix(_PARAMETER): value_of(each)
        for key, each in found.items()
        if key.startswith(_PARAMETER)
    }
    sent = _member(value)
    sent["level"] = word(value.get("level"))
    sent["body"] = sendable(_body(str(value.get("body")), value_of(found.get(_TEMPLATE)), parameters))
    sent["attributes"] = typed_attributes(
        {key: each for key, each in found.items() if not key.startswith(_PARAMETER)}
    )
    return sent


def metric(value: Any) -> dict[str, Any]:
    """One metric: its name, number and attributes."""
    sent = _member(value)
    sent.update({key: value[key] for key in ("value",) if isinstance(value.get(key), int | float)})
    sent.update({key: word(value[key]) for key in ("name", "type", "unit") if key in value})
    sent["attributes"] = typed_attributes(value.get("attributes"))
    return sent


def session(value: Mapping[str, Any]) -> dict[str, Any]:
    """A session or sums of sessions without whose they are."""
    attributes = value.get("attrs")
    known: Mapping[str, Any] = attributes if isinstance(attributes, Mapping) else {}
    sent = {key: value[key] for key in _SESSION if key in value}
    return {**sent, "attrs": {key: known[key] for key in ("release", "environment") if key in known}}


def user_report(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a user wrote of an event, without who it was."""
    return {
        "event_id": identifier(value.get("event_id")),
        "comments": sendable(bounded(value.get("comments"))),
    }


def as_it_is(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Counts that the SDK made of what it did not send."""
    return value


spans = batch(streamed_span)
logs = batch(log)
metrics = batch(metric)

_SESSION = ("sid", "init", "started", "timestamp", "status", "errors", "duration", "aggregates", "seq")


def _member(value: Any) -> dict[str, Any]:
    sent = {key: identifier(value[key]) for key in ("trace_id", "span_id") if key in value}
    return {**sent, "timestamp": instant(value.get("timestamp"))}


def _body(body: str, template: Any, parameters: Mapping[str, Any]) -> str:
    if isinstance(template, str) and "%" in template and parameters:
        positional = all(key.isdigit() for key in parameters)
        ordered = [parameters[key] for key in sorted(parameters, key=int)] if positional else parameters
        body = filled(template, ordered) or body
    for name, value in parameters.items():
        if is_secret_name(name) and len(str(value)) >= _SHORTEST_SECRET:
            body = body.replace(str(value), REDACTED)
    return body
