"""Spans of transactions, and spans sent on their own: what was done for how long, without with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightbench.observability.privacy.attributes import attribute, attributes, described
from nightbench.observability.privacy.text import identifier, instant, sendable, word

_IDENTIFIERS = frozenset({"trace_id", "span_id", "parent_span_id", "segment_id"})


def span(value: Any) -> Any:
    """One span of a transaction scrubbed; its identifiers, instants and operation stay."""
    if not isinstance(value, Mapping):
        return {}
    sent: dict[str, Any] = {}
    data = value.get("data")
    system = data.get("db.system") if isinstance(data, Mapping) else None
    for key, each in value.items():
        match key:
            case "description" | "name":
                sent[key] = described(value.get("op"), each, system)
            case "data" | "tags":
                sent[key] = attributes(each)
            case "op" | "origin" | "status":
                sent[key] = word(each)
            case "timestamp" | "start_timestamp" | "end_timestamp":
                sent[key] = instant(each)
            case _ if key in _IDENTIFIERS:
                sent[key] = identifier(each)
            case _:
                sent[key] = sendable(each)
    return sent


def streamed_span(value: Any) -> Any:
    """One span that was sent on its own: a name and typed attributes."""
    if not isinstance(value, Mapping):
        return {}
    given = value.get("attributes")
    op = given.get("sentry.op") if isinstance(given, Mapping) else None
    sent = span({**{key: each for key, each in value.items() if key != "attributes"}, "op": value_of(op)})
    del sent["op"]
    sent["attributes"] = typed_attributes(given)
    return sent


def typed_attributes(value: Any) -> dict[str, Any]:
    """Attributes of logs, metrics and spans, ``{name: {"value": …, "type": …}}``, scrubbed."""
    sent: dict[str, Any] = {}
    for key, each in value.items() if isinstance(value, Mapping) else ():
        for name, clean in attribute(str(key), value_of(each)).items():
            sent[name] = _typed(clean, each)
    return sent


def value_of(each: Any) -> Any:
    """The value of a typed attribute, ``{"value": …, "type": …}``, or what stands in its place."""
    return each.get("value") if isinstance(each, Mapping) else each


def _typed(clean: Any, given: Any) -> Any:
    if not isinstance(given, Mapping):
        return clean
    kept = clean == given.get("value")
    if kept or isinstance(clean, str | list):
        return {"value": clean, "type": given.get("type") if kept or isinstance(clean, list) else "string"}
    return {"value": str(clean), "type": "string"}
