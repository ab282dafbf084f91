"""A workload in a plan file: as YAML or TOML the same, and what does not agree is told with its line and field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.cli import run_command
from nightbench.plan import changed
from nightbench.plan.file import read_plan_file
from nightbench.plan.pam import PAM
from nightbench.plan.parameters import ParameterDraw, numbered, parameters_in
from nightbench.tiers import TIERS

IN_YAML = """
database:
  workload:
    tenants_file: people.csv
    tenant_settings: {app.customer: "${tenant}"}
    statements:
      - name: latest
        kind: read
        weight: 4
        sql: SELECT customer, total FROM orders WHERE note LIKE '%%x' LIMIT %(page)s
        parameters:
          page: {draw: uniform, low: 10, high: 50, step: 10}
        tenant_column: customer
        max_rows: 50
      - name: place
        kind: write
        sql: INSERT INTO orders VALUES (%(tenant)s, %(total)s, %(city)s, %(tag)s)
        parameters:
          total: {draw: zipf, low: 0.5, high: 500, decimals: 1, exponent: 1.2}
          city: {draw: file, file: cities.parquet, column: name}
    own_rows:
      tables: [{table: shop.orders, tag_column: note}]
      insert: INSERT INTO orders VALUES (%(tenant)s, 1, 'x', %(tag)s) RETURNING id
    policy_cost:
      role: service_role
      sql: SELECT total FROM orders WHERE customer = %(tenant)s
"""

IN_TOML = """
[database.workload]
tenants_file = "people.csv"
tenant_settings = {"app.customer" = "${tenant}"}

[[database.workload.statements]]
name = "latest"
kind = "read"
weight = 4
sql = "SELECT customer, total FROM orders WHERE note LIKE '%%x' LIMIT %(page)s"
tenant_column = "customer"
max_rows = 50
[database.workload.statements.parameters]
page = {draw = "uniform", low = 10, high = 50, step = 10}

[[database.workload.statements]]
name = "place"
kind = "write"
sql = "INSERT INTO orders VALUES (%(tenant)s, %(total)s, %(city)s, %(tag)s)"
[database.workload.statements.parameters]
total = {draw = "zipf", low = 0.5, high = 500, decimals = 1, exponent = 1.2}
city = {draw = "file", file = "cities.parquet", column = "name"}

[database.workload.own_rows]
tables = [{table = "shop.orders", tag_column = "note"}]
insert = "INSERT INTO orders VALUES (%(tenant)s, 1, 'x', %(tag)s) RETURNING id"

