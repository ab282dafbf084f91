"""What Prefect's handlers of logs write, to its server and to the console: scrubbed, whoever wrote it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from nightbench.scrubbed_logs import ScrubbingFilter


def scrub_logs() -> None:
    """Put the scrubber before every such handler; it may be called again, for those that came later."""
    for handler in prefect_handlers():
        if not any(isinstance(each, ScrubbingFilter) for each in handler.filters):
            handler.addFilter(ScrubbingFilter())


def prefect_handlers() -> Iterator[logging.Handler]:
    """The handlers of Prefect's, wherever they are."""
    known = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in known:
        if isinstance(logger, logging.Logger):
            yield from (each for each in logger.handlers if type(each).__module__.startswith("prefect."))
