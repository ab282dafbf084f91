"""Check-ins: what Sentry knows of a monitor leaves, member by member; nothing else does."""

import pytest

from nightbench.observability.privacy.checkin import check_in

CRON = {"type": "crontab", "value": "0 2 * * 1-5"}


def test_a_check_in_of_a_monitor_stays():
    whole = {
        "check_in_id": "ab" * 16,
        "monitor_slug": "nightly-full_tier",
        "status": "in_progress",
        "duration": 12.5,
        "release": "pam-backend@1.2.3",
        "environment": "production",
        "monitor_config": {
            "schedule": CRON,
            "checkin_margin": 5,
            "max_runtime": 30,
            "failure_issue_threshold": 2,
            "recovery_threshold": 1,
            "timezone": "Europe/Berlin",
            "owner": "team:7",
        },
    }
    assert check_in(whole) == whole


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("monitor_slug", "m-anna@example.org", "***"),
        ("monitor_slug", {"a": "anna"}, None),
        ("status", "anna", None),
        ("duration", "anna", None),
        ("unknown", "anna", None),
        ("monitor_config", "anna", None),
    ],
)
def test_of_a_check_in(key, value, told):
    sent = check_in({key: value})
    assert "anna" not in str(sent)
    assert told is None or told in str(sent[key])


@pytest.mark.parametrize(
    "config",
    [
        {"note": "anna"},
        {"checkin_margin": "anna"},
        {"timezone": "of anna"},
        {"owner": "anna@example.org"},
        {"schedule": "anna"},
        {"schedule": {"type": "crontab", "value": "every day of anna"}},
        {"schedule": {"type": "interval", "value": 1, "unit": "anna"}},
        {"schedule": {"type": "anna", "value": "0 2 * * *"}},
        {"schedule": {**CRON, "by": "anna"}},
    ],
)
def test_of_a_configuration_what_is_known(config):
    assert "anna" not in str(check_in({"monitor_slug": "m", "monitor_config": config}))


def test_an_interval_stays():
    every = {"type": "interval", "value": 2, "unit": "hour"}
    assert check_in({"monitor_config": {"schedule": every}}) == {"monitor_config": {"schedule": every}}
