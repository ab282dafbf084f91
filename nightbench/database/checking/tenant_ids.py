"""Whether the ids of tenants are written as the server prints them: rows are compared with them as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from nightbench.database.checking.blame import Blame
from nightbench.database.checking.fetching import Column
from nightbench.database.checking.refusals import said
from nightbench.scrub import scrub

WAY_OUT = "write the ids as the server prints them"
_FIELD = "tenants_file"
_BATCH = 10_000
_SHOWN = 60
"""Characters of a tenant's id in an error."""

_TYPE = "SELECT pg_catalog.format_type(%s, %s)"
_PRINTED = "SELECT CAST(id AS {}) FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS given (id, place) ORDER BY place"


class TenantIds:
    """Looks at the ids of a tenants file.

    Args:
        connection: That of the trial.
        blame: Of the plan.
        tenants: As the file has them, in its order.
    """

    def __init__(self, connection: psycopg.Connection, blame: Blame, tenants: Sequence[str]) -> None:
        self._connection = connection
        self._blame = blame
        self._tenants = tenants
        self._seen: set[tuple[int, int]] = set()

    def check_type(self, column: Column) -> None:
        """See that each id comes back as it is from the type of a tenant column; in a transaction.

        Raises:
            ConfigurationError: naming the first that does not.
            psycopg.Error: of the connection.
        """
        kind = column.oid, column.modifier
        if kind in self._seen:
            return
        self._seen.add(kind)
        name = self._connection.execute(_TYPE, kind).fetchone()
        assert name is not None
        query = sql.SQL(_PRINTED).format(sql.SQL(name[0]))  # quoted by the server
        for start in range(0, len(self._tenants), _BATCH):
            batch = self._tenants[start : start + _BATCH]
            with self._blame.of(_FIELD, ""):
                printed = self._printed(query, batch, name[0])
            for place, (tenant, other) in enumerate(zip(batch, printed, strict=False), start=start + 1):
                if tenant != other:
                    problem = (
                        f"row {place} has the tenant {_shown(tenant)}, which as {name[0]} is {_shown(other)}"
                    )
                    self._blame.refuse_tenants(problem, WAY_OUT)

    def _printed(self, query: sql.Composed, tenants: Sequence[str], name: str) -> Sequence[str]:
        try:
            with self._connection.transaction():
                return [str(value) for (value,) in self._connection.execute(query, (list(tenants),))]
        except (psycopg.errors.CannotCoerce, psycopg.errors.FeatureNotSupported):
            return ()  # no type of which there are values to be had
        except psycopg.DataError as error:
            self._blame.refuse_tenants(f"an id in it is no {name}: {said(error)}", WAY_OUT)

    def check_owners(self, owners: Iterable[str], tenant: str) -> None:
        """See that none of the owners of rows is `tenant` but for its case and the blanks around it.

        Raises:
            ConfigurationError: naming it.
        """
        for owner in set(owners) - {tenant}:
            if owner.strip().casefold() == tenant.strip().casefold():
                problem = f"the rows of the tenant {_shown(tenant)} say {_shown(owner)}"
                self._blame.refuse_tenants(problem, WAY_OUT)


def _shown(tenant: str) -> str:
    return repr(scrub(tenant[:_SHOWN]))
