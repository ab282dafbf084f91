"""What a run leaves behind with the subject, and what it keeps while it goes on."""

import itertools

from servers import answer, chat_server, polite
from test_websocket_generator import load

from nightbench.websocket import generator, messages
from nightbench.websocket.messages import Messages


def test_everybody_says_goodbye_at_the_end():
    codes = []

    async def noting(websocket):
        await polite(websocket)
        codes.append(websocket.close_code)

    with chat_server(noting) as url:
        load(url, users=5)
    assert codes == [1000] * 5


def test_what_was_answered_is_not_kept_until_its_time_out(monkeypatch):
    held = []

    class Watched(Messages):
        def expire(self, now):
            super().expire(now)
            held.append(len(self._deadlines))

    monkeypatch.setattr(generator, "Messages", Watched)
    with chat_server(polite) as url:
        result = load(url, users=2, rate=200, timeout=3600)
    assert result.counted["message"].ok == 200
    assert held[-1] == 0


def test_what_was_answered_is_not_kept_behind_one_that_is_not(monkeypatch):
    held, asked = [], itertools.count()

    class Watched(Messages):
        def expire(self, now):
            super().expire(now)
            held.append((len(self._deadlines), self.under_way))

    async def forgets_the_first(websocket):
        async for text in websocket:
            if next(asked):
                await answer(websocket, text)

    monkeypatch.setattr(generator, "Messages", Watched)
    monkeypatch.setattr(messages, "_WORTH_SWEEPING", 10)
    with chat_server(forgets_the_first) as url:
        result = load(url, users=1, rate=400, timeout=3)
    both = result.counted["message"] + result.uncounted["message"]
    assert (both.timed_out, both.ok) == (1, both.scheduled - 1)
    assert all(kept <= 2 * under_way + 10 for kept, under_way in held)
