"""Begin to be watched: one call when a backend starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from nightbench.observability.filters import event_filter
from nightbench.observability.sampling import is_development, rates_in, sampler
from nightbench.observability.watching import log


def init(
    dsn: str | None = None,
    service: str = "pam-backend",
    version: str | None = None,
    environment: str | None = None,
) -> bool:
    """Have Sentry watch this process; call it once, before the app is made.

    Everything that leaves passes the scrubber, whatever the SDK's own settings are. A watcher never stops a
    backend from starting: what is wrong with `dsn` is logged, and the process runs unwatched.

    Args:
        dsn: Where to; else ``SENTRY_DSN``. With neither nobody watches.
        service: The name of this backend: the first part of the release, and a tag.
        version: The second part, ``service@version``; else ``SENTRY_RELEASE`` is the release.
        environment: Else ``SENTRY_ENVIRONMENT``, else "production". development, dev, local and test have the rates
            and filters of a desk.

    Returns:
        Whether it watches. Called again it ends what an earlier call began.
    """
    _end()
    address = (dsn or os.environ.get("SENTRY_DSN") or "").strip()
    if not address:
        log.info("Sentry is off: no DSN was given, and SENTRY_DSN is not set")
        return False
    if not _is_dsn(address):
        log.warning(
            "Sentry is off: the DSN that was given is none; one looks like https://<key>@host/project"
        )
        return False
    try:
        _begin(address, service, _release(service, version), _environment(environment))
    except Exception as problem:  # noqa: BLE001  # a backend must not die of its watcher
        # the kind alone: the text of an error may quote what it was given
        log.warning("Sentry is off: it could not be set up (%s)", type(problem).__name__)
        _end()
        return False
    return True


def _begin(dsn: str, service: str, release: str, environment: str) -> None:
    import sentry_sdk  # noqa: PLC0415  # importing this room must stay quick

    from nightbench.observability import privacy, profiling  # noqa: PLC0415
    from nightbench.observability.integrations import integrations, watch_running_loop  # noqa: PLC0415

    profiling.make_safe()
    rates, development = rates_in(environment), is_development(environment)
    privacy.guard_errors()
    sentry_sdk.init(
        **privacy.options(),
        dsn=dsn,
        release=release,
        environment=environment,
        # the SDK would take the host's name, which mostly is that of its owner or tells of the network
        server_name=os.environ.get("SENTRY_SERVER_NAME", "").strip() or environment,
        integrations=integrations(),
        default_integrations=False,
        auto_enabling_integrations=False,
        sample_rate=1.0,
        traces_sampler=_watching_its_loop(sampler(rates), watch_running_loop),
        enable_backpressure_handling=False,  # it halves the rates for as long as a server limits anything
        profile_session_sample_rate=rates.profiles,
        profile_lifecycle="trace",
        transport_queue_size=1000,  # of 100 a burst of errors would lose the rest
        shutdown_timeout=5,  # a burst of errors at the end takes its time to be sent
        before_send=event_filter(development=development),
    )
    sentry_sdk.get_global_scope().set_tag("service", service)
    watch_running_loop()
    log.info("Sentry watches %s in %s", release, environment)


def _watching_its_loop(
    rate: Callable[[Mapping[str, Any]], float], watch_running_loop: Callable[[], None]
) -> Callable[[Mapping[str, Any]], float]:
    """A sampler is the first of ours that runs inside of the event loop when `init` ran before there was one."""

    def traces_sampler(sampling_context: Mapping[str, Any]) -> float:
        watch_running_loop()
        return rate(sampling_context)

    return traces_sampler


def _end() -> None:
    """Send what an earlier `init` of ours still has, and let nobody watch; a client of the backend's own stays."""
    if "sentry_sdk" not in sys.modules:
        return  # nothing has begun, and a backend that is not watched need not load it
    from sentry_sdk import get_global_scope  # noqa: PLC0415  # as above

    from nightbench.observability import privacy  # noqa: PLC0415

    scope = get_global_scope()
    if isinstance(getattr(scope.client, "transport", None), privacy.ScrubbingTransport):
        scope.client.close()
        scope.set_client(None)
        scope.remove_tag("service")


def _is_dsn(text: str) -> bool:
    from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415  # as above

    try:
        Dsn(text)
    except (BadDsn, ValueError):
        return False
    return True


def _release(service: str, version: str | None) -> str:
    if version:
        return f"{service}@{version}"
    return os.environ.get("SENTRY_RELEASE") or f"{service}@unknown"


def _environment(environment: str | None) -> str:
    return (environment or os.environ.get("SENTRY_ENVIRONMENT") or "").strip() or "production"
