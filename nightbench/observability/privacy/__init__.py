"""What makes a watched backend safe: whatever a Sentry client sends is bounded, then scrubbed by where it stands."""

from nightbench.observability.privacy.bounds import bounded
from nightbench.observability.privacy.breadcrumb import before_breadcrumb
from nightbench.observability.privacy.event import scrubbed_event
from nightbench.observability.privacy.options import options
from nightbench.observability.privacy.transport import ScrubbingTransport
from nightbench.observability.privacy.wording import guard_errors

__all__ = ["ScrubbingTransport", "before_breadcrumb", "bounded", "guard_errors", "options", "scrubbed_event"]
