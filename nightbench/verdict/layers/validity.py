"""Layer 0 of the verdict: which earlier nights tonight can be compared with, and why the others not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nightbench.verdict.judgement import LeftOut
from nightbench.verdict.layers.baseline import last
from nightbench.verdict.layers.fingerprints import difference
from nightbench.verdict.layers.host import Host, host_of
from nightbench.verdict.layers.outages import outages_of
from nightbench.verdict.panel import Bools, Panel
from nightbench.verdict.policy import Policy
from nightbench.verdict.rules import Rules


@dataclass(frozen=True)
class Validity:
    """What may be compared.

    Attributes:
        comparable: Nights that are valid and of tonight's environment, tonight's own too; shape (n, g).
        host: Whether it was itself.
        measured: Values of the epoch that are comparable and from the host as it is, flagged or not; shape (n, m).
        eligible: Those of them that may be in a baseline, never tonight's; shape (n, m).
        pinned: Metrics whose baseline is a pinned set; shape (m,).
        outages: Where most of an operation failed, by its name; each of shape (n, m).
    """

    comparable: Bools
    host: Host
    measured: Bools
    eligible: Bools
    pinned: Bools
    outages: Mapping[str, Bools]

    def baseline(self, eligible: Bools, most: int) -> Bools:
        """Those of the eligible nights that make a baseline: all that are pinned, or the last `most`; shape (n, m)."""
        return np.where(self.pinned, eligible, last(eligible, most))


_FLAGGED = "flagged: a regression that nobody has acknowledged"


def validity_of(panel: Panel, rules: Rules, policy: Policy) -> Validity:
    """Which nights count for which metric.

    Where nights are pinned, they alone are eligible, also when they are flagged or their host was off: a
    person has said so. They too must be valid, of tonight's environment and of its epoch.

    A flagged night is flagged for the whole suite, since what slowed one metric may have slowed the others by
    less than shows. But where a metric has fewer than `gating_nights` others, no more is held against it than
    its own flags: a regression that nobody settles would keep it from ever being judged.
    """
    comparable = panel.valid & _same_environment(panel)
    host = host_of(panel, comparable, rules, policy)
    usable = panel.known & panel.in_epoch & comparable[:, panel.group]
    measured = usable & host.same[:, panel.group]
    pins = usable & panel.pinned
    pins[-1] = False
    pinned = np.asarray(pins.any(axis=0))
    outages = outages_of(panel, usable)
    sound = measured & ~np.logical_or.reduce([np.zeros_like(measured), *outages.values()])
    sound[-1] = False
    unflagged = sound & ~panel.flagged
    short = ~pinned & (unflagged.sum(axis=0) < policy.gating_nights)
    eligible = (pins & pinned) | (np.where(short, sound & ~panel.own, unflagged) & ~pinned)
    return Validity(comparable, host, measured, eligible, pinned, outages)


def _same_environment(panel: Panel) -> Bools:
    tonight = panel.fingerprint[-1]
    unknown = np.array([each is None for each in tonight], dtype=bool)
    return np.asarray(unknown | (panel.fingerprint == tonight), dtype=bool)


def left_out(panel: Panel, validity: Validity) -> tuple[LeftOut, ...]:
    """Which earlier nights are not compared, each counted once, by the first reason that holds for all its metrics.

    A night that counts for some of them alone is here too where that is by its outages or flags.
    """
    return tuple(
        LeftOut(suite, tier, nights, reason)
        for number, (suite, tier) in enumerate(panel.groups)
        for reason, nights in _counted(_reasons(panel, validity, number)).items()
    )


def _counted(reasons: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _reasons(panel: Panel, validity: Validity, number: int) -> Iterator[str]:
    """One for each earlier night that is in no baseline, oldest first."""
    columns = panel.group == number
    known, eligible = panel.known[:-1, columns], validity.eligible[:-1, columns]
    pinned = bool(validity.pinned[columns].any())
    for night in map(int, np.flatnonzero(panel.measured[:-1, number])):
        if not panel.valid[night, number]:
            yield "invalid"
        elif not validity.comparable[night, number]:
            yield difference(panel.fingerprint[night, number], panel.fingerprint[-1, number])
        elif not known[night].any():
            continue
        elif eligible[night].any():
            yield from _in_part(panel, validity, night, number)
        elif not panel.in_epoch[night, columns].any():
            yield "an earlier epoch"
        elif pinned:
            yield "not pinned"
        elif not validity.host.same[night, number]:
            yield "noisy host"
        elif panel.flagged[night, columns].any():
            yield _FLAGGED
        else:
            yield from _failed(validity, night, columns)


def _in_part(panel: Panel, validity: Validity, night: int, number: int) -> Iterator[str]:
    """Why a night that is eligible for some metrics is not for others, where that is no matter of theirs alone."""
    columns = panel.group == number
    if validity.pinned[columns].any():
        return
    if not (validity.eligible[night] & ~panel.flagged[night])[columns].any():
        yield f"{_FLAGGED}; counted only for metrics that have too few other nights"
    else:
        yield from _failed(validity, night, columns)


def _failed(validity: Validity, night: int, columns: Bools) -> Iterator[str]:
    names = [name for name, nights in validity.outages.items() if nights[night, columns].any()]
    if names:
        yield f"most of {', '.join(names)} failed: no baseline of it"
