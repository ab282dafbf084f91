"""What a person is asked first who runs a tier from the form of its deployment, and the changes that the answers make.

Everything else that a plan has stands in `websocket` and `database`, which are shown when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.form import LeftOut, Tabs, Titled
from nightbench.plan.changes import DatabaseChanges, TierChanges, WebSocketChanges
from nightbench.plan.database import DATABASE_OPERATIONS
from nightbench.plan.fields import Path, dotted, problem_of
from nightbench.plan.websocket import WEBSOCKET_OPERATIONS
from nightbench.plan.words import Blocks, Duration, Queries, Reruns, Suite, Users
from nightbench.release import LONGEST_RELEASE, RELEASE
from nightbench.scrub import scrub
from nightbench.target import TEXT, Target

WEBSOCKET_URL = r"^wss?://[^\s/?#@\\]+(/[^\s?#]*)?$"
LONGEST_URL = 2048
_AS_IT_IS = "As the tier has it"


def shown(title: str, description: str) -> Any:
    """The label and the help; Prefect knows only the parameter's name, and a docstring."""
    return Field(json_schema_extra={"title": title, "description": description})


AskedUrl = Annotated[
    Annotated[str, Field(max_length=LONGEST_URL, pattern=WEBSOCKET_URL)] | None,
    shown(
        "WebSocket URL",
        "what is loaded, ws:// or wss://, without user, password, query and fragment; that of the subject or of the "
        "worker's settings unless given, and the embedded reference without any",
    ),
    LeftOut(),
]
AskedRelease = Annotated[
    Annotated[str, Field(min_length=1, max_length=LONGEST_RELEASE, pattern=RELEASE)] | None,
    shown(
        "Release",
        "version or deploy of what is loaded, such as v2.4.1; as the worker's settings have it unless given",
    ),
    LeftOut(),
]
AskedUsers = Annotated[
    Users | None,
    shown(
        "Users",
        "concurrent users, one WebSocket connection each; as the tier has it unless given",
    ),
    LeftOut(),
]
AskedDuration = Annotated[
    Duration | None,
    shown(
        "Duration (s)",
        "seconds for which the WebSocket is loaded and measured, without ramp and warm-up; as the tier has it unless given",
    ),
    LeftOut(),
]
AskedTargets = Annotated[
    tuple[Annotated[str, Field(max_length=300, pattern=TEXT)], ...] | None,
    Field(max_length=100),
    shown(
        "Targets",
        "promises on top of the default ones, one an item: message.response_time.p95 < 500 (times in ms), "
        "query.success_rate >= 99 (%), 45 <= message.throughput <= 55 (per second)",
    ),
    LeftOut(),
]
AskedQueries = Annotated[
    Queries | None,
    shown("Queries", "how many the database is asked while it is measured; as the tier has it unless given"),
    LeftOut(),
]
AskedQuick = Annotated[
    bool,
    shown(
        "Quick",
        "keep the concurrency, cut the length to seconds; a length that is given here is kept",
    ),
]
AskedBlocks = Annotated[
    Blocks | None,
    shown("Blocks", "how often each suite runs, in turns; the median of a suite's runs counts"),
    Titled("This many", "As in a night"),
]
AskedReruns = Annotated[
    Reruns | None,
    shown("Repetitions", "how often a suite is repeated in which something looks worse"),
    Titled("This many", "As in a night"),
]
AskedWebSocket = Annotated[
    WebSocketChanges | None,
    shown("More of the WebSocket suite", "arrivals, ramp, timeouts, messages, replies, TLS and the rest"),
    Tabs(_AS_IT_IS, "Change", elsewhere=("users", "duration", "targets")),
]
AskedDatabase = Annotated[
    DatabaseChanges | None,
    shown("More of the database suite", "workers, arrivals, pool, timeouts, workload and the rest"),
    Tabs(_AS_IT_IS, "Change", elsewhere=("queries", "targets")),
]
_AskedLoad = Annotated[TierChanges | None, Tabs("As it is set", "Change")]
_IN_ITS_LOAD = "what to change in its load"
AskedBaseline = Annotated[_AskedLoad, shown("Baseline", _IN_ITS_LOAD)]
AskedFull = Annotated[_AskedLoad, shown("Full", _IN_ITS_LOAD)]
AskedStress = Annotated[_AskedLoad, shown("Stress", _IN_ITS_LOAD)]


