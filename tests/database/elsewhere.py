"""A database of the user's, beside the reference in the same server: two tables, no tenants, nobody's permission."""

from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from nightbench.plan.workload import WrittenTable

OWNER, PASSWORD = "shop_owner", "hunter2"

LINES, ORDERS = (WrittenTable(table=name, tag_column="note") for name in ("public.Lines", "orders"))


class Shop:
    """It, with the DSN of its owner, who is no superuser, and the server that it is in."""

    def __init__(self, server, name):
        self._server = server
        self.name = name
        given = {**conninfo_to_dict(server.dsn), "dbname": name}
        self.admin_dsn = make_conninfo(**{**conninfo_to_dict(server.admin_dsn), "dbname": name})
        self.place = f"127.0.0.1:{server.port}/{name}"
        self.dsn = f"postgresql://{OWNER}:{PASSWORD}@{self.place}"
        self.app_dsn = f"postgresql://{given['user']}:{given['password']}@{self.place}"

    def execute(self, statement, parameters=None, *, dsn=None):
        """As its owner: the rows, if there are any."""
        with psycopg.connect(dsn or self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def shop(server, name="shop"):
    """Make it, and leave nothing of it."""
    server.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'")
    server.execute(f"CREATE DATABASE {name} OWNER {OWNER} STRATEGY wal_log")
    try:
        made = Shop(server, name)
        made.execute(
            "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);"
            'CREATE TABLE "Lines" (of_order bigint NOT NULL REFERENCES orders, note text);'
        )
        yield made
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.execute(f"DROP ROLE {OWNER}")
