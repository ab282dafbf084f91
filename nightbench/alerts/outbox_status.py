"""How it stands with the outbox: what waits, what was set aside and given up, and who wants to be left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nightbench.alerts.kept import NoAlertError, event_in, id_of, legible, since_of
from nightbench.alerts.outbox import Outbox
from nightbench.alerts.outbox_state import OutboxState
from nightbench.files import reason
from nightbench.scrub import scrub

_TITLE = 300  # characters


@dataclass(frozen=True)
class KeptAlert:
    """One alert in the outbox.

    Attributes:
        event_id: Of its event.
        since: When it was put there, UTC.
        size: Of its file in bytes.
        title: Of the alert, or why it cannot be read.
        why: Why it was set aside; empty for one that waits.
    """

    event_id: str
    since: datetime
    size: int
    title: str
    why: str = ""


@dataclass(frozen=True)
class OutboxStatus:
    """How it stands.

    Attributes:
        waiting: What waits, oldest first.
        rejected: What was set aside, oldest first.
        dropped: How many were given up since there is this outbox.
        paused_until: Until when the server asked to be left alone; None when it did not.
    """

    waiting: tuple[KeptAlert, ...]
    rejected: tuple[KeptAlert, ...]
    dropped: int
    paused_until: datetime | None

    @property
    def size(self) -> int:
        """Of what waits, in bytes."""
        return sum(each.size for each in self.waiting)


def status_of(outbox: Outbox, project: str | None, now: datetime) -> OutboxStatus:
    """How it stands with an outbox; what vanishes meanwhile is left out.

    Args:
        outbox: Which.
        project: Of the DSN, as `Poster.project` has it.
        now: UTC.
    """
    state = OutboxState.read(outbox.state_file)
    return OutboxStatus(
        waiting=tuple(_alerts([(path, "") for path in outbox.pending()])),
        rejected=tuple(_alerts([(each.path, each.why) for each in outbox.set_aside_ones()])),
        dropped=state.dropped,
        paused_until=None if project is None else state.pause(project, now),
    )


def _alerts(files: Sequence[tuple[Path, str]]) -> Iterator[KeptAlert]:
    for path, why in files:
        try:
            since, size = since_of(path), path.stat().st_size
            title = _title(path)
        except FileNotFoundError:
            continue
        yield KeptAlert(id_of(path), since.astimezone(UTC), size, title, _line(why))


def _title(path: Path) -> str:
    try:
        message = event_in(path).get("message")
    except NoAlertError as error:
        return str(error)
    except FileNotFoundError:
        raise
    except OSError as error:
        return f"cannot be read: {reason(error)}"
    text = message.get("formatted") if isinstance(message, dict) else message
    first = text.partition("\n")[0] if isinstance(text, str) else ""
    return _line(first)[:_TITLE] or "without a title"


def _line(text: str) -> str:
    return " ".join(legible(scrub(text)).split())
