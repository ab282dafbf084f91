"""Flags that several commands share; those of the plans are in `plan_flags`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from nightbench import settings as settings_module
from nightbench.plan import Tier, TierPlan
from nightbench.settings import Settings
from nightbench.tiers import BLOCKS, RERUNS

SUBJECT = Group("Subject", sort_key=1)
OUTPUT = Group("Output", sort_key=9)
PLAN = Group("Plan", sort_key=2)

Url = Annotated[
    str | None,
    Parameter("--url", group=SUBJECT, help="the chat WebSocket, ws:// or wss://; embedded when left out"),
]
Dsn = Annotated[
    str | None,
    Parameter(
        "--dsn",
        group=SUBJECT,
        help="the PostgreSQL, postgresql://role@host/database; embedded when left out",
    ),
]
Token = Annotated[
    str | None,
    Parameter(
        "--token", group=SUBJECT, help="bearer token; better in NIGHTBENCH_TOKEN, where ps does not show it"
    ),
]
Environment = Annotated[
    str | None, Parameter("--environment", group=SUBJECT, help="names the subject in results and alerts")
]
Release = Annotated[
    str | None,
    Parameter("--release", group=SUBJECT, help="version or deploy of the subject, such as v2.4.1"),
]
Results = Annotated[
    str | None,
    Parameter(
        "--results",
        group=OUTPUT,
        help="folder of the Parquet dataset, or an object store: s3://bucket/prefix",
    ),
]
Json = Annotated[
    str | None,
    Parameter(
        "--json",
        allow_leading_hyphen=True,
        group=OUTPUT,
        help="write one JSON document to this file, or to stdout with -",
    ),
]
Wait = Annotated[
    float | None,
    Parameter(
        "--wait",
        group=SUBJECT,
        help="seconds to wait while another run loads the same subject, 0 refuses at once [4 hours unless set]",
    ),
]
Quick = Annotated[
    bool,
    Parameter("--quick", negative="", group=PLAN, help="keep the concurrency, cut the length to seconds"),
]
Blocks = Annotated[
    int | None,
    Parameter(
        "--blocks",
        group=PLAN,
        help=f"{TierPlan.model_fields['blocks'].description}, 1 to 9 [1 unless set; in nightly {BLOCKS}]",
    ),
]
Reruns = Annotated[
    int | None,
    Parameter(
        "--reruns",
        group=PLAN,
        help=f"{TierPlan.model_fields['reruns'].description}, 0 to 9 [0 unless set; in nightly {RERUNS}]",
    ),
]
TierFlag = Annotated[
    Tier, Parameter("--tier", group=PLAN, help="start from this tier's plan: quick, baseline, full or stress")
]
Targets = Annotated[
    tuple[str, ...],
    Parameter(
        "--target",
        negative="",
        show_default=False,
        group=PLAN,
        help="a promise on top of the default ones, as 'message.response_time.p95 < 1500'; may be repeated",
    ),
]
PlanFile = Annotated[
    Path | None,
    Parameter(
        "--plan",
        group=PLAN,
        help="YAML or TOML file of what to change in the tier's plan, with tables websocket and database; "
        "see docs/conversation.md and docs/workload.md",
    ),
]
Headers = Annotated[
    tuple[str, ...],
    Parameter(
        "--header",
        negative="",
        show_default=False,
        group=PLAN,
        help="'Name: value' sent with each handshake; ${env:VARIABLE} keeps a secret from ps; may be repeated",
    ),
]


def settings_of(
    *,
    url: str | None = None,
    token: str | None = None,
    dsn: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    results: str | None = None,
    wait: float | None = None,
) -> Settings:
    """The settings with what the flags of a command say of them, by the names of the flags.

    Raises:
        ConfigurationError: for the first thing that is wrong, naming it and its value.
    """
    return settings_module.load(
        {
            "websocket_url": url,
            "token": token,
            "database_dsn": dsn,
            "environment": environment,
            "release": release,
            "results": results,
            "run": None if wait is None else {"wait_seconds": wait},
        }
    )
