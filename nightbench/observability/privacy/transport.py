"""The last place before the network: nothing leaves that was not scrubbed here, whatever made it."""

from __future__ import annotations

import logging

from sentry_sdk.envelope import Envelope, Item
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.transport import HttpTransport

from nightbench.observability.privacy.item import scrubbed_headers, scrubbed_item

_LOG = logging.getLogger(__name__)
ignore_logger(__name__)  # a log about a lost log would be lost as well, and so on

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
            scrubbed = scrubbed_item(item)
            if scrubbed is None:
                self._lose(item)
            else:
                items.append(scrubbed)
        return Envelope(headers=_headers(envelope), items=items)

    def _lose(self, item: Item) -> None:
        _LOG.warning("an item of the kind %r could not be scrubbed and is not sent", str(item.type)[:40])
        try:
            self.record_lost_event("internal_sdk_error", item=item)
        except Exception:  # noqa: BLE001  # what cannot be read cannot be counted by its size either
            self.record_lost_event("internal_sdk_error", data_category=item.data_category)


def _headers(envelope: Envelope) -> dict[str, object]:
    try:
        return scrubbed_headers(envelope.headers)
    except Exception:  # noqa: BLE001  # an envelope needs none
        return {}
