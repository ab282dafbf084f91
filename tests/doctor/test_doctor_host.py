"""What is said of this machine: tables of facts."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sentry_stub import Says, serving

from nightbench import settings as settings_module
from nightbench.doctor import clock, host, noise, versions
from nightbench.doctor.host import Cpu, Quota
from nightbench.measurement import Metric
from nightbench.tiers import TIERS
from nightbench.verdict.policy import Policy

PLANS = [TIERS["baseline"], TIERS["stress"]]


def test_the_fullest_generator_says_how_many_files_are_needed():
    assert host.files_needed(PLANS) == math.ceil((200 + host.BESIDE) / 0.95)


def test_shards_share_the_users_and_their_files():
    plan = TIERS["stress"].model_copy(
        update={"websocket": TIERS["stress"].websocket.model_copy(update={"users": 10_000, "shards": 4})}
    )
    assert host.files_needed([plan]) == math.ceil((2500 + host.BESIDE) / 0.95)


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (host.judge_files(421, 422), "failure"),
        (host.judge_files(422, 422), "ok"),
        (host.judge_files(math.inf, 422), "ok"),
        (host.judge_governors([]), "ok"),
        (host.judge_governors(["performance", "performance"]), "ok"),
        (host.judge_governors(["performance", "powersave"]), "warning"),
        (host.judge_cpu(Cpu(2, 0.3, 0.0, 0.01)), "ok"),
        (host.judge_cpu(Cpu(2, 0.3, None, None)), "ok"),
        (host.judge_cpu(Cpu(2, 1.5, 0.0, 0.01)), "warning"),
        (host.judge_cpu(Cpu(2, 0.3, 0.06, 0.01)), "warning"),
        (host.judge_cpu(Cpu(2, 0.3, 0.0, 0.30)), "warning"),
        (host.judge_quota(Quota(None, None), 4), "ok"),
        (host.judge_quota(Quota(2.0, 0.0), 4), "ok"),
        (host.judge_quota(Quota(1.5, 0.0), 4), "warning"),
        (host.judge_quota(Quota(1.0, 0.0), 1), "ok"),
        (host.judge_quota(Quota(3.0, 0.2), 4), "warning"),
        (host.judge_memory(4_000, 0.0), "ok"),
        (host.judge_memory(400, 0.0), "warning"),
        (host.judge_memory(4_000, 0.5), "warning"),
        (clock.judge_kernel(None), "ok"),
        (clock.judge_kernel(0), "ok"),
        (clock.judge_kernel(5), "warning"),
        (clock.judge_offset(clock.Offset("x", 0.4, 0.6)), "ok"),
        (clock.judge_offset(clock.Offset("x", -2.4, 0.6)), "ok"),
        (clock.judge_offset(clock.Offset("x", -2.7, 0.6)), "warning"),
        (clock.judge_offset(clock.Offset("x", 61.0, 0.1)), "failure"),
    ],
)
def test_facts_are_judged(finding, state):
    assert finding.state == state
    assert bool(finding.mend) == (state != "ok")


@pytest.mark.parametrize(
    ("there", "bounds", "fit"),
    [
        ("3.8.8", ">=3.8.8,<3.9", True),
        ("3.9.0", ">=3.8.8,<3.9", False),
        ("3.8.7", ">=3.8.8,<3.9", False),
        ("2.0.40.post1", "<2.1,>=2.0.40", True),
        ("15", ">=15.0", True),
        ("16.1", "!=16.1", False),
        ("1.2", "", True),
    ],
)
def test_a_version_fits_by_its_numbers(there, bounds, fit):
    assert versions.fits(there, bounds) is fit


@pytest.mark.parametrize(
    ("installed", "state"),
    [
        ({"prefect": "3.8.9"}, "ok"),
        ({"prefect": "3.9.1"}, "failure"),
        ({"prefect": None}, "failure"),
        ({}, "failure"),
    ],
)
def test_installed_versions_are_held_against_those_that_are_asked_for(installed, state):
    asked = ["prefect<3.9,>=3.8.8", 's3fs>=2025.3; extra == "s3"']
    assert versions.judge_versions("3.11.7", installed, asked).state == state


def test_what_is_installed_here_is_what_nightbench_asks_for():
    (finding,) = versions.version_findings()
    assert finding.state == "ok", finding


def _nights(level: float, count: int) -> pd.DataFrame:
    values = level * (1 + 0.01 * np.random.default_rng(1).standard_normal(count))
    return pd.DataFrame(
        {
            "night": [f"night-{number:03}" for number in range(count)],
            "suite": "database",
            "tier": "full",
            "metric": "calibration.cpu_time",
            "value": values,
            "valid": True,
            "block": 1,
            "role": "night",
            "started_at": [
                datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number) for number in range(count)
            ],
            "fingerprint": "{}",
        }
    )


@pytest.mark.parametrize(
    ("value", "nights", "state"),
    [(2.0, 12, "ok"), (2.02, 12, "ok"), (3.0, 12, "warning"), (3.0, 3, "ok"), (3.0, 0, "ok")],
)
def test_a_calibration_is_off_as_a_verdict_has_it(value, nights, state):
    now, policy = [Metric("calibration.cpu_time", value, "ms", 50)], Policy()
    off, count = noise.off_now(_nights(2.0, nights), now, policy)
    finding = noise.judge_calibration(off, now, count, policy.host_least)
    assert finding.state == state
    assert count == nights


def test_the_kernel_is_asked_without_being_told():
    (finding,) = clock.kernel_findings()
    assert finding.state in {"ok", "warning"}


def test_the_clock_of_a_server_that_speaks_http_is_compared():
    with serving(200) as stub:
        (finding,) = clock.http_clock_findings("the Sentry server", stub.dsn)
    assert (finding.state, "the Sentry server" in finding.why) == ("ok", True)


def test_a_server_without_a_clock_is_no_line():
    with serving(Says(how="hang")) as stub:
        port = int(stub.dsn.rpartition(":")[2].partition("/")[0])
    assert list(clock.http_clock_findings("nobody", f"http://127.0.0.1:{port}/")) == []


def test_no_secret_of_an_address_stands_beside_a_clock():
    settings = settings_module.load(
        {"websocket_url": "ws://host/chat?ticket=hunter2", "sentry_dsn": "http://hunter2@host/1"}
    )
    names = [name for name, _ in clock.http_clocks(settings, "http://me:hunter2@host/api")]
    assert names == ["the WebSocket's host", "the Sentry server", "the Prefect server"]
