"""One suite by itself, without Prefect: what ``nightbench websocket`` and ``nightbench database`` share.

It is recorded, judged and compared like a nightly run; alerts are the nights' alone, since whoever types a
command is looking at its result.
"""

from __future__ import annotations

import asyncio

from rich.console import Console

from nightbench.cli.json_output import JsonOutput
from nightbench.cli.telling import tell
from nightbench.database import stress_test
from nightbench.errors import ExitCode
from nightbench.history.store import HistoryStore
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.load.progress import OnProgress
from nightbench.measurement import Measurement, new_id
from nightbench.night import Night
from nightbench.outcome import NightOutcome
from nightbench.plan import Suite, TierPlan
from nightbench.reference.provide import provide_subject
from nightbench.report.document import document
from nightbench.report.progress import progress_display
from nightbench.report.summary import print_notes, print_places, print_suite
from nightbench.settings import Settings
from nightbench.websocket import load_test


def run_suite(suite: Suite, settings: Settings, plan: TierPlan, *, json: str | None) -> ExitCode:
    """Measure one suite, keep it, say what came of it.

    Raises:
        NightbenchError: when it could not be measured or kept.
    """
    output = JsonOutput(json)
    HistoryStore(settings.results).check_writable()
    progress = Console(stderr=True)

    async def main(stop: asyncio.Event) -> NightOutcome:
        async with provide_subject(settings, needs=frozenset({suite})) as subject:
            night = Night(settings, new_id(suite), subject=subject, on_note=tell, stop=stop)
            with progress_display(progress, label=plan.tier) as on_progress:
                measurement = await _measure(suite, plan, night, on_progress)
        night.record(measurement)
        night.judge(measurement)
        return night.outcome()

    outcome = run_interruptible(main, on_first=lambda: tell(STOPPING))
    (verdict,) = outcome.verdicts
    if (console := output.summary_console) is not None:
        print_suite(console, verdict)
        print_notes(console, outcome.notes)
        print_places(console, {"results": settings.results})
    output.write(document(verdict.measurement, verdict.targets))
    return outcome.exit_code


async def _measure(suite: Suite, plan: TierPlan, night: Night, on_progress: OnProgress) -> Measurement:
    label = night.label(plan.tier)
    if suite == "websocket":
        return await load_test.run(
            plan.websocket, night.subject, label, on_progress=on_progress, stop=night.stop
        )
    return await stress_test.run(
        plan.database, night.subject, label, on_progress=on_progress, stop=night.stop
    )
