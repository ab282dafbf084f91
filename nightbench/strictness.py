"""How strictly a night is judged: the settings made into the verdict's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nightbench.plan.fields import NoValueError
from nightbench.settings import Settings
from nightbench.variables import place_of
from nightbench.verdict.bounds import NOT_MORE
from nightbench.verdict.policy import Policy


def policy_of(settings: Settings, *, judgements: int = 1) -> Policy:
    """The policy that the ``[verdict]`` settings ask for; what they leave out is as usual.

    Args:
        settings: Of the night.
        judgements: How many tiers it has, which share its chance of a wrong suspect.

    Raises:
        ConfigurationError: for numbers that do not agree, naming those that were set.
    """
    usual = Policy(judgements=judgements)
    asked = settings.verdict.model_dump(exclude_unset=True, exclude_none=True)
    _check_nights(asked, usual)
    if "effect_floors" in asked:  # the first that fits counts
        asked["effect_floors"] |= {
            pattern: floor
            for pattern, floor in usual.effect_floors.items()
            if pattern not in asked["effect_floors"]
        }
    return replace(usual, **asked)


def _check_nights(asked: Mapping[str, Any], usual: Policy) -> None:
    for fewer, more in NOT_MORE:
        least, most = (asked.get(name, getattr(usual, name)) for name in (fewer, more))
        if least > most:
            where = " and ".join(place_of(("verdict", name)) for name in (fewer, more) if name in asked)
            problem = f"{fewer} is {least}, which is more than {more}, {most}"
            raise NoValueError(where, problem, f"set {fewer} lower or {more} higher")
