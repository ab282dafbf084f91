"""``nightbench doctor``: what would spoil the next night, and what mends it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from nightbench.cli import flags
from nightbench.cli.serve import Data, default_data
from nightbench.doctor.areas import AREAS, Area
from nightbench.errors import ExitCode
from nightbench.wording import amount

if TYPE_CHECKING:
    from nightbench.doctor.finding import Finding
    from nightbench.report.layout import Page

Only = Annotated[
    tuple[Area, ...],
    Parameter(
        "--only",
        negative="",
        show_default=False,
        help="look at this area alone: subject, host, results, prefect or alerts; may be repeated",
    ),
]
Strict = Annotated[
    bool, Parameter("--strict", negative="", help="warnings count as failures, for the exit code alone")
]


def doctor(
    *,
    only: Only = (),
    strict: Strict = False,
    url: flags.Url = None,
    token: flags.Token = None,
    dsn: flags.Dsn = None,
    environment: flags.Environment = None,
    results: flags.Results = None,
    data: Data = None,
    json: flags.Json = None,
) -> ExitCode:
    """Check what would spoil a night before it begins, within 10 s and without load.

    It shakes hands once, tries each statement of the plan once or twice and takes it back, posts an envelope without an
    event to Sentry, and changes nothing. Exit codes: 0 no failure, 1 at least one failure (with `--strict`: or a
    warning), 2 the settings are wrong.

    For example:

    - `nightbench doctor`
    - `nightbench doctor --only subject --dsn postgresql://authenticator@db.example.org/app`
    - `nightbench doctor --only prefect --data .serve`: beside a `nightbench serve --data .serve`
    - `nightbench doctor --strict --json -`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.doctor.checks import diagnose  # noqa: PLC0415
    from nightbench.doctor.finding import worst_of  # noqa: PLC0415
    from nightbench.report.layout import Page  # noqa: PLC0415

    settings = flags.settings_of(url=url, token=token, dsn=dsn, environment=environment, results=results)
    output = JsonOutput(json)
    prefect_url = os.environ.get("PREFECT_API_URL") or None
    found = diagnose(settings, only or AREAS, data=data or default_data(), prefect_url=prefect_url)
    worst = worst_of(found)
    spoilt = worst == "failure" or (strict and worst == "warning")
    document: dict[str, Any] = {"schema": 1, "findings": [asdict(each) for each in found], "worst": worst}
    code = output.write(document, ExitCode.MISSED if spoilt else ExitCode.MET)
    if (console := output.summary_console) is not None:
        _print(Page(console), found)
    return code


def _print(page: Page, found: Sequence[Finding]) -> None:
    from nightbench.report.layout import BAD, GOOD, HEADING, INDENT, UNSURE  # noqa: PLC0415  # --help stays quick

    marks = {"ok": ("ok  ", GOOD), "warning": ("warn", UNSURE), "failure": ("FAIL", BAD)}
    area = ""
    for each in found:
        if each.area != area:
            if area:
                page.line()
            area = each.area
            page.line((area, HEADING))
        mark, style = marks[each.state]
        page.paragraph(
            f"{mark} {each.name}: {each.why}",
            rest=INDENT * 3 + " ",
            style="" if each.state == "ok" else style,
        )
        if each.mend:
            page.paragraph(f"-> {each.mend}", first=INDENT * 3 + " ", rest=INDENT * 5)
    page.line()
    ok, warnings, failures = (
        sum(each.state == state for each in found) for state in ("ok", "warning", "failure")
    )
    page.line(f"{ok} ok, {amount(warnings, 'warning')}, {amount(failures, 'failure')}")
