"""The plan of a WebSocket load test."""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_serializer, model_validator

from nightbench.frozen import Frozen
from nightbench.plan.agreement import disagreement
from nightbench.plan.conversation import (
    FileName,
    MessageKind,
    RatePoint,
    ReplyRules,
    TlsOptions,
    TokenSource,
)
from nightbench.plan.placeholders import masked
from nightbench.plan.words import (
    TARGETS,
    ArrivalModel,
    ArrivalProcess,
    Duration,
    Seconds,
    Seed,
    Shards,
    Think,
    Users,
    Warmup,
)
from nightbench.target import Target, about, merged_targets

WEBSOCKET_OPERATIONS = ("connection", "reconnection", "greeting", "message", "message[KIND]", "generator")
"""What its metrics begin with."""

WebSocketTarget = Annotated[Target, about("websocket", *WEBSOCKET_OPERATIONS)]
_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"  # a token of RFC 9110, as header names are
Subprotocol = Annotated[str, Field(max_length=4096, pattern=r"^([!#$%&'*+.^_`|~0-9A-Za-z-]|\$\{[^{}]*\})+$")]
"""A token of RFC 9110 once its placeholders are filled in."""

_OF_THE_HANDSHAKE = ("connection", "upgrade", "content-length", "transfer-encoding")


def _is_header_name(name: str) -> str:
    if re.fullmatch(_NAME, name) is None:
        msg = "cannot be the name of a header"
        raise ValueError(msg)
    return name


HeaderName = Annotated[str, AfterValidator(_is_header_name)]


