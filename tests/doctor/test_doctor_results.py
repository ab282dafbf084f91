"""What is said of the results and of their second copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from builders import database_measurement, verdict_of, websocket_measurement

from nightbench import settings as settings_module
from nightbench.doctor import backup, results
from nightbench.doctor.results import Stored
from nightbench.history.copying import Lack
from nightbench.history.marks import new_mark
from nightbench.history.store import HistoryStore
from nightbench.tiers import TIERS

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FRESH, OLD = NOW - timedelta(hours=9), NOW - timedelta(hours=37)
FULL = ("websocket", "full")
DATABASE = ("database", "full")
OF_THAT_NIGHT, OF_BEFORE = f"{FRESH:%Y%m%dT%H%M%SZ}-full-1", f"{OLD:%Y%m%dT%H%M%SZ}-full-1"


def test_a_night_takes_what_its_runs_take_when_every_suspect_is_repeated():
    assert results.night_bytes([TIERS["full"], TIERS["quick"]]) == (2 * 8 + 2 * 1) * results.RUN_BYTES


@pytest.mark.parametrize(("free", "state"), [(9, "failure"), (10, "warning"), (299, "warning"), (300, "ok")])
def test_there_has_to_be_room_for_a_night_and_should_be_for_a_month(free, state):
    assert results.judge_disk("/data", free, 10, 300).state == state


@pytest.mark.parametrize(
    ("stored", "states"),
    [
        ({FULL: Stored(), DATABASE: Stored()}, ["warning"]),
        ({FULL: Stored(3, FRESH), DATABASE: Stored(3, FRESH)}, ["ok"]),
        ({FULL: Stored(3, OLD), DATABASE: Stored(3, FRESH)}, ["warning"]),
        ({FULL: Stored(3, OLD), DATABASE: Stored(3, OLD)}, ["warning", "warning"]),
        ({FULL: Stored(3, FRESH), DATABASE: Stored()}, ["warning"]),
    ],
)
def test_an_old_or_missing_night_of_any_suite_and_tier_is_told(stored, states):
    found = list(results.judge_nights(stored, NOW))
    assert [each.state for each in found] == states
    assert all(each.mend == "nightbench run nightly" for each in found if each.state != "ok")


@pytest.mark.parametrize(
    ("fewest", "state", "words"),
    [
        (0, "warning", "until there are 5"),
        (4, "warning", "until there are 5"),
        (7, "warning", "until there are 10"),
        (10, "ok", ""),
    ],
)
def test_the_suite_with_the_fewest_nights_says_what_a_verdict_can(fewest, state, words):
    finding = results.judge_baseline({FULL: Stored(12, FRESH), DATABASE: Stored(fewest, FRESH)}, 5, 10)
    assert finding.state == state
    assert words in finding.why


def test_files_that_cannot_be_read_are_named():
    finding = results.judge_files([(f"runs/{number}", "torn") for number in range(5)])
    assert finding.state == "warning"
    assert finding.why == (
        "5 files are no part of the history: runs/0: torn; runs/1: torn; runs/2: torn; and 2 more"
    )


@pytest.mark.parametrize(
    ("runs", "there", "torn", "state"),
    [
        ({OF_BEFORE, OF_THAT_NIGHT}, {OF_BEFORE, OF_THAT_NIGHT}, (), "ok"),
        ({OF_BEFORE, OF_THAT_NIGHT}, {OF_BEFORE}, (), "ok"),
        ({OF_BEFORE, OF_THAT_NIGHT}, {OF_THAT_NIGHT}, (), "warning"),
        ({OF_BEFORE}, set(), (), "warning"),
        (set(), set(), (), "ok"),
        ({OF_BEFORE}, {OF_BEFORE}, ("runs/x.parquet",), "failure"),
    ],
)
def test_a_copy_may_lack_what_is_younger_than_a_night(runs, there, torn, state):
    lack = Lack((), torn, frozenset(runs), frozenset(there), FRESH if there else None)
    assert backup.judge_backup("/copy", lack, NOW).state == state


def test_stored_nights_are_counted_once_each_for_the_environment_that_is_asked_for(tmp_path):
    store = HistoryStore(tmp_path / "results")
    now = datetime.now(UTC)
    for build in (websocket_measurement, database_measurement):
        for number in range(2):
            run = build(number=number, tier="full", started_at=now - timedelta(hours=30 - number))
            store.save(run, verdict_of(run).targets)
        other = build(number=9, tier="full", environment="prod")
        store.save(other, verdict_of(other).targets)
    settings = settings_module.load({"results": store.root, "cache": tmp_path / "cache"})
    found = list(results.result_findings(settings, [TIERS["full"]]))
    said = {(each.name, each.why) for each in found}
    assert ("last night", "baseline websocket: no valid night yet") in said
    assert not any("full" in why for name, why in said if name == "last night")
    assert [each.state for each in found if each.name in {"results", "files"}] == ["ok", "ok"]


def test_a_night_that_somebody_called_invalid_is_no_valid_one(tmp_path):
    store = HistoryStore(tmp_path / "results")
    run = websocket_measurement(tier="full", started_at=datetime.now(UTC) - timedelta(hours=9))
    store.save(run, verdict_of(run).targets)
    settings = settings_module.load({"results": store.root, "cache": tmp_path / "cache"})

    def said() -> set[str]:
        return {each.why for each in results.result_findings(settings, [TIERS["full"]])}

    assert "baseline websocket: no valid night yet" in said()
    store.save_mark(
        new_mark(
            "invalid",
            environment=run.environment,
            suite=run.suite,
            tier=run.tier,
            run_id=run.run_id,
            night_id=run.night_id,
            who="ops",
            why="a backup ran at the same time",
        )
    )
    assert "no valid night is stored yet" in said()


def test_no_second_location_is_no_warning(tmp_path):
    (finding,) = backup.backup_findings(settings_module.load({"results": tmp_path}))
    assert finding.state == "ok"
