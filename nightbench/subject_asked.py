"""The settings of a run whose subject was chosen for it: an address, or a whole subject that is registered somewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from nightbench import addresses
from nightbench.database.connection import SETTING as DATABASE
from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.history.record import clean_text
from nightbench.plan.asked import LONGEST_URL, WEBSOCKET_URL
from nightbench.release import checked_release
from nightbench.scrub import REDACTED, learn, scrub_address, without_query
from nightbench.settings import Settings
from nightbench.websocket.load_test import SETTING as WEBSOCKET

LONGEST_ENVIRONMENT = 64
_WITHOUT_RELEASE: Mapping[str, Any] = MappingProxyType({"release": None, "release_command": ()})
PARAMETER_URL = "parameter url"


@dataclass(frozen=True)
class RegisteredSubject:
    """A subject that is chosen by its name: nothing of the machine's own is mixed with it.

    Attributes:
        environment: Names it in results and alerts.
        websocket_url: Its chat WebSocket.
        token: The WebSocket's bearer token.
        database_dsn: Its PostgreSQL.
        name: How the user knows it.
    """

    environment: str
    websocket_url: str | None = None
    token: SecretStr | None = None
    database_dsn: SecretStr | None = None
    name: str = "the subject"


def with_subject(settings: Settings, subject: RegisteredSubject) -> Settings:
    """`settings` with another subject; which databases may be written to is still for the machine to say.

    Raises:
        ConfigurationError: when a field of it cannot be used.
    """
    learn(subject)  # also what stands where no secret should
    known_as = {
        name: f"{name} of {subject.name}" for name in ("environment", "websocket_url", "database_dsn")
    }
    if not 1 <= len(subject.environment) <= LONGEST_ENVIRONMENT:
        problem = f"is not between 1 and {LONGEST_ENVIRONMENT} characters long"
        raise ConfigurationError(known_as["environment"], subject.environment, problem)
    if subject.websocket_url is not None:
        _check_websocket(known_as["websocket_url"], subject.websocket_url)
    if subject.database_dsn is not None:
        try:
            addresses.check_postgresql(subject.database_dsn.get_secret_value())
        except ValueError as error:
            raise ConfigurationError(known_as["database_dsn"], REDACTED, str(error)) from None
    settings = settings.set_elsewhere(
        {WEBSOCKET: known_as["websocket_url"], DATABASE: known_as["database_dsn"]}
    )
    return settings.model_copy(
        update={
            "environment": subject.environment,
            "websocket_url": subject.websocket_url,
            "token": subject.token,
            "database_dsn": subject.database_dsn,
            **_WITHOUT_RELEASE,
            **_without_monitor(settings),
        }
    )


def with_url(settings: Settings, url: str) -> Settings:
    """`settings` with another WebSocket; token and release go along only where they were meant to: to the same host.

    Raises:
        ConfigurationError: when `url` is none.
    """
    _check_websocket(PARAMETER_URL, url)
    settings = settings.set_elsewhere({WEBSOCKET: PARAMETER_URL})
    known = settings.websocket_url
    same = known is not None and _origin(known) == _origin(url)
    kept = {} if same else {"token": None, **_WITHOUT_RELEASE}
    return settings.model_copy(update={"websocket_url": url, **kept, **_without_monitor(settings)})


def with_release(settings: Settings, release: str) -> Settings:
    """`settings` with another release of the subject.

    Raises:
        ConfigurationError: when `release` is none.
    """
    try:
        return settings.model_copy(update={"release": checked_release(release)})
    except ValueError as error:
        raise ConfigurationError("parameter release", clean_text(release), str(error)) from None


def _without_monitor(settings: Settings) -> dict[str, Any]:
    """Sentry's monitor waits for the nights of the machine's own subject; this is none of them."""
    return {"alerts": settings.alerts.model_copy(update={"monitor": False})}


def _check_websocket(name: str, url: str) -> None:
    """Refuse what is no URL, and what Prefect would show to everybody: it stores this one as it is."""
    try:
        addresses.check_websocket(url)
    except ValueError as error:
        raise ConfigurationError(name, without_query(scrub_address(url)), str(error)) from None
    if not re.match(WEBSOCKET_URL, url):
        raise ConfigurationError(
            name,
            without_query(scrub_address(url)),
            "has a user, password, query or fragment, which Prefect shows to whoever looks",
            "take it out, and change what was secret in it; a bearer token goes into the subject's token",
        )
    if len(url) > LONGEST_URL:
        raise ConfigurationError(name, NOT_GIVEN, f"is longer than {LONGEST_URL} characters")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, addresses.port_of(parts)
