"""Transactions and spans: whose child they are, how they end, and what is left of the function they are around."""

import asyncio
import inspect
import threading
from functools import partial

import pytest
import sentry_sdk
from watched import kept

from nightbench.observability import capture_message, start_transaction, trace_async, trace_sync
from nightbench.observability.sampling import PRODUCTION, sampler


def the_transaction(transport):
    (transaction,) = transport.of("transaction")
    return transaction


def tree(transaction):
    """Each span's name with its parent's."""
    names = {span["span_id"]: span["description"] for span in transaction["spans"]}
    names[transaction["contexts"]["trace"]["span_id"]] = transaction["transaction"]
    return sorted((span["description"], names[span["parent_span_id"]]) for span in transaction["spans"])


@trace_async(op="chat.reply")
async def reply(text: str, *, delay: float = 0) -> str:
    """Answer."""
    await asyncio.sleep(delay)
    look_up(text)
    return text.upper()


@trace_sync(op="db.query")
def look_up(text: str) -> int:
    return len(text)


def test_a_transaction_has_the_spans_of_what_it_calls():
    async def exchange():
        with start_transaction("exchange", op="chat"):
            return await reply("hello")

    with kept() as transport:
        assert asyncio.run(exchange()) == "HELLO"
    transaction = the_transaction(transport)
    assert (transaction["transaction"], transaction["contexts"]["trace"]["op"]) == ("exchange", "chat")
    assert tree(transaction) == [("look_up", "reply"), ("reply", "exchange")]
    assert {span["op"] for span in transaction["spans"]} == {"chat.reply", "db.query"}


def test_calls_at_once_are_siblings():
    async def exchange():
        with start_transaction("exchange", op="chat"):
            await asyncio.gather(*(reply("x", delay=number / 1e4) for number in range(50)))

    with kept() as transport:
        asyncio.run(exchange())
    spans = tree(the_transaction(transport))
    assert spans == [("look_up", "reply")] * 50 + [("reply", "exchange")] * 50


def test_200_transactions_at_once_keep_to_themselves():
    async def work(number, everyone):
        with start_transaction(f"work {number}", op="task"):
            sentry_sdk.set_tag("number", number)
            await everyone.wait()
            await reply(str(number))
            capture_message(f"message {number}")

    async def all_of_them():
        everyone = asyncio.Barrier(200)
        await asyncio.gather(*(work(number, everyone) for number in range(200)))
        capture_message("after")

    with kept() as transport:
        asyncio.run(all_of_them())
    *events, after = transport.of("event")
    transactions = {each["tags"]["number"]: each for each in transport.of("transaction")}
    assert len(events) == len(transactions) == 200
    for event in events:
        number = event["tags"]["number"]
        transaction = transactions[number]
        assert (event["message"], transaction["transaction"]) == (f"message {number}", f"work {number}")
        assert event["contexts"]["trace"]["trace_id"] == transaction["contexts"]["trace"]["trace_id"]
        assert tree(transaction) == [("look_up", "reply"), ("reply", f"work {number}")]
    assert "tags" not in after


def test_a_transaction_inside_of_one_is_a_span_of_it():
    with kept() as transport, start_transaction("outer", op="task"), start_transaction("inner", op="step"):
        look_up("x")
    assert tree(the_transaction(transport)) == [("inner", "outer"), ("look_up", "inner")]


def test_a_task_that_outlives_its_transaction_begins_its_own():
    async def request():
        with start_transaction("request", op="http.server"):
            task = asyncio.create_task(later())
            await begun.wait()
            return task

    async def later():
        with sentry_sdk.isolation_scope():  # as a watched task has; it keeps the span that it began under
            begun.set()
            await over.wait()
            with start_transaction("later", op="task"):
                pass

    async def both():
        task = await request()
        over.set()
        await task

    begun, over = asyncio.Event(), asyncio.Event()
    with kept() as transport:
        asyncio.run(both())
    assert [each["transaction"] for each in transport.of("transaction")] == ["request", "later"]


def test_outside_of_a_transaction_a_traced_function_just_runs():
    with kept() as transport:
        assert asyncio.run(reply("hello")) == "HELLO"
        assert look_up("hello") == 5
    assert transport.items == []


def test_threads_have_transactions_of_their_own():
    def work(number):
        with start_transaction(f"work {number}", op="task"):
            everyone.wait()
            look_up("x")

    everyone = threading.Barrier(8)
    with kept() as transport:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    transactions = transport.of("transaction")
    assert sorted(each["transaction"] for each in transactions) == [f"work {number}" for number in range(8)]
    assert all(tree(each) == [("look_up", each["transaction"])] for each in transactions)


