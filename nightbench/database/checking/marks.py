"""Whether all that a statement wrote carries the tag of the run, and can be removed again by it; seen in a trial."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg

from nightbench.database.checking.blame import Blame
from nightbench.database.checking.footprint import Footprint, Step, look, step
from nightbench.database.checking.overlaps import check_apart
from nightbench.database.checking.refusals import shortened
from nightbench.database.connection import SETTING
from nightbench.database.housekeeping.deletable import delete_of, identifier
from nightbench.errors import ConfigurationError
from nightbench.plan.workload import OwnRows

_BESIDE = """
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = %s::regclass
"""


class Marks:
    """Looks at what the transactions of a trial leave behind.

    Args:
        connection: That of the trial.
        blame: Of the plan.
        own: Where the run writes.
        tag: Of its rows.
    """

    def __init__(self, connection: psycopg.Connection, blame: Blame, own: OwnRows | None, tag: str) -> None:
        self._connection = connection
        self._blame = blame
        self._tables = () if own is None else own.tables
        self._also_written = () if own is None else own.also_written
        self._tag = tag
        self._ours: frozenset[str] = frozenset()
        self._beside: frozenset[str] = frozenset()

    def learn(self, ours: Collection[str]) -> None:
        """Learn the names that the server has for the tables of the run, ``schema.table``; in a transaction.

        Raises:
            ConfigurationError: when the server does not count what is written, when two of the tables of the run
                share rows, or when a table of `also_written` is not there.
            psycopg.Error: of the connection.
        """
        if self._connection.execute("SHOW track_counts").fetchone() != ("on",):
            raise ConfigurationError(
                SETTING,
                self._connection.info.dbname,
                "the server does not count what its sessions write, so that nothing shows whose rows are changed",
                "set its track_counts to on",
            )
        check_apart(self._connection, self._blame, self._tables)
        beside = set()
        for number, table in enumerate(self._also_written):
            with self._blame.of(f"own_rows.also_written[{number}]", table):
                name = identifier(table).as_string(self._connection)
                beside |= {each for (each,) in self._connection.execute(_BESIDE, (name,))}
        self._ours, self._beside = frozenset(ours), frozenset(beside)

    @contextmanager
    def checked(self, field: str, text: str) -> Iterator[None]:
        """See that what is written in the block is the run's own and can be removed again, and remove it.

        Args:
            field: Of the SQL that writes.
            text: The SQL.

        Raises:
            ConfigurationError: naming the field, with what was written besides.
            psycopg.Error: of the connection.
        """
        before = self._look()
        yield
        self._fire(field, text)
        after = self._look()
        self._check(field, text, step(before, after, own=self._ours, beside=self._beside))
        for number, table in enumerate(self._tables):
            with self._blame.of(f"own_rows.tables[{number}]", table.table):
                self._connection.execute(delete_of(table, "="), (self._tag,))
        self._fire(field, text)  # again: what is written may have put off what follows
        end = self._look()
        removal = step(after, end, own=self._ours, beside=self._beside)
        if any(end.tagged):
            problem = "the rows that it wrote cannot be removed again by their tag"
            self._blame.refuse(field, shortened(text), problem, "the tenant has to be allowed to delete them")
        if removal.elsewhere:
            problem = f"removing its rows changes {', '.join(removal.elsewhere)} as well, by a trigger or a foreign key"
            self._refuse_elsewhere(field, text, problem)

    @contextmanager
    def untouched(self, field: str) -> Iterator[None]:
        """See that nothing is written in the block, which is a read.

        Args:
            field: That says that it is one.

        Raises:
            ConfigurationError: naming the field, with what was written.
            psycopg.Error: of the connection.
        """
        before = self._look()
        yield
        if tables := step(before, self._look(), own=()).elsewhere:
            self._blame.refuse(
                field, "read", f"it writes to {', '.join(tables)}", "a read changes nothing but locks"
            )

    def _fire(self, field: str, text: str) -> None:
        """Let happen what waits for a commit: constraints and triggers that are deferred."""
        with self._blame.of(field, text):
            self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _look(self) -> Footprint:
        with self._blame.of("own_rows.tables", ""):
            return look(self._connection, self._tables, self._tag)

    def _check(self, field: str, text: str, done: Step) -> None:
        if done.elsewhere:
            problem = f"it changes {', '.join(done.elsewhere)} as well, by a function or a trigger"
            self._refuse_elsewhere(field, text, problem)
        if done.foreign:
            problem = f"it changes rows that were there before: {done.foreign} without the tag of the run"
            way_out = "change the one row whose key is a parameter with draw: own_row, and no other"
            self._blame.refuse(field, shortened(text), problem, way_out)
        if done.untagged:
            problem = f"{done.untagged} of the rows that it writes would not be found again by their tag"
            way_out = "%(tag)s goes into tag_column of one of own_rows.tables and stays there"
            self._blame.refuse(field, shortened(text), problem, way_out)

    def _refuse_elsewhere(self, field: str, text: str, problem: str) -> None:
        way_out = (
            "name it in own_rows.tables when the tag is in its rows, or in own_rows.also_written when it "
            "is no matter what becomes of it"
        )
        self._blame.refuse(field, shortened(text), problem, way_out)
