"""What is wrong with a setting, told by the name that it was set by: a flag, a variable or a field of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from nightbench.errors import ConfigurationError
from nightbench.plan.fields import names_beside, problem_of, shown
from nightbench.scrub import REDACTED, scrub_address, without_query
from nightbench.spelling import did_you_mean
from nightbench.variables import variable_that_sets


def setting_error(
    error: ValidationError, model: type[BaseModel], *, flags: Mapping[str, Any] | None = None
) -> ConfigurationError:
    """Turn the first problem of a pydantic error into one line that names the setting and its value.

    Args:
        error: Of the settings.
        model: These.
        flags: What was said by flags, by the name of the setting.
    """
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    setting = _setting_name(path, flags or {})
    if first["type"] == "extra_forbidden":  # its value may be a secret under a misspelled name
        return ConfigurationError(
            setting,
            REDACTED,
            "no such setting",
            did_you_mean(str(first["loc"][-1]), names_beside(model, first["loc"])),
        )
    return ConfigurationError(setting, _shown(first["loc"], first["input"]), problem_of(first))


def _shown(path: Sequence[str | int], value: object) -> str:
    match path[:1]:
        case ("websocket_url",):
            return without_query(scrub_address(value)) if isinstance(value, str) else REDACTED
        case ("results" | "backup",) if isinstance(value, str) and "://" in value:
            return without_query(scrub_address(value))
        case ("database_dsn",):
            # what is no URL may be nothing but a password, or have one under any name
            return scrub_address(value) if isinstance(value, str) and "://" in value else REDACTED
        case _:
            return shown(path, value)


def _setting_name(path: list[str], flags: Mapping[str, Any]) -> str:
    if path and path[0] in flags:
        return "--" + {"websocket_url": "url", "database_dsn": "dsn", "run": "wait"}.get(
            path[0], path[0]
        ).replace("_", "-")
    return variable_that_sets(path) or ".".join(path)
