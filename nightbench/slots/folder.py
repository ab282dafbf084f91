"""Where the slots of this machine are: one folder for all that a user runs on it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.files import reason
from nightbench.settings import Settings

SETTING = "NIGHTBENCH_RUN__SLOTS"


def slots_folder(settings: Settings) -> Path:
    """The folder that is set, or else ``~/.cache/nightbench/slots``.

    Of the home that the user database has: HOME, XDG_RUNTIME_DIR and XDG_CACHE_HOME are not the same in a terminal,
    in cron and in a service, and a temporary folder may be each service's own.
    """
    return settings.run.slots or _home() / ".cache" / "nightbench" / "slots"


def made(folder: Path) -> Path:
    """`folder`, made for this user alone when it is not there.

    Raises:
        OSError: when it cannot be.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def slot_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError inside the block into one line that names the setting."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            SETTING,
            str(folder),
            f"the folder of the slots cannot be used: {reason(error)}",
            "name one that you can write, the same for all that runs on this machine",
        ) from None


def _home() -> Path:
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # as in a container that runs under a number without a name
        return Path(os.environ.get("HOME") or "/")
