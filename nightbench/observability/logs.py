"""Log records on their way to Sentry: each with a message that was made without running code of its arguments."""

from __future__ import annotations

from logging import Handler, LogRecord

from sentry_sdk.integrations.logging import BreadcrumbHandler, EventHandler, LoggingIntegration
from sentry_sdk.utils import capture_internal_exceptions

from nightbench.observability.privacy.logentry import filled
from nightbench.observability.privacy.wording import text_of


class Logs(LoggingIntegration):
    """The SDK's integration with handlers that lose no record for what it is about.

    Its own format a record first: an argument whose ``__str__`` raises, or one too few, costs the event, and
    one that is shared in itself hangs the caller. Levels are the SDK's: an ERROR is an event, an INFO a breadcrumb.
    """

    def __init__(self) -> None:
        """Handlers as the SDK's defaults, of our kind."""
        super().__init__()
        for name, kind in (("_handler", _Events), ("_breadcrumb_handler", _Breadcrumbs)):
            level = getattr(self, name).level
            setattr(self, name, kind(level=level))


class ToldRecord(LogRecord):
    """A record with its message made; the one it was made from stays as it is for other handlers."""

    def __init__(self, record: LogRecord) -> None:
        """Of any record."""
        self.__dict__.update(record.__dict__)
        template = record.msg if type(record.msg) is str else text_of(record.msg)
        message = filled(template, record.args)
        self.msg, self.args, self._message = template, (), template if message is None else message

    def getMessage(self) -> str:  # noqa: N802  # the name of the standard library
        """The message; of arguments that do not fit, the template alone."""
        return self._message


class _Told(Handler):
    """What both handlers do otherwise than the SDK's."""

    def emit(self, record: LogRecord) -> None:
        with capture_internal_exceptions():
            super().emit(ToldRecord(record))

    def format(self, record: LogRecord) -> str:
        """The message; the text of its traceback, which would be made as well, nobody reads."""
        record.message = record.getMessage()
        return record.message


class _Events(_Told, EventHandler):
    """Errors as events."""


class _Breadcrumbs(_Told, BreadcrumbHandler):
    """All else as breadcrumbs."""
