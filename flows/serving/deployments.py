"""The deployments of ``prefect.yaml`` on a server, changed where the file has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
)
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentTriggerTypes
from prefect.exceptions import MissingFlowError, ObjectNotFound, ParameterTypeError, ScriptError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from pydantic import TypeAdapter, ValidationError

from flows.serving.known_keys import unknown_keys
from flows.serving.project_file import Deployment, ProjectFile, Schedule, Steps, problem_in
from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.scrub import scrub

_TRIGGER: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)


class ReadyDeployment:
    """An entry of the file with its flow loaded and its parameters tried.

    Attributes:
        full_name: ``flow/deployment``.
        payload: What Prefect's server is told of it, as JSON has it; without schedules and triggers.
    """

    def __init__(self, entry: Deployment, pull: Steps, folder: Path, place: str) -> None:
        flow = _flow(folder, entry, place)
        self.entry = entry
        self.flow_name = flow.name
        self.full_name = f"{flow.name}/{entry.name}"
        self.triggers = [_trigger(spec, f"{place}.triggers.{n}") for n, spec in enumerate(entry.triggers)]
        self.payload: dict[str, Any] = {
            "description": entry.description,
            "version": entry.version,
            "tags": list(entry.tags),
            "parameters": dict(entry.parameters),
            "enforce_parameter_schema": entry.enforce_parameter_schema,
            "parameter_openapi_schema": _schema(flow),
            "entrypoint": entry.entrypoint,
            "pull_steps": list(pull),
            "work_pool_name": entry.work_pool.name,
            "work_queue_name": entry.work_pool.work_queue_name,
            "job_variables": dict(entry.work_pool.job_variables),
            "concurrency_limit": entry.concurrency_limit.limit,
        }
        if entry.paused is not None:
            self.payload["paused"] = entry.paused

    @property
    def definition(self) -> dict[str, Any]:
        """All that the server is told, as JSON has it: what has to change before it is told again."""
        return {**self.payload, "entry": self.entry.model_dump(mode="json")}

    async def apply(self, client: PrefectClient) -> None:
        """Make the deployment, or make the one that there is like the file."""
        options = ConcurrencyOptions.model_validate(
            self.entry.concurrency_limit.model_dump(exclude={"limit"}, exclude_none=True)
        )
        try:
            known = await client.read_deployment_by_name(self.full_name)
        except ObjectNotFound:
            deployment_id = await client.create_deployment(
                flow_id=await client.create_flow_from_name(self.flow_name),
                name=self.entry.name,
                schedules=[
                    DeploymentScheduleCreate(**_schedule(each, None)) for each in self.entry.schedules
                ],
                concurrency_options=options,
                **self.payload,
            )
        else:
            deployment_id = known.id
            await client.update_deployment(
                deployment_id, DeploymentUpdate(concurrency_options=options, **self.payload)
            )
            await self._apply_schedules(client, known)
        await client.delete_resource_owned_automations(f"prefect.deployment.{deployment_id}")
        for trigger in self.triggers:
            trigger.set_deployment_id(deployment_id)
            await client.create_automation(trigger.as_automation())

    async def _apply_schedules(self, client: PrefectClient, known: DeploymentResponse) -> None:
        """Schedules by slug: what the file no longer has goes, and what a user has paused stays so."""
        there = {each.slug: each for each in known.schedules}
        wanted = {each.slug: each for each in self.entry.schedules}
        for slug, old in there.items():
            if slug not in wanted:
                await client.delete_deployment_schedule(known.id, old.id)
        created = []
        for slug, new in wanted.items():
            if slug in there:
                old = there[slug]
                await client.update_deployment_schedule(known.id, old.id, **_schedule(new, old.active))
            else:
                created.append(DeploymentScheduleCreate(**_schedule(new, None)))
        if created:
            await client.create_deployment_schedules(known.id, created)


def ready_deployments(project: ProjectFile, file: Path) -> list[ReadyDeployment]:
    """Load the flows of `project`, which stands in `file`, and try each set of parameters.

    Raises:
        ConfigurationError: for the first that cannot be used, with its place in the file.
    """
    return [
        ReadyDeployment(
            entry,
            project.pull if entry.pull is None else entry.pull,
            file.parent,
            f"{file.name}: deployments.{n}",
        )
        for n, entry in enumerate(project.deployments)
    ]


def _flow(folder: Path, entry: Deployment, place: str) -> Flow[..., Any]:
    try:
        flow: Flow[..., Any] = load_flow_from_entrypoint(
            str(folder / entry.entrypoint), use_placeholder_flow=False
        )
    except (OSError, MissingFlowError, ScriptError, AttributeError, TypeError) as error:
        problem = f"cannot be loaded: {scrub(str(error.__cause__ or error))}"
        raise ConfigurationError(f"{place}.entrypoint", entry.entrypoint, problem) from None
    for name, parameters in (
        (f"{place}.parameters", entry.parameters),
        *(
            (f"{place}.schedules.{n}.parameters", {**entry.parameters, **each.parameters})
            for n, each in enumerate(entry.schedules)
        ),
    ):
        try:
            flow.validate_parameters(parameters)
        except (ValidationError, ParameterTypeError, TypeError) as error:
            raise ConfigurationError(name, NOT_GIVEN, scrub(" ".join(str(error).split()))) from None
    return flow


def _schema(flow: Flow[..., Any]) -> dict[str, Any]:
    """Of its parameters, with which the server refuses those that it does not have."""
    return {**parameter_schema(flow).model_dump(exclude_unset=True), "additionalProperties": False}


def _trigger(spec: Mapping[str, Any], place: str) -> DeploymentTriggerTypes:
    try:
        trigger = _TRIGGER.validate_python(dict(spec))
    except ValidationError as error:
        raise problem_in(place, error) from None
    except TypeError as error:  # out of Prefect's own checks, which expect the right kind
        raise ConfigurationError(place, NOT_GIVEN, scrub(str(error))) from None
    for key in unknown_keys({name: value for name, value in spec.items() if name != "type"}, trigger):
        raise ConfigurationError(f"{place}.{key}", NOT_GIVEN, "no such key")
    return trigger


def _schedule(entry: Schedule, active: bool | None) -> dict[str, Any]:
    """The fields of a schedule; `active` is what it was, which only the file's own word changes."""
    schedule = CronSchedule(cron=entry.cron, timezone=entry.timezone)
    wanted = entry.active if entry.active is not None else active
    return {
        "schedule": schedule,
        "active": True if wanted is None else wanted,
        "parameters": dict(entry.parameters),
        "slug": entry.slug,
    }
