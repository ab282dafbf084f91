"""The round trips of one connection, against a real server and beside psycopg's own cursor."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from nightbench.database import wire as wire_module
from nightbench.database.connection import error_class
from nightbench.database.tenancy import TenantSettings
from nightbench.database.wire import Wire, numbered, opening
from nightbench.plan.pam import PAM
from nightbench.tenants import tenant_id

TENANT = str(tenant_id(1))
SETTINGS = TenantSettings(PAM.tenant_settings)
OPENING = opening(SETTINGS.sql, SETTINGS.values(TENANT))
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'nightbench%'"


@pytest.fixture
def connection(postgres):
    connection = psycopg.connect(postgres.dsn)
    yield connection
    connection.close()


def one(wire, sql, **parameters):
    """The only value of a transaction that is left open."""
    wire.begin("BEGIN")
    ((value,),), _ = wire.run(numbered(sql), parameters)
    return value


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


@pytest.mark.parametrize("conforming", ["on", "off"])
@pytest.mark.parametrize("text", ["", "it's", "a\\b", "\\'; ROLLBACK; --", "100 %", "%s", "ünïcødé ✓", "$1"])
def test_a_setting_arrives_as_it_is_whatever_stands_in_it(connection, text, conforming):
    connection.execute(f"SET standard_conforming_strings = {conforming}")
    connection.execute("SET backslash_quote = on")
    connection.commit()
    wire = Wire(connection)
    wire.begin(opening("SELECT set_config('app.who', %s, true)", [text]))
    ((value,),), _ = wire.run(numbered("SELECT current_setting('app.who')"), {})
    assert value == text


def test_a_transaction_is_the_tenants_until_it_is_committed(connection):
    wire = Wire(connection)
    wire.begin(OPENING)
    rows, count = wire.run(numbered("SELECT DISTINCT user_id::text, current_user::text FROM expenses"), {})
    assert (rows, count) == ([(TENANT, "authenticated")], 1)
    wire.commit()
    assert connection.info.transaction_status is TransactionStatus.IDLE
    assert one(wire, "SELECT current_user::text") == "authenticator"


def test_one_without_settings_begins_all_the_same(connection):
    Wire(connection).begin(opening("", ()))
    assert connection.info.transaction_status is TransactionStatus.INTRANS


@pytest.mark.parametrize("statement", [each for each in PAM.statements if each.kind == "read"], ids=str)
def test_rows_are_those_of_psycopgs_own_cursor(connection, statement):
    parameters = {name: {"tenant": TENANT, "offset": 20}[name] for name in statement.draws}
    wire = Wire(connection)
    wire.begin(OPENING)
    rows, count = wire.run(numbered(statement.sql), parameters)
    assert rows == connection.execute(statement.sql.encode(), parameters).fetchall()
    assert count == len(rows) > 0


@pytest.mark.parametrize(
    "value",
    [1, 70_000, 5_000_000_000, -1, Decimal("1.50"), 0.1, "text", "1", True, None, date(2026, 2, 3), b"\0\1"],
    ids=repr,
)
def test_values_of_every_type_arrive_prepared_or_not(connection, value):
    wire = Wire(connection)
    wire.begin("BEGIN")
    cast = numbered("SELECT %(value)s")
    seen = [wire.run(cast, {"value": value})[0][0][0] for _ in range(7)]
    assert seen == [value] * 7


def test_a_statement_is_prepared_when_psycopg_would_do_so(connection):
    wire = Wire(connection)
    wire.begin("BEGIN")
    counts = []
    for _ in range(7):
        wire.run(numbered("SELECT %(n)s::int"), {"n": 1})
        counts.append(connection.execute(PREPARED, prepare=False).fetchone()[0])
    assert counts == [0, 0, 0, 0, 0, 1, 1]


def test_nothing_is_prepared_where_the_connection_shall_not(connection):
    connection.prepare_threshold = None
    wire = Wire(connection)
    wire.begin("BEGIN")
    for _ in range(10):
        wire.run(numbered("SELECT %(n)s::int"), {"n": 1})
    assert connection.execute(PREPARED).fetchone() == (0,)


def test_so_many_statements_are_prepared_and_no_more(connection, monkeypatch):
    monkeypatch.setattr(wire_module, "MOST_PREPARED", 2)
    wire = Wire(connection)
    wire.begin("BEGIN")
    for number in range(4):
        for _ in range(7):
            assert wire.run(numbered(f"SELECT {number}"), {})[0] == [(number,)]
    assert connection.execute(PREPARED).fetchone() == (2,)


def test_a_write_says_how_many_rows_it_changed(connection):
    wire = Wire(connection)
    wire.begin(OPENING)
    rows, count = wire.run(numbered("UPDATE budgets SET updated_at = now()"), {})
    assert (rows, count) == ([], 5)
    rows, count = wire.run(numbered("UPDATE budgets SET updated_at = now() RETURNING user_id::text"), {})
    assert (rows, count) == ([(TENANT,)] * 5, 5)


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
def test_a_failure_has_its_sqlstate_and_the_connection_goes_on(connection, sql, state):
    wire = Wire(connection)
    wire.begin("BEGIN")
    with pytest.raises(psycopg.Error) as caught:
        wire.run(numbered(sql), {"n": "no date"})
    assert caught.value.sqlstate == state
    connection.rollback()
    assert one(wire, "SELECT 1") == 1


def test_what_fails_at_the_beginning_or_the_end_is_told_there(connection, postgres):
    wire = Wire(connection)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        wire.begin(opening("SELECT set_config('role', %s, true)", ["nobody at all"]))
    connection.rollback()
    with postgres.changed(
        "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "GRANT INSERT ON late TO authenticator",
        "DROP TABLE late",
    ):
        wire.begin("BEGIN")
        wire.run(numbered("INSERT INTO late VALUES (1), (1)"), {})
        with pytest.raises(psycopg.errors.UniqueViolation):
            wire.commit()


def test_a_lost_connection_is_told_as_one_and_stays_lost(connection, postgres):
    wire = Wire(connection)
    wire.begin("BEGIN")
    postgres.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError) as caught:
        wire.run(numbered("SELECT 1"), {})
    assert error_class(caught.value, connected=True) in {"sqlstate_57P01", "connection_lost"}
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError) as caught:
            wire.begin("BEGIN")
        assert error_class(caught.value, connected=True) == "connection_lost"


def test_text_goes_in_the_encoding_of_the_connection(postgres):
    with psycopg.connect(postgres.dsn, client_encoding="LATIN1") as connection:
        wire = Wire(connection)
        wire.begin(opening("SELECT set_config('app.who', %s, true)", ["Ü"]))
        rows, _ = wire.run(numbered("SELECT current_setting('app.who') = %(who)s, 'Ü'"), {"who": "Ü"})
        assert rows == [(True, "Ü")]
