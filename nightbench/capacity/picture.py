"""The knee as a picture inside of a page of markdown."""

from __future__ import annotations

from nightbench.capacity.finding import Found
from nightbench.report.markdown import image, said
from nightbench.scrub import one_line

PATIENCE_SECONDS = 20.0
"""That a page is held up at most; on a quiet machine it is one or two."""


def knee_picture(found: Found, *, environment: str) -> str:
    """The chart as markdown, or why there is none; empty where no load was tried.

    It draws in a child process, which blocks for a second or two, and never raises for what cannot be drawn.
    """
    # as heavy as what it draws with
    from nightbench.capacity.knee import knee_of  # noqa: PLC0415
    from nightbench.report.charts.drawing import UndrawnError, svg  # noqa: PLC0415
    from nightbench.report.charts.small import small  # noqa: PLC0415

    try:
        figure = knee_of(found, environment=environment)
        return "" if figure is None else image(figure.alt, small(svg(figure.spec, patience=PATIENCE_SECONDS)))
    except UndrawnError as error:
        return said(str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, the page is told without it
        return said(one_line(f"the chart could not be drawn: {type(error).__name__}: {error}"))
