"""The artifact of a running suite's progress: what it says, and that no server is in the way of a measurement."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest
from builders import websocket_measurement
from staged import staged_host

from nightbench.blocks import Turn
from nightbench.load.progress import Progress
from nightbench.night import Night
from nightbench.settings import Settings
from nightbench.tiers import TIERS

NEVER = 3600.0


class Server:
    """What a server would be told: makings and updates, in order; `refuses` so many of them before it takes any."""

    def __init__(self, refuses: int = 0, *, hangs: bool = False) -> None:
        self.told: list[tuple[float, str]] = []
        self.made = 0
        self.asked, self._news = asyncio.Event(), asyncio.Event()
        self._refuses = refuses
        self._hangs = hangs

    async def create_artifact(self, artifact):
        await self._take(artifact)
        self.made += 1
        return SimpleNamespace(id=uuid4())

    async def update_artifact(self, _id, artifact):
        await self._take(artifact)

    async def _take(self, artifact):
        self.asked.set()
        if self._hangs:
            await asyncio.Event().wait()
        if self._refuses:
            self._refuses -= 1
            raise ConnectionError
        self.told.append((artifact.data, artifact.description))
        self._news.set()

    async def has_taken(self, amount):
        """Return when it has taken so many."""
        while len(self.told) < amount:
            self._news.clear()
            await self._news.wait()


def at(elapsed: float) -> Progress:
    return Progress("websocket", "measure", elapsed, 300, 100, 512.0, 41.2, 3)


@pytest.fixture
def run(monkeypatch):
    """Run a scene with a display that writes to a server."""

    def ran(server_of, scene, *, every=NEVER):
        from flows.beside import progress

        async def main():
            server = server_of()

            @asynccontextmanager
            async def client():
                yield server

            monkeypatch.setattr(progress, "get_client", client)
            async with progress.progress_artifacts(every) as display:
                await scene(display, server)
            return server

        return asyncio.run(main())

    return ran


def test_it_begins_at_nothing_says_how_far_it_is_and_ends_as_done(run):
    async def scene(display, server):
        with display("full 2/3") as show:
            await server.asked.wait()
            show(at(45))
            await server.has_taken(2)

    server = run(Server, scene, every=0)
    assert server.made == 1
    assert server.told == [
        (0.0, "full 2/3: begins"),
        (15.0, "full 2/3 websocket measure 45/300 s 100 users 512/s P95 41.2 ms 3 failed"),
        (100.0, "full 2/3 websocket: done"),
    ]


def test_of_what_happens_between_two_updates_the_last_is_told_and_nothing_after_the_end(run):
    late = []

    async def scene(display, server):
        with display("full") as show:
            for elapsed in range(300):
                show(at(elapsed))
            await server.asked.wait()
        late.append(show)
        show(at(299))

    server = run(Server, scene)
    assert server.told == [
        (99.0, "full websocket measure 299/300 s 100 users 512/s P95 41.2 ms 3 failed"),
        (100.0, "full websocket: done"),
    ]


def test_a_suite_that_breaks_off_is_not_done(run):
    async def scene(display, _server):
        with pytest.raises(RuntimeError), display("full"):
            raise RuntimeError

    assert run(Server, scene).told[-1] == (100.0, "full: broke off")


@pytest.mark.parametrize(("limit", "how"), [(0.01, "ended early"), (60, "done")])
def test_a_suite_that_its_limit_ended_is_not_done(run, monkeypatch, tmp_path, limit, how):
    from flows.beside import progress

    async def load(_plan, _subject, label, *, stop, **_of_the_night):
        if limit < 1:
            await stop.wait()
        return websocket_measurement(tier=label.tier)

    async def scene(display, _server):
        night = Night(Settings(results=tmp_path), "night", display=display)
        monkeypatch.setattr(progress, "running_night", lambda: night)
        await night.measure(TIERS["quick"], Turn("websocket"))

    monkeypatch.setattr("nightbench.night.calibrate_host", staged_host)
    monkeypatch.setattr("nightbench.night.limit_of", lambda *_: limit)
    monkeypatch.setattr("nightbench.night.load_test.run", load)
    assert run(Server, scene).told[-1] == (100.0, f"quick: {how}")


def test_each_run_has_an_artifact_of_its_own(run):
    async def scene(display, _server):
        for label in ("full 1/2", "full 2/2"):
            with display(label):
                pass

    server = run(Server, scene)
    assert server.made == 2
    assert {words for _, words in server.told} == {"full 1/2: done", "full 2/2: done"}


def test_a_server_that_is_back_is_told_again(run):
    async def scene(display, server):
        with display("full") as show:
            show(at(45))
            await server.has_taken(1)

    server = run(lambda: Server(refuses=2), scene, every=0)
    assert (server.made, server.told[-1]) == (1, (100.0, "full websocket: done"))


@pytest.mark.parametrize("server_of", [lambda: Server(refuses=10**9), lambda: Server(hangs=True)])
def test_a_server_that_is_away_or_hangs_holds_nobody_up_and_breaks_nothing(run, server_of, monkeypatch):
    monkeypatch.setattr("flows.beside.progress.LAST_SECONDS", 0.05)
    seen = []

    async def scene(display, server):
        with display("full") as show:
            show(at(45))
            await server.asked.wait()
            seen.append("measured")

    server = run(server_of, scene)
    assert (seen, server.told) == (["measured"], [])


def test_two_displays_show_the_same():
    from nightbench.display import shown_on_both

    seen = []

    def display(name):
        @contextmanager
        def shows(label):
            yield lambda progress: seen.append((name, label, progress.elapsed))

        return shows

    with shown_on_both(display("a"), display("b"))("full") as show:
        show(at(1))
    assert seen == [("a", "full", 1), ("b", "full", 1)]
