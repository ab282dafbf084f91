"""``nightbench compare``: any two runs, nights or sets of them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nightbench.cli import flags, history_flags
from nightbench.cli.history_flags import NOWHERE_ELSE, Where, tell_unreadable
from nightbench.errors import ExitCode

_WHICH = (
    "a run or night by its id or the beginning of it; last, last~1 or last:5 for nights; a day 2026-11-20 or days "
    "2026-11-01..2026-11-10, in UTC; baseline: what the other one would be judged against"
)
Before = Annotated[str, Parameter(help=f"what is compared with: {_WHICH}")]
After = Annotated[str, Parameter(help="what is compared, named in the same way")]
Metrics = Annotated[
    tuple[str, ...],
    Parameter(
        "--metric",
        negative="",
        show_default=False,
        group=history_flags.RUNS,
        help="only these, by name or pattern such as `'query.*'`; may be repeated; `'*'` for all",
    ),
]


def compare(
    a: Before,
    b: After,
    /,
    *,
    metric: Metrics = (),
    where: Where = NOWHERE_ELSE,
    json: flags.Json = None,
) -> ExitCode:
    """Compare two runs, nights or sets of them: how far B is from A, metric by metric, and how sure that is.

    The night counts: the median of its runs. A percentile's shift is shown for all quantiles from the stored
    histograms, with bands; it explains and judges nothing. The exit code is 0 whatever the difference.

    For example:

    - `nightbench compare baseline last`: what the last night was judged against
    - `nightbench compare last~1 last --tier full --suite websocket`
    - `nightbench compare 2026-11-01..2026-11-10 last:5 --metric 'query.*'`
    - `nightbench compare 20261124T0315 20261125T0315 --json -`
    """
    from nightbench.cli.comparing import compare_sets  # noqa: PLC0415  # --help stays quick
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415
    from nightbench.report.set_comparison import comparison_document, print_comparison  # noqa: PLC0415

    output = JsonOutput(json)
    store, place = where.opened()
    comparison = compare_sets(store, (a, b), place, metric, where.policy())
    tell_unreadable(store)
    code = output.write(comparison_document(comparison), ExitCode.MET)
    if (console := output.summary_console) is not None:
        print_comparison(console, comparison, whole=bool(metric))
    return code
