"""What two nights must share to be compared: the machine, the versions, the plan and the subject."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from nightbench.history.record import clean_own
from nightbench.measurement import Measurement
from nightbench.plan import plan_hash

_MAJOR = re.compile(r"\D*\d+")
_MAJOR_AND_MINOR = re.compile(r"\D*\d+(?:\.\d+)?")

Parts = dict[str, str]
"""``cpu``, ``cores``, ``kernel`` and ``python`` (major.minor), ``server`` (major), ``plan``, ``subject``; ``fleet``
where others than this machine's own processes generated the load."""


def fingerprint(measurement: Measurement) -> Parts:
    """The parts of a measurement; one that nobody knows is left out."""
    return _parts(
        clean_own(measurement.host),
        clean_own(measurement.subject),
        plan_hash(measurement.plan),
        clean_own(measurement.subject_key),
    )


def fingerprint_of_row(row: Mapping[str, Any]) -> Parts:
    """The same of a row of ``runs`` that is older than the column: of `host`, `subject`, `plan_hash`, `subject_key`."""
    return _parts(_object(row["host"]), _object(row["subject"]), row["plan_hash"], row["subject_key"])


def text_of(parts: Mapping[str, str]) -> str:
    """The parts as the datasets have them: two nights can be compared when their texts are the same."""
    return json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def differences(one: str, other: str) -> list[str]:
    """The names of the parts in which two texts differ, those that only one of them has too."""
    parts, others = _object(one), _object(other)
    return [name for name in sorted({*parts, *others}) if parts.get(name) != others.get(name)]


def _parts(
    host: Mapping[str, Any], subject: Mapping[str, Any], plan: str | None, subject_key: str | None
) -> Parts:
    server = subject.get("server")
    version = server.get("server_version") if isinstance(server, Mapping) else None
    known = {
        "cpu": _text(host.get("cpu")),
        "cores": _text(host.get("cores")),
        "kernel": _beginning(_MAJOR_AND_MINOR, host.get("kernel")),
        "python": _beginning(_MAJOR_AND_MINOR, host.get("python")),
        "server": _beginning(_MAJOR, version),
        "plan": _text(plan),
        "subject": _text(subject_key),
        "fleet": _text(host.get("fleet")),
    }
    return {name: value for name, value in known.items() if value}


def _beginning(pattern: re.Pattern[str], value: Any) -> str:
    """The version without what changes every few weeks; as it is where it has no number."""
    text = _text(value)
    found = pattern.match(text)
    return found[0] if found else text


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _object(text: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
