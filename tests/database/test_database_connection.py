"""Connections to the subject: what a DSN may hold, what a failure is called, how many there are."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from running import load, metric

from nightbench.database.checking.checks import check_reachable
from nightbench.database.connection import bounded, connection_parameters, error_class, means_gone
from nightbench.database.housekeeping.own_rows import exclusive_connection
from nightbench.database.observing.side_connection import open_side_connection
from nightbench.database.session import Sessions
from nightbench.errors import ConfigurationError
from nightbench.load.shard import Shard
from nightbench.plan import DatabasePlan
from nightbench.scrub import stored_address


def test_the_most_connections_in_use_are_counted(postgres):
    result = load(
        postgres.dsn, model="closed", rate=None, workers=6, pool_size=2, max_overflow=2, queries=600, warmup=0
    )
    assert metric(result, "pool.checked_out.max") == 4
    assert metric(result, "pool.overflow.max") == 2


@pytest.mark.parametrize(
    ("error", "connected", "name", "gone"),
    [
        (psycopg.OperationalError("connection refused"), False, "connect_refused", True),
        (psycopg.OperationalError("Connection refused"), True, "connection_lost", True),
        (
            psycopg.OperationalError("FATAL:  sorry, too many clients already"),
            False,
            "connect_too_many",
            False,
        ),
        (psycopg.errors.TooManyConnections("full"), False, "connect_too_many", False),
        (psycopg.errors.ConnectionTimeout("timeout"), False, "connect_timeout", True),
        (psycopg.OperationalError("no route to host"), False, "connect_failed", True),
        (
            psycopg.OperationalError('FATAL:  password authentication failed for user "u"'),
            False,
            "sqlstate_28P01",
            True,
        ),
        (
            psycopg.OperationalError("FATAL:  the database system is starting up"),
            False,
            "sqlstate_57P03",
            True,
        ),
        (psycopg.OperationalError('FATAL:  database "d" does not exist'), False, "sqlstate_3D000", True),
        (psycopg.errors.InsufficientPrivilege("no"), True, "sqlstate_42501", False),
        (psycopg.errors.AdminShutdown("bye"), True, "sqlstate_57P01", True),
        (psycopg.errors.QueryCanceled("late"), True, "sqlstate_57014", False),
        (KeyError("x"), True, "keyerror", False),
    ],
)
def test_each_failure_has_its_class(error, connected, name, gone):
    assert error_class(error, connected=connected) == name
    assert means_gone(name) is gone


def test_the_options_of_the_dsn_are_kept(postgres):
    result_dsn = postgres.dsn + "?options=-c%20work_mem%3D5MB&keepalives_idle=9"
    parameters = connection_parameters(result_dsn, statement_timeout=2)
    assert parameters["options"].startswith("-c work_mem=5MB -c statement_timeout=2000 ")
    assert parameters["keepalives_idle"] == "9"
    sessions = Sessions(result_dsn, DatabasePlan(queries=1, workers=1, statement_timeout=2), Shard())
    try:
        connection = sessions._check_out()
        shown = [
            connection.cursor().execute(f"SHOW {name}").fetchone()[0]
            for name in ("work_mem", "statement_timeout")
        ]
        sessions._check_in(connection)
    finally:
        sessions.close()
    assert shown == ["5MB", "2s"]


def test_who_gets_a_connection_at_the_very_end_of_the_run_does_not_keep_it(postgres):
    sessions = Sessions(postgres.dsn, DatabasePlan(queries=1, workers=1), Shard())
    counting = sessions._counting

    class EndsFirst:
        """The run ends in the moment before whoever has a connection writes that down."""

        def __enter__(self):
            sessions._counting = counting
            sessions.break_off()
            counting.acquire()

        def __exit__(self, *_):
            counting.release()

    connection = sessions._pool.connect()  # open before: that counts under the lock as well
    connection.close()
    sessions._counting = EndsFirst()
    try:
        with pytest.raises(psycopg.OperationalError, match="the run is over"):
            sessions._check_out()
        assert not sessions._in_use
    finally:
        sessions.close()


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:pw@h/db?x=1", "postgresql://u:p@pw@h/db", "mysql://u:pw@h/db"]
)
def test_a_dsn_that_cannot_be_used_is_told_without_its_password(dsn):
    with pytest.raises(ConfigurationError) as caught:
        connection_parameters(dsn, statement_timeout=1)
    assert "pw" not in str(caught.value)


def test_a_password_may_hold_anything_that_is_percent_encoded():
    parameters = connection_parameters("postgresql+psycopg://u:a%20b%40%2B+c@h/db", statement_timeout=1)
    assert parameters["password"] == "a b@++c"


@pytest.mark.parametrize(
    ("dsn", "address"),
    [
        ("postgresql://u:p@h:5/db?sslpassword=x#y", "postgresql://u:***@h:5/db"),
        ("postgresql://u:p#w@h/db", "postgresql://u:***@h/db"),
        ("postgresql://h/db", "postgresql://h/db"),
    ],
)
def test_the_address_is_stored_without_secrets(dsn, address):
    assert stored_address(dsn) == address


def test_a_block_that_takes_too_long_is_broken_off(postgres):
    ends_soon = "-c client_connection_check_interval=50"  # what nobody waits for is in no other test's way
    with (
        psycopg.connect(postgres.admin_dsn, autocommit=True, options=ends_soon) as connection,
        pytest.raises(psycopg.OperationalError, match="no answer within 0 s"),
        bounded(connection, 0.1),
    ):
        connection.execute("SELECT pg_sleep(60)")
    assert connection.closed


def test_a_database_is_reachable_or_it_is_told(postgres):
    check_reachable(postgres.dsn)
    with pytest.raises(ConfigurationError, match="check that the server runs"):
        check_reachable("postgresql://u:p@127.0.0.1:1/db")


@pytest.mark.parametrize(
    "query", ["host=127.0.0.1,127.0.0.2", "hostaddr=127.0.0.1,127.0.0.2", "port=5432,5433"]
)
def test_a_dsn_of_several_servers_is_refused(query):
    with pytest.raises(ConfigurationError, match="names several servers; name the one that is to be loaded"):
        connection_parameters(f"postgresql://app:s3cret@/shop?{query}", statement_timeout=1)


@pytest.mark.parametrize("by", ["environment", "service of the DSN", "service of the environment", "both"])
def test_a_dsn_of_several_servers_by_what_libpq_adds_to_it_is_refused(postgres, monkeypatch, tmp_path, by):
    given = conninfo_to_dict(postgres.dsn)
    hosts, ports = "127.0.0.1,127.0.0.1", f"{postgres.port},1"
    (tmp_path / "services").write_text(
        f"[pair]\nhost={hosts}\nport={ports}\n[one]\nhost=127.0.0.1\nport={postgres.port}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    del given["host"], given["port"]
    if by in ("environment", "both"):  # of both, psycopg takes the environment's
        monkeypatch.setenv("PGHOST", hosts)
        monkeypatch.setenv("PGPORT", ports)
    if by in ("service of the DSN", "both"):
        given["service"] = "pair" if by == "service of the DSN" else "one"
    if by == "service of the environment":
        monkeypatch.setenv("PGSERVICE", "pair")
    with pytest.raises(ConfigurationError, match="names several servers; name the one that is to be loaded"):
        check_reachable(make_conninfo(**given))


def test_a_dsn_that_names_its_server_is_not_refused_for_the_environments(postgres, monkeypatch):
    monkeypatch.setenv("PGHOST", "127.0.0.1,127.0.0.1")
    monkeypatch.setenv("PGPORT", f"{postgres.port},1")
    check_reachable(postgres.dsn)


@pytest.mark.parametrize("setting", ["idle_session_timeout", "idle_in_transaction_session_timeout"])
@pytest.mark.parametrize("opened", [exclusive_connection, lambda dsn: open_side_connection(dsn, 5)])
def test_no_setting_of_the_role_ends_a_session_beside_the_load(postgres, setting, opened):
    role = conninfo_to_dict(postgres.dsn)["user"]
    change, back = f"ALTER ROLE {role} SET {setting} = '60s'", f"ALTER ROLE {role} RESET {setting}"
    with postgres.changed(change, back), opened(postgres.dsn) as connection:
        assert connection.execute("SELECT current_setting(%s)", (setting,)).fetchone() == ("0",)
