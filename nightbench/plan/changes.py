"""A tier's plan, and what may be changed in it: flags, settings, plan files and the form of the Prefect UI."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache, partial
from typing import Annotated, Any, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic.fields import FieldInfo

from nightbench.form import as_changes, as_part
from nightbench.frozen import Frozen
from nightbench.plan.database import DatabasePlan
from nightbench.plan.effect import UNUSED
from nightbench.plan.websocket import WebSocketPlan
from nightbench.plan.words import BLOCKS, RERUNS, Blocks, Reruns, Tier
from nightbench.target import merged_targets

SuitePlan = WebSocketPlan | DatabasePlan
_Plan = TypeVar("_Plan", WebSocketPlan, DatabasePlan)


_Part = TypeVar("_Part", bound=Frozen)

_MERGED = frozenset({"reply", "tls"})
"""Parts of a plan of which single fields are changed."""


@cache
def _field_by_field(model: type[Frozen]) -> type[BaseModel]:
    """The model without what it says of several fields together, none of them needed."""
    fields = {
        name: (_annotation(info), Field(default=None, title=info.title, description=info.description))
        for name, info in model.model_fields.items()
    }
    return create_model(f"_{model.__name__}Fields", __base__=Frozen, **cast(Any, fields))


def _annotation(info: FieldInfo) -> Any:
    annotation: Any = info.annotation
    for constraint in info.metadata:
        annotation = Annotated[annotation, constraint]
    return annotation


class _Changes(Frozen, json_schema_extra=as_changes):
    """Changes of a suite's plan."""


def _optional(model: type[Frozen]) -> type[BaseModel]:
    """The model with each field optional, and those of a part of it too."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = _annotation(info)
        if name in _MERGED:
            annotation = Annotated[annotation, WrapValidator(partial(_as_part, cast(Any, info.annotation)))]
        fields[name] = (
            annotation | None,
            Field(default=None, title=info.title, description=info.description),
        )
    return create_model(f"_Optional{model.__name__}", __base__=_Changes, **fields)


def _as_part(model: type[Frozen], value: Any, whole: ValidatorFunctionWrapHandler) -> Any:
    """A table of a part's fields may agree with others only in the plan; what is none, the model itself refuses."""
    return part(model, value) if isinstance(value, Mapping) else whole(value)


def part(model: type[_Part], given: Mapping[str, Any]) -> _Part:
    """A `reply` or `tls` of which only the `given` fields are set; see `changed`.

    Raises:
        pydantic.ValidationError: for a field that is wrong by itself; whether they agree with the others is
            seen in the plan.
    """
    fields = _field_by_field(model).model_validate(given)
    complete = {**dict(model()), **{name: getattr(fields, name) for name in given}}
    return cast(_Part, model.model_construct(set(given), **complete))


class WebSocketChanges(_optional(WebSocketPlan)):  # type: ignore[misc]  # made of the plan: bounds stay in one place
    """What to change in a tier's WebSocket plan; what is left out keeps the tier's value."""


class DatabaseChanges(_optional(DatabasePlan)):  # type: ignore[misc]  # made of the plan: bounds stay in one place
    """What to change in a tier's database plan; what is left out keeps the tier's value."""


class TierChanges(Frozen, json_schema_extra=as_part):
    """What to change in one tier: in both suites, and how often they run."""

    websocket: Annotated[WebSocketChanges, Field(title="WebSocket")] = WebSocketChanges()
    database: Annotated[DatabaseChanges, Field(title="Database")] = DatabaseChanges()
    blocks: Annotated[Blocks | None, BLOCKS] = None
    reruns: Annotated[Reruns | None, RERUNS] = None

    @classmethod
    def of(
        cls,
        websocket: WebSocketChanges | None,
        database: DatabaseChanges | None,
        *,
        blocks: int | None,
        reruns: int | None,
    ) -> Self:
        """The changes that the parameters of a flow make, None for what is left out."""
        return cls(
            websocket=websocket or WebSocketChanges(),
            database=database or DatabaseChanges(),
            blocks=blocks,
            reruns=reruns,
        )


