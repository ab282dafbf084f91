"""One item of an envelope as it may be sent; an item of a kind without a rule is not sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sentry_sdk.envelope import Item, PayloadRef
from sentry_sdk.utils import json_dumps

from nightbench.observability.privacy import report
from nightbench.observability.privacy.attachment import attachment, filename
from nightbench.observability.privacy.checkin import check_in
from nightbench.observability.privacy.event import by_parts, named_transaction, scrubbed_event
from nightbench.observability.privacy.minimal import minimal_item
from nightbench.observability.privacy.profile import profile
from nightbench.observability.privacy.text import identifier, instant, word

_RULES: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "event": scrubbed_event,
    "feedback": by_parts,
    "transaction": by_parts,
    "span": report.spans,
    "log": report.logs,
    "trace_metric": report.metrics,
    "profile": profile,
    "profile_chunk": profile,
    "session": report.session,
    "sessions": report.session,
    "check_in": check_in,
    "user_report": report.user_report,
    "client_report": report.as_it_is,
}
_HEADERS = ("item_count", "platform", "attachment_type")
_MOST_ATTACHED = 20_000_000


def scrubbed_item(item: Item) -> Item | None:
    """`item` with everything in it scrubbed, or None where it cannot be. Of an event, the minimum is always left."""
    try:
        return _attached(item) if item.type == "attachment" else _told(item)
    except Exception:  # noqa: BLE001  # fail closed: RecursionError and MemoryError as well
        return minimal_item(item)


def scrubbed_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of an envelope: what an event was, when it was sent and of which trace."""
    sent: dict[str, Any] = {}
    if "event_id" in headers:
        sent["event_id"] = identifier(headers["event_id"])
    if "sent_at" in headers:
        sent["sent_at"] = instant(headers["sent_at"])
    trace = headers.get("trace")
    if isinstance(trace, Mapping):
        sent["trace"] = {str(key): _traced(str(key), each) for key, each in trace.items()}
    return sent


def _traced(key: str, value: Any) -> Any:
    if key == "transaction":
        return named_transaction(value)
    return str(value) if key in ("release", "environment", "sampled") else identifier(value)


def _told(item: Item) -> Item | None:
    rule = _RULES.get(item.type or "")
    if rule is None:
        return None
    payload = item.payload.json
    if payload is None:
        payload = json.loads(item.get_bytes())
    return _item(item, rule(payload))


def _item(item: Item, payload: Mapping[str, Any]) -> Item:
    content = json_dumps(payload)  # now, so that what cannot be written fails here and not unseen later
    headers = {key: word(item.headers[key]) for key in _HEADERS if key in item.headers}
    return Item(
        PayloadRef(json=payload, bytes=content),
        headers=headers,
        type=item.type,
        content_type=str(item.headers.get("content_type", "application/json")),
    )


def _attached(item: Item) -> Item | None:
    if item.payload.bytes is None and item.payload.path is not None:
        file = Path(str(item.payload.path))
        if file.stat().st_size > _MOST_ATTACHED:
            return None
    content, kind = attachment(item.get_bytes(), str(item.headers.get("content_type") or ""))
    headers = {key: word(item.headers[key]) for key in _HEADERS if key in item.headers}
    name = filename(item.headers.get("filename"))
    return Item(content, headers=headers, type="attachment", content_type=kind, filename=name)
