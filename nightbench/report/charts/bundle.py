"""The libraries that draw in a browser, as one script: made from what vl-convert brings, and kept in the cache."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from nightbench.errors import MeasurementError
from nightbench.files import write_whole

PATIENCE_SECONDS = 60.0
"""It takes two; more than that it may on a machine that is busy."""

_MAKE = """
import sys, vl_convert
sys.stdout.write(vl_convert.javascript_bundle("window.nightbench = {embed: vegaEmbed};"))
"""


class Bundle:
    """The script, which is being made while others work, unless the cache has it.

    Args:
        cache: The folder of what can be made again.
    """

    def __init__(self, cache: Path) -> None:
        self._kept = cache / "report" / f"vega-{version('vl-convert-python')}.js"
        self._child = None if self._kept.is_file() else _started()

    def text(self) -> str:
        """The script; it waits until it is made.

        Raises:
            MeasurementError: when it could not be made.
        """
        if self._child is None:
            return self._kept.read_text("utf-8")
        try:
            made, said = self._child.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            raise MeasurementError(f"the charts' script was not made within {PATIENCE_SECONDS:g} s") from None
        if self._child.returncode or "</script" in made:
            last = said.strip().rpartition("\n")[2]
            raise MeasurementError(f"the charts' script could not be made: {last}")
        with suppress(OSError):  # then it is made again
            write_whole(self._kept, lambda file: file.write(made.encode()))
        return made

    def close(self) -> None:
        """End what is still making it."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.communicate()


def _started() -> subprocess.Popen[str]:
    # a JavaScript engine in a library is better kept out of a process that lives on
    return subprocess.Popen(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", _MAKE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