class _OwnError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (_OwnError(), "internal_error"),
        (StopIteration(), "internal_error"),
        (KeyboardInterrupt(), "internal_error"),
        (asyncio.CancelledError(), "cancelled"),
        (SystemExit(0), "ok"),
        (SystemExit("no"), "internal_error"),
    ],
    ids=repr,
)
def test_an_exception_passes_unchanged_and_marks_the_status(error, status):
    @trace_sync
    def fail():
        raise error

    with kept() as transport:
        with pytest.raises(type(error)) as caught, start_transaction("work", op="task"):
            fail()
        assert caught.value is error
    transaction = the_transaction(transport)
    assert transaction["contexts"]["trace"]["status"] == status
    assert [span["status"] for span in transaction["spans"]] == [status]


def test_a_cancelled_task_is_cancelled_not_broken():
    async def cancelled():
        with start_transaction("work", op="task"):
            task = asyncio.create_task(reply("x", delay=60))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with kept() as transport:
        asyncio.run(cancelled())
    (span,) = the_transaction(transport)["spans"]
    assert span["status"] == "cancelled"


def test_what_is_given_can_be_told_more():
    with kept() as transport, start_transaction("work", op="task") as transaction:
        transaction.set_tag("rows", 3)
        transaction.set_status("deadline_exceeded")
    sent = the_transaction(transport)
    assert (sent["tags"], sent["contexts"]["trace"]["status"]) == ({"rows": 3}, "deadline_exceeded")


def test_when_nobody_watches_what_is_given_takes_it_as_well():
    with start_transaction("work", op="task") as transaction:
        transaction.set_tag("rows", 3)
        transaction.set_data("rows", 3)
        transaction.start_child(op="x").set_status("ok")


def test_a_decision_against_a_transaction_holds_for_its_spans():
    with kept(traces_sampler=lambda _: 0.0) as transport, start_transaction("work", op="task"):
        look_up("x")
    assert transport.items == []


def test_the_sampler_sees_the_name():
    seen = []
    rate = sampler(PRODUCTION)

    def look(context):
        seen.append(rate(context))
        return 0.0

    with kept(traces_sampler=look), start_transaction("/api/v1/pam", op="websocket.server"):
        pass
    assert seen == [PRODUCTION.websocket]


@pytest.mark.parametrize("decorate", [trace_async, trace_async(), trace_async(op="x")])
def test_an_async_function_stays_what_it_is(decorate):
    async def ask(question: str, /, *, times: int = 1) -> list[str]:
        """Ask."""
        return [question] * times

    traced = decorate(ask)
    assert inspect.iscoroutinefunction(traced)
    assert inspect.signature(traced) == inspect.signature(ask)
    assert (traced.__name__, traced.__qualname__, traced.__doc__) == ("ask", ask.__qualname__, "Ask.")
    assert asyncio.run(traced("why", times=2)) == ["why", "why"]


@pytest.mark.parametrize("decorate", [trace_sync, trace_sync(), trace_sync(op="x")])
def test_a_function_stays_what_it_is(decorate):
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    traced = decorate(add)
    assert not inspect.iscoroutinefunction(traced)
    assert inspect.signature(traced) == inspect.signature(add)
    assert (traced.__name__, traced.__doc__, traced(2)) == ("add", "Add.", 3)


def test_methods_are_traced_below_their_decorators():
    class Service:
        @classmethod
        @trace_async(op="x")
        async def of_class(cls):
            return cls

        @trace_sync
        def own(self):
            return self

    service = Service()
    assert asyncio.run(service.of_class()) is Service
    assert service.own() is service


async def _pieces():
    yield 1


def _parts():
    yield 1


async def _coroutine():
    return 1


@pytest.mark.parametrize(
    ("decorate", "function", "way_out"),
    [
        (trace_async, _pieces, "trace the function that iterates"),
        (trace_sync, _parts, "trace the function that iterates"),
        (trace_sync, _pieces, "trace the function that iterates"),
        (trace_async, len, "use trace_sync"),
        (trace_sync, _coroutine, "use trace_async"),
        (trace_sync, partial(_coroutine), "use trace_async"),
        (trace_async, "chat", "op= is given by name"),
        (trace_async, classmethod(_coroutine), "@classmethod stands above"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_way_out(decorate, function, way_out):
    with pytest.raises(TypeError, match=way_out):
        decorate(function)
