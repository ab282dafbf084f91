"""Each piece of SQL of a workload tried before the load, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from nightbench.database.checking.blame import Blame
from nightbench.database.checking.fetching import NOTHING, Fetched, fetch
from nightbench.database.checking.marks import Marks
from nightbench.database.checking.refusals import said, shortened
from nightbench.database.checking.relations import Relations, first_word, relations_of
from nightbench.database.checking.tenant_ids import TenantIds
from nightbench.database.draws import Parameters
from nightbench.database.housekeeping.deletable import delete_of
from nightbench.database.housekeeping.tags import ANY_RUN
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.plan import DatabasePlan
from nightbench.plan.workload import OwnRows
from nightbench.scrub import scrub
from nightbench.spelling import did_you_mean

MOST_ROWS = 10_000
"""So many rows of a read are fetched, or as many as it has to have at least."""

_EXPLAIN = "EXPLAIN (VERBOSE, FORMAT JSON) "
_WORDS = ("select", "with", "values", "table", "insert", "update", "delete", "merge")
_AS_TEXT = frozenset({25, 1042, 1043, 19, 2950})
"""Types whose values are texts as the server prints them: text, bpchar, varchar, name, uuid."""
_SHOWN = 60
"""Characters of a tenant's id in an error."""


@dataclass(frozen=True)
class Ran:
    """What a statement came to.

    Attributes:
        count: How many rows it read or changed.
        fetched: The rows of a read.
    """

    count: int
    fetched: Fetched = NOTHING


