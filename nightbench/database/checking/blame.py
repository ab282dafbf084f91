"""Whom an error of the trial is told of: the field of the plan, or the subject that does not fit the default workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import psycopg

from nightbench.database.checking.refusals import refusal, shortened
from nightbench.database.connection import SETTING, ExpiredError, bounded
from nightbench.database.housekeeping.own_rows import STATEMENT_SECONDS
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan

SPARE_SECONDS = 5.0
"""For what the server takes beside its statements, and for the way there and back."""


class Blame:
    """Tells what is wrong as an error of the plan's fields, and keeps the time of what is tried.

    Args:
        connection: That of the trial.
        plan: What is tried.
        tenants: How many take part.
        on_step: Called after each piece of SQL, so that whoever waits hears of it.
    """

    def __init__(
        self, connection: psycopg.Connection, plan: DatabasePlan, *, tenants: int, on_step: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._tenants = tenants
        self._tenants_file = plan.mix.tenants_file
        self._is_default = plan.workload is None
        self._on_step = on_step
        # a piece is two statements that take long at most, each ended by the server
        self._seconds = 2 * max(STATEMENT_SECONDS, plan.statement_timeout) + SPARE_SECONDS

    @contextmanager
    def of(self, field: str, value: str, *, before: int | None = None) -> Iterator[None]:
        """Tell what the server has against `value` as an error of `field`; see `refusal`."""
        try:
            with bounded(self._connection, self._seconds):
                yield
        except psycopg.Error as error:
            told = None if self._is_default else self._told(field, value, error, before)
            if told is None:
                raise
            raise told from None
        self._on_step()

    def _told(
        self, field: str, value: str, error: psycopg.Error, before: int | None
    ) -> ConfigurationError | None:
        setting = f"workload.{field}"
        if isinstance(error, ExpiredError):
            way_out = "mend the statement, or see whether the server still answers others"
            return ConfigurationError(setting, shortened(value), str(error), way_out)
        return refusal(setting, value, error, before=before)

    def refuse(self, field: str, value: object, problem: str, way_out: str) -> NoReturn:
        """End with a `ConfigurationError` of a field."""
        if self._is_default:
            name = self._connection.info.dbname
            problem = f"it is not what the default workload asks for: {field.rpartition('.')[2]} = {value!r}: {problem}"
            way_out = "load the embedded reference, or name a workload of your own in a plan file"
            raise ConfigurationError(SETTING, name, problem, way_out)
        raise ConfigurationError(f"workload.{field}", value, problem, way_out)

    def refuse_tenants(self, problem: str, way_out: str = "") -> NoReturn:
        """End with a `ConfigurationError` of what says who the tenants are."""
        if self._tenants_file is not None:
            way_out = way_out or "leave out the tenants that the subject does not have"
            raise ConfigurationError("workload.tenants_file", self._tenants_file, problem, way_out)
        raise ConfigurationError(
            "--tenants",
            self._tenants,
            "the subject does not have that many of nightbench's tenants",
            "lower it, or load the embedded reference"
            if self._is_default
            else f"lower it, or name its own in workload.tenants_file: {problem}",
        )
