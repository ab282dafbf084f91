"""A predicate of the user's that fails is no fault of the subject: the run is invalid, and says what it did."""

import json
import sys

import pytest
from servers import chat_server, polite
from test_websocket_generator import load

from nightbench.websocket.metrics import websocket_validity


def right(message_id, message):
    return message.get("id") == message_id


def raising(message_id, message):
    raise ValueError(message_id)


def leaving(_message_id, _message):
    sys.exit(1)


async def of_coroutines(_message_id, _message):
    return True


def hinting(message_id, message):
    return message["id"] if right(message_id, message) else None


FAILURES = [
    (raising, "raised ValueError"),
    (leaving, "raised SystemExit"),
    (of_coroutines, "answered with coroutine"),
    (hinting, "answered with str"),
]


def replies_by(predicate):
    return {"match": "predicate", "predicate": f"{__name__}:{predicate.__name__}"}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(("predicate", "did"), FAILURES)
def test_a_run_whose_predicate_fails_is_invalid_and_says_what_it_did(predicate, did):
    with chat_server(polite) as url:
        result = load(url, timeout=0.2, reply=replies_by(predicate))
    failures = result.stray["predicate_failed"]
    assert failures > 0
    assert (
        f"reply.predicate failed for {failures} messages, at first it {did}: "
        "it has to answer True or False to whatever the subject sends"
    ) in websocket_validity(result).reasons


def test_a_predicate_that_answers_makes_no_run_invalid():
    async def also_of_others(websocket):
        async for text in websocket:
            await websocket.send(json.dumps({"type": "done", "id": "of nobody"}))
            await websocket.send(json.dumps({"type": "done", "id": json.loads(text)["id"]}))

    with chat_server(also_of_others) as url:
        result = load(url, reply=replies_by(right))
    assert result.counted["message"].ok == result.counted["message"].scheduled
    assert result.stray["unasked_reply"] > 0
    assert not any("predicate" in reason for reason in websocket_validity(result).reasons)
