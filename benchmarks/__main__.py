"""``python -m benchmarks [NAME …]``: measure, print goals and figures, and say by the exit code if all were met."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from benchmarks.processes import ROOT, ContenderError, raise_file_limit
from benchmarks.table import Figure, print_figures, write_figures
from nightbench.host import fingerprint

NAMES = (
    *("exchanges", "open", "connections", "memory", "accuracy", "health", "ten_thousand", "growth"),
    *(
        "transactions",
        "service_times",
        "database_memory",
        "history",
        "report",
        "verdict",
        "host",
        "changepoints",
    ),
    "scrubbing",
    "observability",
    "fleet",
    "overhead",
)
OUT = ROOT / "benchmarks" / "out"

console = Console() if sys.stdout.isatty() else Console(width=120)


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; 0 when every goal was met, 1 when one was missed or a benchmark failed, 2 for wrong names."""
    parser = argparse.ArgumentParser(prog="make bench", description="nightbench beside its peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when left out")
    names = parser.parse_args(arguments).names or list(NAMES)
    if unknown := sorted(set(names) - set(NAMES)):
        console.print(f"[red]no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}[/red]")
        return 2
    raise_file_limit()
    met = [_run(name) for name in names]
    return 0 if all(met) else 1


def _run(name: str) -> bool:
    measure: Callable[[Callable[[str], None]], list[Figure]]
    module: Any = importlib.import_module(f"benchmarks.{name}")
    measure = module.measure
    title = module.__doc__.splitlines()[0]
    began = time.monotonic()
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with console.status(name) as status:
            figures = measure(lambda doing: status.update(f"{name}: {doing}"))
    except ContenderError as error:
        console.print(f"[red]{name}:[/red] {escape(str(error))}")
        return False
    seconds = round(time.monotonic() - began)
    print_figures(console, f"{name}: {title}", figures)
    about = {"benchmark": name, "started_at": started_at, "seconds": seconds, "host": fingerprint()}
    write_figures(OUT / f"{name}.json", figures, about)
    return all(figure.met is not False for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
