"""The database that is loaded: the embedded PostgreSQL on a core of its own, and the one transaction that all run.

It is the assistant's expense listing under row-level security: BEGIN READ ONLY, become the tenant, the SELECT, its
rows, COMMIT; tenant and page are drawn evenly.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from benchmarks.processes import ROOT, SERVER_CORE, pinned
from nightbench.plan.pam import PAM
from nightbench.reference.postgres import load_dsn, postgres_instance, reference_template

Seen = TypeVar("Seen")

WORKERS = 10
TENANTS = 1000
OFFSETS = (0, 20, 40, 60)
STATEMENT = next(each for each in PAM.statements if each.name == "expense_listing")
SET_TENANT = "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', {}, true)"
"""With the claims in the place of the braces."""

_CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or ROOT / ".cache")


@dataclass(frozen=True)
class Served:
    """What the server has done by now: listings, and rows that they gave."""

    transactions: int
    rows: int


@dataclass(frozen=True)
class Database:
    """A running server and who counts what it does.

    Attributes:
        dsn: Of the load.
        counting: The superuser's connection.
    """

    dsn: str = field(repr=False)
    counting: psycopg.Connection[Any]

    def served(self) -> Served:
        """Counted by the server at the end of each statement, whoever asked for it."""
        row = self.counting.execute(
            "SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum(rows), 0)::bigint "
            "FROM pg_stat_statements WHERE starts_with(query, %s)",
            (STATEMENT.sql.partition(" FROM ")[0],),
        ).fetchone()
        assert row is not None
        return Served(*row)

    @property
    def environment(self) -> dict[str, str]:
        """What the peers are told; no password stands in a command line."""
        return {
            "DSN": self.dsn,
            "WORKERS": str(WORKERS),
            "TENANTS": str(TENANTS),
            "OFFSETS": json.dumps(OFFSETS),
            "SET_TENANT": SET_TENANT.format("%s"),
            "STATEMENT": STATEMENT.sql,
        }


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """A fresh database on a core of its own while inside."""
    with contextlib.ExitStack() as stack:
        with pinned(SERVER_CORE):
            instance = stack.enter_context(postgres_instance(_CACHE, "bench", reference_template()))
        counting = stack.enter_context(psycopg.connect(instance.admin_dsn, autocommit=True))
        yield Database(load_dsn(instance), counting)


def write_plan(folder: Path, **plan: Any) -> Path:
    """A plan file of nightbench that runs the one transaction; `plan` has the other fields."""
    workload: Mapping[str, Any] = {
        "tenant_settings": PAM.tenant_settings,
        "statements": [STATEMENT.model_dump(mode="json", exclude_defaults=True)],
    }
    path = folder / "plan.yaml"
    fields = {"workers": WORKERS, "tenants": TENANTS, **plan, "workload": workload}
    path.write_text(json.dumps({"database": fields}), encoding="utf-8")  # JSON is YAML
    return path


def in_a_folder(subject: Database) -> Callable[[Callable[[Database, Path], Seen]], Seen]:
    """Takes the turn of a contender of `subject`, in a folder of its own that is gone afterwards."""

    def take(contender: Callable[[Database, Path], Seen]) -> Seen:
        with tempfile.TemporaryDirectory() as folder:
            return contender(subject, Path(folder))

    return take
