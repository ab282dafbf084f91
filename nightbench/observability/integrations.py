"""What the SDK hooks into: each library that is there, and of the SDK's own defaults the ones that do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nightbench.observability.watching import log

if TYPE_CHECKING:
    from sentry_sdk.integrations import Integration

_Options = dict[str, Any]

_LIBRARIES: tuple[tuple[str, str, _Options], ...] = (
    ("starlette", "StarletteIntegration", {"transaction_style": "url"}),
    ("fastapi", "FastApiIntegration", {"transaction_style": "url"}),
    # a task of its own is no step that somebody would look for; what is traced by name is
    ("asyncio", "AsyncioIntegration", {"task_spans": False}),
    ("redis", "RedisIntegration", {}),
    ("sqlalchemy", "SqlalchemyIntegration", {}),
)


def integrations() -> list[Integration]:
    """Those that could be set up here; one whose library is missing, old or broken is left out, and said to be."""
    return [ready for make in _makers() if (ready := _set_up(make)) is not None]


def watch_running_loop() -> None:
    """Watch the tasks of this thread's event loop, if one runs and is not watched yet.

    The SDK does so only where a loop runs when it is initialised; a backend mostly is imported before.
    """
    if asyncio._get_running_loop() is None:  # noqa: SLF001  # get_running_loop raises, on each call of a thread
        return
    from sentry_sdk.integrations.asyncio import AsyncioIntegration  # noqa: PLC0415  # loaded by now

    AsyncioIntegration.setup_once()


def _makers() -> Iterator[Callable[[], Integration]]:
    yield from (_own("dedupe", "DedupeIntegration"), _own("excepthook", "ExcepthookIntegration"))
    yield from (_own("threading", "ThreadingIntegration"), _logging)
    yield _own("atexit", "AtexitIntegration", callback=_silently)  # its own prints to the terminal
    yield from (_of_library(module, name, options) for module, name, options in _LIBRARIES)


def _logging() -> Integration:
    from nightbench.observability.logs import Logs  # noqa: PLC0415  # late, as all of the SDK

    return Logs()


def _own(module: str, name: str, **options: Any) -> Callable[[], Integration]:
    def make() -> Integration:
        integration: Integration = getattr(import_module(f"sentry_sdk.integrations.{module}"), name)(
            **options
        )
        return integration

    return make


def _of_library(library: str, name: str, options: _Options) -> Callable[[], Integration]:
    def make() -> Integration:
        import_module(library)  # the SDK looks for some only once in a process
        return _own(library, name, **options)()

    return make


def _set_up(make: Callable[[], Integration]) -> Integration | None:
    """The integration, hooked in by the SDK's own machinery: `sentry_sdk.init` would fail for all because of one."""
    from sentry_sdk.integrations import DidNotEnable, setup_integrations  # noqa: PLC0415  # late, as all of the SDK

    try:
        integration = make()
        installed = setup_integrations([integration], with_defaults=False)
    except (DidNotEnable, ImportError) as missing:
        log.debug("left out: %s", missing)
        return None
    except Exception as problem:  # noqa: BLE001  # whatever a broken library raises when it is imported
        log.warning("an integration was left out: %s", type(problem).__name__)
        return None
    return integration if integration.identifier in installed else None


def _silently(pending: int, timeout: float) -> None:
    """Say nothing while the last events are sent."""
