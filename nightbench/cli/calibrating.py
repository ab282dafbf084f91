"""The runs of ``nightbench calibrate``, and what is said of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from nightbench.cli.json_output import JsonOutput
from nightbench.cli.telling import tell
from nightbench.cli.terminal import Terminal
from nightbench.errors import ExitCode
from nightbench.interruption import STOPPING, run_interruptible
from nightbench.measurement import new_id
from nightbench.night import Night
from nightbench.outcome import places_of
from nightbench.plan import Suite, TierPlan
from nightbench.report.noise_table import print_noise
from nightbench.report.progress import progress_display
from nightbench.report.summary import print_notes, print_places
from nightbench.run_settings import without_a_flow
from nightbench.same_build import NoiseFound, measure_noise
from nightbench.settings import Settings
from nightbench.slots.slot import slots


def run_calibration(
    settings: Settings, plan: TierPlan, suites: Collection[Suite], *, runs: int, json: str | None
) -> ExitCode:
    """Run `suites` in turns, keep what they show, print it.

    Raises:
        NightbenchError: when nothing could be measured.
    """
    output = JsonOutput(json)
    progress = Terminal(stderr=True)

    async def main(stop: asyncio.Event) -> NoiseFound:
        night = Night(
            settings,
            new_id("calibration"),
            display=lambda label: progress_display(progress, label=label),
            on_note=tell,
            stop=stop,
            needs=frozenset(suites),
        )
        night.warn(without_a_flow(settings.run))
        await night.check()
        own = slots(settings, night.needs, "calibration", stop=stop, on_note=tell)
        async with own, night.provided():
            return await measure_noise(night, plan, suites, runs=runs)

    found = run_interruptible(main, on_first=lambda: tell(STOPPING))
    code = output.write(found.document(), found.exit_code)
    if (console := output.summary_console) is not None:
        print_noise(console, found.noise)
        print_notes(console, found.notes)
        print_places(console, places_of(found.outcome, settings))
    return code
