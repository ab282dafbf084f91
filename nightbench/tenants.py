"""The tenants of the subject: their ids, and how a transaction becomes one of theirs."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

TENANTS = 1000
"""How many there are: tenant 1 to tenant `TENANTS`."""


def tenant_id(n: int) -> UUID:
    """The id of tenant `n`, counted from 1: ``md5('nightbench-tenant-' || n)::uuid`` in SQL."""
    if n < 1:
        msg = f"tenant {n}: tenants are counted from 1"
        raise ValueError(msg)
    return UUID(hashlib.md5(f"nightbench-tenant-{n}".encode(), usedforsecurity=False).hexdigest())


def first_tenants(count: int) -> list[UUID]:
    """The ids of tenant 1 to tenant `count`."""
    return [tenant_id(number) for number in range(1, count + 1)]


SET_TENANT = "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)"
"""Makes the rest of a transaction that of the tenant in its one parameter, in one round trip."""


def claims(tenant: UUID) -> str:
    """The claims of a request of `tenant`, as Supabase's gateway sets them: the parameter of `SET_TENANT`."""
    return json.dumps({"sub": str(tenant), "role": "authenticated"})
