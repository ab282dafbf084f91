"""What Prefect reads from the environment when it is imported, for flows that run in a process of ours."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from nightbench.errors import ConfigurationError
from nightbench.files import reason
from nightbench.scrub import scrub, scrub_address, without_query

HEALTH_SECONDS = 5.0

API_URL = "PREFECT_API_URL"
HEARTBEAT = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
_OLD_HEARTBEAT = "PREFECT_RUNNER_HEARTBEAT_FREQUENCY"
HEARTBEAT_SECONDS = 30
"""Between two signs of life of a flow run, the least that Prefect takes; the automation on missing ones ends a run that
was killed."""

NO_TELEMETRY: Mapping[str, str] = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
"""Nothing is told to whoever makes Prefect."""

_QUIET: Mapping[str, str] = {
    **NO_TELEMETRY,
    # the terminal is ours: what a flow has to say is in the summary and on the server
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def external() -> dict[str, str]:
    """The variables for the server that the user names; empty when none is named."""
    url = os.environ.get(API_URL)
    if not url:
        return {}
    heartbeat = os.environ.get(HEARTBEAT) or os.environ.get(_OLD_HEARTBEAT) or str(HEARTBEAT_SECONDS)
    return {API_URL: url, HEARTBEAT: heartbeat}


def check_reachable(
    url: str, *, setting: str = API_URL, way_out: str = "unset it to use the embedded server"
) -> None:
    """Ask the server that the user names in `setting` whether it is there; Prefect itself would try for minutes.

    Raises:
        ConfigurationError: when it is not.
    """
    problem = "it is no API's URL, which looks like http://127.0.0.1:4200/api"
    if (address := _health_address(url)) is not None:
        problem = _problem(address)
    if problem:
        raise ConfigurationError(setting, without_query(scrub_address(url)), problem, way_out)


def _health_address(url: str) -> str | None:
    """Where the API tells of its health, without user and password, which `urlopen` does not take."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}/health"


def _problem(address: str) -> str:
    """What is wrong, if anything; keys and certificates are Prefect's own matter."""
    try:
        urlopen(address, timeout=HEALTH_SECONDS).close()  # noqa: S310  # its scheme was looked at
    except HTTPError as error:
        error.close()
        return f"it answers with HTTP {error.code}" if error.code >= 500 else ""
    except URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return ""
        why = reason(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
        return f"nothing answers: {scrub(why)}"
    except (OSError, ValueError, HTTPException) as error:
        return f"nothing answers: {scrub(reason(error))}"
    return ""


def embedded(folder: Path, api_url: str) -> dict[str, str]:
    """The variables for an embedded server whose files lie in `folder`."""
    return {
        API_URL: api_url,
        "PREFECT_UI_URL": "",  # it serves none, and nothing may link to it
        "PREFECT_HOME": str(folder),
        "PREFECT_LOGGING_TO_API_ENABLED": "false",  # the log would end with the server
        # It is on this machine and never starts again: each request to one that died would take a minute.
        "PREFECT_CLIENT_MAX_RETRIES": "1",
        **without_proxy("127.0.0.1"),
    }


@contextmanager
def prefect_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set `variables`, and quiet defaults where the user has said nothing, for the length of the block.

    Prefect takes them over when it is imported; one that has been imported before is told them too.
    """
    quiet = {name: value for name, value in _QUIET.items() if name not in os.environ}
    if "PREFECT_LOGGING_LEVEL" in os.environ:
        quiet.pop("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", None)  # who asks for a log wants to see it
    before = dict(os.environ)
    os.environ.update(quiet | dict(variables))
    try:
        from prefect.settings import temporary_settings  # noqa: PLC0415  # only now is the environment as it should be

        updates = {
            key: variables[name]
            for name, key in (
                (API_URL, "api.url"),
                ("PREFECT_UI_URL", "ui_url"),
                ("PREFECT_HOME", "home"),
                ("PREFECT_LOGGING_TO_API_ENABLED", "logging.to_api.enabled"),
                ("PREFECT_CLIENT_MAX_RETRIES", "client.max_retries"),
                (HEARTBEAT, "flows.heartbeat_frequency"),
            )
            if name in variables
        }
        with temporary_settings(updates=updates):
            yield
    finally:
        for name in quiet.keys() | variables.keys():
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


@contextmanager
def without_events() -> Iterator[None]:
    """Emit no events inside the block: nobody listens to them on an embedded server.

    On one that died each would be tried for seconds, and its loss told in many lines.
    """
    from prefect.events.clients import NullEventsClient  # noqa: PLC0415  # as above
    from prefect.events.worker import EventsWorker  # noqa: PLC0415

    EventsWorker.set_client_override(NullEventsClient)
    try:
        yield
    finally:
        EventsWorker.set_client_override(None)


def without_proxy(host: str) -> dict[str, str]:
    """Variables by which a proxy of the environment is not asked for `host`, an address of this machine."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    known = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    value = f"{known},{host}".lstrip(",")
    return {"NO_PROXY": value, "no_proxy": value}
