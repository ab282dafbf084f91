"""What may be set of alerts, and what is refused before a night begins."""

from __future__ import annotations

import pytest

from nightbench.errors import ConfigurationError
from nightbench.settings import load


def of(monkeypatch: pytest.MonkeyPatch, **values: object) -> object:
    for name, value in values.items():
        monkeypatch.setenv(f"NIGHTBENCH_ALERTS__{name.upper()}", str(value))
    return load().alerts


def test_numbers_of_the_issue_are_the_defaults() -> None:
    alerts = load().alerts
    assert (alerts.most_a_night, alerts.reminder_nights) == (10, 7)


@pytest.mark.parametrize(
    "url",
    [
        "https://bugs.example/api/canonical/0",
        "https://bugs.example:8000/below/api/canonical/0/",
        "https://sentry.io/api/0/organizations/acme",
        "https://de.sentry.io/api/0/organizations/12/",
    ],
)
def test_an_api_of_issues_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert of(monkeypatch, api_url=url).api_url == url  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("api_url", "https://sentry.io/api/0"),
        ("api_url", "https://bugs.example"),
        ("api_url", "bugs.example/api/canonical/0"),
        ("api_url", "ftp://bugs.example/api/canonical/0"),
        ("api_url", "https://ada:hunter2@bugs.example/api/canonical/0"),
        ("api_url", "https://[/api/canonical/0"),
        ("report_url", "reports"),
        ("report_url", "https://ada:hunter2@reports.example/"),
        ("api_token", ""),
        ("most_a_night", 0),
        ("reminder_nights", 0),
        ("reminder_nights", "often"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: object
) -> None:
    with pytest.raises(ConfigurationError, match=f"NIGHTBENCH_ALERTS__{setting.upper()}") as caught:
        of(monkeypatch, **{setting: value})
    assert "hunter2" not in str(caught.value)


def test_the_token_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    of(monkeypatch, api_token="hunter2")
    settings = load()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
