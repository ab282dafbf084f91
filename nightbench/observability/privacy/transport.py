"""The last place before the network: nothing leaves that was not scrubbed here, whatever made it."""

from __future__ import annotations

import logging
import re

from sentry_sdk.envelope import Envelope, Item
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.transport import HttpTransport

from nightbench.observability.privacy.item import scrubbed_headers, scrubbed_item
from nightbench.observability.privacy.minimal import minimal_item

_LOG = logging.getLogger(__name__)
ignore_logger(__name__)  # a log about a lost log would be lost as well, and so on

_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_HAS_BACKGROUND = callable(getattr(HttpTransport, "_send_envelope", None))
"""Whether the SDK still sends by a step of its own in its worker thread, where scrubbing delays no request."""


class ScrubbingTransport(HttpTransport):
    """Sends envelopes to Sentry with each of their items scrubbed, after all hooks and filters.

    An event that cannot be scrubbed is sent as its minimum; any other item is then not sent, counted
    as lost in the client's report and told in the log by its kind.
    """

    def capture_envelope(self, envelope: Envelope) -> None:
        """Take an envelope to be sent."""
        super().capture_envelope(envelope if _HAS_BACKGROUND else self._scrubbed(envelope))

    def _send_envelope(self, envelope: Envelope) -> None:
        super()._send_envelope(self._scrubbed(envelope))

    def _scrubbed(self, envelope: Envelope) -> Envelope:
        items = []
        for item in envelope.items:
            scrubbed = self._of(item)
            if scrubbed is None:
                self._lose(item)
            else:
                items.append(scrubbed)
        try:
            headers = scrubbed_headers(envelope.headers)
        except Exception:  # noqa: BLE001  # an envelope needs no more than whose it is
            headers = _whose(envelope)
        return Envelope(headers=headers, items=items)

    def _of(self, item: Item) -> Item | None:
        for rule in (scrubbed_item, minimal_item):
            try:
                return rule(item)
            except Exception:  # noqa: BLE001, S112  # fail closed, whatever it was that failed
                continue
        return None

    def _lose(self, item: Item) -> None:
        _LOG.warning("an item of the kind %r could not be scrubbed and is not sent", str(item.type)[:40])
        try:
            self.record_lost_event("internal_sdk_error", item=item)
        except Exception:  # noqa: BLE001  # what cannot be read cannot be counted by its size either
            self.record_lost_event("internal_sdk_error", data_category=item.data_category)


def _whose(envelope: Envelope) -> dict[str, object]:
    event_id = envelope.headers.get("event_id")
    is_one = type(event_id) is str and _EVENT_ID.fullmatch(event_id) is not None
    return {"event_id": event_id} if is_one else {}
