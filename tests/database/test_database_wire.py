"""The round trips of one connection, against a real server and beside psycopg's own cursor."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from nightbench.database import wire as wire_module
from nightbench.database.connection import break_off, error_class
from nightbench.database.tenancy import TenantSettings
from nightbench.database.wire import Wire, numbered
from nightbench.plan.pam import PAM
from nightbench.tenants import tenant_id

TENANT = str(tenant_id(1))
SETTINGS = TenantSettings(PAM.tenant_settings)
VALUES = [value.encode() for value in SETTINGS.values(TENANT)]
WHO = "SELECT set_config('app.who', %s, true)"
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'nightbench%'"


@pytest.fixture
def connection(postgres):
    connection = psycopg.connect(postgres.dsn)
    yield connection
    connection.close()


@pytest.fixture
def wire(connection):
    """One of transactions without settings."""
    return Wire(connection)


def rows_of(wire, sql, **parameters):
    answer = wire.run(numbered(sql), parameters)
    rows = answer.rows()
    assert answer.count == len(rows)
    return rows


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", ("SELECT 1", ())),
        ("SELECT %(a)s, %(b)s, %(a)s", ("SELECT $1, $2, $1", ("a", "b"))),
        ("SELECT 7 %% 4, '%%(a)s'", ("SELECT 7 % 4, '%(a)s'", ())),
    ],
)
def test_parameters_are_numbered_in_order_and_percent_signs_are_single(sql, expected):
    statement = numbered(sql)
    assert (statement.sql, statement.names) == expected


@pytest.mark.parametrize("times", [1, 8], ids=["as it is", "prepared"])
@pytest.mark.parametrize("text", ["", "it's", "a\\b", "\\'; ROLLBACK; --", "100 %", "%s", "ünïcødé ✓", "$1"])
def test_a_setting_arrives_as_it_is_whatever_stands_in_it(connection, text, times):
    wire = Wire(connection, WHO)
    for _ in range(times):
        wire.begin([text.encode()])
        assert rows_of(wire, "SELECT current_setting('app.who')") == [(text,)]
        wire.commit()


def test_a_transaction_is_the_tenants_until_it_is_committed(connection):
    wire = Wire(connection, SETTINGS.sql)
    for _ in range(8):
        wire.begin(VALUES)
        rows = rows_of(wire, "SELECT DISTINCT user_id::text, current_user::text FROM expenses")
        assert rows == [(TENANT, "authenticated")]
        wire.commit()
        assert connection.info.transaction_status is TransactionStatus.IDLE
    assert connection.execute("SELECT current_user::text").fetchone() == ("authenticator",)


@pytest.mark.parametrize("settings", ["", WHO], ids=["without settings", "with settings"])
def test_a_transaction_to_read_writes_nothing_and_the_next_may(connection, settings):
    wire, values = Wire(connection, settings), [b"me"] if settings else []
    for _ in range(7):
        wire.begin(values, read_only=True)
        assert rows_of(wire, "SHOW transaction_read_only") == [("on",)]
        wire.commit()
        wire.begin(values)
        assert rows_of(wire, "SHOW transaction_read_only") == [("off",)]
        wire.commit()


@pytest.mark.parametrize("before", [0, 8], ids=["at first", "prepared"])
def test_it_begins_in_one_round_trip(connection, tmp_path, before):
    wire = Wire(connection, SETTINGS.sql)
    for _ in range(before):
        wire.begin(VALUES)
        wire.commit()
    with (tmp_path / "trace").open("wb") as trace:
        connection.pgconn.trace(trace.fileno())
        wire.begin(VALUES)
        connection.pgconn.untrace()
    senders = [line.split(b"\t")[1] for line in (tmp_path / "trace").read_bytes().splitlines()]
    assert senders == [b"F"] * senders.count(b"F") + [b"B"] * senders.count(b"B"), (
        "all goes before any answer"
    )
    assert senders


@pytest.mark.parametrize("statement", [each for each in PAM.statements if each.kind == "read"], ids=str)
def test_rows_are_those_of_psycopgs_own_cursor(connection, statement):
    parameters = {name: {"tenant": TENANT, "offset": 20}[name] for name in statement.draws}
    wire = Wire(connection, SETTINGS.sql)
    wire.begin(VALUES)
    rows = rows_of(wire, statement.sql, **parameters)
    assert rows == connection.execute(statement.sql.encode(), parameters).fetchall() != []


@pytest.mark.parametrize(
    "value",
    [1, 70_000, 5_000_000_000, -1, Decimal("1.50"), 0.1, "text", "1", True, None, date(2026, 2, 3), b"\0\1"],
    ids=repr,
)
def test_values_of_every_type_arrive_prepared_or_not(wire, value):
    wire.begin()
    assert [rows_of(wire, "SELECT %(value)s", value=value) for _ in range(7)] == [[(value,)]] * 7


def test_a_statement_is_prepared_when_psycopg_would_do_so(connection, wire):
    wire.begin()
    counts = []
    for _ in range(7):
        rows_of(wire, "SELECT %(n)s::int", n=1)
        counts.append(connection.execute(PREPARED, prepare=False).fetchone()[0])
    assert counts == [0, 0, 0, 0, 0, 1, 1]


def test_nothing_is_prepared_where_the_connection_shall_not(connection):
    connection.prepare_threshold = None
    wire = Wire(connection, WHO)
    for _ in range(10):
        wire.begin([b"me"])
        rows_of(wire, "SELECT %(n)s::int", n=1)
        wire.commit()
    assert connection.execute(PREPARED).fetchone() == (0,)


def test_so_many_statements_are_prepared_and_no_more(connection, wire, monkeypatch):
    monkeypatch.setattr(wire_module, "MOST_PREPARED", 2)
    wire.begin()
    for number in range(4):
        for _ in range(7):
            assert rows_of(wire, f"SELECT {number}") == [(number,)]
    assert connection.execute(PREPARED).fetchone() == (2,)


def test_a_write_says_how_many_rows_it_changed(connection):
    wire = Wire(connection, SETTINGS.sql)
    wire.begin(VALUES)
    answer = wire.run(numbered("UPDATE budgets SET updated_at = now()"), {})
    assert (answer.rows(), answer.count) == ([], 5)
    assert rows_of(wire, "UPDATE budgets SET updated_at = now() RETURNING user_id::text") == [(TENANT,)] * 5


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT 1 / 0", "22012"),
        ("SELEC", "42601"),
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT nothing", "42703"),
        ("SELECT %(n)s::date", "22007"),
    ],
)
def test_a_failure_has_its_sqlstate_and_the_connection_goes_on(connection, wire, sql, state):
    wire.begin()
    with pytest.raises(psycopg.Error) as caught:
        wire.run(numbered(sql), {"n": "no date"})
    assert caught.value.sqlstate == state
    connection.rollback()
    wire.begin()
    assert rows_of(wire, "SELECT 1") == [(1,)]


def test_what_fails_at_the_beginning_is_told_there_and_the_connection_goes_on(connection):
    wire = Wire(connection, "SELECT set_config('role', %s, true)")
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        wire.begin([b"nobody at all"])
    connection.rollback()
    wire.begin([b"authenticated"])
    assert rows_of(wire, "SELECT current_user::text") == [("authenticated",)]


def test_what_fails_at_the_end_is_told_there(wire, postgres):
    with postgres.changed(
        "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "GRANT INSERT ON late TO authenticator",
        "DROP TABLE late",
    ):
        wire.begin()
        wire.run(numbered("INSERT INTO late VALUES (1), (1)"), {})
        with pytest.raises(psycopg.errors.UniqueViolation):
            wire.commit()


@pytest.mark.parametrize("settings", ["", WHO])
def test_a_lost_connection_is_told_as_one_and_stays_lost(connection, postgres, settings):
    wire = Wire(connection, settings)
    values = [b"me"] * bool(settings)
    wire.begin(values)
    postgres.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError) as caught:
        wire.run(numbered("SELECT 1"), {})
    assert error_class(caught.value, connected=True) in {"sqlstate_57P01", "connection_lost"}
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError) as caught:
            wire.begin(values)
        assert error_class(caught.value, connected=True) == "connection_lost"


def test_one_that_is_lost_while_it_begins_is_told_as_one(connection):
    wire = Wire(connection, WHO)
    break_off(connection)
    with pytest.raises(psycopg.OperationalError) as caught:
        wire.begin([b"me"])
    assert error_class(caught.value, connected=True) == "connection_lost"


def test_text_goes_in_the_encoding_of_the_connection(postgres):
    with psycopg.connect(postgres.dsn, client_encoding="LATIN1") as connection:
        wire = Wire(connection, WHO)
        wire.begin(["Ü".encode(wire.encoding)])
        rows = rows_of(wire, "SELECT current_setting('app.who') = %(who)s, 'Ü'", who="Ü")
        assert rows == [(True, "Ü")]
