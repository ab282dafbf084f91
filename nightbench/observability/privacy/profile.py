"""Profiles and their chunks: which code ran, by paths without homes and thread names without persons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightbench.observability.privacy.stack import frame
from nightbench.observability.privacy.text import identifier, sendable, thread_identifier

_IDENTIFIERS = frozenset({"chunk_id", "profiler_id", "event_id", "profile_id", "trace_id"})
_CONFIGURATION = frozenset(
    {"client_sdk", "environment", "platform", "release", "dist", "version", "measurements"}
)


def profile(value: Mapping[str, Any]) -> dict[str, Any]:
    """A profile or chunk scrubbed; stacks, samples and identifiers stay as they are."""
    sent: dict[str, Any] = {}
    for key, each in value.items():
        if key in _IDENTIFIERS:
            sent[key] = identifier(each)
        elif key in _CONFIGURATION:
            sent[key] = each
        elif key == "profile":
            sent[key] = _samples(each)
        else:
            sent[key] = _told(each)
    return sent


def _samples(value: Any) -> dict[str, Any]:
    known: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    sent = {key: known[key] for key in ("stacks", "samples") if isinstance(known.get(key), list)}
    frames, threads = known.get("frames"), known.get("thread_metadata")
    sent["frames"] = [frame(each) for each in frames] if isinstance(frames, list) else []
    sent["thread_metadata"] = {
        thread_identifier(key): sendable(each)
        for key, each in (threads.items() if isinstance(threads, Mapping) else ())
    }
    return sent


def _told(value: Any) -> Any:
    """A transaction or device that the profile tells of, its identifiers kept."""
    if isinstance(value, list):
        return [_told(each) for each in value]
    if not isinstance(value, Mapping):
        return sendable(value)
    sent: dict[str, Any] = {}
    for key, each in value.items():
        is_plain = key == "id" or str(key).endswith("_id") or isinstance(each, int | float)
        rule = thread_identifier if "thread" in str(key) or isinstance(each, int | float) else identifier
        sent.update({key: rule(each)} if is_plain else {sendable(key): sendable(each)})
    return sent
