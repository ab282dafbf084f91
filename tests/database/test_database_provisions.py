"""What a workload brings along: tenants and values from files, and what is said of those that cannot be used."""

import pickle
from pathlib import Path

import pytest

from nightbench.database.provisions import load_provisions
from nightbench.errors import ConfigurationError
from nightbench.plan import DatabasePlan
from nightbench.tenants import tenant_id

PEOPLE = "id,city\nann,Rome\nbob,Oslo\ncem,Oslo\n"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(PEOPLE)


def plan_of(*, tenants=1000, parameters=None, **fields):
    statement = {"name": "a", "kind": "read", "sql": "SELECT 1"}
    if parameters is not None:
        words = ", ".join(f"%({name})s" for name in parameters)
        statement |= {"sql": f"SELECT {words}", "parameters": parameters}
    workload = {"statements": [statement], **fields}
    return DatabasePlan(queries=1, workers=1, tenants=tenants, workload=workload)


def test_without_a_file_the_tenants_are_those_of_the_reference():
    (first, second) = load_provisions(plan_of(tenants=2)).tenants
    assert (first, second) == (str(tenant_id(1)), str(tenant_id(2)))


@pytest.mark.parametrize(("asked", "taken"), [(1, 1), (2, 2), (3, 3), (1000, 3)])
def test_of_a_file_as_many_take_part_as_were_asked_for_and_no_more_than_it_has(asked, taken):
    plan = plan_of(tenants=asked, tenants_file="people.csv")
    assert load_provisions(plan).tenants == ("ann", "bob", "cem")[:taken]


def test_values_come_from_the_column_that_is_named_or_the_first():
    draws = {
        "who": {"draw": "file", "file": "people.csv"},
        "where": {"draw": "file", "file": "people.csv", "column": "city"},
    }
    policy = {"role": "x", "sql": "SELECT %(w)s", "parameters": {"w": draws["where"]}}
    provisions = load_provisions(plan_of(parameters=draws, policy_cost=policy))
    assert provisions.columns == {
        ("people.csv", None): ("ann", "bob", "cem"),
        ("people.csv", "city"): ("Rome", "Oslo", "Oslo"),
    }
    assert pickle.loads(pickle.dumps(provisions)) == provisions
    assert "ann" not in repr(provisions)


# the plan, files of it, and what the error has to say
BAD = {
    "tenants file that does not exist": (
        {"tenants_file": "no.csv"},
        {},
        ["workload.tenants_file = 'no.csv'", "cannot be read: no such file"],
    ),
    "tenant without an id": (
        {"tenants_file": "it.csv"},
        {"it.csv": "id,name\nann,Ann\n,Bob\n"},
        ["workload.tenants_file = 'it.csv': row 2 has no tenant"],
    ),
    "tenant that is there twice": (
        {"tenants_file": "it.csv"},
        {"it.csv": "id\nann\nbob\nann\n"},
        ["workload.tenants_file = 'it.csv': rows 1 and 3 have the same tenant, 'ann'"],
    ),
    "tenant with a NUL": (
        {"tenants_file": "it.csv"},
        {"it.csv": "id\na\0b\n"},
        ["workload.tenants_file = 'it.csv'"],
    ),
    "file of values that is none": (
        {"parameters": {"x": {"draw": "file", "file": "it.xlsx"}}},
        {},
        ["workload.statements[0].parameters.x.file = 'it.xlsx'", "neither .csv nor .parquet"],
    ),
    "file of the policy cost that is none": (
        {
            "policy_cost": {
                "role": "x",
                "sql": "SELECT %(x)s",
                "parameters": {"x": {"draw": "file", "file": "no.csv"}},
            }
        },
        {},
        ["workload.policy_cost.parameters.x.file = 'no.csv'"],
    ),
    "column that is misspelled": (
        {"parameters": {"x": {"draw": "file", "file": "people.csv", "column": "citty"}}},
        {},
        ["workload.statements[0].parameters.x.column = 'citty'", "people.csv", "did you mean city?"],
    ),
    "value with a NUL": (
        {"parameters": {"x": {"draw": "file", "file": "it.csv"}}},
        {"it.csv": "id\nok\na\0b\n"},
        ["workload.statements[0].parameters.x.file = 'it.csv': row 2 of its column id holds a NUL"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told_with_the_field_of_the_plan(case):
    fields, files, says = BAD[case]
    for name, content in files.items():
        Path(name).write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        load_provisions(plan_of(**fields))
    for text in says:
        assert text in str(caught.value)


def test_a_tenant_that_takes_no_part_may_be_anything():
    Path("it.csv").write_text("id\nann\nann\n")
    assert load_provisions(plan_of(tenants=1, tenants_file="it.csv")).tenants == ("ann",)
