"""Automations as code, on a server: told apart by their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import AutomationCore
from pydantic import ValidationError

from flows.serving.known_keys import unknown_keys
from flows.serving.project_file import problem_in, read_yaml
from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.scrub import scrub


def read_automations(file: Path) -> list[AutomationCore]:
    """The automations of a file in the form that ``prefect automation create --from-file`` takes.

    Raises:
        ConfigurationError: when it cannot be read, or for the first thing in it that is wrong or unknown.
    """
    return parse_automations(read_yaml(file), file.name)


def parse_automations(content: object, name: str) -> list[AutomationCore]:
    """As `read_automations`, of what a file called `name` holds.

    Raises:
        ConfigurationError: for the first thing that is wrong or unknown.
    """
    entries = content.get("automations") if isinstance(content, Mapping) and len(content) == 1 else None
    if not isinstance(entries, list):
        raise ConfigurationError(name, NOT_GIVEN, "is no list named automations")
    automations = [_automation(entry, f"{name}: automations.{n}") for n, entry in enumerate(entries)]
    if len({each.name for each in automations}) < len(automations):
        raise ConfigurationError(name, NOT_GIVEN, "two automations have the same name")
    return automations


def _automation(entry: Any, place: str) -> AutomationCore:
    try:
        automation = AutomationCore.model_validate(entry)
    except ValidationError as error:
        raise problem_in(place, error) from None
    except TypeError as error:  # out of Prefect's own checks, which expect the right kind
        raise ConfigurationError(place, NOT_GIVEN, scrub(str(error))) from None
    for key in unknown_keys(entry, automation):
        raise ConfigurationError(f"{place}.{key}", NOT_GIVEN, "no such key")
    return automation


async def apply_automation(client: PrefectClient, automation: AutomationCore) -> None:
    """Make an automation, or make the one of its name like the file; one that a user has switched off stays off."""
    known = await client.read_automations_by_name(automation.name)
    if not known:
        await client.create_automation(automation)
        return
    first, *others = known
    enabled = automation.enabled and first.enabled
    await client.update_automation(first.id, automation.model_copy(update={"enabled": enabled}))
    for other in others:
        await client.delete_automation(other.id)
