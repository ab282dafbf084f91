"""What kind of request it is, by its ASGI path and type: the one thing that sampling and filters look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlsplit


class RequestKind(Enum):
    """The kinds that are watched differently."""

    HEALTH = "health check"
    WEBSOCKET = "WebSocket connection"
    API = "API endpoint"
    OTHER = "anything else"


_ALWAYS = frozenset(
    {"healthz", "livez", "readyz", "healthcheck", "health-check", "health_check", "heartbeat"}
)
"""Nobody calls a resource so: a health check below any prefix."""
_OF_A_SERVICE = frozenset({"health", "liveness", "readiness"})
"""A health check of the whole or of one service, as /pam/health; /users/42/health is a resource."""
_OF_THE_WHOLE = frozenset({"live", "ready", "ping", "status"})
"""A health check at the top only: /orders/7/status is a resource."""
_PROBES = frozenset({"live", "ready", "startup", "liveness", "readiness"})
"""What may follow a health check, as /health/ready."""

_PREFIX = re.compile(r"api|v\d{1,3}")
_NAME = re.compile(r"[a-z][a-z_-]*")
_DEEPEST = 8
"""Segments of a path that are looked at; a health check stands near the top."""


def is_health_check(path: str) -> bool:
    """Whether a URL's path is asked by a load balancer or an orchestrator, not by a user."""
    segments = [part.strip("_").lower() for part in path.strip("/").split("/", _DEEPEST)]
    if len(segments) > 1 and segments[-1] in _PROBES and segments[-2] in _ALWAYS | _OF_A_SERVICE:
        segments.pop()
    *before, last = segments
    if last in _ALWAYS:
        return True
    prefixes = [part for part in before if not _PREFIX.fullmatch(part)]
    if last in _OF_A_SERVICE:
        return not prefixes or (len(prefixes) == 1 and _NAME.fullmatch(prefixes[0]) is not None)
    return last in _OF_THE_WHOLE and not prefixes


def path_of(url: str) -> str:
    """The path of an address or of what a log calls one, ``GET /health``; empty where there is none."""
    _, _, address = url.rpartition(" ")
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    return path if path.startswith("/") else ""


def kind_of(sampling_context: Mapping[str, Any]) -> RequestKind:
    """The kind of what is about to begin.

    Args:
        sampling_context: Of the SDK. Its ``asgi_scope`` tells type and path. Without one, as under WSGI or where a
            transaction is begun by hand, the name is taken for the address if it looks like one.
    """
    scope = sampling_context.get("asgi_scope")
    if isinstance(scope, Mapping):
        path, is_websocket = _path_in(scope), scope.get("type") == "websocket"
    else:
        transaction = sampling_context.get("transaction_context") or {}
        path = path_of(str(transaction.get("name") or ""))
        is_websocket = str(transaction.get("op") or "").startswith("websocket")
    if is_health_check(path):
        return RequestKind.HEALTH
    if is_websocket:
        return RequestKind.WEBSOCKET
    return RequestKind.API if path == "/api" or path.startswith("/api/") else RequestKind.OTHER


def _path_in(scope: Mapping[str, Any]) -> str:
    """The path below the ``root_path`` that a proxy or a mount adds; servers differ in whether it stands in it."""
    path, root = str(scope.get("path") or ""), str(scope.get("root_path") or "").rstrip("/")
    inside = path.removeprefix(root) if path.startswith(f"{root}/") else path
    return f"{root}{inside}" if _is_api(root) else inside


def _is_api(root: str) -> bool:
    return root == "/api" or root.startswith("/api/")
