"""The command line: one file a command; this one finds them and turns errors into one line and a code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from pydantic import ValidationError

from nightbench import __version__
from nightbench.cli.ack import app as ack
from nightbench.cli.alerts import app as alerts
from nightbench.cli.calibrate import calibrate
from nightbench.cli.capacity import app as capacity
from nightbench.cli.compare import compare
from nightbench.cli.database import app as database
from nightbench.cli.doctor import doctor
from nightbench.cli.export import export
from nightbench.cli.history import app as history
from nightbench.cli.prune import prune
from nightbench.cli.reference import app as reference
from nightbench.cli.report import report
from nightbench.cli.run import run
from nightbench.cli.serve import serve
from nightbench.cli.telling import silence, tell
from nightbench.cli.terminal import Terminal
from nightbench.cli.websocket import websocket
from nightbench.debugging import show_traceback
from nightbench.errors import ConfigurationError, ExitCode, NightbenchError
from nightbench.plan.fields import problem_of, shown
from nightbench.scrub import scrub
from nightbench.variables import DEBUG

HELP = """Did the backend get worse since last night?

Loads a chat WebSocket and a PostgreSQL with row-level security, keeps what it measured as Parquet,
judges it against targets and earlier runs, and alerts.

For example:

- `nightbench run nightly --quick`: the whole night in a few minutes on the embedded default
- `nightbench websocket --url ws://127.0.0.1:8000/chat --users 50 --duration 30`
- `nightbench database --dsn postgresql://app@127.0.0.1/app --queries 5000 --workers 10`

Settings come from flags, then the environment (`NIGHTBENCH_WEBSOCKET_URL`, `NIGHTBENCH_DATABASE_DSN`,
`NIGHTBENCH_TOKEN`, …), then `nightbench.toml`. Exit codes: 0 all targets met, 1 a target missed or a
regression, 2 wrong command or configuration, 3 the measurement is invalid or incomplete, 130 interrupted
before the run began or after it had ended."""

app = App(
    name="nightbench",
    help=HELP,
    version=__version__,
    help_format="markdown",
    # cyclopts ends without a word
    suppress_keyboard_interrupt=False,
)
app.command(run)
app.command(websocket)
app.command(database)
app.command(calibrate)
app.command(capacity)
app.command(doctor)
app.command(serve)
app.command(reference)
app.command(history)
app.command(compare)
app.command(report)
app.command(ack)
app.command(alerts)
app.command(export)
app.command(prune)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; no traceback for anything that a user can mend."""
    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))


def run_command(arguments: Sequence[str]) -> ExitCode:
    """Run a command; errors are one line on stderr."""
    try:
        code = app(
            arguments,
            # of what cyclopts prints itself: the help and the version
            console=Terminal(),
            error_console=Terminal(stderr=True),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        tell(_wrong_use(error))
        return ExitCode.WRONG_USE
    except NightbenchError as error:
        tell(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        silence(sys.stdout)  # nothing more to say to nobody
        return ExitCode.INVALID
    except Exception as error:  # noqa: BLE001  # a user has no use for a traceback that was not asked for
        if not show_traceback(error):
            tell(f"unexpected: {type(error).__name__}: {scrub(str(error))} ({DEBUG}=1 shows where)")
        return ExitCode.INVALID
    return ExitCode(code or 0)


def _wrong_use(error: CycloptsError) -> str:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return f"{scrub(str(error))} Try --help."
    first = cause.errors(include_url=False)[0]
    # `run` has the plan of each suite under a name of its own, a suite's command has it flat: "*"
    prefix = error.argument.name.lstrip("-") if error.argument else "*"
    names = [prefix.strip("*"), *(str(part) for part in first["loc"])]
    flag = "--" + ".".join(name for name in names if name).replace("_", "-")
    return str(ConfigurationError(flag, shown(first["loc"], first["input"]), problem_of(first)))
