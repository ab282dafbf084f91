"""Whether this host is what it was in the stored nights: a calibration now, held against theirs as a verdict does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread

import pandas as pd

from nightbench.calibration import HostCalibration, calibrate_host
from nightbench.doctor.finding import Finding, Topic
from nightbench.history.fingerprint import differences, text_of
from nightbench.history.store import HistoryStore
from nightbench.host import fingerprint
from nightbench.measurement import Metric
from nightbench.plan import NIGHTLY_TIERS
from nightbench.settings import Settings
from nightbench.strictness import policy_of
from nightbench.verdict.frames import panel_of
from nightbench.verdict.gating import of_host
from nightbench.verdict.layers.host import OffHost, host_of
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import rules_of
from nightbench.wording import amount

CALIBRATION = Topic("host", "calibration")

_SECONDS = 1.5
NOW = "now"
"""Stands for the night, so that it is none that is stored."""
_PARTS = ("cpu", "cores")
"""Of a fingerprint: a calibration of another machine is no measure of this one."""


def off_now(nights: pd.DataFrame, now: Sequence[Metric], policy: Policy) -> tuple[tuple[OffHost, ...], int]:
    """What of a calibration is not what it was, and how many nights it is held against.

    Args:
        nights: Of one suite and tier on this machine, tidy.
        now: The calibration.
        policy: How strictly.
    """
    earlier = nights[nights["metric"].map(of_host).astype(bool)]
    count = int(earlier["night"].nunique())
    if not count:
        return (), 0
    last = earlier.iloc[-1]
    tonight = pd.DataFrame(
        [
            {
                **last.to_dict(),
                "night": NOW,
                "metric": each.name,
                "value": each.value,
                "valid": True,
                "role": "night",
                "started_at": pd.Timestamp(datetime.now(UTC)),
            }
            for each in now
        ]
    )
    panel = panel_of(earlier, tonight)
    same = panel.valid & (panel.fingerprint == panel.fingerprint[-1])
    return host_of(panel, same, rules_of(panel.metrics, panel.group, policy), policy).off, count


def judge_calibration(off: Sequence[OffHost], now: Sequence[Metric], nights: int, least: int) -> Finding:
    """Whether the host is itself."""
    figures = ", ".join(f"{_what(each.name)} {each.value:.2f} ms" for each in now if each.value is not None)
    if off:
        changes = ", ".join(f"{_what(each.metric)} {each.effect:+.0%}" for each in off)
        why = (
            f"this host is not what it was in {amount(max(each.nights for each in off), 'night')}: {changes}"
        )
        return CALIBRATION.warning(why, "see what else runs here; nightbench calibrate --quick")
    if nights < least:
        return CALIBRATION.ok(
            f"{figures}; nothing to compare with: {nights} of {amount(least, 'night')} that it takes"
        )
    return CALIBRATION.ok(
        f"{figures}: as in {'the last night' if nights == 1 else f'the last {nights} nights'}"
    )


def calibrated(settings: Settings) -> HostCalibration | None:
    """Measure the host for about 0.3 s, before anything else of ours runs; None on a disk that hangs."""
    found: SimpleQueue[HostCalibration] = SimpleQueue()
    folder = settings.results_folder or settings.cache
    Thread(target=lambda: found.put(calibrate_host(folder)), name="doctor calibration", daemon=True).start()
    with suppress(Empty):
        return found.get(timeout=_SECONDS)
    return None


def calibration_findings(settings: Settings, host: HostCalibration | None) -> Iterator[Finding]:
    """Compare a calibration with those of the stored nights.

    Raises:
        NightbenchError: when the results cannot be read.
    """
    if host is None:
        yield CALIBRATION.failure(
            f"the disk did not answer within {_SECONDS:.0f} s", "see what the disk does"
        )
        return
    policy = policy_of(settings)
    nights = _nights(settings, policy)
    off, count = off_now(nights, host.metrics, policy)
    yield judge_calibration(off, host.metrics, count, policy.host_least)


def _nights(settings: Settings, policy: Policy) -> pd.DataFrame:
    """Of the database suite, for which the disk counts too, in the tier that has most."""
    store = HistoryStore(settings.results)
    found = [
        store.nights(settings.environment, suite="database", tier=tier, last=policy.host_nights)
        for tier in NIGHTLY_TIERS
    ]
    nights = max(found, key=lambda each: int(each["night"].nunique()))
    own = text_of({part: str(fingerprint()[part]) for part in _PARTS})
    here = [not set(_PARTS) & set(differences(text, own)) for text in nights["fingerprint"]]
    return nights[pd.Series(here, index=nights.index, dtype=bool)]


def _what(metric: str) -> str:
    return metric.removeprefix("calibration.").removesuffix("_time")
