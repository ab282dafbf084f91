"""Each piece of SQL of a workload tried before the load, and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

import psycopg

from nightbench.database.connection import SETTING
from nightbench.database.draws import Parameters
from nightbench.database.housekeeping.deletable import TAG_PREFIX, delete_of
from nightbench.database.refusals import refusal, said, shortened
from nightbench.database.relations import Relations, first_word, relations_of
from nightbench.database.tenancy import TenantSettings
from nightbench.database.workload import Statement, Workload
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.plan.workload import OwnRows
from nightbench.scrub import scrub
from nightbench.spelling import did_you_mean

_EXPLAIN = "EXPLAIN (VERBOSE, FORMAT JSON) "
_WORDS = ("select", "with", "values", "table", "insert", "update", "delete", "merge")
_AS_TEXT = frozenset({25, 1042, 1043, 19, 2950})
"""Types whose values are texts as the server prints them: text, bpchar, varchar, name, uuid."""
_READ_ONLY = "25006"
_SHOWN = 60
"""Characters of a tenant's id in an error."""


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
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        workload: Workload,
        settings: TenantSettings,
        plan: DatabasePlan,
    ) -> None:
        self._connection = connection
        self._workload = workload
        self._settings = settings
        self._own = plan.mix.own_rows
        self._tenants_file = plan.mix.tenants_file
        self._is_default = plan.workload is None
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
                with self._told_of(f"own_rows.tables[{number}]", table.table):
                    removed |= self._relations(deletion, (f"{TAG_PREFIX}%",)).written
            self._removed = frozenset(removed)
            if own.insert is not None:
                parameters = {"tenant": tenant, "tag": self._workload.tag}
                self._check_written(
                    "own_rows.insert", self._explained("own_rows.insert", own.insert, parameters)
                )
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
            self._check_kind(field, statement, relations)
            ran = self._run(field, statement, lowest, relations)
        self._check_rows(field, statement, ran, first)
        checked = self._with_columns(field, statement, ran)
        with self._as_tenant(last):
            _, highest = self._extremes(statement, last)
            self._check_rows(field, statement, self._run(field, statement, highest, relations), last)
        return checked, relations

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
            with self._told_of(field, ""):
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
        with self._told_of("own_rows.insert", insert, before=0):
            cursor = self._connection.execute(insert.encode(), {"tenant": tenant, "tag": self._workload.tag})
        rows = cursor.fetchall() if cursor.description else []
        if len(rows) != 1:
            problem = f"returns {len(rows)} rows where the key of one is due"
            self._refuse("own_rows.insert", shortened(insert), problem, "end it with RETURNING and the key")
        return rows[0][0]

    def _explained(self, field: str, text: str, parameters: Parameters) -> Relations:
        """The tables of SQL of the plan, once the server has parsed it and knows how it would run it."""
        if (word := first_word(text)) not in _WORDS:
            problem = (
                f"begins with {word.upper() or 'no word'}, which is nothing that a transaction of a mix is"
            )
            known = ", ".join(each.upper() for each in _WORDS)
            self._refuse(field, shortened(text), problem, f"known are {known}")
        with self._told_of(field, text, before=len(_EXPLAIN)):
            return self._relations(text, parameters)

    def _relations(self, text: str, parameters: Sequence[Any] | Parameters) -> Relations:
        # in binary, so that it goes through the protocol that takes one statement and no more
        cursor = self._connection.cursor(binary=True)
        row = cursor.execute((_EXPLAIN + text).encode(), parameters).fetchone()
        assert row is not None
        return relations_of(row[0][0]["Plan"])

    def _run(
        self, field: str, statement: Statement, parameters: Parameters, relations: Relations
    ) -> psycopg.Cursor[Any]:
        connection = self._connection
        with self._told_of(f"{field}.sql", statement.sql, before=0):
            if statement.kind == "read" and not relations.locks:
                connection.execute("SET TRANSACTION READ ONLY")  # what functions write is in no plan
            try:
                cursor = connection.execute(statement.sql.encode(), parameters)
            except psycopg.Error as error:
                if error.sqlstate != _READ_ONLY or statement.kind == "write":
                    raise
                self._refuse(f"{field}.kind", "read", f"it writes: {said(error)}", "a read changes nothing")
            if statement.kind == "write":
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would look at
                if cursor.description is None and not relations.written:
                    self._refuse(
                        f"{field}.sql", shortened(statement.sql), "it makes a table", "leave INTO out"
                    )
        return cursor

    # what is compared

    def _check_kind(self, field: str, statement: Statement, relations: Relations) -> None:
        if statement.kind == "read" and relations.written:
            tables = ", ".join(sorted(relations.written))
            self._refuse(f"{field}.kind", "read", f"it writes to {tables}", "its kind is write")
        self._check_written(f"{field}.sql", relations)

    def _check_written(self, field: str, relations: Relations) -> None:
        if foreign := sorted(relations.written - self._removed):
            problem = "is written to and is none of own_rows.tables: its rows would not be removed"
            self._refuse(field, foreign[0], problem, "name it there, with the column that holds %(tag)s")

    def _check_rows(self, field: str, statement: Statement, ran: psycopg.Cursor[Any], tenant: str) -> None:
        rows, shown = ran.rowcount, scrub(tenant[:_SHOWN])
        seen = f"{'reads' if statement.kind == 'read' else 'changes'} {rows} rows of tenant {shown}"
        if rows > statement.max_rows:
            self._refuse(f"{field}.max_rows", statement.max_rows, f"{statement.name} {seen}", "raise it")
        if rows >= statement.min_rows:
            return
        if statement.kind == "write":
            self._refuse(f"{field}.min_rows", statement.min_rows, f"{statement.name} {seen}", "lower it")
        if not statement.sources.drawn:
            self._refuse_tenant(f"{statement.name} {seen}, fewer than min_rows, {statement.min_rows}")

    def _with_columns(self, field: str, statement: Statement, ran: psycopg.Cursor[Any]) -> Statement:
        """The statement with what the server told of its columns."""
        if statement.kind == "write":
            return statement
        columns = ran.description or ()
        names = tuple(column.name for column in columns)
        if statement.columns and names != statement.columns:
            problem = f"it has {', '.join(names)}"
            self._refuse(f"{field}.columns", ", ".join(statement.columns), problem, "name them in order")
        wanted = statement.tenant_column
        if wanted is None:
            return statement
        if names.count(wanted) != 1:
            problem = f"of {statement.name} there are {names.count(wanted)} such columns"
            advice = did_you_mean(wanted, names) if wanted not in names else "give each a name of its own"
            self._refuse(f"{field}.tenant_column", wanted, problem, advice)
        index = names.index(wanted)
        return replace(statement, tenant_index=index, tenant_as_text=columns[index].type_code in _AS_TEXT)

    # how it is told

    @contextmanager
    def _told_of(self, field: str, value: str, *, before: int | None = None) -> Iterator[None]:
        """Tell what the server has against `value` as an error of `field`; see `refusal`."""
        try:
            yield
        except psycopg.Error as error:
            told = None if self._is_default else refusal(f"workload.{field}", value, error, before=before)
            if told is None:
                raise
            raise told from None

    def _refuse(self, field: str, value: object, problem: str, way_out: str) -> NoReturn:
        if self._is_default:
            name = self._connection.info.dbname
            problem = f"it is not what the default workload asks for: {field.rpartition('.')[2]} = {value!r}: {problem}"
            way_out = "load the embedded reference, or name a workload of your own in a plan file"
            raise ConfigurationError(SETTING, name, problem, way_out)
        raise ConfigurationError(f"workload.{field}", value, problem, way_out)

    def _refuse_tenant(self, problem: str) -> NoReturn:
        if self._tenants_file is not None:
            raise ConfigurationError(
                "workload.tenants_file",
                self._tenants_file,
                problem,
                "leave out the tenants that the subject does not have",
            )
        raise ConfigurationError(
            "--tenants",
            len(self._workload.tenants),
            "the subject does not have that many of nightbench's tenants",
            "lower it, or load the embedded reference"
            if self._is_default
            else f"lower it, or name its own in workload.tenants_file: {problem}",
        )