class Asked(NamedTuple):
    """The answers; None is what was not answered."""

    users: int | None = None
    duration: float | None = None
    targets: tuple[str, ...] | None = None
    queries: int | None = None
    websocket: WebSocketChanges | None = None
    database: DatabaseChanges | None = None
    blocks: int | None = None
    reruns: int | None = None

    @property
    def at_first(self) -> frozenset[str]:
        """Which of the first questions were answered."""
        return frozenset(
            name
            for name in ("users", "duration", "targets", "queries")
            if getattr(self, name) not in (None, ())
        )

    def changes(self) -> TierChanges:
        """The changes of a tier that the answers make.

        Raises:
            ConfigurationError: when one is given twice, or a target is none or of no suite that can be told.
        """
        targets = _by_suite(self.targets or ())
        answers: dict[Suite, dict[str, Any]] = {
            "websocket": {
                "users": self.users,
                "duration": self.duration,
                "targets": targets["websocket"] or None,
            },
            "database": {"queries": self.queries, "targets": targets["database"] or None},
        }
        return TierChanges(
            websocket=_with(self.websocket or WebSocketChanges(), "websocket", answers["websocket"]),
            database=_with(self.database or DatabaseChanges(), "database", answers["database"]),
            blocks=self.blocks,
            reruns=self.reruns,
        )

    def name_of(self, path: Path) -> str:
        """What the user calls the field of a plan at `path`, which begins with the suite."""
        name = str(path[1]) if len(path) > 1 else ""
        return f"parameter {name if name in self.at_first else dotted(path)}"


def _with(changes: Any, suite: Suite, answers: Mapping[str, Any]) -> Any:
    """`changes` of a suite with those `answers` that were given."""
    given = {name: answer for name, answer in answers.items() if answer is not None}
    for name in given:
        if getattr(changes, name) is not None:
            problem = f"{suite}.{name} is given too"
            raise ConfigurationError(f"parameter {name}", NOT_GIVEN, problem, "give one of them")
    return changes.model_copy(update=given) if given else changes


def _by_suite(texts: Iterable[str]) -> dict[Suite, tuple[Target, ...]]:
    """The targets of each suite, by what their metrics begin with."""
    found: dict[Suite, tuple[Target, ...]] = {"websocket": (), "database": ()}
    for text in texts:
        try:
            target = Target.model_validate(text)
            suite = _suite_of(target)
            checked = _MODELS[suite](targets=[target])
        except ValidationError as error:
            problem = problem_of(error.errors(include_url=False)[0])
            raise ConfigurationError("parameter targets", scrub(text), problem) from None
        found[suite] += checked.targets
    return found


def _suite_of(target: Target) -> Suite:
    operation = target.metric.partition(".")[0].partition("[")[0]
    suites = [suite for suite, operations in _OPERATIONS.items() if operation in operations]
    if len(suites) == 1:
        return suites[0]
    text = scrub(str(target))
    if suites:
        problem = f"every suite has a {operation}"
        way_out = f"give it as one of {' or '.join(f'{suite}.targets' for suite in suites)}"
    else:
        problem = f"no suite measures {operation!r}"
        known = sorted({name for names in _OPERATIONS.values() for name in names if "[" not in name})
        way_out = f"metrics begin with {', '.join(known)}"
    raise ConfigurationError("parameter targets", text, problem, way_out)


_MODELS: Mapping[Suite, type[WebSocketChanges | DatabaseChanges]] = {
    "websocket": WebSocketChanges,
    "database": DatabaseChanges,
}
_OPERATIONS: Mapping[Suite, tuple[str, ...]] = {
    "websocket": WEBSOCKET_OPERATIONS,
    "database": DATABASE_OPERATIONS,
}
