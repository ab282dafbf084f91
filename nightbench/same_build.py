"""The same build again and again (A/A): what its runs differ by is noise."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nightbench.blocks import Course, calibration_of
from nightbench.errors import ExitCode, MeasurementError, NotBegunError
from nightbench.history.fingerprint import fingerprint, text_of
from nightbench.history.record import clean
from nightbench.history.store import HistoryStore
from nightbench.measurement import SCHEMA, Measurement
from nightbench.night import Night
from nightbench.outcome import NightOutcome
from nightbench.plan import Suite, TierPlan
from nightbench.verdict.night_value import trusted
from nightbench.verdict.sets.noise import noise_of

_TELL_SECONDS = 5.0
_STORED = ["suite", "tier", "metric", "runs", "mean", "within_sd", "between_sd"]


@dataclass(frozen=True)
class NoiseFound:
    """What the runs of one build showed.

    Attributes:
        runs: Those that were measured, invalid ones too, in order.
        noise: See `nightbench.verdict.sets.noise.noise_of`.
        outcome: Of the night that they were made in: failures, and what an interruption left out.
    """

    runs: tuple[Measurement, ...]
    noise: pd.DataFrame
    outcome: NightOutcome

    @property
    def notes(self) -> tuple[str, ...]:
        """What else has to be known, a sentence each."""
        bad = [run for run in self.runs if not trusted(run)]
        return (
            *(
                f"{run.tier} {run.suite}: run {run.block} does not count: {'; '.join(run.validity.reasons)}"
                for run in bad
            ),
            *self.outcome.notes,
        )

    @property
    def exit_code(self) -> ExitCode:
        """Met when every run that was planned counts."""
        if not self.runs:
            return self.outcome.exit_code
        if self.notes or self.noise.empty:
            return ExitCode.INVALID
        return ExitCode.MET

    def document(self) -> dict[str, Any]:
        """The same as JSON-like data, NaN as None."""
        content: dict[str, Any] = clean(
            {
                "schema": SCHEMA,
                "night_id": self.outcome.night_id,
                "exit_code": int(self.exit_code),
                "runs": [run.run_id for run in self.runs],
                "noise": self.noise.to_dict("records"),
                "notes": self.notes,
            }
        )
        return content


async def measure_noise(night: Night, plan: TierPlan, suites: Collection[Suite], *, runs: int) -> NoiseFound:
    """Run `suites` in turns, each `runs` times, and keep every run and the noise that they show.

    An interruption leaves out what has not begun; what was measured before counts.

    Raises:
        ConfigurationError: when the subject cannot be loaded at the first run of a suite.
    """
    measured: list[Measurement] = []
    course = Course(calibration_of(suites, runs))
    while (turn := course.next(stopped=night.stop.is_set())) is not None:
        try:
            measurement = await night.measure(plan, turn)
        except NotBegunError:
            course.skip(turn)
            continue
        except MeasurementError as error:
            night.failed(plan.tier, turn.suite, error)
            course.broke(turn.suite)
            continue
        measured.append(measurement)
        _record(night, measurement)
    night.skipped(course.skipped(plan.tier))
    noise = await _noise(night, measured)
    try:
        _save(night, noise, measured)
    except Exception as error:  # noqa: BLE001  # what was found is there to be shown
        night.failed(plan.tier, None, error)
    return NoiseFound(tuple(measured), noise, night.outcome())


async def _noise(night: Night, measured: Sequence[Measurement]) -> pd.DataFrame:
    """The noise of the runs, in a thread that ends within a run when nobody waits for it any more."""
    given_up = threading.Event()
    told = time.monotonic()
    if len(measured) > 1:  # of one there is none
        night.on_note(f"working out the noise of {len(measured)} runs")

    def on_run(number: int) -> None:
        nonlocal told
        if given_up.is_set():
            raise InterruptedError
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            night.on_note(f"noise: {number} of {len(measured)} runs")

    try:
        return await asyncio.to_thread(noise_of, measured, policy=night.policy, on_run=on_run)
    finally:
        given_up.set()


def _record(night: Night, measurement: Measurement) -> None:
    try:
        night.record(measurement)
    except Exception as error:  # noqa: BLE001  # what was measured counts all the same
        night.failed(measurement.tier, measurement.suite, error)


def _save(night: Night, noise: pd.DataFrame, measured: Collection[Measurement]) -> None:
    if noise.empty:
        return
    of_suite = {run.suite: text_of(fingerprint(run)) for run in measured if trusted(run)}
    HistoryStore(night.settings.results).save_noise(
        noise[_STORED].assign(fingerprint=noise["suite"].map(of_suite)),
        environment=night.settings.environment,
    )
