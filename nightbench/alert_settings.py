"""The ``[alerts]`` table of the settings: how much is told, how long what waits is kept, where readers look."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from nightbench import addresses
from nightbench.frozen import Frozen


class AlertSettings(Frozen):
    """What may be set of alerts beside where they are posted."""

    most_a_night: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="alerts told one by one in a night; the rest is one roll-up"
    )
    reminder_nights: Annotated[int, Field(ge=1, le=365)] = Field(
        7, description="nights after which a regression that lasts is told again"
    )
    kept_days: Annotated[float, Field(gt=0, le=3650)] = Field(
        30, description="days that an alert waits in the outbox for a server before it is dropped"
    )
    kept_events: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1000, description="alerts that may wait; the oldest are dropped first"
    )
    kept_mib: Annotated[float, Field(gt=0, le=10_000)] = Field(
        50, description="MiB that the waiting alerts may take; the oldest are dropped first"
    )
    api_token: SecretStr | None = Field(
        None,
        min_length=1,
        description="token of the Sentry server's API, with which issues of what is well again are resolved",
    )
    api_url: str | None = Field(
        None,
        description="that API, https://HOST/api/canonical/0 or …/api/0/organizations/NAME; by the DSN unless set",
    )
    monitor: bool = Field(
        True,
        description="tell Sentry when a nightly flow begins and ends, so that it notices a night that never ran",
    )
    checkin_margin_minutes: Annotated[int, Field(ge=1, le=40_320)] = Field(
        60, description="minutes that a night may begin late, behind another benchmark, before it is missed"
    )
    max_runtime_minutes: Annotated[int, Field(ge=1, le=40_320)] | None = Field(
        None, description="minutes that a night may take; reckoned from its plans unless set"
    )
    report_url: str | None = Field(None, description="where the reports are served; alerts link to it")

    @field_validator("api_url")
    @classmethod
    def _is_api(cls, value: str | None) -> str | None:
        if value is not None:
            addresses.check_issues_api(value)
        return value

    @field_validator("report_url")
    @classmethod
    def _is_page(cls, value: str | None) -> str | None:
        if value is not None:
            addresses.check_page(value)
        return value
