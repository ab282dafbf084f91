"""What the rounds of contenders that take turns come to."""

import json

import pytest

from benchmarks import open as open_model
from benchmarks import turns as turns_module
from benchmarks.contenders import NIGHTBENCH, Chat
from benchmarks.processes import ContenderError, Cost, Server
from benchmarks.table import Goal
from benchmarks.turns import Turn, cost_figures, rounds_of

CLOSED = Chat(users=2, seconds=10)
STEADY = Chat(users=2, seconds=10, rate=100)
PEER = "peer"


def turn(exchanges, *, seconds=1.0, chat=STEADY, account=None):
    cost = Cost(0, total_seconds=99.0, load_seconds=seconds, output=json.dumps(account), errors="")
    return Turn(chat, cost, exchanges)


def by_name(figures):
    return {figure.what: figure for figure in figures}


def test_a_cost_is_what_the_server_counted_over_what_the_load_took():
    assert turn(900, seconds=0.5).per_cpu_second == 1800


def test_what_was_due_is_the_rate_over_the_time():
    assert turn(900).of_due == 90


def test_a_ratio_is_of_two_turns_of_one_round_and_its_goal_is_judged():
    # a machine that became twice as slow after the first round changes no ratio
    rounds = [
        {PEER: turn(500), NIGHTBENCH: turn(1000)},
        {PEER: turn(500, seconds=2), NIGHTBENCH: turn(1000, seconds=2)},
        {PEER: turn(500, seconds=2), NIGHTBENCH: turn(1500, seconds=2)},
    ]
    figures = by_name(cost_figures("steady", rounds, {PEER: Goal(">=", 2.5)}))
    ratio = figures["steady: nightbench ÷ peer"]
    assert (ratio.value, ratio.spread, ratio.met) == (2.0, (2.0, 3.0), False)
    assert figures["steady: nightbench"].value == 750
    assert figures["steady: noise, the best round above the median"].value == pytest.approx(100)


@pytest.fixture
def served(monkeypatch):
    """The servers of the turns count what stands in this list, in turn."""
    counts = []

    class Subject:
        def __enter__(self):
            self.server = Server(port=1)
            return self.server

        def __exit__(self, *_):
            self.server.ended["messages"] = counts.pop(0)

    monkeypatch.setattr(turns_module, "server", lambda _kind: Subject())
    return counts


def contender(_server, _chat):
    return turn(0).cost


def test_contenders_take_turns(served):
    served.extend([1000] * 4)
    said = []
    rounds = rounds_of({NIGHTBENCH: contender, PEER: contender}, STEADY, 2, said.append)
    assert [list(turns) for turns in rounds] == [[NIGHTBENCH, PEER]] * 2
    assert said == [f"round {number} of 2: {name}" for number in (1, 2) for name in (NIGHTBENCH, PEER)]


@pytest.mark.parametrize(("chat", "enough"), [(STEADY, 500), (CLOSED, 40)])
def test_who_hardly_came_to_its_work_has_another_turn(served, chat, enough):
    served.extend([enough - 1, enough])
    (turns,) = rounds_of({PEER: contender}, chat, 1, lambda _: None)
    assert turns[PEER].exchanges == enough


def test_who_never_does_is_told(served):
    served.extend([3, 2, 1])
    with pytest.raises(ContenderError, match="only 1 exchanges in 10 s"):
        rounds_of({PEER: contender}, STEADY, 1, lambda _: None)


def test_the_open_model_says_what_its_figures_are_worth():
    starved = "sends were late"
    rounds = [
        {
            NIGHTBENCH: turn(990, account={"reasons": reasons}),
            open_model.K6: turn(800, account={"ok": 600, "failed": 2}),
        }
        for reasons in ([], [starved], [])
    ]
    figures = by_name(open_model.validity_figures("steady", rounds))
    assert figures["steady: k6 (k6/ws), exchanges of those due"].value == 80
    valid = figures["steady: nightbench, valid of 3 rounds"]
    assert (valid.value, valid.note) == (2, starved)
    accounted = figures["steady: k6 (k6/ws), accounted for as right, of what the server counted"]
    assert (accounted.value, accounted.note) == (75, "6 taken for wrong")
