"""The observer's connection ends in the middle of a probe."""

import gc

import psycopg
import pytest

from nightbench.database.observing.side_connection import Cost, SideConnection


def test_a_probe_whose_connection_ends_with_its_last_row_leaves_nothing_open(postgres, monkeypatch):
    fetch = psycopg.ServerCursor.fetchmany

    def fetch_last(cursor, size):
        rows = fetch(cursor, size)
        postgres.execute("SELECT pg_terminate_backend(%s, 5000)", (cursor.connection.info.backend_pid,))
        return rows

    monkeypatch.setattr(psycopg.ServerCursor, "fetchmany", fetch_last)
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        side = SideConnection(connection, Cost())
        connection.execute("BEGIN")
        with pytest.raises(psycopg.OperationalError):
            side.owned_rows("SELECT 1 AS owner", {}, owner="owner", most=5)
    gc.collect()  # one that is open still would be told of here
