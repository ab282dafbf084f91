"""What shows the progress of a running suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from nightbench.load.progress import OnProgress, Progress

Display = Callable[[str], AbstractContextManager[OnProgress]]
"""What shows the progress of one run of a suite under a label, inside its block."""


@contextmanager
def no_display(_label: str) -> Iterator[OnProgress]:
    """Show nothing."""
    yield lambda _: None


def shown_on_both(first: Display, second: Display) -> Display:
    """A display that shows the same on both."""

    @contextmanager
    def display(label: str) -> Iterator[OnProgress]:
        with first(label) as one, second(label) as other:

            def show(progress: Progress) -> None:
                one(progress)
                other(progress)

            yield show

    return display
