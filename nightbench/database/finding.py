"""A finding: what explains what was measured, with its evidence and what to do. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
