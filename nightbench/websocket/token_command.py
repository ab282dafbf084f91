"""The program that makes tokens: what it is told, and what is said when it gives none."""

from __future__ import annotations

from collections.abc import Sequence

from nightbench import command_output
from nightbench.command_output import CommandError
from nightbench.errors import ConfigurationError

MOST_BYTES = 256 * 2**20
"""Of all tokens together."""
USERS_VARIABLE = "NIGHTBENCH_USERS"
"""Tells the command how many tokens are wanted."""


async def output_of(command: Sequence[str], users: int, *, seconds: float) -> bytes:
    """What `command` prints; cancelled, it leaves nothing of it running.

    Args:
        command: The program and its arguments, which may be secrets.
        users: How many tokens are wanted.
        seconds: What it may take from its start to its end.

    Raises:
        ConfigurationError: when it cannot be run, takes too long, prints too much or fails.
    """

    def wrong(problem: str, way_out: str) -> ConfigurationError:
        # its arguments may be secrets
        return ConfigurationError("tokens.command", command[0], problem, way_out)

    try:
        return await command_output.output_of(
            command, seconds=seconds, most_bytes=MOST_BYTES, variables={USERS_VARIABLE: str(users)}
        )
    except CommandError as error:
        raise wrong(error.problem, error.way_out) from None
    except OverflowError:
        raise wrong(f"prints more than {MOST_BYTES // 2**20} MiB", "a token a line") from None
