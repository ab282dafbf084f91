"""Which fields of a plan have no effect, given the others. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nightbench.plan.conversation import MessageKind, TlsOptions
from nightbench.plan.database import DatabasePlan
from nightbench.plan.placeholders import placeholders
from nightbench.plan.websocket import WebSocketPlan
from nightbench.plan.words import Model

UNUSED: dict[Model, frozenset[str]] = {
    "open": frozenset({"think", "think_spread", "pacing"}),
    "closed": frozenset({"rate", "arrivals", "rate_profile"}),
}
"""What has no effect in each arrival model."""

_NO_COLUMNS = frozenset({"id", "user", "sequence", "run", "token"})


class Idle(NamedTuple):
    """A field without effect: its path in the plan, and why."""

    path: tuple[str | int, ...]
    why: str


def idle_fields(plan: WebSocketPlan | DatabasePlan, *, secure: bool) -> tuple[Idle, ...]:
    """The fields of `plan` that change nothing, whatever they are set to.

    Args:
        plan: As it is run.
        secure: Whether the address is one of wss://.
    """
    unused = sorted(UNUSED[plan.model].intersection(type(plan).model_fields))
    found = [Idle((name,), f"the model is {plan.model}") for name in unused]
    if isinstance(plan, WebSocketPlan):
        found += [Idle(path, why) for path, holds, why in _WITHOUT_EFFECT if holds(plan)]
        found += [Idle(("rate_profile", index), why) for index, why in _past_the_end(plan)]
        if not secure:
            found += [Idle(("tls", name), "the address is not wss://") for name in TlsOptions.model_fields]
    else:
        found += [Idle(path, why) for path, holds, why in _WITHOUT_EFFECT_ON_A_DATABASE if holds(plan)]
        found += _idle_draws(plan)
    reasons: dict[tuple[str | int, ...], str] = {}
    for path, why in found:
        reasons.setdefault(path, why)
    return tuple(Idle(path, why) for path, why in reasons.items())


_WITHOUT_EFFECT: tuple[tuple[tuple[str, ...], Callable[[WebSocketPlan], bool], str], ...] = (
    (("think_spread",), lambda plan: plan.think == 0, "think is 0"),
    (("max_in_flight",), lambda plan: plan.model == "closed", "in the closed model a user waits for each reply"),
    (("ramp_shape",), lambda plan: plan.ramp == 0, "ramp is 0"),
    (("ramp_steps",), lambda plan: plan.ramp == 0, "ramp is 0"),
    (("ramp_steps",), lambda plan: plan.ramp_shape != "steps", "ramp_shape is not steps"),
    (("message",), lambda plan: bool(plan.messages), "there are messages"),
    (("greeting", "weight"), lambda plan: plan.greeting is not None, "a greeting is not drawn"),
    (("data_order",), lambda plan: plan.data is None, "there is no data"),
    (("data",), lambda plan: not _columns(plan), "nothing in the plan is a placeholder for one of its columns"),
    (("reply", "id_path"), lambda plan: plan.reply.match != "id", "reply.match is not id"),
    (("tls", "ca_file"), lambda plan: not plan.tls.verify, "tls.verify is false"),
)  # fmt: skip

_WITHOUT_EFFECT_ON_A_DATABASE: tuple[tuple[tuple[str, ...], Callable[[DatabasePlan], bool], str], ...] = (
    (
        ("lock_timeout",),
        lambda plan: plan.lock_timeout is not None and plan.lock_timeout >= plan.statement_timeout,
        "statement_timeout is no longer",
    ),
    (("workload", "policy_cost"), lambda plan: plan.observation_interval == 0, "observation_interval is 0"),
)
_NUMBERS = ("low", "step", "decimals")
_IDLE_OF_A_DRAW: dict[str, tuple[str, ...]] = {
    "uniform": ("exponent", "column"),
    "zipf": ("column",),
    "file": ("exponent", *_NUMBERS),
}
"""What has no effect on how a parameter is drawn; of those not named, all of them."""


def _idle_draws(plan: DatabasePlan) -> Iterator[Idle]:
    for path, draw in plan.mix.parameters:
        for name in _IDLE_OF_A_DRAW.get(draw.draw, ("exponent", "column", *_NUMBERS)):
            yield Idle(("workload", *path, name), f"the draw is {draw.draw}")


def _past_the_end(plan: WebSocketPlan) -> Iterator[tuple[int, str]]:
    """The corners that the run does not come to; on the way to the first of them it may still be."""
    for index, (before, corner) in enumerate(itertools.pairwise(plan.rate_profile), start=1):
        if plan.model == "open" and before.at >= plan.duration < corner.at:
            yield index, f"the run ends {plan.duration:g} s after the measure phase began"


def _columns(plan: WebSocketPlan) -> set[str]:
    """The placeholders of a plan that only a data file fills in."""
    names = set().union(*map(placeholders, _texts(plan)))
    return {name for name in names if name not in _NO_COLUMNS and not name.startswith("env:")}


def _texts(plan: WebSocketPlan) -> Iterator[str]:
    kinds: list[MessageKind] = [*plan.messages, *([plan.greeting] if plan.greeting else [])]
    if not plan.messages:
        yield plan.message
    for kind in kinds:
        yield kind.text or json.dumps(kind.body, ensure_ascii=False)
    yield from (value.get_secret_value() for value in plan.headers.values())
    yield from plan.subprotocols
    if plan.tokens is not None and plan.tokens.template is not None:
        yield plan.tokens.template.get_secret_value()
