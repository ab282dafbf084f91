"""The trial keeps its time piece by piece, fetches a bounded number of rows, and compares ids as the server prints them."""

import socket
import threading
from contextlib import suppress

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from trying import AMOUNT, INSERT, OWN_ROW, UPDATE, checked, plan_of

from nightbench.database.checking import blame, trial
from nightbench.database.checking.fetching import fetch
from nightbench.errors import ConfigurationError
from nightbench.tenants import tenant_id

AS_ANYBODY = {"role": "authenticated"}
MINE = str(tenant_id(1))


@pytest.fixture(scope="module")
def subject(postgres):
    postgres.execute(
        """
        CREATE SCHEMA ids;
        GRANT USAGE ON SCHEMA ids TO authenticated;
        CREATE TABLE ids.numbered (id int, name text);
        CREATE TABLE ids.padded (id char(4));
        INSERT INTO ids.numbered VALUES (7, 'Ann'), (NULL, 'nobody');
        INSERT INTO ids.padded VALUES ('a');
        GRANT ALL ON ALL TABLES IN SCHEMA ids TO authenticated;
        """
    )
    yield postgres
    postgres.execute("DROP SCHEMA ids CASCADE")


def test_whoever_waits_hears_of_each_piece(subject):
    steps = []
    write = {"kind": "write", "sql": INSERT, "parameters": {"amount": AMOUNT}}
    checked(subject.dsn, plan_of({"sql": "SELECT 1"}, write), on_step=lambda: steps.append(1))
    assert len(steps) > 10


class Stalling:
    """A way to a server on which nothing is answered any more once a word has been sent."""

    def __init__(self, port, word):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._upstream, self._word = port, word
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        client, _ = self._server.accept()
        with client, self._server, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            with suppress(OSError):
                while data := client.recv(65536):
                    if self._word in data:
                        while client.recv(65536):
                            pass
                        break
                    server.sendall(data)
            # as `_answer` waits at it, its end alone would leave the server with an open transaction for ever
            server.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _answer(server, client):
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)


def test_a_server_that_stalls_is_told_with_the_statement(subject, monkeypatch):
    monkeypatch.setattr(blame, "SPARE_SECONDS", 0.6)
    monkeypatch.setattr(blame, "STATEMENT_SECONDS", 0.05)
    way = Stalling(subject.port, b"stall here")
    plan = plan_of({"sql": "SELECT 1"}, {"sql": "SELECT 'stall here'"})
    plan = plan.model_copy(update={"statement_timeout": 0.05})
    with pytest.raises(
        ConfigurationError, match=r"workload\.statements\[1\]\.sql = .*: no answer within 1 s"
    ):
        checked(make_conninfo(subject.dsn, port=way.port), plan)


def test_statements_that_take_as_long_as_they_may_are_taken_however_many(subject, monkeypatch):
    monkeypatch.setattr(blame, "SPARE_SECONDS", 0.3)
    monkeypatch.setattr(blame, "STATEMENT_SECONDS", 0.05)
    plan = plan_of(*[{"sql": "SELECT pg_sleep(0.1)"}] * 3).model_copy(update={"statement_timeout": 0.15})
    assert checked(subject.dsn, plan).statements


def test_a_read_without_an_end_is_fetched_in_part(subject, monkeypatch):
    monkeypatch.setattr(trial, "MOST_ROWS", 50)
    endless = "SELECT id, user_id FROM expenses, generate_series(1, 1000000)"
    assert checked(subject.dsn, plan_of({"sql": endless, "tenant_column": "user_id"})).statements
    with pytest.raises(ConfigurationError, match="s0 reads at least 50 rows of tenant"):
        checked(subject.dsn, plan_of({"sql": endless, "max_rows": 49}))


@pytest.mark.parametrize(("rows", "more"), [(0, False), (2, False), (3, True), (100_000, True)])
def test_a_transaction_goes_on_after_part_of_a_read(subject, rows, more):
    with psycopg.connect(subject.dsn) as connection:
        connection.execute("SET LOCAL search_path TO here")
        found = fetch(
            connection, "SELECT n::varchar(9) AS n FROM generate_series(1, %(n)s) AS n", {"n": rows}, most=3
        )
        assert connection.execute("SHOW search_path").fetchone() == ("here",)
    assert found.rows == [("1",), ("2",), ("3",)][:rows]
    assert (found.more, [each.name for each in found.columns]) == (more, ["n"])
    assert found.columns[0].modifier == 9 + 4  # of varchar(9)


def test_a_read_that_locks_is_known_as_such(subject):
    found = checked(
        subject.dsn,
        plan_of(
            {"sql": "SELECT id FROM expenses FOR UPDATE"},
            {"sql": "SELECT id FROM expenses"},
            {"kind": "write", "sql": UPDATE, "parameters": OWN_ROW},
        ),
    )
    assert [each.read_only for each in found.statements] == [False, True, False]


UPPER = f"row 1 has the tenant '{MINE.upper()}', which as uuid is '{MINE}'"
# a read, its column, the ids of a file, and what is said of them
SPELT = {
    "a uuid in capitals": ("SELECT user_id FROM expenses", "user_id", [MINE.upper()], UPPER),
    "a number with zeros": (
        "SELECT id FROM ids.numbered",
        "id",
        ["7", "8", "007"],
        "row 3 has the tenant '007', which as integer is '7'",
    ),
    "a text without its blanks": (
        "SELECT id FROM ids.padded WHERE id = %(tenant)s",
        "id",
        ["abcd", "a"],
        "row 2 has the tenant 'a', which as character(4) is 'a   '",
    ),
    "a tenant that has no rows": ("SELECT id FROM ids.numbered WHERE false", "id", ["+1"], "is '1'"),
    "no number at all": ("SELECT id FROM ids.numbered", "id", ["x"], "an id in it is no integer: invalid"),
    "another case in the rows": (
        "SELECT name FROM ids.numbered",
        "name",
        ["ann"],
        "the rows of the tenant 'ann' say 'Ann'",
    ),
}


@pytest.mark.parametrize("case", SPELT)
def test_ids_that_the_server_prints_otherwise_are_told(case, subject, tmp_path):
    sql, column, ids, says = SPELT[case]
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["id", *ids]))
    plan = plan_of(
        {"sql": sql, "tenant_column": column},
        tenants=10,
        tenants_file=str(file),
        own_rows=None,
        tenant_settings=AS_ANYBODY,
    )
    with pytest.raises(ConfigurationError) as caught:
        checked(subject.dsn, plan)
    error = str(caught.value)
    assert error.startswith(f"workload.tenants_file = '{file}': ")
    assert says in error
    assert error.endswith("write the ids as the server prints them")


def test_rows_of_others_are_no_matter_of_spelling(subject, tmp_path):
    """They are leaks, and the load tells them."""
    file = tmp_path / "people.csv"
    file.write_text("id\n8\n")
    read = {"sql": "SELECT id FROM ids.numbered", "tenant_column": "id"}
    plan = plan_of(read, tenants_file=str(file), own_rows=None, tenant_settings=AS_ANYBODY)
    assert checked(subject.dsn, plan).statements[0].tenant_index == 0
