"""What the commands of the guide call beside nightbench: how each is looked at without being run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from docs.reading import PROJECT

NOT_RUN = {
    "activate": "changes the shell of whoever reads",
    "cd": "the scene is one folder",
    "exit": "is the shell's",
    "echo": "is the shell's",
    "mkdir": "makes a folder of the reader's",
    "cp": "copies to where the reader keeps copies",
    "git": "fetches the project from where it is kept",
    "pip": "installs from an index",
    "apt-get": "is for root",
    "install": "writes below /etc",
    "useradd": "is for root",
    "systemctl": "speaks to systemd",
    "journalctl": "speaks to systemd",
    "sysctl": "is for root",
    "cpupower": "is for root",
    "ulimit": "is the shell's",
    "taskset": "is about the reader's cores",
    "docker": "wants a daemon",
    "kubectl": "wants a cluster",
    "dask": "starts a cluster on the machines of the reader",
    "ssh": "leads to the reader's machine",
    "rsync": "copies to the reader's machine",
    "aws": "speaks to an object store",
    "psql": "speaks to the reader's database",
    "ps": "is about the reader's processes",
    "python": "compiles or serves files, beside the guide's own code",
    "pytest": "is what runs this",
    "ruff": "is run by make",
    "mypy": "is run by make",
}
"""Programs that stand in a block and are not run, and why."""

_TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
_FILE = re.compile(r"(?:deployments|docs|tests|benchmarks|flows)/[\w./-]+")


def missing_files(words: Sequence[str]) -> list[str]:
    """Which of the project's files a command names that are not there."""
    return [word for word in words if _FILE.fullmatch(word) and not (PROJECT / word).exists()]


def make(words: Sequence[str]) -> str:
    """What is wrong with a call of make; empty when nothing is."""
    asked = words[3:] if words[1] == "--directory" else words[1:]
    unknown = [word for word in asked if "=" not in word and word not in _TARGETS]
    return f"no target of the Makefile: {', '.join(unknown)}" if unknown else ""


def prefect(words: Sequence[str]) -> None:
    """Have Prefect's own command line read the words; it raises for what it does not know."""
    from prefect.cli._app import _app

    _app.parse_args([*words[1:]], exit_on_error=False, print_error=False)
