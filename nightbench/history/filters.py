"""Which of the stored runs are meant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from nightbench.measurement import Role


@dataclass(frozen=True)
class RunFilter:
    """All runs for which everything holds that is given.

    Attributes:
        environment, suite, tier: Theirs.
        since, until: Instants between which they started, both included.
        valid: Whether they were valid and complete.
        roles: What they were for.
        run_ids, night_ids: Theirs.
        last: Of what is left, the newest so many runs.
    """

    environment: str | None = None
    suite: str | None = None
    tier: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    valid: bool | None = None
    roles: Collection[Role] | None = None
    run_ids: Collection[str] | None = None
    night_ids: Collection[str] | None = None
    last: int | None = None

    def of(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The rows of `runs`, as `HistoryStore.runs` gives them, that are meant."""
        wanted = pd.Series(data=True, index=runs.index)
        for column, value in (("environment", self.environment), ("suite", self.suite), ("tier", self.tier)):
            if value is not None:
                wanted &= runs[column].eq(value)
        if self.since is not None:
            wanted &= runs["started_at"].ge(pd.Timestamp(self.since))
        if self.until is not None:
            wanted &= runs["started_at"].le(pd.Timestamp(self.until))
        if self.valid is not None:
            wanted &= runs["valid"].eq(self.valid)
        for column, values in (("role", self.roles), ("run_id", self.run_ids), ("night_id", self.night_ids)):
            if values is not None:
                wanted &= runs[column].isin(list(values))
        found = runs[wanted]
        return found if self.last is None else found.tail(max(0, self.last))
