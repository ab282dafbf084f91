"""What the helpers do while nobody watches: next to nothing. Their time is in `benchmarks/observability.py`."""

import asyncio
import contextlib
import sys

import pytest
import sentry_sdk

from nightbench.observability import (
    capture_exception,
    capture_message,
    start_transaction,
    trace_async,
    trace_sync,
)

MOST_CALLS = 16
"""Of Python and C together, beside those of the bare function; the SDK's answer that it has no client is 9 of them."""


def bare():
    pass


async def bare_coroutine():
    pass


traced_coroutine = trace_async(bare_coroutine)


def begin():
    with start_transaction("work", "task"):
        pass


def calls(function):
    """How many functions are called."""
    seen = []
    function()  # what is imported or cached at the first call is not counted
    sys.setprofile(lambda _frame, event, _arg: seen.append(event) if event in {"call", "c_call"} else None)
    try:
        function()
    finally:
        sys.setprofile(None)
    return len(seen)


def step(function):
    """Run a coroutine that waits for nothing, without a loop."""
    with contextlib.suppress(StopIteration):
        function().send(None)


@pytest.mark.parametrize(
    ("helped", "alone"),
    [
        (lambda: capture_exception(ValueError()), ValueError),
        (lambda: capture_message("text", "info", {"a": 1}), bare),
        (begin, bare),
        (trace_sync(bare), bare),
        (lambda: step(traced_coroutine), lambda: step(bare_coroutine)),
    ],
    ids=["capture_exception", "capture_message", "start_transaction", "trace_sync", "trace_async"],
)
def test_a_helper_asks_whether_somebody_watches_and_no_more(helped, alone):
    assert not sentry_sdk.get_client().is_active()
    assert calls(helped) - calls(alone) <= MOST_CALLS


def test_what_is_traced_does_what_it_did():
    assert asyncio.run(trace_async(op="x")(asyncio.sleep)(0, "result")) == "result"
    assert trace_sync(len)([1, 2]) == 2
