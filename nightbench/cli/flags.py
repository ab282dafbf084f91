"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter
from pydantic import ValidationError

from nightbench.errors import ConfigurationError
from nightbench.plan import DatabaseChanges, Target, Tier, TierChanges, WebSocketChanges
from nightbench.scrub import scrub

_SUBJECT = Group("Subject", sort_key=1)
_OUTPUT = Group("Output", sort_key=3)
PLAN = Group("Plan", sort_key=2)

Url = Annotated[
    str | None,
    Parameter("--url", group=_SUBJECT, help="the chat WebSocket, ws:// or wss://; embedded when left out"),
]
Dsn = Annotated[
    str | None,
    Parameter(
        "--dsn",
        group=_SUBJECT,
        help="the PostgreSQL, postgresql://role@host/database; embedded when left out",
    ),
]
Token = Annotated[
    str | None,
    Parameter(
        "--token", group=_SUBJECT, help="bearer token; better in NIGHTBENCH_TOKEN, where ps does not show it"
    ),
]
Environment = Annotated[
    str | None, Parameter("--environment", group=_SUBJECT, help="names the subject in results and alerts")
]
Results = Annotated[Path | None, Parameter("--results", group=_OUTPUT, help="folder of the Parquet dataset")]
Json = Annotated[
    str | None,
    Parameter(
        "--json",
        allow_leading_hyphen=True,
        group=_OUTPUT,
        help="write one JSON document to this file, or to stdout with -",
    ),
]
Quick = Annotated[
    bool,
    Parameter("--quick", negative="", group=PLAN, help="keep the concurrency, cut the length to seconds"),
]
TierFlag = Annotated[
    Tier, Parameter("--tier", group=PLAN, help="start from this tier's plan: quick, baseline, full or stress")
]
Targets = Annotated[
    tuple[str, ...],
    Parameter(
        "--target",
        negative="",
        group=PLAN,
        help="a promise on top of the default ones, as 'message.response_time.p95 < 1500'; may be repeated",
    ),
]

_NoFlag = Annotated[tuple[Target, ...] | None, Parameter(parse=False)]


class WebSocketFlags(WebSocketChanges):
    """The WebSocket plan as flags; targets have a flag of their own."""

    targets: _NoFlag = None


class DatabaseFlags(DatabaseChanges):
    """The database plan as flags; targets have a flag of their own."""

    targets: _NoFlag = None


def parsed_targets(texts: tuple[str, ...], flag: str = "--target") -> tuple[Target, ...] | None:
    """Targets from their texts, None when there are none.

    Raises:
        ConfigurationError: for the first that is not METRIC OP LIMIT.
    """
    targets = []
    for text in texts:
        try:
            targets.append(Target.model_validate(text))
        except ValidationError:
            problem = "not METRIC OP LIMIT, as in 'message.response_time.p95 < 1500'"
            raise ConfigurationError(flag, scrub(text), problem) from None
    return tuple(targets) or None


def websocket_changes(flags: WebSocketFlags | None, targets: tuple[str, ...]) -> TierChanges:
    """What the flags change in a tier."""
    given = flags or WebSocketFlags()
    return TierChanges(websocket=given.model_copy(update={"targets": parsed_targets(targets)}))


def database_changes(flags: DatabaseFlags | None, targets: tuple[str, ...]) -> TierChanges:
    """What the flags change in a tier."""
    given = flags or DatabaseFlags()
    return TierChanges(database=given.model_copy(update={"targets": parsed_targets(targets)}))
