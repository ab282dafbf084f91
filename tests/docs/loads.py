"""Where commands begin to load, to write to a database or to serve: what stands there instead while pages are tried."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from builders import verdict_of, websocket_measurement

from nightbench import settings
from nightbench.errors import ExitCode
from nightbench.outcome import NightOutcome
from nightbench.trend_report.making import trend_report


def met(*_: Any, **__: Any) -> ExitCode:
    """It went well."""
    return ExitCode.MET


def no_flow_is_run(patch: pytest.MonkeyPatch) -> None:
    """Let what runs flows go as far as their plans, and serve nothing."""
    # the package has the command under this name
    patch.setattr(import_module("nightbench.cli.serve"), "_serve", lambda: met)
    patch.setattr(
        "flows.in_process.engine.run_interruptible",
        lambda *_, **__: NightOutcome(
            "20261127T031500Z-nightly-000000", (verdict_of(websocket_measurement()),)
        ),
    )


@cache
def _made(nights: int, environment: str, *limits: tuple[str, ...]) -> Any:
    """The report of the scenes' history, which is the same in all of them and takes seconds to make."""
    tiers, suites = limits
    return trend_report(
        settings.load({"environment": environment}), nights=nights, tiers=tiers, suites=suites
    )


def _report(given: Any, *, nights: int, tiers: Any, suites: Any, processes: int) -> Any:
    return _made(nights, given.environment, tuple(tiers), tuple(suites))


def nothing_is_loaded(patch: pytest.MonkeyPatch) -> None:
    """Let commands go as far as their load, and no further."""
    no_flow_is_run(patch)
    patch.setattr("nightbench.cli.suite.run_suite", met)
    patch.setattr("nightbench.cli.calibrating.run_calibration", met)
    patch.setattr("nightbench.cli.searching.run_search", met)
    patch.setattr("nightbench.reference.supervisor.supervise", met)
    patch.setattr("nightbench.trend_report.making.trend_report", _report)
    patch.setattr("nightbench.doctor.checks.diagnose", lambda *_, **__: [])
    housekeeping = "nightbench.database.housekeeping"
    patch.setattr(f"{housekeeping}.prepare.prepare_database", lambda _dsn: ("the database", True))
    patch.setattr(f"{housekeeping}.prepare.withdraw_permission", lambda _dsn: ("the database", True))
    patch.setattr(f"{housekeeping}.cleaning.clean_database", lambda *_, **__: ("the database", 0))
    patch.setattr(
        "nightbench.reference.fill.fill_database", lambda _dsn: SimpleNamespace(tenants=1, expenses=1)
    )
