"""The lease of a slot on a Prefect server that is away, has forgotten it, or gave it to another run."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from prefect.exceptions import ObjectNotFound

from flows.beside import slot
from nightbench.night import Night
from nightbench.settings import Settings
from nightbench.slots.slot import slots
from nightbench.slots.waiting import SlotTakenError

SECRET = "hunter2"


class Server:
    """The requests of a client, answered as the server of one limit does.

    Attributes:
        leases: Those that it knows; the limit is 1.
        away: Whether nothing answers.
        limits: The names of those that there are.
    """

    def __init__(self) -> None:
        self.leases = set()
        self.away = False
        self.limits = set()
        self.running = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    def _answer(self, status=200, **body):
        request = httpx.Request("POST", f"http://pam:{SECRET}@127.0.0.1:4200/api")
        if self.away:
            raise httpx.ConnectError(f"nothing answers at http://pam:{SECRET}@127.0.0.1", request=request)
        answer = httpx.Response(status, json=body, request=request)
        answer.raise_for_status()
        return answer

    async def read_global_concurrency_limit_by_name(self, name):
        self._answer()
        if name not in self.limits:
            raise ObjectNotFound(http_exc=Exception())

    async def create_global_concurrency_limit(self, limit):
        assert limit.limit == 1
        self.limits.add(limit.name)

    async def increment_concurrency_slots_with_lease(self, names, slots, mode, lease_duration, holder=None):
        assert set(names) <= self.limits
        lease = str(uuid4())
        answer = self._answer(423 if self.leases else 200, lease_id=lease)
        self.leases.add(lease)
        return answer

    async def renew_concurrency_lease(self, lease_id, lease_duration):
        self._answer(200 if str(lease_id) in self.leases else 410)

    async def release_concurrency_slots_with_lease(self, lease_id):
        self._answer()
        self.leases.discard(str(lease_id))

    async def read_flow_runs(self, **_):
        self._answer()
        return self.running


@pytest.fixture
def server(monkeypatch):
    made = Server()
    monkeypatch.setattr(slot, "get_client", lambda: made)
    monkeypatch.setattr(slot, "RENEW_SECONDS", 0.0)
    return made


def held(tmp_path, body, *, wait=0.0):
    """Run `body` while the slot is held; what was noted."""
    notes = []
    settings = Settings(
        websocket_url="ws://127.0.0.1:9/chat",
        results=tmp_path / "results",
        run={"slots": tmp_path, "wait_seconds": wait},
    )

    async def scene():
        night = Night(settings, "night", on_note=notes.append)
        own = slots(settings, {"websocket"}, "quick", stop=night.stop, on_note=notes.append)
        async with own, slot.shared_slot(night):
            await body()

    asyncio.run(scene())
    assert SECRET not in "".join(notes)
    return notes


async def a_while():
    for _ in range(50):
        await asyncio.sleep(0)


async def nothing():
    return


def test_it_is_taken_under_a_limit_that_is_made_and_given_back(tmp_path, server):
    seen = []

    async def body():
        seen.extend(server.leases)

    assert held(tmp_path, body) == []
    assert len(seen) == 1
    assert (server.leases, len(server.limits)) == (set(), 1)


def test_a_taken_one_refuses_the_run_and_says_what_frees_it(tmp_path, server):
    server.leases.add("another's")
    with pytest.raises(
        SlotTakenError, match=r"another run: nothing was measured; .*prefect gcl update nightbench-"
    ):
        held(tmp_path, nothing)


def test_a_taken_one_names_the_run_that_has_it(tmp_path, server):
    server.leases.add("another's")
    server.running = [SimpleNamespace(id=uuid4(), name="bold-crow", start_time=None)]
    with pytest.raises(SlotTakenError, match=r"loaded by the flow run bold-crow \(see the Prefect UI\)"):
        held(tmp_path, nothing)


def test_a_server_that_is_away_keeps_no_run_back_and_that_is_said(tmp_path, server):
    server.away = True
    (note,) = held(tmp_path, nothing)
    assert note.startswith(
        "runs of other machines are not kept away: the Prefect server gave no slot: ConnectError"
    )


def test_a_server_that_goes_away_and_comes_back_finds_the_same_lease(tmp_path, server):
    async def body():
        before = set(server.leases)
        server.away = True
        await a_while()
        server.away = False
        await a_while()
        assert server.leases == before

    (note,) = held(tmp_path, body)
    assert "cannot be kept" in note


def test_one_that_was_lost_is_taken_again(tmp_path, server):
    async def body():
        server.leases.clear()
        await a_while()
        assert len(server.leases) == 1

    assert held(tmp_path, body) == []


def test_one_that_was_lost_to_another_run_is_told_and_the_measurement_goes_on(tmp_path, server):
    async def body():
        server.leases.clear()
        server.leases.add("another's")
        await a_while()

    (note,) = held(tmp_path, body)
    assert note.startswith("two runs may be loading the same subject: the WebSocket 127.0.0.1:9/chat")
    assert server.leases == {"another's"}
