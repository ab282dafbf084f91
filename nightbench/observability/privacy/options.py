"""What makes a Sentry client private, as options of ``sentry_sdk.init``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sentry_sdk.scrubber import EventScrubber

from nightbench.observability.privacy.bounds import BAG, bounded
from nightbench.observability.privacy.breadcrumb import before_breadcrumb
from nightbench.observability.privacy.event import bounded_event
from nightbench.observability.privacy.logentry import filled
from nightbench.observability.privacy.minimal import minimal_event
from nightbench.observability.privacy.transport import ScrubbingTransport

if TYPE_CHECKING:
    from sentry_sdk._types import Event


class EventBounds(EventScrubber):
    """Makes an event plain data of bounded size before the SDK serialises it, which deep or shared values can hang."""

    def scrub_event(self, event: Event) -> None:
        """Bound `event` in its place. Never raises: where it fails, the minimal event is left."""
        given = cast("dict[str, Any]", event)
        try:
            plain = bounded_event({key: each for key, each in given.items() if key != "logentry"})
            if "logentry" in given:
                plain["logentry"] = _logentry(given["logentry"])
        except Exception:  # noqa: BLE001  # the SDK loses the event otherwise
            plain = minimal_event(given)
        given.clear()
        given.update(plain)


def options() -> dict[str, Any]:
    """Options that leave nothing to the SDK's defaults where they collect or send what is personal or secret."""
    return {
        "before_breadcrumb": before_breadcrumb,
        "event_scrubber": EventBounds(),
        "transport": ScrubbingTransport,
        "include_local_variables": False,
        "include_source_context": False,  # a line of source may hold what the scrubber does not know for a secret
        "max_request_body_size": "never",
        "max_value_length": BAG.text,
        "spotlight": False,  # without a DSN it would turn personal data on
        "attach_stacktrace": False,
        "add_full_stack": False,
        "debug": False,  # prints what is sent
        "enable_logs": False,
    }


def _logentry(entry: Any) -> Any:
    """The message of a log event; its arguments are in it, by their types where they are objects."""
    if not isinstance(entry, dict):
        return bounded(entry)
    template = entry.get("message")
    formatted = filled(template, entry.get("params"))
    return {
        "message": bounded(template),
        "formatted": bounded(entry.get("formatted") if formatted is None else formatted),
    }
