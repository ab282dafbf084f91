"""What users take along from outside of the plan: tokens, rows of data, headers. Read before any load."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nightbench.data import Row, read_rows
from nightbench.errors import ConfigurationError
from nightbench.plan import WebSocketPlan
from nightbench.plan.placeholders import masked
from nightbench.scrub import REDACTED
from nightbench.websocket.handshake import SUBPROTOCOL
from nightbench.websocket.rules import compile_rules
from nightbench.websocket.script import Script, binary_file, own_row
from nightbench.websocket.templates import Place, Template, Values
from nightbench.websocket.tokens import TOKEN, WRONG, read_tokens

_SUBPROTOCOL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110."""
_HEADER = re.compile(r"[\x20-\x7e\x80-\xff]*")
"""The characters that RFC 9110 lets stand in a header, which travels as ISO 8859-1."""


@dataclass(frozen=True)
class Provisions:
    """What the files, commands and environment variables of a plan hold; picklable, for other processes.

    Attributes:
        tokens: One a user, used again from the first where they are fewer; empty when nobody has one.
        rows: Of the data file, empty without one. A user's own row, for its headers, its token and its
            greeting, is that of its index, again from the first.
        headers: Name and template of each header of the plan.
        subprotocols: The templates of what is offered in the handshake.
        files: The bytes of each `binary_file` by its name.
    """

    tokens: tuple[str, ...] = field(default=(), repr=False)
    rows: tuple[Row, ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, Template], ...] = field(default=(), repr=False)
    subprotocols: tuple[Template, ...] = field(default=(), repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


async def load_provisions(plan: WebSocketPlan, token: str | None) -> Provisions:
    """Read everything that `plan` names, and check all of it that a running test would stumble over.

    Cancelled, it leaves no command running.

    Args:
        plan: Of the whole load test.
        token: The bearer token of all users, where the plan has no `tokens`.

    Raises:
        ConfigurationError: naming the field of the plan.
    """
    # before the command is run, which may take long or be counted
    before = await asyncio.to_thread(_without_tokens, plan, token)
    if plan.tokens is not None:
        tokens = await read_tokens(plan.tokens, plan.users, before.rows)
    else:
        tokens = (token,) if token else ()
    return await asyncio.to_thread(_whole, plan, before, tokens)


def _without_tokens(plan: WebSocketPlan, token: str | None) -> Provisions:
    if token and TOKEN.fullmatch(token) is None:
        raise ConfigurationError("--token / NIGHTBENCH_TOKEN", REDACTED, f"cannot be sent: {WRONG}")
    rows = read_rows(plan.data, "data") if plan.data is not None else ()
    headers = tuple(_headers(plan, rows))
    if plan.tokens is not None and any(_is_authorization(name) for name, _ in headers):
        raise ConfigurationError(
            "tokens",
            REDACTED,
            "is the Authorization header that `headers` has too",
            "leave out one of the two",
        )
    compile_rules(plan.reply)
    return Provisions(rows=rows, headers=headers, files=_files(plan))


def _whole(plan: WebSocketPlan, before: Provisions, tokens: tuple[str, ...]) -> Provisions:
    subprotocols = _subprotocols(plan, before.rows, tokens)
    provisions = replace(before, tokens=tokens, subprotocols=subprotocols)
    script_of(plan, "check", provisions)
    return provisions


def script_of(plan: WebSocketPlan, run_id: str, provisions: Provisions) -> Script:
    """The script of a plan with all that it was provided with."""
    return Script(plan, run_id, provisions.rows, tokens=provisions.tokens, files=provisions.files)


def headers_of(plan: WebSocketPlan, provisions: Provisions, user: int) -> tuple[tuple[str, str], ...]:
    """The headers of `user`'s handshake.

    Those of the plan; its token, unless the plan has an Authorization header; the subprotocols that it offers.
    """
    values = _own_values(user, provisions.rows, provisions.tokens)
    headers = [(name, template.fill(values)) for name, template in provisions.headers]
    if provisions.tokens and not any(_is_authorization(name) for name in plan.headers):
        headers.append(("Authorization", f"Bearer {values.token}"))
    if provisions.subprotocols:
        offered = ", ".join(template.fill(values) for template in provisions.subprotocols)
        headers.append((SUBPROTOCOL, offered))
    return tuple(headers)


def _own_values(user: int, rows: Sequence[Row], tokens: Sequence[str]) -> Values:
    """What the handshake of `user` is filled in with."""
    return Values(user=user, row=own_row(rows, user), token=tokens[user % len(tokens)] if tokens else "")


def _is_authorization(name: str) -> bool:
    return name.lower() == "authorization"


def _headers(plan: WebSocketPlan, rows: tuple[Row, ...]) -> list[tuple[str, Template]]:
    columns = frozenset(rows[0]) if rows else frozenset[str]()
    headers = []
    for name, value in plan.headers.items():
        place = Place(f"headers.{name}", ("user",), columns, secret=True)
        template = Template(value.get_secret_value(), place)
        for number in range(max(1, len(rows)) if template.names & columns else 1):
            filled = template.fill(Values(row=own_row(rows, number)))
            if _HEADER.fullmatch(filled) is None:
                where = f"in row {number + 1} of the data file " if template.names & columns else ""
                problem = f"{where}it holds a line break or a character that no header can hold"
                raise place.error("", problem, "ISO 8859-1 without control characters")
        headers.append((name, template))
    return headers


def _subprotocols(
    plan: WebSocketPlan, rows: tuple[Row, ...], tokens: tuple[str, ...]
) -> tuple[Template, ...]:
    columns = frozenset(rows[0]) if rows else frozenset[str]()
    own = ("user", "token") if tokens else ("user",)
    places = [Place(f"subprotocols[{index}]", own, columns) for index in range(len(plan.subprotocols))]
    templates = tuple(map(Template, plan.subprotocols, places))
    for user in range(plan.users if any(template.names for template in templates) else 1):
        values = _own_values(user, rows, tokens)
        seen: set[str] = set()
        for text, template, place in zip(plan.subprotocols, templates, places, strict=True):
            offered = template.fill(values)
            if _SUBPROTOCOL.fullmatch(offered) is None:
                problem = f"of user {user} is empty or holds a character that no subprotocol can"
                raise place.error(masked(text), problem, "letters, digits and !#$%&'*+-.^_`|~")
            if offered in seen:
                raise place.error(masked(text), f"of user {user} is offered twice", "leave one of them out")
            seen.add(offered)
    return templates


def _files(plan: WebSocketPlan) -> dict[str, bytes]:
    kinds = [(f"messages[{index}]", kind) for index, kind in enumerate(plan.messages)]
    if plan.greeting is not None:
        kinds.append(("greeting", plan.greeting))
    return {
        kind.binary_file: binary_file(kind.binary_file, f"{setting}.binary_file")
        for setting, kind in kinds
        if kind.binary_file is not None
    }
