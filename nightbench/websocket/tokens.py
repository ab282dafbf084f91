"""The bearer tokens of users, from a file, a template or a command. No error shows one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.files import reason
from nightbench.plan import TokenSource
from nightbench.websocket.script import own_row
from nightbench.websocket.templates import Place, Template, Values

COMMAND_SECONDS = 30.0
USERS_VARIABLE = "NIGHTBENCH_USERS"
"""Tells the command how many tokens are wanted."""

TOKEN = re.compile(r"[\x21-\x7e]+")
"""What a header can hold without a blank; RFC 6750 allows less, and servers more."""


def read_tokens(
    source: TokenSource, users: int, rows: Sequence[Mapping[str, str]], *, timeout: float = COMMAND_SECONDS
) -> tuple[str, ...]:
    """The tokens of `source`, in the order of the users; fewer than users are used again from the first.

    Args:
        source: Where they come from.
        users: How many there are.
        rows: Of the data file.
        timeout: Seconds that a command may take.

    Raises:
        ConfigurationError: naming the part of the source, when it gives no token, or what is none.
    """
    if source.file is not None:
        return _lines(_file(source.file), "tokens.file", source.file)
    if source.command:
        output = _output(source.command, users, timeout)
        return _lines(output, "tokens.command", source.command[0])
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


WRONG = "a token is visible ASCII without blanks"


def _file(name: str) -> bytes:
    try:
        return Path(name).expanduser().read_bytes()
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"cannot be read: {reason(error)}"
        raise ConfigurationError("tokens.file", name, problem, "name a file with a token a line") from None


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


def _output(command: Sequence[str], users: int, timeout: float) -> bytes:
    """What `command` prints; what it says on stderr is its own, and is not kept."""

    def wrong(problem: str, way_out: str = "run it by hand to see why") -> ConfigurationError:
        # its arguments may be secrets
        return ConfigurationError("tokens.command", command[0], problem, way_out)

    environment = {**os.environ, USERS_VARIABLE: str(users)}
    try:
        process = subprocess.Popen(  # noqa: S603  # the user's own command is what is asked for
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise wrong(f"cannot be run: {reason(error)}", "name a program and its arguments") from None
    with process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise wrong(f"took longer than {timeout:g} s") from None
        finally:
            with suppress(ProcessLookupError):  # it, and what it left behind
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise wrong(f"ended with exit code {process.returncode}")
    return output
