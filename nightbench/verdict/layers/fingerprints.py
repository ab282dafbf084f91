"""How the environments of two nights differ, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_LONGEST = 40
_NO_WORDS = ("plan", "plan_hash")
"""Parts whose value says nothing to a reader."""
_ABSENT = MappingProxyType({"fleet": "this machine alone"})
"""What it says that a part is not there; of others it is not known."""


def difference(then: object, tonight: object) -> str:
    """For example ``kernel 6.1 instead of 6.8``; ``another environment`` where the parts are not known."""
    if then is None:
        return "its environment is not known"
    before, now = _parts(then), _parts(tonight)
    if not before or not now:
        return "another environment"
    names = [name for name in {**now, **before} if before.get(name) != now.get(name)]
    return ", ".join(_part(name, before.get(name), now.get(name)) for name in names)


def _part(name: str, before: Any, now: Any) -> str:
    if name in _NO_WORDS:
        return "another plan"
    said = name.replace("_", " ")
    absent = _ABSENT.get(name, "unknown")
    return f"{said} {_text(before, absent)} instead of {_text(now, absent)}"


def _text(value: Any, absent: str) -> str:
    text = absent if value in (None, "") else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _parts(fingerprint: object) -> Mapping[str, Any]:
    if isinstance(fingerprint, Mapping):
        return fingerprint
    try:
        found = json.loads(str(fingerprint))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
