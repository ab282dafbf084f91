"""What a transaction of a tenant is set to: the id as it is, whatever stands in it."""

import json

import pytest

from nightbench.database.tenancy import TenantSettings


@pytest.mark.parametrize(
    ("value", "tenant", "filled"),
    [
        ("${tenant}", "17", "17"),
        ("${tenant}", "a$$b${tenant}", "a$$b${tenant}"),
        ("$$${tenant}$$", "17", "$17$"),
        ("of ${tenant} and ${tenant}", "O'Neil", "of O'Neil and O'Neil"),
        ("authenticated", "17", "authenticated"),
    ],
)
def test_the_placeholder_is_the_id_and_nothing_in_it_is_one(value, tenant, filled):
    assert TenantSettings({"app.tenant": value}).values(tenant) == (filled,)


def test_in_json_an_id_is_escaped():
    settings = TenantSettings({"role": "web", "claims": '{"sub": "${tenant}"}'})
    tenant = 'a"b\\c'
    role, claims = settings.values(tenant)
    assert (role, json.loads(claims)) == ("web", {"sub": tenant})
    assert settings.role == "web"


def test_without_a_tenant_only_what_names_none_is_set():
    settings = TenantSettings({"role": "web", "app.tenant": "${tenant}"})
    assert settings.of_nobody.sql == "SELECT set_config('role', %s, true)"
    assert settings.as_role("root").values("1") == ("root", "1")
    assert TenantSettings({}).sql == ""
