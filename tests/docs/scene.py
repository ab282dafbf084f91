"""Where a page's commands run: a folder with a short history, and nothing outside of it that could be loaded.

What stands for something of the reader's own is filled in: ``RUN`` (the last night's run), ``METRIC`` (its P95), a
DSN at ``sentry.example.org`` (a server of the test's), an object store (a folder), a day in a future that may be over
(``--until``). Everything else is as it is written. A command that loads runs up to the load: flags, settings, plan files, plans and targets are
those of the page, and wrong ones are refused as they would be by a reader's machine.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import pytest
from cli.storing import LAST, P95, run
from docs.programs import NOT_RUN, make, missing_files, prefect
from docs.reading import BLOCKS, PROJECT
from docs.shell import Command, commands_of

from nightbench.cli import run_command

SENTRY = re.compile(r"https://[^@\s]*@sentry\.example\.org/\d+")
NAMED = {block.name: block.text for block in BLOCKS if block.name}
"""The files of the guide by their names."""


class Scene:
    """A reader's shell in a folder; each block is a shell of its own.

    Args:
        folder: An empty one.
        history: A dataset, which is linked and not written to; None where nothing was measured yet.
        patch: Undone by the test.
        sentry: The DSN that stands for those of the pages.
        addresses: Of a subject that is up, by the texts that stand for them.
    """

    def __init__(
        self,
        folder: Path,
        history: Path | None,
        patch: pytest.MonkeyPatch,
        sentry: str,
        addresses: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.sentry = sentry
        self.told = ""
        self.addresses = addresses
        patch.chdir(folder)
        for variable in [name for name in os.environ if name.startswith(("NIGHTBENCH_", "PREFECT_API"))]:
            if variable != "NIGHTBENCH_RUN__SLOTS":
                patch.delenv(variable)
        patch.setenv("NIGHTBENCH_CACHE", str(folder / "cache"))
        patch.setenv("NIGHTBENCH_SENTRY_DSN", sentry)
        if history is not None:
            shutil.copytree(history, folder / "results", copy_function=os.link)
        for name, text in NAMED.items():
            if name != "nightbench.toml":
                (folder / name).write_text(text)
        for name in ("deployments", "prefect.yaml"):
            (folder / name).symlink_to(PROJECT / name)

    def run_block(self, text: str) -> int:
        """Run the commands of a block in a shell of its own; how many there were."""
        commands = commands_of(text)
        with pytest.MonkeyPatch.context() as shell:
            for command in commands:
                code = self.run(command, shell)
                assert code == command.code, f"{' '.join(command.words)} ended with {code}: {self.told}"
        return len(commands)

    def run(self, command: Command, shell: pytest.MonkeyPatch) -> int:
        """Run a command in a shell that has heard others before; what it ended with.

        Raises:
            AssertionError: when there is no such command, or it names a file of the project that is not there.
        """
        self.told = ""
        words = [self.filled(word) for word in command.words]
        assert not (missing := missing_files(words)), missing
        with pytest.MonkeyPatch.context() as once:
            for name, value in command.variables.items():
                (shell if command.stays else once).setenv(name, self.filled(value))
            if not words:
                return 0
            if command.program == "nightbench":
                with redirect_stderr(StringIO()) as told:
                    code = run_command(words[1:])
                self.told = told.getvalue().strip()
                return int(code)
            assert not (why := PROGRAMS.get(command.program, not_run)(command)), f"{' '.join(words)}: {why}"
            return command.code

    def filled(self, word: str) -> str:
        """A word with what stands for something of the reader's own filled in."""
        if word in ("RUN", "METRIC"):
            return {"RUN": run(LAST), "METRIC": P95}[word]
        if word.startswith("s3://"):
            return word.removeprefix("s3://")
        if re.fullmatch(r"20\d\d-\d\d-\d\d", word) and word > "2026-11-29":
            return f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
        return self.addresses.get(word, SENTRY.sub(self.sentry, word))


def not_run(command: Command) -> str:
    """Why a command that is not nightbench's may not stand in a page; empty when it may."""
    name = command.program.rpartition("/")[2]
    if name in (".", "source"):
        name = command.words[1].rpartition("/")[2]
    return "" if name in NOT_RUN else "neither nightbench's nor on the list of what is not run"


def read_by_prefect(command: Command) -> str:
    """Prefect's words are read by Prefect."""
    prefect(command.words)
    return ""


PROGRAMS: Mapping[str, Callable[[Command], str]] = {
    "make": lambda command: make(command.words),
    "prefect": read_by_prefect,
}
