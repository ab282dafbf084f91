"""How long a piece of work took: transactions, and the functions inside of them as spans."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from nightbench.observability.watching import watching

if TYPE_CHECKING:
    from sentry_sdk.tracing import Span

P = ParamSpec("P")
T = TypeVar("T")


def start_transaction(name: str, op: str = "task") -> AbstractContextManager[Span]:
    """A unit of work, for the length of a block; ``as`` gives it, to set data or a status.

    Inside of a transaction, as of a request, it is a span of that: no time is counted twice, and one decision
    holds for the whole. Outside of one it is a transaction with scopes of its own, so that a tag or user that the
    block sets goes no further. An exception passes unchanged and marks the status.

    Args:
        name: The same for the same work, as "rebuild index"; no ids in it.
        op: The kind of work, as "queue.task".
    """
    sdk = watching()
    return nullcontext(_nobody()) if sdk is None else _transaction(sdk, name, op)


@overload
def trace_async(function: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def trace_async(
    *, op: str = ...
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, Coroutine[Any, Any, T]]]: ...
def trace_async(function: Any = None, /, *, op: str = "function") -> Any:
    """A decorator: each call of an ``async def`` is a span of the transaction it runs in, if there is one.

    Calls that run at once, as under `asyncio.gather`, are siblings and never each other's children.

    Args:
        function: What is decorated; ``@trace_async`` and ``@trace_async(op=…)`` are both right.
        op: The kind of work, as "db.query" or "chat.reply".

    Raises:
        TypeError: for what is no coroutine function, with the way out.
    """

    def decorate(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        name = _name_of(function, asynchronous=True)

        @wraps(function)
        async def traced(*args: P.args, **kwargs: P.kwargs) -> T:
            sdk = watching()
            if sdk is None:
                return await function(*args, **kwargs)
            with _span(sdk, name, op):
                return await function(*args, **kwargs)

        return traced

    return decorate if function is None else decorate(function)


@overload
def trace_sync(function: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def trace_sync(*, op: str = ...) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def trace_sync(function: Any = None, /, *, op: str = "function") -> Any:
    """The same as `trace_async` for a plain ``def``.

    Args:
        function: As there.
        op: As there.

    Raises:
        TypeError: for a coroutine function or a generator, with the way out.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        name = _name_of(function, asynchronous=False)

        @wraps(function)
        def traced(*args: P.args, **kwargs: P.kwargs) -> T:
            sdk = watching()
            if sdk is None:
                return function(*args, **kwargs)
            with _span(sdk, name, op):
                return function(*args, **kwargs)

        return traced

    return decorate if function is None else decorate(function)


def _name_of(function: Any, *, asynchronous: bool) -> str:
    """The name of a span; TypeError for what does not begin and end with its call."""
    if not callable(function):
        kind = type(function).__name__
        raise TypeError(f"a {kind} cannot be traced: op= is given by name, and @classmethod stands above")
    name: str = getattr(function, "__qualname__", None) or type(function).__name__
    inner = inspect.unwrap(function)
    if inspect.isasyncgenfunction(inner) or inspect.isgeneratorfunction(inner):
        raise TypeError(
            f"{name} is a generator, which runs in pieces: trace the function that iterates over it"
        )
    if asynchronous and not inspect.iscoroutinefunction(inner):
        raise TypeError(f"{name} is no coroutine function: use trace_sync")
    if not asynchronous and inspect.iscoroutinefunction(inner):
        raise TypeError(f"{name} is a coroutine function: use trace_async")
    return name


@contextmanager
def _transaction(sdk: Any, name: str, op: str) -> Iterator[Span]:
    if _under_way(sdk.get_current_span()):
        with _span(sdk, name, op) as span:
            yield span
        return
    with sdk.isolation_scope():
        span = sdk.get_current_scope().start_transaction(name=name, op=op)
        with _recorded(span):
            yield span


@contextmanager
def _span(sdk: Any, name: str, op: str) -> Iterator[Any]:
    """A span in a scope of its own: tasks begin with their parent's scope object, and a span is kept in it."""
    if sdk.get_current_span() is None:
        yield None
        return
    with sdk.new_scope() as scope:
        span = scope.start_span(name=name, op=op)
        with _recorded(span):
            yield span


@contextmanager
def _recorded(span: Any) -> Iterator[None]:
    span.__enter__()
    try:
        yield
    except BaseException as error:
        span.set_status(_status_after(error))
        raise
    finally:
        # without the exception: the SDK would call the end of a cancelled task an internal error
        span.__exit__(None, None, None)


def _status_after(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    if isinstance(error, SystemExit) and error.code in {0, None}:
        return "ok"
    return "internal_error"


def _under_way(span: Any) -> bool:
    """Whether `span` is part of a transaction that is still open: a task may live longer than its request."""
    transaction = None if span is None else span.containing_transaction
    return transaction is not None and transaction.timestamp is None


@cache
def _nobody() -> Span:
    from sentry_sdk.tracing import NoOpSpan  # noqa: PLC0415  # not before somebody asks

    return NoOpSpan()
