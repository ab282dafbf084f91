"""What people say about runs, as rows of the dataset: epochs, pins and acknowledgements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MarkKind = Literal["accept", "mute", "invalid", "pin", "unpin", "epoch"]


@dataclass(frozen=True)
class Mark:
    """One statement of one person about one run; never edited, only followed by another.

    Attributes:
        mark_id: Unique; sorts by time.
        kind: ``accept``: from this night on the metrics' new level is the normal one (an epoch of theirs);
            ``mute``: no alert of them until `until`; ``invalid``: the night is no measurement;
            ``pin``/``unpin``: the run is (no longer) of the set that is compared with;
            ``epoch``: a new epoch for all metrics of the suite and tier.
        environment, suite, tier, run_id, night_id: What it is about.
        metrics: Names; empty means all of the suite and tier.
        until: End of a mute, UTC.
        who, why: Never empty.
        at: When it was said, UTC.
    """

    mark_id: str
    kind: MarkKind
    environment: str
    suite: str
    tier: str
    run_id: str
    night_id: str
    metrics: tuple[str, ...]
    who: str
    why: str
    at: datetime
    until: datetime | None = None
