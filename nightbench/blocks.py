"""Which suite runs when in a tier: its blocks in turns, then the repetitions of what was suspect.

In turns, since what disturbs a machine for minutes then meets one block of each suite and not all of one; the
median of a suite's blocks passes it over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nightbench.measurement import Role
from nightbench.plan import Suite, Tier, TierPlan
from nightbench.planning import SUITES
from nightbench.verdict.verdict import SuiteVerdict

_CALLED: Mapping[Role, str] = MappingProxyType(
    {"night": "block", "rerun": "repetition", "calibration": "run", "capacity": "step"}
)


@dataclass(frozen=True)
class Turn:
    """One run of one suite.

    Attributes:
        suite: Which.
        role: ``night`` for a block, ``rerun`` for a repetition, ``calibration`` for one of the same build,
            ``capacity`` for a load that is tried.
        block: Which of those of its suite and role, from 1.
    """

    suite: Suite
    role: Role = "night"
    block: int = 1

    def label(self, plan: TierPlan) -> str:
        """How it is called while it runs: ``full``, or ``full 2/3`` where there are several."""
        match self.role:
            case "rerun":
                return f"{plan.tier} again {self.block}/{plan.reruns}"
            case "calibration":
                return f"{plan.tier} run {self.block}"
            case "capacity":
                return f"{plan.tier} step {self.block}"
            case "night" if plan.blocks > 1:
                return f"{plan.tier} {self.block}/{plan.blocks}"
        return plan.tier


@dataclass(frozen=True)
class Skipped:
    """What of a suite was not run since the night was interrupted.

    Attributes:
        tier, suite, role: What it is about.
        blocks: Which of those of its role.
        of: How many were planned.
    """

    tier: Tier
    suite: Suite
    role: Role = "night"
    blocks: tuple[int, ...] = (1,)
    of: int = 1

    def __str__(self) -> str:
        place = f"{self.tier} {self.suite}"
        if len(self.blocks) == self.of and self.role == "night":
            return f"{place}: not run: interrupted"
        what = _CALLED[self.role]
        plural = "s" if len(self.blocks) > 1 else ""
        return f"{place}: {what}{plural} {_listed(self.blocks)} of {self.of} not run: interrupted"


def blocks_of(plan: TierPlan) -> tuple[Turn, ...]:
    """The blocks of a tier: the suites in turns, as many rounds as `plan` has blocks."""
    return tuple(Turn(suite, "night", block) for block in range(1, plan.blocks + 1) for suite in SUITES)


def reruns_of(plan: TierPlan, suspects: Collection[str]) -> tuple[Turn, ...]:
    """The repetitions of the suites that are `suspects`: in turns too, as many of each as `plan` has."""
    again = [suite for suite in SUITES if suite in suspects]
    return tuple(Turn(suite, "rerun", number) for number in range(1, plan.reruns + 1) for suite in again)


def calibration_of(suites: Collection[str], runs: int) -> tuple[Turn, ...]:
    """As many `runs` of each of `suites`, in turns, of a build that does not change."""
    again = [suite for suite in SUITES if suite in suites]
    return tuple(Turn(suite, "calibration", number) for number in range(1, runs + 1) for suite in again)


def suspects_of(verdicts: Iterable[SuiteVerdict]) -> frozenset[Suite]:
    """The suites in which something is suspect."""
    return frozenset(
        verdict.measurement.suite for verdict in verdicts if verdict.judged and verdict.judged.suspects
    )


class Course:
    """How far the turns of a tier have come.

    A suite of which a run gave no measurement is not tried again; what was measured of it before counts.

    Args:
        turns: Those that are planned, in order.
    """

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = tuple(turns)
        self._left = list(self._turns)
        self._skipped: list[Turn] = []

    def next(self, *, stopped: bool = False) -> Turn | None:
        """The next run; None when there is none, or when the night is `stopped`."""
        if stopped:
            self._skipped += self._left
            self._left.clear()
        return self._left.pop(0) if self._left else None

    def broke(self, suite: Suite) -> None:
        """A run of `suite` gave no measurement."""
        self._left = [turn for turn in self._left if turn.suite != suite]

    def skip(self, turn: Turn) -> None:
        """`turn` had not begun when the night was interrupted."""
        self._skipped.append(turn)

    def skipped(self, tier: Tier) -> tuple[Skipped, ...]:
        """What an interruption left out of `tier`, by suite."""
        found: dict[tuple[Suite, Role], list[int]] = {}
        for turn in self._skipped:
            found.setdefault((turn.suite, turn.role), []).append(turn.block)
        planned = [(turn.suite, turn.role) for turn in self._turns]
        return tuple(
            Skipped(tier, suite, role, tuple(blocks), planned.count((suite, role)))
            for (suite, role), blocks in found.items()
        )


def _listed(numbers: Iterable[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