class TierPlan(Frozen):
    """What one tier runs: its two suites, and how often; see `nightbench.blocks` for the order."""

    tier: Tier
    websocket: WebSocketPlan
    database: DatabasePlan
    blocks: Annotated[Blocks, BLOCKS] = 1
    reruns: Annotated[Reruns, RERUNS] = 0

    def changed(self, changes: TierChanges) -> Self:
        """This plan with `changes` on top."""
        return self.model_copy(
            update={
                "websocket": changed(self.websocket, changes.websocket),
                "database": changed(self.database, changes.database),
                "blocks": self.blocks if changes.blocks is None else changes.blocks,
                "reruns": self.reruns if changes.reruns is None else changes.reruns,
            }
        )


def changed(plan: _Plan, changes: BaseModel) -> _Plan:
    """Return `plan` with the fields that `changes` sets.

    Targets are replaced metric by metric, headers name by name, `reply` and `tls` field by field; of `rate` and
    `rate_profile`, the one that is set takes the place of the other.

    Raises:
        pydantic.ValidationError: when the fields together make no valid plan.
    """
    fields = _merged(dict(plan), changes)
    # as data, since pydantic takes an instance as it is, and these may be parts of one that do not agree
    return type(plan).model_validate(
        {**fields, **{name: dict(fields[name]) for name in _MERGED.intersection(fields)}}
    )


def combined(below: TierChanges, above: TierChanges) -> TierChanges:
    """Both changes as one: making it is making `below` and then `above`."""
    return TierChanges(
        websocket=WebSocketChanges.model_construct(**_merged(_given(below.websocket), above.websocket)),
        database=DatabaseChanges.model_construct(**_merged(_given(below.database), above.database)),
        blocks=below.blocks if above.blocks is None else above.blocks,
        reruns=below.reruns if above.reruns is None else above.reruns,
    )


def _given(changes: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in changes if value is not None}


def _merged(fields: dict[str, Any], changes: BaseModel) -> dict[str, Any]:
    """`fields` of a plan, or of changes in one, with `changes` on top."""
    update = _given(changes)
    if "targets" in update:
        update["targets"] = merged_targets(fields.get("targets", ()), update["targets"])
    if "headers" in update:
        update["headers"] = _merged_headers(fields.get("headers", {}), update["headers"])
    for name in _MERGED.intersection(update, fields):
        update[name] = _merged_part(fields[name], update[name])
    for name, other in _EITHER:
        if update.get(name) and not update.get(other):
            fields = {field: value for field, value in fields.items() if field != other}
    return {**fields, **update}


def _merged_headers(below: dict[str, SecretStr], above: dict[str, SecretStr]) -> dict[str, SecretStr]:
    again = {name.lower() for name in above}
    return {**{name: value for name, value in below.items() if name.lower() not in again}, **above}


def _merged_part(below: _Part, above: _Part) -> _Part:
    """A part of a plan with the fields that `above` sets; whether they agree is seen in the plan."""
    fields = {**dict(below), **{name: getattr(above, name) for name in above.model_fields_set}}
    given = below.model_fields_set | above.model_fields_set
    return cast(_Part, type(below).model_construct(given, **fields))


_EITHER = (("rate", "rate_profile"), ("rate_profile", "rate"))


def plan_hash(plan: SuitePlan) -> str:
    """What two plans share exactly when their numbers can be compared.

    It is made of what the run uses and is not the default, set or left out; targets change no number, nor should
    the number of shards. When a default changes, `_DEFAULTS` has to be another, or runs that differ are compared.
    """
    unused = {"targets", "shards", *UNUSED[plan.model]}
    # without defaults, so that a field which comes new, and changes nothing unless set, changes no hash
    used = plan.filled_in.model_dump(mode="json", exclude=unused, exclude_defaults=True)
    return hashlib.sha256(json.dumps([_DEFAULTS, used], sort_keys=True).encode()).hexdigest()[:16]


_DEFAULTS = 1
"""Which set of defaults the plans have."""
