"""The bearer tokens of users, from a file, a template or a command. No error shows one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from nightbench.errors import ConfigurationError
from nightbench.files import read_file
from nightbench.plan import TokenSource
from nightbench.websocket.script import own_row
from nightbench.websocket.templates import Place, Template, Values
from nightbench.websocket.token_command import MOST_BYTES, output_of

COMMAND_SECONDS = 30.0

TOKEN = re.compile(r"[\x21-\x7e]+")
"""What a header can hold without a blank; RFC 6750 allows less, and servers more."""


WRONG = "a token is visible ASCII without blanks"


async def read_tokens(
    source: TokenSource,
    users: int,
    rows: Sequence[Mapping[str, str]],
    *,
    command_seconds: float = COMMAND_SECONDS,
) -> tuple[str, ...]:
    """The tokens of `source`, in the order of the users; fewer than users are used again from the first.

    Cancelled, it leaves no command running.

    Args:
        source: Where they come from.
        users: How many there are.
        rows: Of the data file.
        command_seconds: What a command may take.

    Raises:
        ConfigurationError: naming the part of the source, when it gives no token, or what is none.
    """
    if source.command:
        output = await output_of(source.command, users, seconds=command_seconds)
        return await asyncio.to_thread(_lines, output, "tokens.command", source.command[0])
    if source.file is not None:
        return await asyncio.to_thread(_of_file, source.file)
    return await asyncio.to_thread(_of_template, source, users, rows)


def _of_file(name: str) -> tuple[str, ...]:
    content = read_file(name, "tokens.file", most=MOST_BYTES, way_out="name a file with a token a line")
    return _lines(content, "tokens.file", name)


def _of_template(source: TokenSource, users: int, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    assert source.template is not None, "one of the three, see TokenSource"
    columns = frozenset(rows[0]) if rows else frozenset[str]()
    place = Place("tokens.template", ("user",), columns, secret=True)
    template = Template(source.template.get_secret_value(), place)
    if not template.names:
        users = 1
    tokens = tuple(template.fill(Values(user=user, row=own_row(rows, user))) for user in range(users))
    for user, token in enumerate(tokens):
        if TOKEN.fullmatch(token) is None:
            raise place.error("", f"makes no token of user {user}: {WRONG}")
    return tokens


def _lines(content: bytes, setting: str, shown: str) -> tuple[str, ...]:
    """The tokens of `content`; blank lines are none."""
    tokens = []
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), 1):
        token = line.strip()
        if token and TOKEN.fullmatch(token) is None:
            raise ConfigurationError(setting, shown, f"line {number} is no token: {WRONG}")
        tokens += [token] if token else []
    if not tokens:
        raise ConfigurationError(setting, shown, "gives no token", "a token a line")
    return tuple(tokens)
