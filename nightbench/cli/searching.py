"""The search of ``nightbench capacity``, and what is said of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nightbench.blocks import Turn
from nightbench.capacity.answer import exit_code_of, step_line
from nightbench.capacity.chart_file import ChartFile
from nightbench.capacity.document import capacity_document
from nightbench.capacity.finding import Found, find_capacity
from nightbench.capacity.search import SearchPlan
from nightbench.capacity.summary import print_capacity
from nightbench.cli.json_output import JsonOutput
from nightbench.cli.telling import tell
from nightbench.cli.terminal import Terminal
from nightbench.errors import ExitCode, NightbenchError
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.measurement import Measurement, new_id
from nightbench.night import Night
from nightbench.outcome import NightOutcome, places_of
from nightbench.plan import Suite, TierPlan
from nightbench.report.progress import progress_display
from nightbench.report.summary import print_notes, print_places
from nightbench.run_settings import without_a_flow
from nightbench.settings import Settings
from nightbench.slots.slot import slots


def run_search(
    suite: Suite,
    settings: Settings,
    plan: TierPlan,
    search: SearchPlan,
    *,
    seconds: float,
    json: str | None,
    chart: ChartFile | None,
) -> ExitCode:
    """Search, keep each step, say what was found.

    Raises:
        NightbenchError: when nothing could be measured.
    """
    output = JsonOutput(json)
    progress = Terminal(stderr=True)

    async def main(stop: asyncio.Event) -> tuple[Found, NightOutcome]:
        night = Night(
            settings,
            new_id("capacity"),
            display=lambda label: progress_display(progress, label=label),
            on_note=tell,
            stop=stop,
            needs=frozenset({suite}),
        )
        night.warn(without_a_flow(settings.run))
        await night.check()

        async def measure(step: TierPlan, turn: Turn) -> Measurement:
            measurement = await night.measure(step, turn)
            _keep(night, measurement)
            return measurement

        own = slots(settings, night.needs, "capacity", stop=stop, on_note=tell)
        async with own, night.provided():
            found = await find_capacity(
                search,
                plan,
                suite,
                seconds=seconds,
                measure=measure,
                on_step=lambda step: tell(step_line(suite, step)),
                stopped=stop.is_set,
            )
        return found, night.outcome()

    found, outcome = run_interruptible(main, on_first=lambda: tell(STOPPING))
    document = capacity_document(found, environment=settings.environment, notes=outcome.notes)
    code = output.write(document, exit_code_of(found, outcome.failures))
    written = {"document": output.written}
    if chart is not None:
        written["chart"] = _drawn(chart, found, settings.environment)
        code = code if written["chart"] else ExitCode(code or ExitCode.INVALID)
    if (console := output.summary_console) is not None:
        print_capacity(console, found)
        print_notes(console, outcome.notes)
        files = {label: path for label, path in written.items() if path is not None}
        print_places(console, {**places_of(outcome, settings), **files})
    return code


def _keep(night: Night, measurement: Measurement) -> None:
    """Record; what breaks is noted, since there is a measurement to go on with."""
    try:
        night.record(measurement)
    except Exception as error:  # noqa: BLE001  # see above
        night.failed(measurement.tier, measurement.suite, error)


def _drawn(chart: ChartFile, found: Found, environment: str) -> Path | None:
    """Write the chart, and say where it is; None when that cannot be done after all, which is told."""
    from nightbench.capacity.knee import knee_of  # noqa: PLC0415  # as heavy as what it draws with

    figure = knee_of(found, environment=environment)
    if figure is None:
        tell("there is no chart: no load was measured")
        return None
    try:
        chart.write(figure)
    except NightbenchError as error:
        tell(str(error))
        return None
    return chart.path
