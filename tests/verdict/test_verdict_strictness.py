"""The settings of the verdict, and that whatever judges a night judges by them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from builders import websocket_measurement

from nightbench.calibration import HostCalibration
from nightbench.cli import run_command
from nightbench.history.store import HistoryStore
from nightbench.plan import NIGHTLY_TIERS
from nightbench.running import open_night
from nightbench.settings import load
from nightbench.strictness import policy_of
from nightbench.subject import Subject
from nightbench.verdict.policy import Policy
from nightbench.verdict_settings import VerdictSettings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
P95 = "message.response_time.p95"


def night_of(number: int, factor: float = 1.0):
    wobble = 1 + 0.02 * (number % 3 - 1)
    return replace(websocket_measurement(number=number, median_ms=20 * wobble * factor), windows=())


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """Twelve nights."""
    folder = tmp_path_factory.mktemp("earlier")
    for number in range(12):
        HistoryStore(folder).save(night_of(number), ())
    return folder


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch, earlier):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTBENCH_CACHE", str(tmp_path / "cache"))
    shutil.copytree(earlier, "results", copy_function=os.link)


def judged(name: str, factor: float = 1.1):
    """The line of P95 of a night that was `factor` slower; the next one knows nothing of it."""
    results = Path(tempfile.mkdtemp(dir=".")) / "results"
    shutil.copytree("results", results, copy_function=os.link)

    async def main():
        async with open_night(name, load({"results": results})) as night:
            night.record(replace(night_of(50, factor), night_id=night.night_id))
            (verdict,) = night.judge("full")
            return next(line for line in verdict.judged.lines if line.metric == P95)

    return asyncio.run(main())


def settings_file(text: str) -> None:
    Path("nightbench.toml").write_text(f"[verdict]\n{text}")


def test_what_is_not_set_is_as_usual():
    assert policy_of(load()) == Policy()
    assert policy_of(load(), judgements=3) == Policy(judgements=3)


def test_every_setting_reaches_the_policy():
    numbers = {
        "effect_floor": 0.2,
        "baseline_nights": 30,
        "gating_nights": 12,
        "least_nights": 6,
        "alpha": 0.02,
        "sustained_alpha": 0.03,
        "change_alpha": 0.04,
        "prior_weight": 4.5,
        "most_noise": 0.15,
    }
    tables = {"gates": {"query.*": False}, "higher_is_worse": {"query.rows": False}}
    asked = load({"verdict": {**numbers, **tables}})
    assert set(asked.verdict.model_fields_set) | {"effect_floors"} == set(type(asked.verdict).model_fields)
    assert policy_of(asked) == replace(Policy(), **numbers, **tables)


def test_the_docs_list_every_setting_with_its_default_and_their_example_is_one():
    text = DOCS.read_text(encoding="utf-8")
    table = text.partition("in `[verdict]`")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", table, re.MULTILINE))
    assert set(told) == set(VerdictSettings.model_fields)
    numbers = {name: float(default) for name, default in told.items() if default[0].isdigit()}
    assert numbers == {name: getattr(Policy(), name) for name in numbers}
    assert len(numbers) == len(told) - 3
    (example,) = [code for code in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[verdict]" in code]
    Path("nightbench.toml").write_text(example)
    policy = policy_of(load())
    assert policy.floor_of("message.response_time.p95") == 0.03
    assert not policy.gates_on("query[nightly_report].response_time.p95")


def test_patterns_of_the_settings_come_before_the_usual_ones():
    floors = {"message.success_rate": 0.002, "*.p99": 0.3}
    policy = policy_of(load({"verdict": {"effect_floors": floors}}))
    assert [
        policy.floor_of(name)
        for name in ("message.success_rate", "query.success_rate", "query.response_time.p99")
    ] == [
        0.002,
        0.01,
        0.3,
    ]
    anything = policy_of(load({"verdict": {"effect_floors": {"*": 0.3}}}))
    assert anything.floor_of("query.success_rate") == 0.3


def test_a_table_of_a_variable_stands_in_for_that_of_the_file(monkeypatch):
    settings_file("gates = {'*' = true}\nalpha = 0.02")
    monkeypatch.setenv("NIGHTBENCH_VERDICT__GATES", '{"query.*": false}')
    found = load().verdict
    assert (found.gates, found.alpha) == ({"query.*": False}, 0.02)


def test_the_tiers_of_a_night_share_its_chance_of_a_wrong_suspect(monkeypatch):
    p = judged("full").p_adjusted
    # enough for a tier that is a night by itself, and not for each of those that share it
    monkeypatch.setenv("NIGHTBENCH_VERDICT__ALPHA", str(p * (len(NIGHTLY_TIERS) - 1)))
    alone, shared = judged("full"), judged("nightly")
    assert (alone.state, shared.state) == ("suspect", "steady")
    assert shared.alpha == pytest.approx(alone.alpha / len(NIGHTLY_TIERS))
    monkeypatch.setenv("NIGHTBENCH_VERDICT__ALPHA", str(p * (len(NIGHTLY_TIERS) + 1)))
    assert judged("nightly").state == "suspect"


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        ("", "suspect"),
        ("effect_floor = 0.5", "steady"),
        ("effect_floors = {'message.*' = 0.5}", "steady"),
        ("gates = {'message.*' = false}", "informs"),
        ("higher_is_worse = {'message.response_time.*' = false}", "improved"),
        ("gating_nights = 13", "provisional"),
        ("gating_nights = 14\nleast_nights = 13", "no baseline"),
    ],
)
def test_a_night_is_judged_by_them(asked, state):
    settings_file(asked)
    assert judged("full").state == state


def test_what_a_line_was_held_against_is_stored_with_it():
    settings_file("alpha = 0.02\neffect_floor = 0.03")
    with_it = judged("full")
    (results,) = Path().glob("*/results")
    lines = HistoryStore(results).lines("local", suite="websocket", tier="full").set_index("metric")
    assert (with_it.alpha, with_it.floor) == (0.02, 0.03)
    assert tuple(lines.loc[P95, ["alpha", "floor"]]) == (0.02, 0.03)


@pytest.fixture
def measured(monkeypatch):
    """Stages what the WebSocket suite measures, one after the other."""

    @asynccontextmanager
    async def subject(*_args, **_kwargs):
        yield Subject()

    def stage(*measurements):
        left = list(measurements)

        async def run(_plan, _subject, label, **_kwargs):
            return replace(left.pop(0), night_id=label.night_id, role=label.role, block=label.block)

        monkeypatch.setattr("nightbench.websocket.load_test.run", run)

    monkeypatch.setattr("nightbench.night.provide", subject)
    monkeypatch.setattr("nightbench.night.calibrate_host", lambda _folder: HostCalibration())
    return stage


def test_a_suite_by_itself_is_judged_by_them(measured):
    measured(night_of(50, 1.1))
    settings_file("effect_floor = 0.5")
    run_command(["websocket", "--tier", "full", "--json", "it.json"])
    lines = json.loads(Path("it.json").read_text())["verdict"]["lines"]
    assert {line["floor"] for line in lines if line["metric"] == P95} == {0.5}


def test_a_calibration_tells_what_they_let_a_night_show(measured):
    measured(*map(night_of, range(12)))
    settings_file("gates = {'message.*' = false}")
    run_command(["calibrate", "full", "--runs", "12", "--suite", "websocket", "--json", "it.json"])
    rows = {row["metric"]: row for row in json.loads(Path("it.json").read_text())["noise"]}
    assert (rows[P95]["gates"], rows["connection.time.p95"]["gates"]) == (False, True)


def test_a_comparison_holds_by_them(capsys):
    HistoryStore("results").save(night_of(50, 1.1), ())
    settings_file("effect_floor = 0.5\nbaseline_nights = 10")
    assert run_command(["compare", "baseline", "last", "--metric", P95, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["a"]["nights"]) == 10
    assert [each["standing"] for each in found["metrics"]] == ["small"]
