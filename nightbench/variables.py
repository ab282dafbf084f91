"""The environment variables that are settings, and the name by which whoever set something knows it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from nightbench.errors import ConfigurationError
from nightbench.plan.fields import Path, dotted
from nightbench.scrub import REDACTED
from nightbench.spelling import did_you_mean

FILE = "nightbench.toml"
PREFIX = "NIGHTBENCH_"
DEBUG = PREFIX + "DEBUG"
"""When set, unexpected errors come with their traceback; no setting, since settings may be what fails."""

_DEPTH = len(("plan", "TIER", "SUITE", "FIELD"))
"""Of the variables; what stands deeper, as one of several targets, is a part of the value."""
_PLANS = f"{PREFIX}PLAN__"
"""What begins so is looked at with the plan, whose fields have their own advice."""


def variable_of(path: Path) -> str:
    """The variable that sets the field at `path`, and nothing else."""
    return PREFIX + "__".join(str(part) for part in path[:_DEPTH]).upper()


def variable_that_sets(path: Path) -> str | None:
    """The variable that sets the field at `path`, or the table that it is a part of; None where none does."""
    whole = min(_DEPTH, len(path))
    for depth in range(whole, 0, -1):
        name = variable_of(path[:depth])
        if name in os.environ and _holds(os.environ[name], path[depth:whole]):
            return f"{name}: {dotted(path[depth:])}" if depth < whole else name
    return None


def place_of(path: Path) -> str:
    """Where the field at `path` was set: a variable, or else its place in the settings file."""
    return variable_that_sets(path) or f"{FILE}: {dotted(path)}"


def _holds(text: str, path: Path) -> bool:
    """Whether the value of a variable has something at `path`."""
    try:
        here = json.loads(text) if path else {}
    except (ValueError, RecursionError):
        return False
    for part in path:
        if not isinstance(here, dict) or part not in here:
            return False
        here = here[part]
    return True


def reject_unknown(fields: Iterable[Path]) -> None:
    """Refuse what the user may take for a setting; pydantic-settings passes it over, or reads it in any case.

    Args:
        fields: Each that is a setting.

    Raises:
        ConfigurationError: for the first variable that is none of them.
    """
    known = {DEBUG, *(variable_of(path) for path in fields)}
    for variable in os.environ:
        name = variable.upper()
        if not name.startswith(PREFIX):
            continue
        right = name in known or name.startswith(_PLANS)
        if not right or variable != name:
            way_out = did_you_mean(name, [name] if right else sorted(known))
            raise ConfigurationError(variable, REDACTED, "no such setting", way_out)
