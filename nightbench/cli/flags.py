"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import Group, Parameter
from pydantic import ValidationError

from nightbench.errors import ConfigurationError
from nightbench.plan import DatabaseChanges, DatabaseTarget, Tier, WebSocketChanges, WebSocketTarget
from nightbench.scrub import scrub
from nightbench.target import Target

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


class WebSocketFlags(WebSocketChanges):
    """The WebSocket plan as flags; targets have a flag of their own."""

    targets: Annotated[tuple[WebSocketTarget, ...] | None, Parameter(parse=False)] = None


class DatabaseFlags(DatabaseChanges):
    """The database plan as flags; targets have a flag of their own."""

    targets: Annotated[tuple[DatabaseTarget, ...] | None, Parameter(parse=False)] = None


_Flags = TypeVar("_Flags", WebSocketFlags, DatabaseFlags)


def with_targets(given: _Flags, texts: tuple[str, ...], flag: str = "--target") -> _Flags:
    """The flags of a plan with the targets of their own flag.

    Raises:
        ConfigurationError: naming `flag`, for the first that is no target of the suite.
    """
    targets: list[Target] = []
    for text in texts:
        try:
            targets += type(given)(targets=[text]).targets or ()
        except ValidationError as error:
            problem = scrub(error.errors()[0]["msg"].removeprefix("Value error, "))
            raise ConfigurationError(flag, scrub(text), problem) from None
    complete: _Flags = given.model_copy(update={"targets": tuple(targets) or None})
    return complete
