"""Put the project on a Prefect server: ``python -m flows.serving.apply``, see `Applying` for its flags.

What it changes it writes to standard output, a line each. It loads the flows first, waits for one line on its
standard input, which says that the server is there, and then speaks to the server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.workers.process import ProcessWorker

from flows.serving.applying import Applying
from flows.serving.automations import apply_automation, read_automations
from flows.serving.deployments import ReadyDeployment, ready_deployments
from flows.serving.lost_runs import end_lost_runs
from flows.serving.project_file import ProjectFile
from flows.serving.remembered import Remembered
from flows.subject import NightbenchSubject
from nightbench.errors import ConfigurationError, ExitCode, NightbenchError
from nightbench.scrub import scrub

POOL_TYPE = ProcessWorker.type


def main(argv: Sequence[str]) -> int:
    """Do what `argv` says; what is wrong goes to standard error."""
    asked = Applying.parse(argv)
    try:
        deployments = ready_deployments(ProjectFile.read(asked.file), asked.file)
        automations = read_automations(asked.automations) if asked.automations.exists() else []
        if not sys.stdin.readline():
            return ExitCode.INTERRUPTED
        asyncio.run(_apply(asked, deployments, automations))
    except NightbenchError as error:
        print(error, file=sys.stderr)  # noqa: T201  # what the parent tells
        return error.exit_code
    except PrefectHTTPStatusError as error:
        print(f"the Prefect server refused: {scrub(str(error))}", file=sys.stderr)  # noqa: T201
        return ExitCode.INVALID
    return ExitCode.MET


async def _apply(
    asked: Applying, deployments: list[ReadyDeployment], automations: list[AutomationCore]
) -> None:
    remembered = Remembered(asked.remembered)
    async with get_client() as client:
        for name in sorted({each.entry.work_pool.name for each in deployments}):
            kind = await _make_pool(client, name)
            if asked.worker and kind != POOL_TYPE:
                way_out = "use --no-worker, and start a worker of its type"
                raise ConfigurationError("work pool", name, f"is of type {kind}, not {POOL_TYPE}", way_out)
            for run in await end_lost_runs(client, name) if asked.own else ():
                _say(f"run {run} was under way when nightbench serve was killed: it has crashed")
        await NightbenchSubject.aregister_type_and_schema(client=client)  # for which the forms ask
        await _apply_deployments(client, deployments, remembered)
        await _apply_automations(client, automations, remembered)


async def _apply_automations(
    client: PrefectClient, automations: list[AutomationCore], remembered: Remembered
) -> None:
    for automation in automations:
        definition = automation.model_dump(mode="json")
        there = await client.read_automations_by_name(automation.name)
        if there and remembered.knows("automation", automation.name, definition):
            continue
        await apply_automation(client, automation)
        remembered.keep("automation", automation.name, definition)
        _say(f"automation {automation.name!r} {'changed' if there else 'made'}")
    for name in remembered.others("automation", {each.name for each in automations}):
        for automation in await client.read_automations_by_name(name):
            await client.delete_automation(automation.id)
            _say(f"automation {name!r} removed")
        remembered.forget("automation", name)


async def _apply_deployments(
    client: PrefectClient, deployments: list[ReadyDeployment], remembered: Remembered
) -> None:
    for deployment in deployments:
        there = await _is_there(client, deployment.full_name)
        if there and remembered.knows("deployment", deployment.full_name, deployment.definition):
            continue
        await deployment.apply(client)
        remembered.keep("deployment", deployment.full_name, deployment.definition)
        _say(f"deployment {deployment.full_name} {'changed' if there else 'made'}")
    for name in remembered.others("deployment", {each.full_name for each in deployments}):
        try:
            known = await client.read_deployment_by_name(name)
        except ObjectNotFound:
            pass
        else:
            await client.delete_deployment(known.id)
            _say(f"deployment {name} removed")
        remembered.forget("deployment", name)


async def _is_there(client: PrefectClient, name: str) -> bool:
    try:
        await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return False
    return True


async def _make_pool(client: PrefectClient, name: str) -> str:
    """Make the work pool when it is missing; one that is there is its owner's. Its type."""
    try:
        return (await client.read_work_pool(name)).type
    except ObjectNotFound:
        pool = WorkPoolCreate(
            name=name,
            type=POOL_TYPE,
            description="Benchmarks, one at a time.",
            concurrency_limit=1,
            base_job_template=ProcessWorker.get_default_base_job_template(),
        )
        await client.create_work_pool(pool)
        _say(f"work pool {name} made")
        return POOL_TYPE


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # what the parent tells


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # Prefect's threads have nothing more to do
