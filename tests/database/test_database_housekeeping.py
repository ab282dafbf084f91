"""``nightbench database prepare`` and ``clean`` against a real PostgreSQL."""

import psycopg
import pytest
from elsewhere import PASSWORD, shop

from nightbench.cli import run_command
from nightbench.database.housekeeping.own_rows import (
    exclusive_connection,
    housekeeping_connection,
    insert_rows,
)
from nightbench.database.tenancy import TenantSettings
from nightbench.plan.pam import PAM
from nightbench.reference.fill import ROLES
from nightbench.tenants import tenant_id

PLAN = """
[database.workload]
tenant_settings = { "shop.tenant" = "${tenant}" }
statements = [{ name = "now", kind = "read", sql = "SELECT now()" }]
own_rows = { tables = [{ table = "Lines", tag_column = "note" }, { table = "orders", tag_column = "note" }] }
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Neither settings nor results of anybody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NIGHTBENCH_DATABASE_DSN", raising=False)


@pytest.fixture(scope="module")
def bought(postgres):
    with shop(postgres) as made:
        yield made


@pytest.fixture
def ran(capsys):
    """Run a command; its exit code, and what it said, which holds no password."""

    def run(*arguments):
        code = run_command(["database", *arguments])
        out, err = capsys.readouterr()
        assert PASSWORD not in out + err
        return code, out, err

    return run


def write(server, *numbers):
    tenants = [str(tenant_id(number)) for number in numbers]
    with housekeeping_connection(server.dsn) as connection:
        insert_rows(
            connection, PAM.own_rows, TenantSettings(PAM.tenant_settings), tenants, "nightbench:crashed:50"
        )


def test_what_crashed_runs_left_behind_is_removed_and_told(postgres, ran):
    before = postgres.state()
    write(postgres, 1, 7, 30)
    assert ran("clean", "--dsn", postgres.dsn)[:2] == (
        0,
        f"127.0.0.1:{postgres.port}/pam: removed 3 rows of earlier runs\n",
    )
    assert postgres.state() == before
    code, out, _ = ran("clean", "--dsn", postgres.dsn)
    assert code == 0
    assert "earlier runs left nothing behind" in out


def test_while_a_run_is_at_work_nothing_is_cleaned(postgres, ran):
    write(postgres, 1)
    with exclusive_connection(postgres.dsn):
        code, out, err = ran("clean", "--dsn", postgres.dsn)
    assert (code, out) == (2, "")
    assert "another nightbench run is at work" in err
    assert "removed 1 row of earlier runs" in ran("clean", "--dsn", postgres.dsn)[1]


def test_a_database_is_prepared_cleaned_of_a_plans_rows_and_left(bought, ran, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    bought.execute("INSERT INTO orders (note) VALUES ('nightbench:x:1'), ('nightly'), (NULL)")
    bought.execute("""INSERT INTO "Lines" SELECT id, note FROM orders WHERE note LIKE 'nightbench:%'""")
    clean = ("clean", "--dsn", bought.dsn, "--plan", "plan.toml")
    code, _, err = ran(*clean)
    assert code == 2
    assert "nobody has allowed load tests to write" in err

    code, out, _ = ran("prepare", "--dsn", bought.dsn)
    assert code == 0
    assert f"{bought.place}: load tests may write here (made the schema nightbench" in out
    assert "prepared already" in ran("prepare", "--dsn", bought.dsn)[1]
    assert ran(*clean)[1] == f"{bought.place}: removed 2 rows of earlier runs\n"
    assert bought.execute("SELECT note FROM orders ORDER BY 1") == [("nightly",), (None,)]

    assert "may not write here any more" in ran("prepare", "--dsn", bought.dsn, "--undo")[1]
    assert "nothing to take back" in ran("prepare", "--dsn", bought.dsn, "--undo")[1]
    assert ran(*clean)[0] == 2


def test_a_run_is_refused_where_nobody_has_allowed_it(bought, ran, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    code, out, err = ran("--dsn", bought.dsn, "--plan", "plan.toml")
    assert (code, out) == (2, "")
    assert f"'{bought.place}': nobody has allowed load tests to write to this database" in err


def test_every_tenant_of_a_tenants_file_is_cleaned(bought, ran, tmp_path, monkeypatch):
    bought.execute(
        """
        CREATE TABLE carts (owner text, note text);
        ALTER TABLE carts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON carts USING (owner = current_setting('shop.tenant', true));
        """
    )
    names = [f"customer {number}" for number in range(3)]
    for name in names:
        bought.execute(f"SET shop.tenant = '{name}'; INSERT INTO carts VALUES ('{name}', 'nightbench:x:1')")
    (tmp_path / "tenants.csv").write_text("\n".join(["name", *names]))
    plan = PLAN.replace("Lines", "carts").replace("statements", 'tenants_file = "tenants.csv"\nstatements')
    (tmp_path / "plan.toml").write_text(f"[database]\ntenants = 1\n{plan}")
    monkeypatch.setenv("NIGHTBENCH_DATABASE_ALLOWED", bought.place)
    _, out, err = ran("clean", "--dsn", bought.dsn, "--plan", "plan.toml")
    assert out.endswith("removed 3 rows of earlier runs\n"), err


@pytest.mark.parametrize("command", ["prepare", "clean"])
def test_a_wrong_password_is_told_as_such(bought, ran, command):
    code, _, err = ran(command, "--dsn", bought.dsn.replace(PASSWORD, f"{PASSWORD}-wrong"))
    assert code == 2
    assert "password authentication failed" in err
    assert "mend the password" in err


def test_the_reference_is_made_where_there_is_nothing_and_nowhere_else(own_postgres, ran):
    empty = own_postgres.admin_dsn.rpartition("/")[0] + "/postgres"
    for dsn, says in (
        (own_postgres.dsn, "authenticator is no superuser"),
        (own_postgres.admin_dsn, "it is not empty: there is public."),
        (empty, "its server has a role authenticat"),
    ):
        code, _, err = ran("prepare", "--reference", "--dsn", dsn)
        assert (code, says in err) == (2, True), err
    forget(own_postgres.admin_dsn, empty)
    code, out, _ = ran("prepare", "--reference", "--dsn", empty)
    assert code == 0
    assert "1,000 tenants and 100,000 expenses" in out
    assert "prepared already" in out
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (20_000,)


def forget(admin_dsn, other_dsn):
    """Let the server have neither the reference's database nor its roles."""
    with psycopg.connect(other_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {admin_dsn.rpartition('/')[2]} WITH (FORCE)")
        connection.execute(f"DROP ROLE {', '.join(ROLES)}")
