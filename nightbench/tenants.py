"""The tenants that the embedded PostgreSQL is seeded with."""

from __future__ import annotations

import hashlib
from uuid import UUID

TENANTS = 1000
"""How many there are: tenant 1 to tenant `TENANTS`."""


def tenant_id(n: int) -> UUID:
    """The id of tenant `n`, counted from 1: ``md5('nightbench-tenant-' || n)::uuid`` in SQL."""
    if n < 1:
        msg = f"tenant {n}: tenants are counted from 1"
        raise ValueError(msg)
    return UUID(hashlib.md5(f"nightbench-tenant-{n}".encode(), usedforsecurity=False).hexdigest())
