"""Where ``--chart`` goes: a file whose ending says what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.files import check_writable, reason, write_whole
from nightbench.report.charts.figure import Figure


def _svg(figure: Figure, _cache: Path) -> bytes:
    from nightbench.report.charts.drawing import svg  # noqa: PLC0415  # what draws is only of use at the end

    return svg(figure.spec).encode()


def _png(figure: Figure, _cache: Path) -> bytes:
    from nightbench.report.charts.drawing import png  # noqa: PLC0415  # as above

    return png(figure.spec)


def _html(figure: Figure, cache: Path) -> bytes:
    from nightbench.report.charts.bundle import Bundle  # noqa: PLC0415
    from nightbench.report.charts.standalone import page_of  # noqa: PLC0415  # as above

    bundle = Bundle(cache)
    try:
        return page_of(figure, bundle.text()).encode()
    finally:
        bundle.close()


_MADE: Mapping[str, Callable[[Figure, Path], bytes]] = {".svg": _svg, ".png": _png, ".html": _html}


class ChartFile:
    """The file of one chart.

    Args:
        place: The file, which ends with .svg, .png or .html.
        cache: The folder of what can be made again.

    Attributes:
        path: The file.

    Raises:
        ConfigurationError: when it has another ending, or cannot be written; told before anything is measured.
    """

    def __init__(self, place: str, cache: Path) -> None:
        self.path, self._cache = Path(place), cache
        if self.path.suffix.lower() not in _MADE:
            way_out = "end it with .svg, .png or .html"
            raise ConfigurationError("--chart", place, "has no ending of a chart", way_out)
        if self.path.is_dir():
            raise ConfigurationError("--chart", place, "is a folder", "name a file in it")
        if not self.path.parent.is_dir():
            problem = f"there is no folder {self.path.parent}"
            raise ConfigurationError("--chart", place, problem, "create it first")
        check_writable("--chart", self.path.parent)

    def write(self, figure: Figure) -> None:
        """Draw it into the file, whole or not at all; a child process works for a second or two.

        Raises:
            NightbenchError: when it cannot be drawn or written.
        """
        content = _MADE[self.path.suffix.lower()](figure, self._cache)
        try:
            write_whole(self.path, lambda file: file.write(content))
        except OSError as error:
            msg = f"--chart = {str(self.path)!r}: cannot be written: {reason(error)}"
            raise NightbenchError(msg) from None
