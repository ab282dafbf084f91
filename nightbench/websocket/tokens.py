"""The bearer tokens of users, from a file, a template or a command. No error shows one."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from nightbench.errors import ConfigurationError
from nightbench.files import read_file, reason
from nightbench.plan import TokenSource
from nightbench.websocket.script import own_row
from nightbench.websocket.templates import Place, Template, Values

COMMAND_SECONDS = 30.0
_MOST_BYTES = 256 * 2**20
"""Of all tokens together."""
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
        content = read_file(
            source.file, "tokens.file", most=_MOST_BYTES, way_out="name a file with a token a line"
        )
        return _lines(content, "tokens.file", source.file)
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
    deadline = time.monotonic() + timeout
    with process:
        try:
            output = _read_all(process, deadline)
            process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise wrong(f"took longer than {timeout:g} s") from None
        except OverflowError:
            raise wrong(f"prints more than {_MOST_BYTES // 2**20} MiB", "a token a line") from None
        finally:
            with suppress(ProcessLookupError):  # it, and what it left behind
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise wrong(f"ended with exit code {process.returncode}")
    return output


def _read_all(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """What `process` prints until it closes its output.

    Raises:
        TimeoutError: when that is not before `deadline` (monotonic seconds).
        OverflowError: when it is more than all tokens may be.
    """
    assert process.stdout is not None
    content = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            some = os.read(process.stdout.fileno(), 2**16)
            content += some
            if not some:
                return bytes(content)
            if len(content) > _MOST_BYTES:
                raise OverflowError
            if time.monotonic() > deadline:  # it prints without end, and slowly
                raise TimeoutError
