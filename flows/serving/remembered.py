"""What the project's files said when they were last put on a server: what has not changed since is left alone.

So a start undoes nothing that a user has changed in the UI, unless the file has changed as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nightbench.files import write_whole


class Remembered:
    """Digests by kind and name, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._digests = _read(file)

    def knows(self, kind: str, name: str, definition: Mapping[str, Any]) -> bool:
        """Whether `name` was put there with just this definition."""
        return self._digests.get(f"{kind} {name}") == _digest(definition)

    def keep(self, kind: str, name: str, definition: Mapping[str, Any]) -> None:
        """Remember that `name` is there with this definition."""
        self._digests[f"{kind} {name}"] = _digest(definition)
        self._write()

    def others(self, kind: str, names: Collection[str]) -> list[str]:
        """What is remembered of a kind beside `names`."""
        known = (key.removeprefix(f"{kind} ") for key in self._digests if key.startswith(f"{kind} "))
        return [name for name in known if name not in names]

    def forget(self, kind: str, name: str) -> None:
        """Remember nothing of `name`."""
        self._digests.pop(f"{kind} {name}", None)
        self._write()

    def _write(self) -> None:
        text = json.dumps(self._digests, indent=1, sort_keys=True)
        write_whole(self._file, lambda file: file.write(text.encode()))


def _read(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(definition: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True, default=str).encode()).hexdigest()
