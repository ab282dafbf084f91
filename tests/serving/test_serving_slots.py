"""One benchmark at a time for each subject: flow runs side by side on one machine and on two, and a terminal beside them."""

from __future__ import annotations

import pytest
from outboxes import titles

pytestmark = pytest.mark.served


def _loads(folder, run_id):
    lines = (folder / f"{run_id}.loads").read_text().split()
    return [int(each) for each in lines[1::2]]


def test_the_second_of_two_runs_loads_nothing_before_the_first_one_has_ended(side_by_side):
    seen = side_by_side
    first, *_ = _loads(seen.stack.results, seen.first)
    assert seen.second_run["state_name"] == "Completed"
    assert _loads(seen.results, seen.second)[0] > seen.killed > first


def test_a_command_in_a_terminal_is_refused_while_a_deployment_runs(side_by_side):
    code, told = side_by_side.terminal
    assert code == 3
    assert "is being loaded by baseline (process" in told


def test_a_run_of_another_machine_is_refused_by_a_state_that_names_the_run_that_loads(side_by_side):
    name, afar = side_by_side.first_run["name"], side_by_side.afar_run
    assert (afar["state_type"], afar["state_name"]) == ("FAILED", "SlotTaken")
    message = afar["state"]["message"]
    assert f"is being loaded by the flow run {name} (" in message
    assert "NIGHTBENCH_RUN__WAIT_SECONDS" in message


def test_a_killed_run_has_crashed_and_is_told(side_by_side):
    assert side_by_side.first_run["state_type"] == "CRASHED"
    assert titles(side_by_side.outbox) == ["baseline: crashed"]


def test_a_killed_run_has_its_slot_among_machines_until_its_lease_has_run_out(side_by_side):
    assert side_by_side.after_kill["active_slots"] == 1


def test_a_run_that_ends_gives_its_slot_back(side_by_side):
    assert (side_by_side.at_last["active_slots"], side_by_side.at_last["limit"]) == (0, 1)