def _are_the_users_own(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    seen: set[str] = set()
    for name in map(str.lower, headers):
        if name in _OF_THE_HANDSHAKE or name.startswith("sec-websocket-"):
            msg = f"{name} belongs to the handshake; subprotocols and compression are fields of their own"
            raise ValueError(msg)
        if name in seen:
            msg = f"{name} is there twice"
            raise ValueError(msg)
        seen.add(name)
    return headers


class WebSocketPlan(Frozen):
    """One WebSocket load test. Times in seconds, rates per second of the whole test."""

    users: Users
    duration: Duration
    model: ArrivalModel = "open"
    rate: Annotated[
        float | None,
        Field(
            gt=0,
            le=1_000_000,
            title="Rate (messages/s)",
            description="messages per second of all users together, open model; half the users when left out",
        ),
    ] = None
    arrivals: ArrivalProcess = "constant"
    rate_profile: Annotated[
        tuple[RatePoint, ...],
        Field(
            title="Rate profile",
            description="a rate that changes over the run, instead of `rate`: corners of a line, open model",
        ),
    ] = ()
    think: Think = 1.0
    think_spread: Annotated[
        float,
        Field(
            ge=0, le=1, title="Think spread", description="a think time is drawn within this share around it"
        ),
    ] = 0.0
    pacing: Annotated[
        Seconds,
        Field(
            title="Pacing (s)",
            description="seconds from one message of a user to its next at least, closed model",
        ),
    ] = 0.0
    ramp: Annotated[
        float | None,
        Field(
            ge=0,
            le=86_400,
            title="Ramp (s)",
            description="seconds over which users connect; 50 users a second when left out",
        ),
    ] = None
    ramp_shape: Annotated[
        Literal["linear", "steps", "spike"],
        Field(
            title="Ramp shape",
            description="linear: one by one; steps: in equal groups; spike: all at once when the ramp begins",
        ),
    ] = "linear"
    ramp_steps: Annotated[
        int, Field(gt=0, le=1000, title="Ramp steps", description="how many groups a ramp in steps has")
    ] = 5
    warmup: Warmup = 5.0
    timeout: Annotated[
        float,
        Field(gt=0, le=3600, title="Reply timeout (s)", description="a reply later than this has timed out"),
    ] = 10.0
    connect_timeout: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            title="Connect timeout (s)",
            description="a handshake longer than this has timed out",
        ),
    ] = 10.0
    max_in_flight: Annotated[
        int,
        Field(
            gt=0,
            le=10_000,
            title="In flight per user",
            description="unanswered messages of one user, past which sends are skipped and counted",
        ),
    ] = 10
    reconnect: Annotated[
        bool,
        Field(
            title="Reconnect",
            description="users without a connection try again, after a pause that doubles each time",
        ),
    ] = True
    lost_after: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            title="Lost after (s)",
            description="seconds without any connection after which the subject is given up",
        ),
    ] = 5.0
    message: Annotated[
        str,
        Field(
            min_length=1,
            max_length=65_536,
            title="Message",
            description="the text of each chat message, where no `messages` are given; may hold columns of the data file",
        ),
    ] = "How much did I spend on groceries this month?"
    messages: Annotated[
        tuple[MessageKind, ...],
        Field(
            max_length=50,
            title="Messages",
            description="what users say, kind by kind, instead of the default chat message",
        ),
    ] = ()
    greeting: Annotated[
        MessageKind | None,
        Field(
            title="Greeting",
            description="what each user says first on a connection; the rest waits for a good answer",
        ),
    ] = None
    data: Annotated[
        FileName | None,
        Field(title="Data file", description="CSV or Parquet file whose columns are placeholders"),
    ] = None
    data_order: Annotated[
        Literal["cycle", "random", "own"],
        Field(
            title="Data order",
            description="cycle: each message takes the next row; random: any row; own: the user's own row",
        ),
    ] = "cycle"
    reply: Annotated[
        ReplyRules, Field(title="Reply", description="which replies belong to which messages")
    ] = ReplyRules()
    headers: Annotated[
        dict[HeaderName, SecretStr],
        AfterValidator(_are_the_users_own),
        Field(
            title="Headers",
            description="sent with each handshake; values may hold ${user}, columns of the data file and "
            "${env:VARIABLE}, which keeps secrets out of the plan",
        ),
    ] = Field(default_factory=dict)
    tokens: Annotated[
        TokenSource | None,
        Field(title="Tokens", description="a bearer token for each user, instead of one for all"),
    ] = None
    subprotocols: Annotated[
        tuple[Subprotocol, ...],
        Field(
            max_length=20,
            repr=False,
            title="Subprotocols",
            description="offered in the handshake, one of which must be taken; may hold ${token}, ${user}, columns "
            "of the data file and ${env:VARIABLE}",
        ),
    ] = ()
    compression: Annotated[
        bool, Field(title="Compression", description="offer permessage-deflate in the handshake")
    ] = False
    tls: Annotated[TlsOptions, Field(title="TLS", description="for wss:// addresses")] = TlsOptions()
    seed: Seed = 1
    shards: Shards = 1
    targets: Annotated[tuple[WebSocketTarget, ...], TARGETS] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.rate is not None and self.rate_profile:
            raise disagreement("rate and rate_profile exclude each other", ["rate"], ["rate_profile"])
        for index, (earlier, later) in enumerate(itertools.pairwise(self.rate_profile)):
            if later.at < earlier.at:
                problem = "the corners of rate_profile must be in order of time"
                raise disagreement(problem, ["rate_profile", index + 1, "at"])
        if self.rate_profile and not any(point.rate for point in self.rate_profile):
            raise disagreement("rate_profile is zero throughout", ["rate_profile"])
        if self.shards > self.users:
            problem = f"more shards than users: {self.shards} > {self.users}"
            raise disagreement(problem, ["shards"], ["users"])
        seen: dict[str, int] = {}
        for index, kind in enumerate(self.messages):
            first = seen.setdefault(kind.name, index)
            if first < index:
                problem = f"two kinds of messages have the same name, {kind.name}"
                raise disagreement(problem, ["messages", first, "name"], ["messages", index, "name"])
        return self

    @field_serializer("subprotocols", when_used="json")
    def _without_secrets(self, subprotocols: tuple[str, ...]) -> list[str]:
        """As they are stored: a token may have been written into one."""
        return [masked(text) for text in subprotocols]

    @property
    def promises(self) -> tuple[Target, ...]:
        """Every target of the run: everybody connects, and is answered well and in time, unless set otherwise."""
        defaults = (
            Target(metric="connection.connected_users", op=">=", limit=self.users),
            Target(metric="connection.success_rate", op=">", limit=95),
            Target(metric="message.success_rate", op=">", limit=95),
            Target(metric="message.response_time.p95", op="<", limit=2000),
        )
        return merged_targets(defaults, self.targets)

    @property
    def messages_per_second(self) -> float:
        """The open model's rate over all users, where it does not change."""
        return self.rate if self.rate is not None else self.users / 2

    @property
    def ramp_seconds(self) -> float:
        """How long the users take to connect: 50 of them a second unless set."""
        return self.ramp if self.ramp is not None else self.users / 50

    @property
    def filled_in(self) -> Self:
        """The same plan with the values that were left out."""
        rate = None if self.rate_profile else self.messages_per_second
        return self.model_copy(update={"rate": rate, "ramp": self.ramp_seconds})
