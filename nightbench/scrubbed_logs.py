"""A filter of logging through which no secret passes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from nightbench.scrub import scrub, scrub_tree

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""What every record has; the rest is what the caller gave as ``extra``."""
_HARMLESS: Final = (int, float, type(None), UUID)


class ScrubbingFilter(logging.Filter):
    """Scrubs message, arguments, tracebacks, stacks and extras of every record.

    In place: all who see the record later see it so. It lets every record through; one that cannot be
    scrubbed loses its text.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub `record`."""
        try:
            _scrub(record)
        except Exception as error:  # noqa: BLE001  # a log line is never worth a failure, nor a secret
            record.msg = f"a log line could not be read: {type(error).__name__}"
            record.args = ()
            record.exc_info = record.exc_text = record.stack_info = None
            for name in vars(record).keys() - _OWN:
                delattr(record, name)
        return True


def _scrub(record: logging.LogRecord) -> None:
    record.msg, record.args = scrub(record.getMessage()), ()
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = record.exc_text or "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        record.exc_info = None  # some formatters make a text of it themselves
    if record.exc_text:
        record.exc_text = scrub(record.exc_text)
    if record.stack_info:
        record.stack_info = scrub(record.stack_info)
    for name, value in vars(record).items():
        if name not in _OWN and not isinstance(value, _HARMLESS):
            setattr(record, name, scrub_tree(_told(value)))
    record.name = scrub(record.name)


def _told(value: object) -> object:
    """An extra as a formatter would show it: what is neither text nor container by its text."""
    return value if isinstance(value, str | Mapping | list | tuple) else str(value)
