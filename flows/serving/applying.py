"""The command line of `flows.serving.apply`, as it is written and as it is read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from nightbench.errors import ExitCode


@dataclass(frozen=True)
class Applying:
    """What is to be put on a server.

    Attributes:
        file: The project's ``prefect.yaml``.
        automations: The file of the automations; there may be none.
        remembered: Where to keep what was put there; may be missing.
        own: Whether the server is one of ours: runs that were under way when it was killed are ended.
        worker: Whether a worker of ours takes the runs: the pool has to be one that it can take from.
    """

    file: Path
    automations: Path
    remembered: Path
    own: bool = False
    worker: bool = False

    def words(self) -> list[str]:
        """The arguments that `parse` makes this of."""
        paths = {"--file": self.file, "--automations": self.automations, "--remembered": self.remembered}
        switches = {"--own": self.own, "--worker": self.worker}
        return [
            *(word for flag, path in paths.items() for word in (flag, str(path))),
            *(flag for flag, given in switches.items() if given),
        ]

    @classmethod
    def parse(cls, words: Sequence[str]) -> Applying:
        """What `words` say; one line on standard error and exit code 2 when they are wrong."""
        parser = _Parser(prog="flows.serving.apply", description=cls.__doc__, allow_abbrev=False)
        for flag in ("--file", "--automations", "--remembered"):
            parser.add_argument(flag, type=Path, required=True)
        for flag in ("--own", "--worker"):
            parser.add_argument(flag, action="store_true")
        return cls(**vars(parser.parse_args(words)))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        self.exit(ExitCode.WRONG_USE, f"{self.prog}: {message}\n")
