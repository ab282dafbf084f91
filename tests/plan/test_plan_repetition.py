"""How often the suites of a tier run: what the tiers have, what --quick leaves, and where it is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.in_process.engine import _parameters
from nightbench.errors import ConfigurationError
from nightbench.plan import Layer, TierChanges, TierPlan, combined, plan_hash
from nightbench.plan.file import read_plan_file
from nightbench.settings import load
from nightbench.tiers import TIERS, shortened, tiers_of

OFTEN = st.builds(TierChanges, blocks=st.none() | st.integers(1, 9), reruns=st.none() | st.integers(0, 9))


@pytest.fixture
def clean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("NIGHTBENCH_")]:
        monkeypatch.delenv(variable)


def often(plan: TierPlan) -> tuple[int, int]:
    return plan.blocks, plan.reruns


def test_a_tier_of_the_night_has_four_of_each_and_the_smoke_test_one():
    assert {tier: often(plan) for tier, plan in TIERS.items()} == {
        "quick": (1, 0),
        "baseline": (4, 4),
        "full": (4, 4),
        "stress": (4, 4),
    }


def test_quick_leaves_one_block():
    assert often(shortened(TIERS["full"])) == (1, 0)


def test_a_night_has_three_tiers_and_any_other_its_own():
    assert tiers_of("nightly") == ("baseline", "full", "stress")
    assert tiers_of("quick") == ("quick",)
    assert tiers_of("nightlly") == ()


def test_it_can_be_set_in_each_place(clean, monkeypatch):
    Path("nightbench.toml").write_text("[plan.full]\nblocks = 5\nreruns = 1\n")
    assert often(load().tier("full")) == (5, 1)
    monkeypatch.setenv("NIGHTBENCH_PLAN__FULL__BLOCKS", "7")
    settings = load()
    assert often(settings.tier("full")) == (7, 1)
    assert often(settings.tier("baseline")) == (4, 4)
    Path("it.yaml").write_text("blocks: 2\n")
    settings = settings.with_plan_file(read_plan_file(Path("it.yaml")))
    assert often(settings.tier("full")) == (2, 1)
    assert often(settings.tier("full", TierChanges(blocks=9))) == (9, 1)


def test_what_is_asked_for_wins_over_quick_and_files_do_not(clean):
    Path("nightbench.toml").write_text("[plan.full]\nblocks = 5\n")
    assert often(load().tier("full", quick=True)) == (1, 0)
    assert often(load().tier("full", TierChanges(blocks=2, reruns=1), quick=True)) == (2, 1)


@given(OFTEN, OFTEN)
def test_changes_upon_changes_are_one_change(below, above):
    plan = TIERS["full"]
    assert plan.changed(combined(below, above)) == plan.changed(below).changed(above)


def test_it_changes_no_number_of_a_suite():
    plan = TIERS["full"].changed(TierChanges(blocks=9, reruns=9))
    for suite in ("websocket", "database"):
        assert plan_hash(getattr(plan, suite)) == plan_hash(getattr(TIERS["full"], suite))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"blocks": 0}, "greater than or equal to 1"),
        ({"blocks": 10}, "less than or equal to 9"),
        ({"reruns": -1}, "greater than or equal to 0"),
        ({"reruns": 10}, "less than or equal to 9"),
        ({"blocks": 1.5}, "integer"),
        ({"blocks": True}, "a number is due"),
        ({"block": 1}, "Extra inputs"),
    ],
)
def test_what_is_no_number_of_runs_is_refused(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        TierChanges(**fields)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[plan.full]\nblocks = 0\n", r"plan\.full\.blocks = '0': .*greater than or equal to 1"),
        ("[plan.full]\nblock = 3\n", r"plan\.full\.block = .*did you mean blocks"),
    ],
)
def test_what_is_wrong_in_the_settings_file_is_named(clean, text, says):
    Path("nightbench.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        load()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "websocket: {users: 3}\nreruns: 99\n",
            r"it\.yaml, line 2: reruns = '99': .*less than or equal to 9",
        ),
        ("rerun: 1\n", r"it\.yaml, line 1: rerun = .*did you mean reruns"),
        ("blocks: {}\n", r"it\.yaml, line 1: blocks = "),
    ],
)
def test_what_is_wrong_in_a_plan_file_is_named(clean, text, says):
    Path("it.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        read_plan_file(Path("it.yaml"))


# --- a tier by itself: what its flow has, unless the command says otherwise -------------------------------


@pytest.mark.parametrize(
    ("file", "asked", "given"),
    [
        ({}, {}, {}),
        ({}, {"blocks": 2}, {"blocks": 2}),
        ({"blocks": 4, "reruns": 1}, {}, {"blocks": 4, "reruns": 1}),
        ({"blocks": 4, "reruns": 1}, {"reruns": 0}, {"blocks": 4, "reruns": 0}),
    ],
)
def test_the_settings_are_for_the_night_and_flags_and_plan_file_for_the_command(clean, file, asked, given):
    Path("nightbench.toml").write_text("[plan.full]\nblocks = 5\nreruns = 5\n")
    settings = load()
    if file:
        settings = settings.with_plan_file(Layer(TierChanges(**file), str))
    parameters = _parameters("full", settings, TierChanges(**asked), quick=False)
    assert {name: parameters[name] for name in ("blocks", "reruns") if name in parameters} == given
