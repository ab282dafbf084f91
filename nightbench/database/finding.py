"""A finding: what explains what was measured, with its evidence and what to do. Plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from nightbench.scrub import scrub_own_tree

LARGEST_BYTES = 20_000
"""Of the details of a diagnosis as JSON: a run's files stay small."""

Kind = Literal[
    "slow_statement",
    "sequential_scan",
    "foreign_key_without_index",
    "unused_index",
    "duplicate_index",
    "policy_per_row",
    "table_without_policy",
    "pool_too_small",
    "limited_by_locks",
    "limited_by_io",
    "limited_by_generator",
    "other_writers",
]


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing.

    Attributes:
        kind: What it is.
        subject: What it is about: a statement, table, index or policy.
        text: What was seen, one sentence.
        suggestion: What to do about it, one sentence; may hold SQL.
        evidence: Figures and plans behind it; JSON-like.
    """

    kind: Kind
    subject: str
    text: str
    suggestion: str
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SlowStatement:
    """One of the slowest statements of a workload, run once more after the load with EXPLAIN (ANALYZE, BUFFERS).

    Attributes:
        name: Of the statement.
        share: The part of the time of all statements that it took under load.
        p95_ms: Its execute time under load at P95, None when there were too few.
        alone_ms: What the server took for it after the load, plan and execution.
        hot: The node of its plan that took longest, in words.
        plan: Shortened: no costs, no output lists, no values of texts; JSON-like.
    """

    name: str
    share: float
    p95_ms: float | None
    alone_ms: float
    hot: str
    plan: Mapping[str, object]


@dataclass(frozen=True)
class Diagnosis:
    """What was found after a run.

    Attributes:
        findings: What there is something to do about; none of a healthy subject.
        slowest: The slowest statements with their plans, whether or not anything is wrong with them.
        not_looked_at: What could not be looked at, and why; a sentence each.
    """

    findings: tuple[Finding, ...] = ()
    slowest: tuple[SlowStatement, ...] = ()
    not_looked_at: tuple[str, ...] = ()

    def with_findings(self, findings: tuple[Finding, ...]) -> Diagnosis:
        """The same with more findings behind its own."""
        return replace(self, findings=(*self.findings, *findings))

    def details(self) -> dict[str, Any]:
        """All of it as JSON-like data of `LARGEST_BYTES` at most, free of secrets.

        What is too much goes first: plans, the quickest statement's first, then evidence, then findings, from
        the last on; how many findings went is told.
        """
        findings = [asdict(each) for each in self.findings]
        slowest = [asdict(each) for each in self.slowest]
        absent = list(self.not_looked_at)
        told = {"findings": findings, "slowest": slowest, "not_looked_at": absent}
        too_much = _size(told) - LARGEST_BYTES
        parts = [(each, "plan") for each in reversed(slowest)]
        parts += [(each, "evidence") for each in reversed(findings)]
        for each, part in parts:
            if too_much <= 0:
                break
            too_much -= _size(each[part]) - _size({})
            each[part] = {}
        left_out = 0
        while findings and too_much > 0:
            too_much -= _size(findings.pop()) + len(_BETWEEN)
            left_out += 1
        if left_out:
            absent.append(f"{left_out:,} findings more than there is room for")
        found: dict[str, Any] = scrub_own_tree(told)
        return found


_BETWEEN = ", "
"""What JSON has between two members."""


def _size(value: object) -> int:
    return len(json.dumps(value, default=str))  # in ASCII, so that characters are bytes
