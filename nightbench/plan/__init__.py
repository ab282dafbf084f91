"""What to run: the plan of each suite, and what may be changed in it, as data.

The models here are the form of the Prefect UI, the flags of the command line, the fields of
``nightbench.toml`` and what is stored with every result. Bounds and help are written once, here.
"""

from nightbench.plan.changes import (
    DatabaseChanges,
    SuitePlan,
    TierChanges,
    TierPlan,
    WebSocketChanges,
    changed,
    combined,
    part,
    plan_hash,
)
from nightbench.plan.conversation import (
    Condition,
    MessageKind,
    RatePoint,
    ReplyRules,
    TlsOptions,
    TokenSource,
)
from nightbench.plan.database import DatabasePlan, DatabaseTarget
from nightbench.plan.layers import Layer, NameOf
from nightbench.plan.parameters import ParameterDraw
from nightbench.plan.websocket import WebSocketPlan, WebSocketTarget
from nightbench.plan.words import NIGHTLY_TIERS, TIER_NAMES, Blocks, Model, Reruns, Seconds, Suite, Tier
from nightbench.plan.workload import OwnRows, PolicyCost, StatementPlan, WorkloadPlan, WrittenTable

__all__ = [
    "NIGHTLY_TIERS",
    "TIER_NAMES",
    "Blocks",
    "Condition",
    "DatabaseChanges",
    "DatabasePlan",
    "DatabaseTarget",
    "Layer",
    "MessageKind",
    "Model",
    "NameOf",
    "OwnRows",
    "ParameterDraw",
    "PolicyCost",
    "RatePoint",
    "ReplyRules",
    "Reruns",
    "Seconds",
    "StatementPlan",
    "Suite",
    "SuitePlan",
    "Tier",
    "TierChanges",
    "TierPlan",
    "TlsOptions",
    "TokenSource",
    "WebSocketChanges",
    "WebSocketPlan",
    "WebSocketTarget",
    "WorkloadPlan",
    "WrittenTable",
    "changed",
    "combined",
    "part",
    "plan_hash",
]
