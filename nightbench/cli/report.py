"""``nightbench report``: the trend report as one file of HTML."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags, history_flags
from nightbench.cli.telling import tell
from nightbench.errors import ConfigurationError, ExitCode
from nightbench.files import reason
from nightbench.output_file import OutputFile
from nightbench.scrub import scrub

if TYPE_CHECKING:
    from nightbench.settings import Settings
    from nightbench.trend_report.making import TrendReport

OUTPUT = "nightbench-report.html"
STDOUT = "-"
MOST_NIGHTS = 1_000

Output = Annotated[
    str,
    Parameter(
        ("--output", "-o"), allow_leading_hyphen=True, help="the file, which is replaced; - for stdout"
    ),
]
Nights = Annotated[
    int,
    Parameter(
        "--nights", group=history_flags.RUNS, help=f"only the last so many of each suite, 2 to {MOST_NIGHTS}"
    ),
]


def report(
    *,
    output: Output = OUTPUT,
    nights: Nights = 365,
    suite: history_flags.SuiteFlag = None,
    tier: history_flags.TierFlag = None,
    environment: history_flags.Environment = None,
    results: flags.Results = None,
) -> ExitCode:
    """Make the trend report: one HTML file that needs nothing else, to look at, to mail and to keep.

    Is it well tonight; what changed, when, by how much, with which release; why; and how sure that is. Nothing is
    loaded, and the exit code is 0 when the file was made, whatever it says.

    For example:

    - `nightbench report`: the last year, as nightbench-report.html
    - `nightbench report --nights 30 --tier full --output /var/www/trend.html`
    - `nightbench report --environment staging --results s3://bucket/prefix --output -`
    """
    if not 2 <= nights <= MOST_NIGHTS:
        raise ConfigurationError("--nights", nights, f"has to be from 2 to {MOST_NIGHTS}")
    file = (
        None if output == STDOUT else OutputFile("--output", output, instead=f"name a file, such as {OUTPUT}")
    )
    settings = settings_module.load({"environment": environment, "results": results})

    from nightbench.plan import TIER_NAMES  # noqa: PLC0415  # --help stays quick
    from nightbench.planning import SUITES  # noqa: PLC0415
    from nightbench.trend_report.making import trend_report  # noqa: PLC0415

    made = trend_report(
        settings,
        nights=nights,
        tiers=TIER_NAMES if tier is None else (tier,),
        suites=SUITES if suite is None else (suite,),
        processes=os.cpu_count() or 1,
    )
    if made is None:
        raise _nothing(settings)
    for sentence in made.unreadable:
        tell(sentence)
    return _written(made, file)


def _nothing(settings: Settings) -> ConfigurationError:
    return ConfigurationError(
        "results",
        scrub(str(settings.results)),
        f"have no night of environment {scrub(settings.environment)} that was asked for",
        "`nightbench run quick` measures one, `nightbench history` lists what is there",
    )


def _written(made: TrendReport, file: OutputFile | None) -> ExitCode:
    content = made.html.encode()
    if file is None:
        sys.stdout.buffer.write(content)  # the page says that it is UTF-8, whatever the terminal is
        sys.stdout.buffer.flush()
        return ExitCode.MET
    try:
        file.write(content)
    except OSError as error:
        raise ConfigurationError("--output", str(file.path), f"cannot be written: {reason(error)}") from None
    tell(made.view.headline)
    tell(f"{file.path}: {made.view.span}, {len(content) / 2**20:.1f} MiB")
    return ExitCode.MET
