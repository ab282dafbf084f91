"""A rate that no generator can keep up with: the run ends soon, small, and says why."""

import time

from servers import chat_server, polite
from test_websocket_generator import load

from nightbench.websocket import generator
from nightbench.websocket.metrics import websocket_validity

FAR_ABOVE = 1_000_000
"""Messages a second; a core does less than a tenth of it."""


def test_a_generator_that_cannot_keep_up_gives_up_and_names_the_way_out(monkeypatch):
    monkeypatch.setattr(generator, "_BEHIND_SECONDS", 1.0)
    with chat_server(polite) as url:
        result = load(url, rate=FAR_ABOVE, duration=3600, warmup=0)
    validity = websocket_validity(result)
    assert not validity.complete
    assert validity.reasons[0].endswith(
        "the generator fell behind its schedule: use a lower rate, more shards or a quieter machine"
    )


def test_what_it_came_to_by_then_is_accounted_and_nothing_else(monkeypatch):
    monkeypatch.setattr(generator, "_BEHIND_SECONDS", 1.0)
    with chat_server(polite) as url:
        result = load(url, rate=FAR_ABOVE, duration=3600, ramp=0, warmup=0)
    message = result.counted["message"]
    # a user whose schedule began when it was connected left out what was due before
    assert 0 < message.scheduled <= result.phases.measured_seconds * FAR_ABOVE + 1


def test_behind_its_schedule_it_goes_on_reading_replies_and_keeping_time(monkeypatch):
    monkeypatch.setattr(generator, "_BEHIND_SECONDS", 3.0)
    active = []
    with chat_server(polite) as url:
        result = load(
            url, rate=FAR_ABOVE, duration=3600, ramp=0, warmup=0, on_progress=lambda p: active.append(p.rate)
        )
    assert result.counted["message"].ok > 0
    assert len(active) >= 2
    assert all(rate > 0 for rate in active[1:])


def test_frozen_for_long_and_then_in_time_again_it_does_not_give_up(monkeypatch):
    monkeypatch.setattr(generator, "_BEHIND_SECONDS", 0.2)
    frozen = []

    def freezes_once(progress):
        if progress.phase == "measure" and not frozen:
            frozen.append(progress)
            time.sleep(0.6)  # of the event loop itself, as a machine that is suspended does

    with chat_server(polite) as url:
        result = load(url, rate=1200, duration=1.5, on_progress=freezes_once)
    assert frozen
    assert result.given_up is None
    assert result.counted["message"].ok == result.counted["message"].scheduled == 1800
