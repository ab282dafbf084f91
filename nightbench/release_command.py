"""The release of the subject at the begin of a night: the one that was set, or what a program says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nightbench.command_output import CommandError, output_of
from nightbench.release import first_line
from nightbench.scrub import scrub
from nightbench.variables import place_of

COMMAND_SECONDS = 10.0
_MOST_BYTES = 64 * 1024


class FoundRelease(NamedTuple):
    """The release, None when it is not known, and a sentence each of what went wrong."""

    release: str | None
    notes: tuple[str, ...] = ()


async def find_release(
    release: str | None, command: Sequence[str], *, seconds: float = COMMAND_SECONDS
) -> FoundRelease:
    """The release that was set, or else the first line that `command` prints; it never raises for what that does.

    Cancelled, it leaves nothing of the command running.

    Args:
        release: The one that was set, which wins.
        command: The program and its arguments, which may be secrets; none where it is empty.
        seconds: What it may take.
    """
    if release is not None or not command:
        return FoundRelease(release)
    try:
        printed = await output_of(command, seconds=seconds, most_bytes=_MOST_BYTES)
        return FoundRelease(first_line(printed))
    except CommandError as error:
        problem = str(error)
    except OverflowError:
        problem = f"prints more than {_MOST_BYTES // 1024} KiB"
    except ValueError as error:
        problem = str(error)
    known = f"{place_of(('release_command',))} = {scrub(command[0])!r}"
    return FoundRelease(None, (f"warning: the release of this night is not known: {known}: {problem}",))
