"""The page as one file of HTML: nothing of it comes from elsewhere, and no text of others is markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nightbench import __version__
from nightbench.report.charts.theme import DARK
from nightbench.trend_report.drawing import packed
from nightbench.trend_report.suite_report import SuiteReport
from nightbench.trend_report.view import ReportView

_ROOM = "nightbench.trend_report"


def html_of(view: ReportView, suites: Sequence[SuiteReport], bundle: str) -> str:
    """The whole page; a browser asks nobody for anything to show it.

    Its policy allows no request at all, and no script but the two that are its own, by their hashes.

    Args:
        view: What it says.
        suites: Whose charts it has.
        bundle: The libraries that draw them; see `nightbench.report.charts.bundle.Bundle`.
    """
    script = _file("report.js")
    return (
        _pages()
        .get_template("report.html.j2")
        .render(
            report=view,
            version=__version__,
            policy=Markup(_policy(bundle, script)),  # noqa: S704  # hashes and words of our own
            style=Markup(_file("report.css")),  # noqa: S704  # a file of our own
            charts=packed(each for suite in suites for each in (*suite.trends.values(), *suite.why)),
            dark=dict(DARK),
            bundle=Markup(bundle),  # noqa: S704  # made by vl-convert of nothing but its own
            script=Markup(script),  # noqa: S704  # a file of our own
        )
    )


@cache
def _pages() -> Environment:
    return Environment(
        loader=PackageLoader(_ROOM, "html"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def _file(name: str) -> str:
    return (files(_ROOM) / "html" / name).read_text("utf-8")


def _policy(*scripts: str) -> str:
    hashes = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'unsafe-eval' {allowed}"  # the charts' expressions are compiled in the browser
    )
