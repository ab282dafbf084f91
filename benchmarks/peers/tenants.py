"""The tenants of the reference database, for peers that know nothing of nightbench."""

from __future__ import annotations

import hashlib
import json
import uuid


def claims_of_all(tenants: int) -> list[str]:
    """The claims of tenant 1 to `tenants`, whose ids are the MD5 of ``nightbench-tenant-`` and their number."""
    return [_claims(number) for number in range(1, tenants + 1)]


def _claims(number: int) -> str:
    digest = hashlib.md5(f"nightbench-tenant-{number}".encode(), usedforsecurity=False).hexdigest()
    return json.dumps({"sub": str(uuid.UUID(digest)), "role": "authenticated"})
