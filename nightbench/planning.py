"""From settings, and what is asked for beside them, to the plan of a tier: checked, and with what is worth a word."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from nightbench.errors import ConfigurationError
from nightbench.plan import Layer, Suite, Tier, TierChanges, TierPlan
from nightbench.plan.effect import idle_fields
from nightbench.plan.layers import name_in, name_of_target
from nightbench.run_settings import DASK_SETTING
from nightbench.settings import Settings
from nightbench.target import unknown_metric

SUITES: tuple[Suite, ...] = ("websocket", "database")


class Planned(NamedTuple):
    """A plan, and a line for each field that was set and has no effect in it."""

    plan: TierPlan
    warnings: tuple[str, ...]


def planned(
    settings: Settings,
    tier: Tier,
    changes: TierChanges | None = None,
    *,
    quick: bool = False,
    suites: Sequence[Suite] = SUITES,
) -> Planned:
    """The plan of `tier`, see `Settings.tier`; of `suites`, all is checked that needs no subject.

    Raises:
        ConfigurationError: when it is no plan, or has a target that nothing would be measured for; it names what
            is wrong where it was set.
    """
    plan = settings.tier(tier, changes, quick=quick)
    layers = settings.layers(tier, changes)
    secure = urlsplit(settings.websocket_url or "").scheme == "wss"
    for suite in suites:
        _check_targets(suite, plan, layers, secure=secure)
    return Planned(
        plan,
        tuple(
            f"warning: {name} has no effect: {why}"
            for suite in suites
            for path, why in idle_fields(getattr(plan, suite), secure=secure)
            if (name := name_in(layers, (suite, *path))) is not None
            and not (
                quick and (suite, *path) == ("database", "rate")
            )  # which says how many queries are quick
        ),
    )


def lone_shards(settings: Settings, plan: TierPlan, suites: Sequence[Suite] = SUITES) -> tuple[str, ...]:
    """A line for each of `suites` that a flow loads from one worker alone, of the several that Dask may have."""
    if settings.run.dask is None:
        return ()
    return tuple(
        f"warning: {DASK_SETTING}: one worker makes the whole load of the {suite} suite, whose shards are 1; "
        f"set {suite}.shards to use more"
        for suite in suites
        if getattr(plan, suite).shards == 1
    )


def check_plans(settings: Settings, changes: Mapping[Tier, TierChanges | None], *, quick: bool) -> None:
    """Try the plans of several tiers, each with what is changed in it.

    Raises:
        ConfigurationError: for the first that is none, as of `planned`.
    """
    for tier, asked in changes.items():
        planned(settings, tier, asked, quick=quick)


def _check_targets(suite: Suite, plan: TierPlan, layers: Sequence[Layer], *, secure: bool) -> None:
    targets = getattr(plan, suite).targets
    if not targets:
        return
    known = _METRIC_NAMES[suite](plan, secure)
    for target in targets:
        if target.metric not in known:
            setting = name_of_target(layers, suite, target.metric) or f"{suite}.targets"
            raise ConfigurationError(setting, str(target), *unknown_metric(suite, target.metric, known))


def _of_websocket(plan: TierPlan, secure: bool) -> Collection[str]:
    from nightbench.websocket.metrics import metric_names  # noqa: PLC0415  # heavy, and for targets alone

    return metric_names(plan.websocket, secure=secure)


def _of_database(plan: TierPlan, _secure: bool) -> Collection[str]:
    from nightbench.database.metrics import metric_names  # noqa: PLC0415  # as above

    return metric_names(plan.database)


_METRIC_NAMES: Mapping[Suite, Callable[[TierPlan, bool], Collection[str]]] = {
    "websocket": _of_websocket,
    "database": _of_database,
}
"""What each suite measures of a plan, over wss:// or not, as its own metrics are made."""