[database.workload.policy_cost]
role = "service_role"
sql = "SELECT total FROM orders WHERE customer = %(tenant)s"
"""


def test_yaml_and_toml_say_the_same(plan_file):
    in_yaml = read_plan_file(plan_file("it.yaml", IN_YAML)).changes
    assert in_yaml == read_plan_file(plan_file("it.toml", IN_TOML)).changes
    mix = changed(TIERS["full"].database, in_yaml.database).mix
    latest, place = mix.statements
    assert (latest.row_bounds, place.row_bounds) == ((0, 50), (1, 1))
    assert {name: draw.draw for name, draw in place.draws.items()} == {
        "tenant": "tenant",
        "tag": "tag",
        "total": "zipf",
        "city": "file",
    }
    assert list(mix.files) == [
        (("tenants_file",), "people.csv"),
        (("statements", 1, "parameters", "city", "file"), "cities.parquet"),
    ]
    assert mix.writes


def test_the_default_workload_can_be_written_into_a_file(plan_file):
    text = json.dumps({"database": {"workload": PAM.model_dump(mode="json", exclude_unset=True)}})
    plan = changed(TIERS["full"].database, read_plan_file(plan_file("it.yaml", text)).changes.database)
    assert plan.mix == PAM == TIERS["full"].database.mix


def test_a_workload_is_no_flag(capsys):
    assert run_command(["database", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--workload" not in shown
    assert "--pool-recycle" in shown


STATEMENT = {"name": "a", "kind": "read", "sql": "SELECT 1"}
WRITE = {"name": "a", "kind": "write", "sql": "INSERT INTO t VALUES (%(tag)s)"}
OWN = {"tables": [{"table": "t", "tag_column": "x"}]}


def drawn(**draw):
    return {"statements": [{**STATEMENT, "sql": "SELECT %(x)s", "parameters": {"x": draw}}]}


def one(**fields):
    return {"statements": [{**STATEMENT, **fields}]}


IN_DRAW = "statements[0].parameters.x"
# a workload, the field of it that is named, and what is said of it
BAD = {
    "no statement": ({"statements": []}, "statements = ", "at least 1"),
    "a name that no metric can have": (one(name="A b"), "statements[0].name = 'A b'", "pattern"),
    "a name twice": (
        {"statements": [STATEMENT, STATEMENT]},
        "statements[1].name:",
        "two statements have the same name, a",
    ),
    "another kind": (one(kind="upsert"), "statements[0].kind = 'upsert'", "'read' or 'write'"),
    "no weight": (one(weight=0), "statements[0].weight = '0'", "greater than 0"),
    "weights that make too many cards": (
        {"statements": [{**STATEMENT, "weight": 9_999}, {**STATEMENT, "name": "b", "weight": 2}]},
        "statements:",
        "add up to 10,001, more than 10,000",
    ),
    "no SQL": (one(sql=""), "statements[0].sql = ''", "at least 1"),
    "SQL with a NUL": (one(sql="SELECT 1\0"), "statements[0].sql = ", "pattern"),
    "a lonely percent sign": (one(sql="SELECT 5 %2"), "statements[0].sql = ", "and %% for a percent sign"),
    "a parameter by its place": (one(sql="SELECT %s"), "statements[0].sql = ", "%s is no parameter"),
    "a parameter that nobody draws": (
        one(sql="SELECT %(x)s"),
        "statements[0].sql:",
        "nothing says what %(x)s is",
    ),
    "a parameter that is not asked for": (
        one(parameters={"x": {"draw": "tenant"}}),
        "statements[0].parameters.x:",
        "x does not stand in the SQL as %(x)s",
    ),
    "a parameter of another name": (
        one(sql="SELECT %(X)s", parameters={"X": {"draw": "tenant"}}),
        "statements[0].parameters.X = ",
        "pattern",
    ),
    "fewer rows at most than at least": (
        one(min_rows=3, max_rows=2),
        "statements[0].min_rows:",
        "max_rows is below min_rows: 2 < 3",
    ),
    "a write that may change nothing at most": (
        {"statements": [{**WRITE, "max_rows": 0}], "own_rows": OWN},
        "statements[0].max_rows:",
        "max_rows is below min_rows: 0 < 1",
    ),
    "a tenant of a write": (
        {"statements": [{**WRITE, "tenant_column": "x"}], "own_rows": OWN},
        "statements[0].kind:",
        "tenant_column and columns are of reads",
    ),
    "columns of a write": (
        {"statements": [{**WRITE, "columns": ["x"]}], "own_rows": OWN},
        "statements[0].kind:",
        "tenant_column and columns are of reads",
    ),
    "a tenant column beside the columns": (
        one(columns=["b", "c"], tenant_column="a"),
        "statements[0].tenant_column:",
        "tenant_column is none of columns",
    ),
    "a write without a mark": (
        {"statements": [{**WRITE, "sql": "DELETE FROM t"}], "own_rows": OWN},
        "statements[0]:",
        "a write has to mark its row with %(tag)s",
    ),
    "a write that nobody removes": ({"statements": [WRITE]}, "statements[0].kind:", "a write needs own_rows"),
    "an own row that nobody inserts": (
        {**drawn(draw="own_row"), "own_rows": OWN},
        "statements[0].parameters:",
        "own_row needs own_rows.insert",
    ),
    "an unknown draw": (drawn(draw="normal"), f"{IN_DRAW}.draw = 'normal'", "'uniform'"),
    "numbers without an end": (drawn(draw="uniform"), f"{IN_DRAW}.draw:", "high goes with"),
    "an end of no numbers": (drawn(draw="tenant", high=3), f"{IN_DRAW}.draw:", "high goes with"),
    "numbers that end before they begin": (
        drawn(draw="zipf", low=3, high=2),
        f"{IN_DRAW}.low:",
        "high is below low: 2 < 3",
    ),
    "too many numbers": (
        drawn(draw="uniform", high=1e15, decimals=9),
        f"{IN_DRAW}.high:",
        "there are more than 9e+15 numbers",
    ),
    "more places than decimals": (
        drawn(draw="uniform", low=0.25, high=3, decimals=1),
        f"{IN_DRAW}.low:",
        "low has more places after the point than decimals, 1",
    ),
    "a step of more places": (
        drawn(draw="uniform", high=3, step=0.5),
        f"{IN_DRAW}.step:",
        "step has more places after the point than decimals, 0",
    ),
    "a step of nothing": (drawn(draw="uniform", high=3, step=0), f"{IN_DRAW}.step = '0'", "greater than 0"),
    "no choice": (drawn(draw="choice"), f"{IN_DRAW}.draw:", "values go with draw: choice"),
    "values that are not chosen": (
        drawn(draw="tenant", values=[1]),
        f"{IN_DRAW}.draw:",
        "values go with draw: choice",
    ),
    "a value with a NUL": (drawn(draw="choice", values=[1, "a\0"]), f"{IN_DRAW}.values[1]:", "holds a NUL"),
    "a file that is not named": (drawn(draw="file"), f"{IN_DRAW}.draw:", "a file goes with draw: file"),
    "a file that is not read": (
        drawn(draw="tag", file="it.csv"),
        f"{IN_DRAW}.draw:",
        "a file goes with draw: file",
    ),
    "another placeholder": (
        {**one(), "tenant_settings": {"app.user": "${user}"}},
        "tenant_settings.app.user:",
        "${user} is unknown; ${tenant} is the only placeholder",
    ),
    "a setting that has no such name": (
        {**one(), "tenant_settings": {"a'b": "x"}},
        "tenant_settings.a'b = ",
        "pattern",
    ),
    "own rows nowhere": ({**one(), "own_rows": {"tables": []}}, "own_rows.tables = ", "at least 1"),
    "a table in quotes": (
        {**one(), "own_rows": {"tables": [{"table": '"T"', "tag_column": "x"}]}},
        "own_rows.tables[0].table = ",
        "pattern",
    ),
    "a table in two schemas": (
        {**one(), "own_rows": {"tables": [{"table": "a.b.c", "tag_column": "x"}]}},
        "own_rows.tables[0].table = 'a.b.c'",
        "pattern",
    ),
    "an insert of other parameters": (
        {**one(), "own_rows": {**OWN, "insert": "INSERT INTO t VALUES (%(tag)s) RETURNING id"}},
        "own_rows.insert:",
        "its parameters have to be %(tenant)s and %(tag)s",
    ),
    "a policy cost that writes": (
        {**one(), "policy_cost": {"role": "x", "sql": "SELECT %(y)s", "parameters": {"y": {"draw": "tag"}}}},
        "policy_cost.parameters:",
        "a read has no row of its own",
    ),
    "a policy cost that lacks a parameter": (
        {**one(), "policy_cost": {"role": "x", "sql": "SELECT %(y)s"}},
        "policy_cost.sql:",
        "nothing says what %(y)s is",
    ),
    "a field that there is not": (one(sqll="SELECT 1"), "statements[0].sqll = '***'", "did you mean sql?"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_agree_is_told_with_its_field(case, refused):
    workload, field, problem = BAD[case]
    text = json.dumps({"database": {"workload": workload}}, indent=1)
    refused("it.yaml", text, ["it.yaml, line ", f": database.workload.{field}", problem])


def test_what_does_not_agree_is_told_with_its_line(refused):
    broken = IN_YAML.replace("high: 50, step: 10", "high: 5, step: 10")
    refused(
        "it.yaml", broken, ["it.yaml, line 12: database.workload.statements[0].parameters.page.low: high is"]
    )


@given(st.lists(st.sampled_from(["%%", "%(a)s", "%(b_1)s", "x", " ", "'"]), max_size=12))
def test_the_server_is_given_a_number_for_each_name(parts):
    sql = "".join(parts)
    names = parameters_in(sql)
    numbers = {f"%({name})s": f"${place}" for place, name in enumerate(names, start=1)}
    assert numbered(sql) == "".join({"%%": "%", **numbers}.get(part, part) for part in parts)


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.integers(1, 10**4), st.integers(0, 3))
def test_numbers_are_counted_as_they_are_written(low, span, step, decimals):
    scale = 10**decimals
    draw = ParameterDraw(
        draw="uniform", low=low / scale, high=(low + span) / scale, step=step / scale, decimals=decimals
    )
    assert (draw.first, draw.stride, draw.count) == (low, step, span // step + 1)
