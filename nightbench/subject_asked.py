"""The settings of a run whose subject was chosen for it: an address, or a whole subject that is registered somewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from nightbench import addresses
from nightbench.errors import ConfigurationError
from nightbench.scrub import REDACTED, scrub_address
from nightbench.settings import Settings


@dataclass(frozen=True)
class RegisteredSubject:
    """A subject that is chosen by its name: nothing of the machine's own is mixed with it.

    Attributes:
        environment: Names it in results and alerts.
        websocket_url: Its chat WebSocket.
        token: The WebSocket's bearer token.
        database_dsn: Its PostgreSQL.
    """

    environment: str
    websocket_url: str | None = None
    token: SecretStr | None = None
    database_dsn: SecretStr | None = None


def with_subject(settings: Settings, subject: RegisteredSubject) -> Settings:
    """`settings` with another subject; which databases may be written to is still for the machine to say.

    Raises:
        ConfigurationError: when an address of it is none.
    """
    if subject.websocket_url is not None:
        _check_websocket("subject's websocket_url", subject.websocket_url)
    if subject.database_dsn is not None:
        try:
            addresses.check_postgresql(subject.database_dsn.get_secret_value())
        except ValueError as error:
            raise ConfigurationError("subject's database_dsn", REDACTED, str(error)) from None
    return settings.model_copy(
        update={
            "environment": subject.environment,
            "websocket_url": subject.websocket_url,
            "token": subject.token,
            "database_dsn": subject.database_dsn,
            **_without_monitor(settings),
        }
    )


def with_url(settings: Settings, url: str) -> Settings:
    """`settings` with another WebSocket; the token goes along only where it was meant to go: to the same host.

    Raises:
        ConfigurationError: when `url` is none.
    """
    _check_websocket("parameter url", url)
    known = settings.websocket_url
    same = known is not None and _origin(known) == _origin(url)
    token = settings.token if same else None
    return settings.model_copy(update={"websocket_url": url, "token": token, **_without_monitor(settings)})


def _without_monitor(settings: Settings) -> dict[str, Any]:
    """Sentry's monitor waits for the nights of the machine's own subject; this is none of them."""
    return {"alerts": settings.alerts.model_copy(update={"monitor": False})}


def _check_websocket(name: str, url: str) -> None:
    try:
        addresses.check_websocket(url)
    except ValueError as error:
        raise ConfigurationError(name, scrub_address(url), str(error)) from None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, addresses.port_of(parts)
