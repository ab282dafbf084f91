"""A watched backend as real servers see it: who is told apart, what has which name, and what never arrives."""

import asyncio
import json
import logging

import pytest
import sentry_sdk
from fastapi import APIRouter, FastAPI, WebSocket
from sentry_servers import kent
from watched import ask, connect

from nightbench import observability
from nightbench.observability import capture_exception, start_transaction, trace_async

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.abcdefghijklmnop"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with kent(tmp_path_factory.mktemp("kent")) as server:
        yield server


@pytest.fixture
def watched():
    """`init`, whose client ends with the test."""
    yield lambda server, environment="development": observability.init(
        server.dsn, version="1.2", environment=environment
    )
    observability.init()


def an_app():
    app, rooms = FastAPI(), APIRouter(prefix="/rooms")

    @app.get("/health")
    async def health():
        raise RuntimeError("the database is away")

    @app.get("/api/v1/users/{user}")
    async def user(user: int):
        raise RuntimeError(f"no user {user}")

    @app.get("/api/v1/refused")
    async def refused():
        raise ConnectionRefusedError

    @app.get("/api/v1/twice")
    async def twice():
        try:
            fail()
        except RuntimeError as error:
            capture_exception(error, tags={"by": "hand"})
            raise

    @app.get("/api/v1/later")
    async def later():
        async def fail():
            raise RuntimeError("in a task of its own")

        background.append(asyncio.create_task(fail()))
        await asyncio.wait(background)

    @rooms.websocket("/{room}/chat")
    async def chat(websocket: WebSocket, room: str):
        await websocket.accept()
        await answer(websocket)
        await websocket.close()

    background = []
    app.include_router(rooms, prefix="/api/v1")
    return app


def fail():
    raise RuntimeError("told once")


@trace_async(op="chat.reply")
async def answer(websocket):
    await websocket.send_text("hello")


def test_200_tasks_at_once_arrive_each_with_their_own(everything, watched):
    async def work(number, everyone):
        with start_transaction(f"work {number}", op="task"):
            sentry_sdk.set_tag("of_task", str(number))
            await everyone.wait()
            error = ValueError(f"task {number}")
            context = {"task": {"number": number}}
            capture_exception(error, context=context, user={"id": f"u{number}"}, tags={"number": number})

    async def all_of_them():
        everyone = asyncio.Barrier(200)
        await asyncio.gather(*(work(number, everyone) for number in range(200)))

    watched(everything, "production")
    asyncio.run(all_of_them())
    sentry_sdk.flush()
    told = [_as_one(item.body) for item in everything.wait_items("event", 200)]
    assert sorted(told) == list(range(200))


def _as_one(event):
    """The number that all parts of an event agree on."""
    (number,) = {
        event["tags"]["number"],
        event["tags"]["of_task"],
        str(event["contexts"]["task"]["number"]),
        event["user"]["id"].removeprefix("u"),
        event["exception"]["values"][-1]["value"].removeprefix("task "),
    }
    return int(number)


def test_what_a_watched_app_tells(everything, watched):
    everything.clear()
    watched(everything)
    app = an_app()

    async def all_of_it():
        for path in ("/health", "/api/v1/users/7", "/api/v1/refused", "/api/v1/twice", "/api/v1/later"):
            await ask(app, path, query=f"token={TOKEN}")
        await connect(app, "/api/v1/rooms/9/chat", query=f"token={TOKEN}", protocols=["chat", TOKEN])

    asyncio.run(all_of_it())
    logging.getLogger("pam").error("logged by %s", "hand")
    sentry_sdk.flush()
    everything.wait_items("transaction", 5)
    items = everything.items()
    events = [item.body for item in items if item.type == "event"]
    transactions = {item.body["transaction"]: item.body for item in items if item.type == "transaction"}

    told = sorted(event["exception"]["values"][-1]["value"] for event in events if "exception" in event)
    assert told == ["in a task of its own", "no user 7", "told once"]
    assert [event["logentry"]["formatted"] for event in events if "logentry" in event] == ["logged by hand"]
    assert {event["release"] for event in events} == {"pam-backend@1.2"}
    assert {event["environment"] for event in events} == {"development"}

    routes = {
        f"/api/v1/{name}" for name in ("users/{user}", "refused", "twice", "later", "rooms/{room}/chat")
    }
    assert routes <= transactions.keys()
    connection = transactions["/api/v1/rooms/{room}/chat"]
    assert connection["contexts"]["trace"]["op"] == "websocket.server"
    assert [(span["op"], span["description"]) for span in connection["spans"]] == [("chat.reply", "answer")]
    assert TOKEN not in json.dumps([(item.header, str(item.body), item.envelope) for item in items])


def test_in_production_the_connection_errors_are_told_as_well(everything, watched):
    everything.clear()
    watched(everything, "production")
    for path in ("/health", "/api/v1/refused"):
        asyncio.run(ask(an_app(), path))
    sentry_sdk.flush()
    (event,) = everything.wait_items("event", 1)
    assert event.body["exception"]["values"][-1]["type"] == "ConnectionRefusedError"


def test_an_error_of_a_transaction_that_was_not_kept_has_its_trace(everything, watched):
    everything.clear()
    watched(everything, "production")
    sentry_sdk.get_client().options["traces_sampler"] = lambda _: 0.0
    with start_transaction("work", op="task") as transaction:
        capture_exception(ValueError("broken"))
    sentry_sdk.flush()
    (event,) = everything.wait_items("event", 1)
    assert event.body["contexts"]["trace"]["trace_id"] == transaction.trace_id
    assert "transaction" not in {item.type for item in everything.items()}
