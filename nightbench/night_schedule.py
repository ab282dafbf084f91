"""When nights are due and how long one may take: what a monitor of the nightly flow is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nightbench.alerts.monitor import Monitor, schedule_of
from nightbench.errors import ConfigurationError
from nightbench.plan import Tier, TierChanges, TierPlan
from nightbench.run_length import seconds_of
from nightbench.settings import Settings
from nightbench.tiers import NIGHTLY, TIERS, tiers_of

PREFECT_YAML = Path(__file__).parents[1] / "prefect.yaml"
"""Of which the deployments of this project are made."""

_AROUND_A_NIGHT = 600.0
"""Seconds for starting, ending and delivering."""
_SLACK = 1.25
"""A night may take so many times what it should."""

Entries = Sequence[Mapping[str, Any]]
"""The schedules of a deployment, see `schedule_of`."""


def project_schedules(file: Path = PREFECT_YAML) -> Entries:
    """Those of the project's ``prefect.yaml``; none where it is not, as in an installed package.

    Raises:
        ConfigurationError: when it cannot be read.
    """
    try:
        return schedules_in(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("prefect.yaml", str(file), f"cannot be read: {error}") from None


def schedules_in(prefect_yaml: str) -> Entries:
    """The schedules of the deployment ``nightly`` in the text of a ``prefect.yaml``; none where there are none.

    Raises:
        ConfigurationError: when it is not such a file.
    """
    try:
        content = yaml.safe_load(prefect_yaml)
        deployments = (content or {}).get("deployments") or ()
        nightly: Mapping[str, Any] = next((each for each in deployments if each.get("name") == NIGHTLY), {})
        given = nightly.get("schedules") or nightly.get("schedule") or ()
        entries = [given] if isinstance(given, Mapping) else list(given)
    except (yaml.YAMLError, RecursionError, AttributeError, TypeError) as error:
        raise ConfigurationError("prefect.yaml", "", f"cannot be read: {type(error).__name__}") from None
    if nightly.get("paused") is True:
        return ()
    return tuple(entry for entry in entries if isinstance(entry, Mapping))


def monitor_of(
    entries: Entries, settings: Settings, changes: Mapping[Tier, TierChanges | None]
) -> Monitor | None:
    """The monitor of nights that are due as `entries` say; None when they are never due.

    A shorter night, such as a quick one by hand, leaves the time that a whole one may take as it is.

    Raises:
        ConfigurationError: when Sentry has no such schedule.
    """
    schedule = schedule_of(entries)
    if schedule is None:
        return None
    longest = settings.alerts.max_runtime_minutes
    if longest is None:
        longest = max(
            longest_minutes(_plan(settings, tier, each) for tier in tiers_of(NIGHTLY))
            for each in ({}, changes)
        )
    return Monitor(schedule, settings.alerts.checkin_margin_minutes, longest)


def longest_minutes(plans: Iterable[TierPlan]) -> int:
    """How long a night of `plans` may take, in whole minutes, rounded up: every suspect repeated, and a quarter more."""
    seconds = _AROUND_A_NIGHT + _SLACK * sum(
        (plan.blocks + plan.reruns) * (seconds_of(plan, "websocket") + seconds_of(plan, "database"))
        for plan in plans
    )
    return int(-(-seconds // 60))


def _plan(settings: Settings, tier: Tier, changes: Mapping[Tier, TierChanges | None]) -> TierPlan:
    try:
        return settings.tier(tier, changes.get(tier))
    except ConfigurationError:  # which the night itself tells
        return TIERS[tier]
