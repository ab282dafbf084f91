"""Exceptions, threads and their frames: where something happened, without the values that were at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nightbench.observability.privacy.text import path, sendable, thread_identifier, word
from nightbench.scrub import REDACTED

_PATHS = ("filename", "abs_path", "module", "function", "package")
_PLAIN = ("lineno", "colno", "in_app", "instruction_addr", "platform")


def exceptions(value: Any) -> Any:
    """The exceptions of an event, ``{"values": […]}`` or a list: types, scrubbed messages with their notes, frames."""
    return values_of(value, _exception)


def threads(value: Any) -> Any:
    """The threads of an event: names scrubbed, frames."""
    return values_of(value, _thread)


def stacktrace(value: Any) -> Any:
    """A stack trace, ``{"frames": […]}``; its registers and the like are left out."""
    if not isinstance(value, Mapping):
        return None
    kept = value.get("frames")
    return {"frames": [frame(each) for each in kept] if isinstance(kept, list) else []}


def frame(value: Any) -> dict[str, Any]:
    """One frame: where, by paths without homes; no local variables and no source text, which may hold anything."""
    if not isinstance(value, Mapping):
        return {}
    sent: dict[str, Any] = {
        key: path(value[key]) if isinstance(value[key], str) else None for key in _PATHS if key in value
    }
    sent.update({key: value[key] for key in _PLAIN if isinstance(value.get(key), bool | int)})
    return sent


def values_of(value: Any, rule: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """`rule` for each member of ``{"values": […]}``, or of a list; what is no mapping is left out."""
    listed = value.get("values") if isinstance(value, Mapping) else value
    if not isinstance(listed, list):
        return {"values": []}
    return {"values": [rule(each) for each in listed if isinstance(each, Mapping)]}


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for key, each in value.items():
        match key:
            case "type" | "module":
                sent[key] = word(each)
            case "value":
                sent[key] = sendable(each)
            case "stacktrace":
                sent[key] = stacktrace(each)
            case "mechanism":
                sent[key] = _mechanism(each)
            case "thread_id":
                sent[key] = thread_identifier(each)
    return sent


def _mechanism(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return None
    links = ("exception_id", "parent_id", "handled", "is_exception_group", "synthetic")
    sent = {key: value[key] for key in links if isinstance(value.get(key), bool | int)}
    sent.update({key: sendable(each) for key, each in value.items() if key not in links})
    return sent


def _thread(value: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for key, each in value.items():
        match key:
            case "id":
                sent[key] = thread_identifier(each)
            case "crashed" | "current" | "main":
                sent[key] = each if isinstance(each, bool) else REDACTED
            case "name" | "state":
                sent[key] = sendable(each)
            case "stacktrace":
                sent[key] = stacktrace(each)
    return sent
