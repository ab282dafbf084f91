"""How a transaction becomes one of a tenant: the settings of its workload, filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg

from nightbench.plan.placeholders import PLACEHOLDER, placeholders

ROLE = "role"
"""The setting that makes a transaction that of a role, as SET LOCAL ROLE does."""


class TenantSettings:
    """The settings that make the rest of a transaction that of a tenant, in one round trip.

    Args:
        settings: Value by name, with ``${tenant}`` for the tenant's id; none of them changes nothing.

    Attributes:
        sql: The statement that sets them all, its parameters the `values` of a tenant; "" without any.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = dict(settings)
        calls = ", ".join(f"set_config('{name}', %s, true)" for name in settings)  # identifiers, by the plan
        self.sql = f"SELECT {calls}" if calls else ""

    def values(self, tenant: str) -> tuple[str, ...]:
        """The values of the settings for `tenant`, in the order of `sql`."""
        return tuple(_filled(value, tenant) for value in self._settings.values())

    @property
    def role(self) -> str | None:
        """Which role a transaction becomes, None when it stays that of the DSN."""
        return self._settings.get(ROLE)

    @property
    def of_nobody(self) -> TenantSettings:
        """Those that name no tenant: what a request without one would have."""
        return TenantSettings(
            {name: value for name, value in self._settings.items() if not placeholders(value)}
        )

    def as_role(self, role: str) -> TenantSettings:
        """The same tenant's as another role."""
        return TenantSettings({**self._settings, ROLE: role})

    def apply(self, cursor: psycopg.Connection[Any] | psycopg.Cursor[Any], tenant: str) -> None:
        """Make the open transaction that of `tenant`; in autocommit mode it has to be begun before."""
        if self.sql:
            cursor.execute(self.sql.encode(), self.values(tenant))


def _filled(value: str, tenant: str) -> str:
    if value.lstrip().startswith(("{", "[")):
        tenant = json.dumps(tenant)[1:-1]
    return PLACEHOLDER.sub(lambda found: "$" if found["name"] is None else tenant, value)
