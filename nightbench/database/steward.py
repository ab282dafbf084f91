"""The steward of a database stress test: it checks and prepares the subject, watches it, explains and cleans up.

It runs in a process of its own, beside those of the load: what it costs is not theirs, and what was written is
removed whoever else dies.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

import psycopg

from nightbench.database.checking.checks import Checked, as_configuration_errors, check_workload, server_facts
from nightbench.database.connection import bounded
from nightbench.database.diagnosis import diagnose, other_writers
from nightbench.database.finding import Diagnosis
from nightbench.database.housekeeping.own_rows import (
    BATCH_SECONDS,
    RECONNECT_SECONDS,
    clean_up,
    exclusive_connection,
    housekeeping_connection,
    insert_rows,
    remove_left_over,
)
from nightbench.database.housekeeping.permission import check_permission, check_roles
from nightbench.database.housekeeping.row_counts import row_counts
from nightbench.database.housekeeping.tags import tag_of
from nightbench.database.observation import Observation
from nightbench.database.observing.observer import Observer
from nightbench.database.result import DatabaseResult, DatabaseSpec, LoadResult, LoadSpec, Rows, merged
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload, policy_statement, statements_of
from nightbench.errors import ConfigurationError
from nightbench.load.progress import OnProgress, Progress, Pulse
from nightbench.load.shard import Shard
from nightbench.load.shards import Parts
from nightbench.scrub import scrub

CHECK_SECONDS = 15.0

RunLoad = Callable[[Sequence[LoadSpec], OnProgress, threading.Event], Parts[LoadResult]]
"""Runs the shards of a load side by side and returns what each saw; all end early when the event is set."""


class Steward:
    """Sees to one run of one plan."""

    def __init__(
        self, spec: DatabaseSpec, on_progress: OnProgress, stop: threading.Event, run_load: RunLoad
    ) -> None:
        self._spec = spec
        self._plan = plan = spec.plan
        self._on_progress = on_progress
        self._stop = stop
        self._run_load = run_load
        self._settings = TenantSettings(plan.mix.tenant_settings)
        self._tenants = spec.provisions.tenants
        self._tag = tag_of(spec.run_id, tenants=len(self._tenants))
        self._statements = statements_of(plan.mix, spec.provisions)
        self._policy = policy_statement(plan.mix, spec.provisions)
        self._left_over = 0
        self._before: Mapping[str, int] = {}

    def run(self) -> DatabaseResult | None:
        """Check, prepare, load, explain, clean up; None when it was asked to end before the load began.

        Raises:
            ConfigurationError: when the subject cannot be used; what was written to it is removed.
        """
        spec = self._spec
        with ExitStack() as stack:
            with as_configuration_errors(spec.dsn):
                connection = stack.enter_context(
                    exclusive_connection(spec.dsn, statement_timeout=self._plan.statement_timeout)
                )
                checked = self._check(connection)
                server = server_facts(connection)
                own = self._prepare(connection)
            workload = self._workload(checked.statements)
            load: LoadResult | None = None
            try:
                if not self._stop.is_set():
                    load, observation = self._load(workload, own)
                    diagnosis = self._diagnose(workload, checked, load, observation)
            finally:
                removed = self._clean_up(connection, hurry=load is None or self._is_over(load))
            if load is None:
                return None
            # as long as this run holds the database: the next one inserts rows of its own
            after = {} if removed is None or self._is_over(load) else self._rows_after()
        diagnosis = diagnosis.with_findings(other_writers(self._before, after))
        rows = Rows(self._tag, self._left_over, removed, self._before, after)
        return DatabaseResult(load, rows, server, observation, diagnosis)

    # before the load

    def _check(self, connection: psycopg.Connection) -> Checked:
        mix = self._plan.mix
        with bounded(connection, CHECK_SECONDS):
            check_permission(connection, mix, allowed=self._spec.allowed)
        checked = check_workload(
            connection,
            self._workload(self._statements),
            self._settings,
            plan=self._plan,
            policy=self._policy,
            on_step=Pulse(self._on_progress, "database", "prepare"),
        )
        with bounded(connection, CHECK_SECONDS):
            check_roles(connection, mix, self._settings, checked.relations, self._tenants[0])
        return checked

    def _prepare(self, connection: psycopg.Connection) -> list[tuple[str, object]]:
        """Remove what is left over, count, and insert a row for each worker to change; with its tenant."""
        workers = self._plan.workers
        tenants = [self._tenants[worker % len(self._tenants)] for worker in range(workers)]
        own_rows = self._plan.mix.own_rows
        if own_rows is None:
            return [(tenant, None) for tenant in tenants]
        pulse = Pulse(self._on_progress, "database", "prepare")
        self._left_over = remove_left_over(
            connection, own_rows, self._settings, self._tenants, on_batch=pulse
        )
        self._before = row_counts(connection, own_rows, self._settings, self._tenants, on_batch=pulse)
        if own_rows.insert is None:
            return [(tenant, None) for tenant in tenants]
        keys = insert_rows(connection, own_rows, self._settings, tenants, self._tag, on_batch=pulse)
        return list(zip(tenants, keys, strict=True))

    def _workload(self, statements: Sequence[Statement]) -> Workload:
        return Workload(statements, self._tenants, seed=self._plan.seed, tag=self._tag)

    # the load

    def _load(self, workload: Workload, own: Sequence[tuple[str, object]]) -> tuple[LoadResult, Observation]:
        observer = Observer(self._spec.dsn, self._plan, workload, self._settings, policy=self._policy)
        began = False

        def report(progress: Progress) -> None:
            nonlocal began
            if progress.phase == "measure" and not began:
                began = True
                observer.begin()
            self._on_progress(progress)

        observer.start()
        try:
            parts = self._run_load(self._shards(workload, own), report, self._stop)
        finally:
            observation = observer.stop()
        return merged(parts), observation

    def _shards(self, workload: Workload, own: Sequence[tuple[str, object]]) -> list[LoadSpec]:
        """The load dealt out: the operations, and with them the rate, the workers and the connections."""
        plan, count = self._plan, self._plan.shards
        whole = LoadSpec(plan, self._spec.dsn, workload.statements, self._tenants, self._tag, own=())
        shards = [Shard(index, count) for index in range(count)]
        return [
            replace(whole, shard=shard, own=tuple(own[worker] for worker in shard.part(plan.workers)))
            for shard in shards
        ]

    # after the load

    def _is_over(self, load: LoadResult) -> bool:
        """Whether nobody waits for more than the rows to be removed."""
        return load.given_up is not None or self._stop.is_set()

    def _diagnose(
        self, workload: Workload, checked: Checked, load: LoadResult, observation: Observation
    ) -> Diagnosis:
        if self._is_over(load):
            return Diagnosis(not_looked_at=("nothing was explained: the run was to end early",))
        try:
            with housekeeping_connection(self._spec.dsn, connect_timeout=RECONNECT_SECONDS) as connection:
                return diagnose(
                    connection,
                    plan=self._plan,
                    workload=workload,
                    settings=self._settings,
                    relations=checked.relations,
                    observation=observation,
                    load=load,
                )
        except Exception as error:  # noqa: BLE001  # whatever it is, what was measured stays
            return Diagnosis(
                not_looked_at=(scrub(f"nothing was explained: {type(error).__name__}: {error}"),)
            )

    def _clean_up(self, connection: psycopg.Connection, *, hurry: bool) -> int | None:
        own_rows = self._plan.mix.own_rows
        if own_rows is None:
            return 0
        return clean_up(
            connection,
            self._spec.dsn,
            own_rows,
            self._settings,
            self._tenants,
            tag=self._tag,
            seconds=BATCH_SECONDS if hurry else math.inf,
            on_batch=Pulse(self._on_progress, "database", "cleanup"),
        )

    def _rows_after(self) -> Mapping[str, int]:
        own_rows = self._plan.mix.own_rows
        if own_rows is None:
            return {}
        pulse = Pulse(self._on_progress, "database", "cleanup")
        try:
            with housekeeping_connection(self._spec.dsn, connect_timeout=RECONNECT_SECONDS) as connection:
                return row_counts(connection, own_rows, self._settings, self._tenants, on_batch=pulse)
        except (psycopg.Error, ConfigurationError, OSError):
            return {}