class Trial:
    """Tries what a plan holds of SQL; whatever it does is rolled back.

    What the server has against SQL of a workload of the user's own is a `ConfigurationError` of its field;
    against the default workload, which the user did not write, it is the `psycopg.Error` itself. What is
    about the connection or the server always is.

    Args:
        connection: In autocommit mode.
        workload: The statements, the tenants and the tag.
        settings: Make a transaction that of a tenant.
        plan: Where the SQL is from.
        on_step: Called after each piece of SQL that was tried.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        workload: Workload,
        settings: TenantSettings,
        plan: DatabasePlan,
        on_step: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._workload = workload
        self._settings = settings
        self._own = plan.mix.own_rows
        self._may_write = plan.mix.writes
        self._blame = blame = Blame(connection, plan, tenants=len(workload.tenants), on_step=on_step)
        self._ids = None if plan.mix.tenants_file is None else TenantIds(connection, blame, workload.tenants)
        self._marks = Marks(connection, blame, self._own, workload.tag)
        self._removed: frozenset[str] = frozenset()

    def own_rows(self, own: OwnRows) -> None:
        """See that the rows of the run can be inserted and removed, and learn which tables that is about.

        Raises:
            ConfigurationError: naming the field that is wrong.
            psycopg.Error: see the class.
        """
        tenant = self._workload.tenants[0]
        removed: set[str] = set()
        with self._as_tenant(tenant):
            for number, table in enumerate(own.tables):
                deletion = delete_of(table, "LIKE").as_string(self._connection)
                with self._blame.of(f"own_rows.tables[{number}]", table.table):
                    removed |= self._relations(deletion, (ANY_RUN,)).written
            self._removed = frozenset(removed)
            self._marks.learn(self._removed)
            if own.insert is not None:
                parameters = {"tenant": tenant, "tag": self._workload.tag}
                relations = self._explained("own_rows.insert", own.insert, parameters)
                self._check_written("own_rows.insert", relations, uses_own_row=False)
                with self._marks.checked("own_rows.insert", own.insert):
                    self._own_row(tenant)

    def statement(self, number: int, statement: Statement) -> tuple[Statement, Relations]:
        """Try one of the mix, as the first tenant and as the last; with what the server told of it.

        Raises:
            ConfigurationError: naming the field that is wrong.
            psycopg.Error: see the class.
        """
        field = f"statements[{number}]"
        first, last = self._workload.tenants[0], self._workload.tenants[-1]
        with self._as_tenant(first):
            lowest, _ = self._extremes(statement, first)
            relations = self._explained(f"{field}.sql", statement.sql, lowest)
            statement = replace(statement, locks_rows=statement.kind == "read" and relations.locks)
            self._check_kind(field, statement, relations)
            ran = self._run(field, statement, lowest, relations)
            self._check_rows(field, statement, ran, first)
            statement = self._with_columns(field, statement, ran)
            self._check_owners(statement, ran, first)
        with self._as_tenant(last):
            _, highest = self._extremes(statement, last)
            ran = self._run(field, statement, highest, relations)
            self._check_rows(field, statement, ran, last)
            self._check_owners(statement, ran, last)
        return statement, relations

    def policy(self, statement: Statement, role: str) -> None:
        """Try the read that tells what the policies cost, as a tenant and as `role`.

        Raises:
            ConfigurationError: naming the field that is wrong.
            psycopg.Error: see the class.
        """
        tenant = self._workload.tenants[0]
        parameters, _ = statement.sources.extremes(tenant=tenant)
        with self._as_tenant(tenant):
            relations = self._explained("policy_cost.sql", statement.sql, parameters)
            self._run("policy_cost", statement, parameters, relations)
        with self._as_tenant(tenant, self._settings.as_role(role), "policy_cost.role"):
            self._run("policy_cost", statement, parameters, relations)

    # what is run

    @contextmanager
    def _as_tenant(
        self, tenant: str, settings: TenantSettings | None = None, field: str = "tenant_settings"
    ) -> Iterator[None]:
        with self._connection.transaction(force_rollback=True):
            with self._blame.of(field, ""):
                (settings or self._settings).apply(self._connection, tenant)
            yield

    def _extremes(self, statement: Statement, tenant: str) -> tuple[Parameters, Parameters]:
        own_row = self._own_row(tenant) if statement.uses_own_row else None
        return statement.sources.extremes(tenant=tenant, tag=self._workload.tag, own_row=own_row)

    def _own_row(self, tenant: str) -> object:
        """The key of a row of `tenant`, which is there until the transaction is rolled back."""
        assert self._own is not None
        insert = self._own.insert
        assert insert is not None
        with self._blame.of("own_rows.insert", insert, before=0):
            cursor = self._connection.execute(insert.encode(), {"tenant": tenant, "tag": self._workload.tag})
        rows = cursor.fetchall() if cursor.description else []
        if len(rows) != 1:
            problem = f"returns {len(rows)} rows where the key of one is due"
            self._blame.refuse(
                "own_rows.insert", shortened(insert), problem, "end it with RETURNING and the key"
            )
        return rows[0][0]

    def _explained(self, field: str, text: str, parameters: Parameters) -> Relations:
        """The tables of SQL of the plan, once the server has parsed it and knows how it would run it."""
        if (word := first_word(text)) not in _WORDS:
            problem = (
                f"begins with {word.upper() or 'no word'}, which is nothing that a transaction of a mix is"
            )
            known = ", ".join(each.upper() for each in _WORDS)
            self._blame.refuse(field, shortened(text), problem, f"known are {known}")
        with self._blame.of(field, text, before=len(_EXPLAIN)):
            return self._relations(text, parameters)

    def _relations(self, text: str, parameters: Sequence[Any] | Parameters) -> Relations:
        # in binary, so that it goes through the protocol that takes one statement and no more
        cursor = self._connection.cursor(binary=True)
        row = cursor.execute((_EXPLAIN + text).encode(), parameters).fetchone()
        assert row is not None
        return relations_of(*(each["Plan"] for each in row[0] if "Plan" in each))

    def _run(self, field: str, statement: Statement, parameters: Parameters, relations: Relations) -> Ran:
        if statement.kind == "write":
            with self._marks.checked(f"{field}.sql", statement.sql):
                return self._write(f"{field}.sql", statement, parameters, relations)
        if statement.locks_rows:
            with self._marks.untouched(f"{field}.kind"):
                return self._read(field, statement, parameters)
        self._connection.execute("SET TRANSACTION READ ONLY")  # what functions write is in no plan
        return self._read(field, statement, parameters)

    def _read(self, field: str, statement: Statement, parameters: Parameters) -> Ran:
        most = max(MOST_ROWS, statement.min_rows)
        with self._blame.of(f"{field}.sql", statement.sql, before=0):
            try:
                fetched = fetch(self._connection, statement.sql, parameters, most=most)
            except psycopg.errors.ReadOnlySqlTransaction as error:
                if statement.locks_rows:
                    raise
                problem = f"it writes: {said(error)}"
                self._blame.refuse(f"{field}.kind", "read", problem, "a read changes nothing")
        return Ran(len(fetched.rows), fetched)

    def _write(self, field: str, statement: Statement, parameters: Parameters, relations: Relations) -> Ran:
        with self._blame.of(field, statement.sql, before=0):
            cursor = self._connection.execute(statement.sql.encode(), parameters)
        if cursor.description is None and not relations.written:
            self._blame.refuse(field, shortened(statement.sql), "it makes a table", "leave INTO out")
        return Ran(cursor.rowcount)

    # what is compared

    def _check_kind(self, field: str, statement: Statement, relations: Relations) -> None:
        if statement.kind == "read" and relations.written:
            tables = ", ".join(sorted(relations.written))
            self._blame.refuse(f"{field}.kind", "read", f"it writes to {tables}", "its kind is write")
        if statement.locks_rows and not self._may_write:
            problem = "it locks rows, which writes to them, and this workload writes nothing"
            way_out = "leave the locking clause out; with own_rows it may stand where writing is allowed"
            self._blame.refuse(f"{field}.sql", shortened(statement.sql), problem, way_out)
        self._check_written(f"{field}.sql", relations, uses_own_row=statement.uses_own_row)

    def _check_written(self, field: str, relations: Relations, *, uses_own_row: bool) -> None:
        if foreign := sorted(relations.written - self._removed):
            problem = "is written to and is none of own_rows.tables: its rows would not be removed"
            way_out = "name it there, with the column that holds %(tag)s"
            self._blame.refuse(field, foreign[0], problem, way_out)
        if relations.changed and not uses_own_row:
            problem = "its rows are updated or deleted, and nothing says that the run wrote them"
            way_out = (
                "insert rows with %(tag)s, or change the one row whose key is a parameter with draw: own_row"
            )
            self._blame.refuse(field, min(relations.changed), problem, way_out)

    def _check_rows(self, field: str, statement: Statement, ran: Ran, tenant: str) -> None:
        does = "reads" if statement.kind == "read" else "changes"
        least = "at least " if ran.fetched.more else ""
        seen = f"{does} {least}{ran.count} rows of tenant {scrub(tenant[:_SHOWN])}"
        if ran.count > statement.max_rows:
            problem = f"{statement.name} {seen}"
            self._blame.refuse(f"{field}.max_rows", statement.max_rows, problem, "raise it")
        if ran.count >= statement.min_rows:
            return
        if statement.kind == "write":
            problem = f"{statement.name} {seen}"
            self._blame.refuse(f"{field}.min_rows", statement.min_rows, problem, "lower it")
        if not statement.sources.drawn:
            self._blame.refuse_tenants(f"{statement.name} {seen}, fewer than min_rows, {statement.min_rows}")

    def _with_columns(self, field: str, statement: Statement, ran: Ran) -> Statement:
        """The statement with what the server told of its columns."""
        if statement.kind == "write":
            return statement
        names = tuple(column.name for column in ran.fetched.columns)
        if statement.columns and names != statement.columns:
            problem = f"it has {', '.join(names)}"
            value = ", ".join(statement.columns)
            self._blame.refuse(f"{field}.columns", value, problem, "name them in order")
        wanted = statement.tenant_column
        if wanted is None:
            return statement
        if names.count(wanted) != 1:
            problem = f"of {statement.name} there are {names.count(wanted)} such columns"
            advice = did_you_mean(wanted, names) if wanted not in names else "give each a name of its own"
            self._blame.refuse(f"{field}.tenant_column", wanted, problem, advice)
        index = names.index(wanted)
        column = ran.fetched.columns[index]
        if self._ids is not None:
            self._ids.check_type(column)
        return replace(statement, tenant_index=index, tenant_as_text=column.oid in _AS_TEXT)

    def _check_owners(self, statement: Statement, ran: Ran, tenant: str) -> None:
        if self._ids is not None and statement.tenant_index is not None:
            place = statement.tenant_index
            owners = {str(row[place]) for row in ran.fetched.rows if row[place] is not None}
            self._ids.check_owners(owners, tenant)
