"""One suite by itself, without Prefect: what ``nightbench websocket`` and ``nightbench database`` share.

It is recorded, judged and compared like a nightly run; alerts are the nights' alone, since whoever types a
command is looking at its result.
"""

from __future__ import annotations

import asyncio

from nightbench.blocks import Turn
from nightbench.cli.json_output import JsonOutput
from nightbench.cli.telling import tell
from nightbench.cli.terminal import Terminal
from nightbench.errors import ExitCode
from nightbench.history.store import HistoryStore
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.measurement import Measurement, new_id
from nightbench.night import Night
from nightbench.outcome import NightOutcome, places_of
from nightbench.plan import Suite, TierPlan
from nightbench.report.document import suite_document
from nightbench.report.next_steps import Origin
from nightbench.report.progress import progress_display
from nightbench.report.summary import print_notes, print_places, print_suite
from nightbench.run_settings import without_a_flow
from nightbench.settings import Settings
from nightbench.slots.slot import slots


def run_suite(suite: Suite, settings: Settings, plan: TierPlan, *, json: str | None) -> ExitCode:
    """Measure one suite, keep it, say what came of it.

    Raises:
        NightbenchError: when it could not be measured.
    """
    output = JsonOutput(json)
    HistoryStore(settings.results).check_writable()
    progress = Terminal(stderr=True)

    async def main(stop: asyncio.Event) -> NightOutcome:
        night = Night(
            settings,
            new_id(suite),
            display=lambda tier: progress_display(progress, label=tier),
            on_note=tell,
            stop=stop,
            needs=frozenset({suite}),
        )
        night.warn(without_a_flow(settings.run))
        async with (
            slots(settings, night.needs, suite, stop=stop, on_note=tell),
            night.provided(),
        ):
            measurement = await night.measure(plan, Turn(suite))
        _keep(night, measurement)
        return night.outcome()

    outcome = run_interruptible(main, on_first=lambda: tell(STOPPING))
    (verdict,) = outcome.verdicts
    code = output.write(suite_document(verdict), outcome.exit_code)
    if (console := output.summary_console) is not None:
        print_suite(console, verdict, Origin(settings.results, repeats=False))
        print_notes(console, outcome.notes)
        print_places(console, places_of(outcome, settings))
    return code


def _keep(night: Night, measurement: Measurement) -> None:
    """Record and judge; what breaks is noted, since there is a measurement to show."""
    for step in (lambda: night.record(measurement), lambda: night.judge(measurement.tier)):
        try:
            step()
        except Exception as error:  # noqa: BLE001  # see above
            night.failed(measurement.tier, measurement.suite, error)
