"""The form of the trend report: its bounds, and what it asks for."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def flow():
    from flows.trend_report import trend_report

    return trend_report


def test_each_field_of_the_form_has_a_title_and_help(flow):
    from prefect.utilities.callables import parameter_schema

    fields = parameter_schema(flow.fn).properties
    assert list(fields) == ["nights", "tier", "suite"]
    assert all(field["title"] != name and field["description"] for name, field in fields.items())
    assert (fields["nights"]["minimum"], fields["nights"]["maximum"], fields["nights"]["default"]) == (
        7,
        365,
        90,
    )


@pytest.mark.parametrize("given", [{}, {"nights": 7}, {"nights": 365, "tier": "full", "suite": "database"}])
def test_it_takes(flow, given):
    flow.validate_parameters(given)


@pytest.mark.parametrize(
    "given", [{"nights": 6}, {"nights": 366}, {"tier": "gentle"}, {"suite": "disk"}, {"days": 7}]
)
def test_it_refuses(flow, given):
    from prefect.exceptions import ParameterTypeError, SignatureMismatchError

    with pytest.raises((ParameterTypeError, SignatureMismatchError, TypeError)):
        flow.validate_parameters(given)
