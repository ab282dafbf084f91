"""One round of posting: the alerts that wait, oldest first, until all are through or nothing more would be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sentry_sdk.envelope import Envelope

from nightbench.alerts.answer import TOO_LARGE, Answer, AnswerKind
from nightbench.alerts.delivery_report import EventState
from nightbench.alerts.kept import NoAlertError, id_of, legible, read, without_attachments
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_state import OutboxState
from nightbench.alerts.posting import Poster
from nightbench.files import reason

MAX_FAILURES: Final = 3
"""Server errors in a row after which the rest waits for the next run."""
MAX_WAITS: Final = 3
"""Short pauses that a server asks for and gets in one round."""

OnEvent = Callable[[EventState], None]


@dataclass(frozen=True)
class Limits:
    """How long a delivery may take, in seconds.

    Attributes:
        total: All of it, whatever the server does.
        patience: The longest pause a server may ask for that is waited for; a longer one ends the round.
    """

    total: float = 60.0
    patience: float = 5.0


class Round:
    """Posts what waits in an outbox, which the caller holds.

    Attributes:
        states: What became of each alert that is through, in the order of posting.
        reasons: Why each of the others is not, by the name of its file.
        stopped: Why the round ended before the last alert; empty when it did not.
    """

    def __init__(
        self, outbox: Outbox, poster: Poster, limits: Limits, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.states: list[EventState] = []
        self.reasons: dict[str, str] = {}
        self.stopped = ""
        self._outbox = outbox
        self._poster = poster
        self._limits = limits
        self._wait = wait
        self._ends = time.monotonic() + limits.total
        self._failures = 0
        self._waits = 0
        self._owed: float | None = None

    def post_all(self, on_event: OnEvent) -> None:
        """Post until nothing waits that was not tried, also what is put there meanwhile."""
        for path in self._untried():
            if self._owed is not None and not self._waited(self._owed):
                break
            self._owed = None
            state = self._deliver(path)
            if state is not None:
                self.states.append(state)
                on_event(state)
            if self._failures >= MAX_FAILURES:
                self.stopped = self.stopped or f"{MAX_FAILURES} in a row failed; the rest waits"
            if self.stopped:
                break
        if self._owed is not None:
            self._pause(self._owed)

    def _untried(self) -> Iterator[Path]:
        tried: set[str] = set()
        while batch := [path for path in self._outbox.pending() if path.name not in tried]:
            for path in batch:
                tried.add(path.name)
                yield path

    def _deliver(self, path: Path) -> EventState | None:
        """Post one; None when it still waits."""
        name = legible(path.name)
        try:
            answer, note = self._answer_to(read(path))
        except FileNotFoundError:
            return None  # taken back meanwhile
        except NoAlertError as error:
            answer, note = Answer(AnswerKind.REFUSED, str(error)), ""
        except (OSError, MemoryError) as error:
            answer, note = Answer(AnswerKind.LATER, f"{name} cannot be read: {reason(error)}"), ""
        except Exception as error:  # noqa: BLE001  # one file, whatever it is, never holds up the others
            why = f"{name} cannot be posted ({type(error).__name__})"
            answer, note = Answer(AnswerKind.REFUSED, why), ""
        self._failures = self._failures + 1 if answer.kind is AnswerKind.LATER else 0
        try:
            return self._settled(path, answer, note)
        except Exception as error:  # noqa: BLE001  # as above
            self.reasons[path.name] = f"{name} stays in the outbox: {legible(reason(error))}"
            return None

    def _settled(self, path: Path, answer: Answer, note: str) -> EventState | None:
        match answer.kind:
            case AnswerKind.TAKEN:
                path.unlink(missing_ok=True)
                state: EventState | None = EventState(id_of(path), "delivered", note)
            case AnswerKind.REFUSED:
                self._outbox.set_aside(path, answer.why)
                state = EventState(id_of(path), "rejected", answer.why)
            case _:
                self.reasons[path.name] = answer.why
                state = None
        if answer.kind is AnswerKind.BUSY:
            self.stopped = answer.why
        self._owed = answer.retry_after
        return state

    def _answer_to(self, envelope: Envelope) -> tuple[Answer, str]:
        """The server's last word on one alert, and what has to be told although it is through."""
        answer = self._posted(envelope)
        bare = without_attachments(envelope)
        if answer.status != TOO_LARGE or len(bare.items) == len(envelope.items):
            return answer, ""
        again = self._posted(bare)
        return again, f"{answer.why}; it was taken without its attachments"

    def _posted(self, envelope: Envelope) -> Answer:
        """The answer, after the short pauses that a busy server asked for."""
        while True:
            answer = self._poster.post(envelope, within=self._left())
            busy = answer.kind is AnswerKind.BUSY and answer.retry_after is not None
            if not (busy and self._waited(answer.retry_after or 0.0)):
                return answer

    def _waited(self, seconds: float) -> bool:
        """Wait as long as a server asked for; False when that would be too long or too often."""
        if seconds > min(self._limits.patience, self._left()) or self._waits >= MAX_WAITS:
            return False
        self._waits += 1
        self._wait(seconds)
        return True

    def _pause(self, seconds: float) -> None:
        """Leave the server alone for so long, in later runs too."""
        now, project = datetime.now(UTC), self._poster.project
        state = OutboxState.read(self._outbox.state_file).paused(project, seconds, now)
        until = state.pause(project, now)
        if until is None:
            return
        asked = left_alone(until)
        self.stopped = f"{self.stopped}; it {asked}" if self.stopped else f"{self._poster.host} {asked}"
        with suppress(OSError):  # then the next run hears it from the server
            state.write(self._outbox.state_file)

    def _left(self) -> float:
        return self._ends - time.monotonic()


def left_alone(until: datetime) -> str:
    """That a server wants a pause; stands after its name or what it answered."""
    return f"asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC"
