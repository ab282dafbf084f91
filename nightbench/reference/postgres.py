"""The embedded PostgreSQL: a pristine copy of its template for each run."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql

from nightbench.instances import cache_errors, instance_folder
from nightbench.reference.server import Running, server, stop_survivor
from nightbench.reference.template import SUPERUSER, Template, copy_template

DATABASE = "pam"
LOGIN_ROLE = "authenticator"


@dataclass(frozen=True)
class Instance:
    """A running PostgreSQL.

    Attributes:
        folder: Its instance folder; a place for what else belongs to the run.
        server: Its process.
        admin_dsn: The superuser in the template's database; a password of this instance alone.
    """

    folder: Path
    server: Running
    database: str
    admin_dsn: str = field(repr=False)

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        return self.server.port


def reference_template() -> Template:
    """The database of the reference backend: schema and seed."""
    here = files("nightbench.reference")
    scripts = tuple((here / name).read_text("utf-8") for name in ("schema.sql", "seed.sql"))
    return Template("reference", DATABASE, scripts)


@contextmanager
def postgres_instance(cache: Path, kind: str, template: Template) -> Iterator[Instance]:
    """Run a fresh copy of `template` for the length of the block; nothing of it stays.

    Raises:
        ConfigurationError: when the cache cannot be written, or root has no way to run PostgreSQL.
        NightbenchError: when PostgreSQL does not come up.
    """
    cache = cache.absolute()
    with instance_folder(cache, kind, stop=stop_survivor) as folder:
        with cache_errors(cache):
            password = copy_template(cache, template, folder)
        with server(folder / "data", folder / "postgres.log") as running:
            dsn = _dsn(SUPERUSER, password, running.port, template.database)
            password = set_password(dsn, SUPERUSER)
            dsn = _dsn(SUPERUSER, password, running.port, template.database)
            yield Instance(folder, running, template.database, dsn)


def load_dsn(instance: Instance) -> str:
    """Let `LOGIN_ROLE` log in with a new password; the DSN that a load test gets."""
    password = set_password(instance.admin_dsn, LOGIN_ROLE)
    return _dsn(LOGIN_ROLE, password, instance.port, instance.database)


def set_password(admin_dsn: str, role: str) -> str:
    """Give `role` a new random password and return it."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(admin_dsn, connect_timeout=10) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
        )
    return password


def _dsn(role: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"
