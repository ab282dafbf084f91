"""Where ``--chart`` goes: a file whose ending says what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.files import reason
from nightbench.output_file import OutputFile
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
        made = _MADE.get(Path(place).suffix.lower())
        if made is None:
            way_out = "end it with .svg, .png or .html"
            raise ConfigurationError("--chart", place, "has no ending of a chart", way_out)
        self._made, self._cache = made, cache
        self._file = OutputFile("--chart", place, instead="name a file in it")
        self.path = self._file.path

    def write(self, figure: Figure) -> None:
        """Draw it into the file, whole or not at all; a child process works for a second or two.

        Raises:
            NightbenchError: when it cannot be drawn or written.
        """
        content = self._made(figure, self._cache)
        try:
            self._file.write(content)
        except OSError as error:
            msg = f"--chart = {str(self.path)!r}: cannot be written: {reason(error)}"
            raise NightbenchError(msg) from None
