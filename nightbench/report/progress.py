"""What a running load test shows: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from nightbench.load.progress import OnProgress, Progress
from nightbench.report.layout import Page

LINE_SECONDS = 5.0
"""How far apart plain lines are within one phase."""


@contextmanager
def progress_display(console: Console, *, label: str = "") -> Iterator[OnProgress]:
    """Yield a callback that shows each state of a load test.

    Args:
        console: Usually of stderr. A terminal gets a bar, anything else a line every `LINE_SECONDS` and at
            each change of phase.
        label: What is written before the suite: the tier.
    """
    if not console.is_terminal:
        yield _safely(_Lines(console, label))
        return
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=10),
        TextColumn("{task.fields[state]}"),
        console=console,
    )
    with bar:
        yield _safely(_Bars(bar, Page(console), label))


def _safely(show: OnProgress) -> OnProgress:
    """A display that cannot be written to, such as a closed pipe, is no reason to end a measurement."""

    def shown(progress: Progress) -> None:
        with suppress(OSError, ValueError):
            show(progress)

    return shown


class _Bars:
    def __init__(self, bar: Bar, page: Page, label: str) -> None:
        self._bar = bar
        self._page = page
        self._label = label
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        task = self._tasks.get(progress.suite)
        if task is None:
            task = self._tasks[progress.suite] = self._bar.add_task("", state="")
        self._bar.update(
            task,
            description=f"{name_of(self._label, progress)} {progress.phase:<7}",
            total=1.0,
            completed=share(progress),
            state=self._page.said(_state(progress, gap=" ")),
        )


class _Lines:
    def __init__(self, console: Console, label: str) -> None:
        self._page = Page(console)
        self._label = label
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        if not self._due(progress):
            return
        self._last = progress
        self._page.line(in_one_line(self._label, progress))

    def _due(self, progress: Progress) -> bool:
        last = self._last
        if last is None or (last.suite, last.phase) != (progress.suite, progress.phase):
            return True
        return progress.elapsed - last.elapsed >= LINE_SECONDS


def name_of(label: str, progress: Progress) -> str:
    """What runs: ``full 2/3 websocket``."""
    return f"{label} {progress.suite}".strip()


def in_one_line(label: str, progress: Progress) -> str:
    """``full 2/3 websocket measure 45/300 s  100 users  512/s  P95 41.2 ms``."""
    return f"{name_of(label, progress)} {progress.phase:<7} {_state(progress)}"


def share(progress: Progress) -> float:
    """How much of the plan is done, of 1."""
    done, planned = progress.operations or (progress.elapsed, progress.expected or 0.0)
    return min(done / planned, 1.0) if planned else 0.0


def _state(progress: Progress, gap: str = "  ") -> str:
    busy = f"{progress.active}/{progress.of} busy" if progress.of else f"{progress.active} workers"
    who = f"{progress.active} users" if progress.suite == "websocket" else busy
    p95 = "–" if progress.p95_ms is None else f"{progress.p95_ms:.{0 if progress.p95_ms >= 100 else 1}f} ms"
    pieces = [
        _time(progress),
        *([_done(*progress.operations)] if progress.operations else []),
        who,
        f"{progress.rate:.0f}/s",
        f"P95 {p95}",
        *([f"{progress.failed} failed"] if progress.failed else []),
    ]
    return gap.join(pieces)


def _time(progress: Progress) -> str:
    if progress.expected is None:
        return f"{progress.elapsed:.0f} s"
    return f"{min(progress.elapsed, progress.expected):.0f}/{progress.expected:.0f} s"


def _done(done: int, planned: int) -> str:
    return f"{_short(done)}/{_short(planned)}"


def _short(amount: int) -> str:
    return str(amount) if amount < 10_000 else f"{amount // 1000}k"
