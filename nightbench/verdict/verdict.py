"""The verdict on one suite, and the exit code of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nightbench.errors import ExitCode
from nightbench.measurement import Measurement, Metric
from nightbench.verdict.judgement import Line, Verdict
from nightbench.verdict.night_value import judge_night, night_metrics, shown, trusted
from nightbench.verdict.targets import TargetResult, leaked

State = Literal["met", "regression", "missed", "invalid"]


@dataclass(frozen=True)
class SuiteVerdict:
    """What came of one suite of one tier in one night, all its blocks together.

    Attributes:
        measurement: The block to show, whatever the state: see `nightbench.verdict.night_value.shown`.
        targets: Every promise and whether the night kept it.
        blocks: All blocks in the order of measuring, invalid ones too; empty when `measurement` is the only one.
        reruns: The repetitions of a suspect.
        judged: The suite against earlier nights; None when it was not compared.
    """

    measurement: Measurement
    targets: tuple[TargetResult, ...]
    blocks: tuple[Measurement, ...] = ()
    reruns: tuple[Measurement, ...] = ()
    judged: Verdict | None = None

    @property
    def runs(self) -> tuple[Measurement, ...]:
        """The blocks of the night, also where there is but one."""
        return self.blocks or (self.measurement,)

    @property
    def valid_blocks(self) -> tuple[Measurement, ...]:
        """The blocks whose median is the night's value; none when the night is invalid."""
        return tuple(block for block in self.runs if trusted(block))

    @property
    def values(self) -> tuple[Metric, ...]:
        """The metrics of the night: medians over the blocks that count."""
        return night_metrics(self.runs)

    def value(self, metric: str) -> float | None:
        """The night's value of a metric; None when it is missing or unknown."""
        return next((each.value for each in self.values if each.name == metric), None)

    @property
    def trusted(self) -> bool:
        """Whether a block is valid and complete, so that the targets mean something."""
        return bool(self.valid_blocks)

    @property
    def complete(self) -> bool:
        """Whether no block ended before its plan did."""
        return all(block.validity.complete for block in self.runs)

    @property
    def whole(self) -> bool:
        """Whether no repetition did either: of what was cut short nobody knows what it would have shown."""
        return self.complete and all(run.validity.complete for run in self.reruns)

    @property
    def leaked(self) -> bool:
        """Whether a row of another tenant was read; that stays true however bad the measurement is."""
        return any(leaked(block) for block in (*self.runs, *self.reruns))

    @property
    def missed(self) -> tuple[TargetResult, ...]:
        """The targets that were not met, for what they are worth."""
        return tuple(target for target in self.targets if not target.met)

    @property
    def regressions(self) -> tuple[Line, ...]:
        """What is worse than in earlier nights beyond doubt."""
        return () if self.judged is None else self.judged.regressions

    @property
    def state(self) -> State:
        """``invalid`` is neither a pass nor a fail; a leaked row is a fail in any case."""
        if self.leaked:
            return "missed"
        if not self.trusted:
            return "invalid"
        if self.missed:
            return "missed"
        return "regression" if self.regressions else "met"

    @property
    def block_notes(self) -> tuple[str, ...]:
        """How the blocks make the night, and which runs do not count, a sentence each; nothing of a single block."""
        lost = tuple(_left_out("repetition", self.reruns))
        if len(self.runs) == 1:
            return lost
        valid, of = len(self.valid_blocks), len(self.runs)
        if valid == of:
            return (f"median of {of} blocks", *lost)
        value = f"median of {valid} of {of} blocks" if valid else f"none of {of} blocks is valid"
        return (value, *_left_out("block", self.runs), *lost)


def _left_out(kind: str, runs: Iterable[Measurement]) -> Iterator[str]:
    for run in runs:
        if not trusted(run):
            yield f"{kind} {run.block} left out: {'; '.join(run.validity.reasons)}"


def suite_verdict(runs: Iterable[Measurement], judged: Verdict | None = None) -> SuiteVerdict:
    """The verdict on the runs of one suite, at least one of which is a block of the night."""
    known = tuple(runs)
    blocks, reruns = (tuple(run for run in known if run.role == role) for role in ("night", "rerun"))
    return SuiteVerdict(
        measurement=shown((*blocks, *(run for run in reruns if leaked(run)))),
        targets=judge_night(blocks[0].plan.promises, blocks),
        blocks=blocks,
        reruns=reruns,
        judged=judged,
    )


def exit_code(verdicts: Iterable[SuiteVerdict], unreadable: int = 0) -> ExitCode:
    """The exit code of a run.

    What is certain comes first: a missed target of a valid measurement, or a regression. Nothing measured is no
    pass, nor is what was cut short.

    Args:
        verdicts: One for each suite that ran.
        unreadable: Files of the history that could not be read.
    """
    known = tuple(verdicts)
    states = {verdict.state for verdict in known}
    if states & {"missed", "regression"}:
        return ExitCode.MISSED
    whole = known and all(verdict.whole for verdict in known)
    if "invalid" in states or unreadable or not whole:
        return ExitCode.INVALID
    return ExitCode.MET
