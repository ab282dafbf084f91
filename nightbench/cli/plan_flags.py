"""The plans as flags, and what becomes of them.

A field that is one value is a flag, and so are those inside of `reply`, `tokens` and `tls`. What is a list of
tables would be no readable flag: it stands in a plan file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from cyclopts import Group, Parameter
from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo

from nightbench.cli import flags
from nightbench.errors import ConfigurationError
from nightbench.frozen import Frozen
from nightbench.plan import (
    DatabaseChanges,
    DatabasePlan,
    ReplyRules,
    TierChanges,
    TokenSource,
    WebSocketChanges,
    WebSocketPlan,
    part,
)
from nightbench.plan.fields import Path as FieldPath
from nightbench.plan.fields import problem_of, shown
from nightbench.plan.file import read_plan_file
from nightbench.settings import Settings

_T = TypeVar("_T")

_PACE = Group("Users and pace", sort_key=3, help="A rate that changes over the run stands in a plan file.")
_MESSAGES = Group(
    "Messages", sort_key=4, help="Several kinds of messages and a greeting stand in a plan file."
)
_REPLIES = Group("Replies", sort_key=5)
_CONNECTION = Group("Connection", sort_key=6)
_IN_A_FILE = Parameter(parse=False)
_LONGEST_DEFAULT = 20


def _like(model: type[Frozen], field: str) -> Any:
    return Field(default=None, description=model.model_fields[field].description)


class ReplyFlags(Frozen):
    """`ReplyRules`, with conditions as they are written."""

    match: Literal["id", "order", "predicate"] | None = _like(ReplyRules, "match")
    id_path: str | None = _like(ReplyRules, "id_path")
    predicate: str | None = _like(ReplyRules, "predicate")
    done: str | None = _like(ReplyRules, "done")
    error: str | None = _like(ReplyRules, "error")
    expect: str | None = _like(ReplyRules, "expect")
    format: Literal["json", "raw"] | None = _like(ReplyRules, "format")


class TokenFlags(Frozen):
    """`TokenSource` without its command, which is a list of words."""

    file: str | None = _like(TokenSource, "file")
    template: str | None = _like(TokenSource, "template")


_GROUPS: Mapping[str, Group] = {
    **dict.fromkeys(("users", "duration", "model", "rate", "arrivals", "max_in_flight"), _PACE),
    **dict.fromkeys(("think", "think_spread", "pacing", "warmup"), _PACE),
    **dict.fromkeys(("ramp", "ramp_shape", "ramp_steps"), _PACE),
    **dict.fromkeys(("message", "data", "data_order"), _MESSAGES),
    **dict.fromkeys(("reply", "timeout"), _REPLIES),
    **dict.fromkeys(("connect_timeout", "reconnect", "lost_after", "tokens"), _CONNECTION),
    **dict.fromkeys(("subprotocols", "compression", "tls"), _CONNECTION),
}
_PARAMETERS: Mapping[str, Parameter] = {
    **dict.fromkeys(("rate_profile", "messages", "greeting", "headers", "targets", "workload"), _IN_A_FILE),
    "subprotocols": Parameter(name="subprotocol", negative=""),
}


_TYPES: Mapping[str, Any] = {"reply": ReplyFlags | None, "tokens": TokenFlags | None}


def _as_flags(model: type[BaseModel], plan: type[BaseModel], groups: Mapping[str, Group]) -> type[BaseModel]:
    """A model of changes of `plan` as flags, in `groups` by their names."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        grouped = Parameter(group=groups.get(name, flags.PLAN))
        parameter = _PARAMETERS.get(name, Parameter())
        kind: Any = _TYPES.get(name, info.annotation)
        fields[name] = (
            Annotated[kind, grouped, parameter],
            Field(default=None, title=info.title, description=_described(info, plan.model_fields[name])),
        )
    return create_model(f"_{model.__name__}Flags", __base__=Frozen, **fields)


def _described(info: FieldInfo, field: FieldInfo) -> str | None:
    """What a flag is for, and what its field of the plan is without it; a tier's own are told elsewhere."""
    match field.default:
        case bool() as default:
            return f"{info.description} [{'on' if default else 'off'} unless set]"
        case int() | float() as default:
            return f"{info.description} [{default:g} unless set]"
        case str() as default if len(default) <= _LONGEST_DEFAULT:
            return f"{info.description} [{default} unless set]"
    return info.description


class WebSocketFlags(_as_flags(WebSocketChanges, WebSocketPlan, _GROUPS)):  # type: ignore[misc]  # made of the plan
    """The WebSocket plan as flags; headers and targets have a flag of their own."""


class DatabaseFlags(_as_flags(DatabaseChanges, DatabasePlan, {})):  # type: ignore[misc]  # made of the plan
    """The database plan as flags; targets have a flag of their own."""


