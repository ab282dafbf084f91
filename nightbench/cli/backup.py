"""``nightbench history backup``: a second copy of the results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nightbench import settings as settings_module
from nightbench.cli import flags
from nightbench.cli.telling import tell
from nightbench.errors import NOT_GIVEN, ConfigurationError, ExitCode
from nightbench.scrub import scrub

if TYPE_CHECKING:
    from nightbench.history.copying import Copied, Lack

DryRun = Annotated[bool, Parameter("--dry-run", negative="", help="only tell what would be copied")]

_SHOWN = 20


def backup(*, dry_run: DryRun = False, results: flags.Results = None, json: flags.Json = None) -> ExitCode:
    """Copy what the second location, `NIGHTBENCH_BACKUP`, lacks of the results. Nothing there is replaced or removed.

    Alerts that wait in the outbox are not copied. Exit codes: 0 all of it is there, 2 no second location is set or it
    cannot be one, 3 a place does not answer or a file could not be copied.

    For example:

    - `NIGHTBENCH_BACKUP=/mnt/other/nightbench nightbench history backup`
    - `nightbench history backup --dry-run --json -`
    """
    from nightbench.cli.json_output import JsonOutput  # noqa: PLC0415  # --help stays quick
    from nightbench.history.copying import check_apart, check_writable, copy, lack_of  # noqa: PLC0415
    from nightbench.history.root import storage_at  # noqa: PLC0415
    from nightbench.report.layout import Page  # noqa: PLC0415

    settings = settings_module.load({"results": results})
    if settings.backup is None:
        way_out = "set NIGHTBENCH_BACKUP to a folder on another disk, or to s3://bucket/prefix"
        raise ConfigurationError("NIGHTBENCH_BACKUP", NOT_GIVEN, "no second location is set", way_out)
    check_apart(settings.results, settings.backup)
    output = JsonOutput(json)
    here, there = storage_at(settings.results), storage_at(settings.backup)
    lack = lack_of(here, there)
    if lack.places and not dry_run:
        check_writable(there)
    done = [] if dry_run else list(copy(here, there, lack))
    problems = {each.path: each.problem for each in done if each.problem}
    problems |= dict.fromkeys(lack.torn, "is torn in the copy: move it away there")
    for path, problem in problems.items():
        tell(scrub(f"{path}: {problem}"))
    document = {
        "schema": 1,
        "dry_run": dry_run,
        "backup": there.name,
        "lacking": [place.path for place in lack.places],
        "copied": [each.path for each in done if not each.problem],
        "problems": {scrub(path): scrub(problem) for path, problem in problems.items()},
        "runs": len(lack.runs),
    }
    code = output.write(document, ExitCode.INVALID if problems else ExitCode.MET)
    if (console := output.summary_console) is not None:
        for line in _told(lack, done, there.name, dry_run=dry_run):
            Page(console).paragraph(line, first="", rest="    ")
    return code


def _told(lack: Lack, done: list[Copied], place: str, *, dry_run: bool) -> Iterator[str]:
    runs = lack.lacking
    if dry_run:
        yield f"{len(lack.places):,} files and {len(runs):,} of {len(lack.runs):,} runs would be copied to {place}"
        yield from runs[:_SHOWN]
        if len(runs) > _SHOWN:
            yield f"and {len(runs) - _SHOWN:,} more"
        return
    copied = sum(not each.problem for each in done)
    if lack.places:
        yield f"{copied:,} of {len(lack.places):,} files that were lacking are copied to {place}"
    else:
        yield f"{place} lacks nothing of {len(lack.runs):,} runs"
