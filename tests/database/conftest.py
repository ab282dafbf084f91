"""A real PostgreSQL with the reference schema for the database suite, with its superuser at hand."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from nightbench.reference.postgres import load_dsn, postgres_instance, reference_template

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache")


class Server:
    """An instance with the DSN of the load and the superuser's."""

    def __init__(self, instance):
        self.admin_dsn = instance.admin_dsn
        self.dsn = load_dsn(instance)
        self.port = instance.port
        self.folder = instance.folder

    def execute(self, statement, parameters=None):
        """As the superuser: the rows, if there are any."""
        with psycopg.connect(self.admin_dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def wait_until(self, question):
        """Until the server answers with true, for 10 s at most."""
        deadline = time.monotonic() + 10
        while self.execute(question) != [(True,)]:
            assert time.monotonic() < deadline, question
            time.sleep(0.02)

    def state(self):
        """Row count and checksum of every table, to show that a run leaves nothing behind."""
        tables = ("profiles", "expenses", "budgets", "conversations", "messages")
        return {
            table: self.execute(f"SELECT count(*), sum(hash_record_extended(t, 0)) FROM {table} AS t")[0]
            for table in tables
        }

    @contextmanager
    def changed(self, change, back):
        """With `change` in force inside the block."""
        self.execute(change)
        try:
            yield
        finally:
            self.execute(back)


@pytest.fixture(scope="session")
def postgres():
    with postgres_instance(CACHE, "test-database", reference_template()) as instance:
        yield Server(instance)


@pytest.fixture
def own_postgres():
    """One that the test may kill."""
    with postgres_instance(CACHE, "test-own", reference_template()) as instance:
        yield Server(instance)