def websocket_changes(
    given: WebSocketFlags | None,
    *,
    targets: Iterable[str],
    headers: Iterable[str] = (),
    prefix: str = "--",
    target: str = "--target",
) -> WebSocketChanges:
    """What the flags of a WebSocket plan change in it.

    Args:
        given: The flags.
        targets: The texts of the flag `target`.
        headers: The texts of ``--header``.
        prefix: What the names of the plan's flags begin with.
        target: The name of the targets' flag.

    Raises:
        ConfigurationError: naming the flag that is wrong.
    """
    fields = _given(given)
    if "reply" in fields:
        values = _given(fields["reply"])
        fields["reply"] = _checked(f"{prefix}reply", lambda: part(ReplyRules, values))
    if "tokens" in fields:
        values = _given(fields["tokens"])
        fields["tokens"] = _checked(f"{prefix}tokens", lambda: TokenSource.model_validate(values))
    named = _headers(headers)
    if named:
        fields["headers"] = _checked("--header", lambda: WebSocketChanges(headers=named)).headers
    fields["targets"] = _targets(WebSocketChanges, targets, target)
    changes: WebSocketChanges = WebSocketChanges.model_construct(**fields)
    return changes


def database_changes(
    given: DatabaseFlags | None, *, targets: Iterable[str], target: str = "--target"
) -> DatabaseChanges:
    """What the flags of a database plan change in it; see `websocket_changes`."""
    fields = {**_given(given), "targets": _targets(DatabaseChanges, targets, target)}
    changes: DatabaseChanges = DatabaseChanges.model_construct(**fields)
    return changes


def tier_changes(
    websocket: WebSocketChanges, database: DatabaseChanges, *, blocks: int | None, reruns: int | None
) -> TierChanges:
    """What flags change in a tier and its suites; `blocks` and `reruns` are those of these names.

    Raises:
        ConfigurationError: naming the flag that is wrong.
    """
    for flag, often in (("blocks", blocks), ("reruns", reruns)):
        _checked(f"--{flag}", lambda flag=flag, often=often: TierChanges(**{flag: often}), at=())  # type: ignore[misc]
    return TierChanges.of(websocket, database, blocks=blocks, reruns=reruns)


def with_plan_file(
    settings: Settings, path: Path | None, *, prefix: str = "--", target: str = "--target"
) -> Settings:
    """The settings with the plan file of ``--plan``, if there is one, and with the names of the plan's flags.

    Args:
        settings: As they were loaded.
        path: Of the plan file.
        prefix: What the names of the plan's flags begin with; ``{suite}`` stands for the suite's.
        target: The name of the targets' flag; likewise.

    Raises:
        ConfigurationError: naming the file and what is wrong in it.
    """
    named = settings.asked_by(lambda field: _flag_of(field, prefix, target))
    return named if path is None else named.with_plan_file(read_plan_file(path))


def _flag_of(path: FieldPath, prefix: str, target: str) -> str:
    if len(path) == 1:
        return f"--{path[0]}"
    suite, field, *inside = path
    match field:
        case "targets":
            return target.format(suite=suite)
        case "headers":
            return "--header"
        case "subprotocols":
            inside, field = [], "subprotocol"
    words = ".".join(str(word) for word in (field, *inside))
    return f"{prefix.format(suite=suite)}{words.replace('_', '-')}"


def _given(model: BaseModel | None) -> dict[str, Any]:
    return {name: value for name, value in model or () if value is not None}


def _targets(model: type[Any], texts: Iterable[str], flag: str) -> tuple[Any, ...] | None:
    targets: list[Any] = []
    for text in texts:
        targets += _checked(flag, lambda text=text: model(targets=[text]).targets, at=())  # type: ignore[misc]
    return tuple(targets) or None


def _headers(texts: Iterable[str]) -> dict[str, SecretStr]:
    headers: dict[str, SecretStr] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        name = name.strip()
        if not colon or not name:  # what stands there may be the secret alone
            raise ConfigurationError("--header", "***", "is not 'Name: value'")
        headers[name] = SecretStr(value.strip())
    return headers


def _checked(flag: str, make: Callable[[], _T], *, at: tuple[str | int, ...] | None = None) -> _T:
    """What `make` gives; an error of a model becomes one of the flag, and of its field unless `at` is ()."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        inside = first["loc"] if at is None else at
        name = ".".join([flag, *(str(each) for each in inside)]).replace("_", "-")
        path = ("headers",) if flag == "--header" else (flag.rpartition(".")[2].lstrip("-"), *first["loc"])
        raise ConfigurationError(name, shown(path, first["input"]), problem_of(first)) from None
