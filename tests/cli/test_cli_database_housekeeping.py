"""``nightbench database prepare`` and ``clean``: bad input, and help that shows the way."""

import pytest
from cli.conftest import SECRET

from nightbench import settings as settings_module
from nightbench.cli import run_command
from nightbench.errors import ConfigurationError

# arguments, environment, settings file, and what the line has to name
CASES = {
    "prepare without a database": (
        "database prepare",
        {},
        "",
        ["NIGHTBENCH_DATABASE_DSN", "name the database with --dsn"],
    ),
    "clean without a database": (
        "database clean",
        {},
        "",
        ["NIGHTBENCH_DATABASE_DSN", "thrown away after each run"],
    ),
    "undo of the reference": (
        "database prepare --undo --reference --dsn postgresql://h/d",
        {},
        "",
        ["--undo", "does not go with --reference"],
    ),
    "no such flag": ("database prepare --undoo --dsn postgresql://h/d", {}, "", ["--undoo"]),
    "too many tenants": (
        "database clean --tenants 0 --dsn postgresql://h/d",
        {},
        "",
        ["--tenants: ", "greater than 0"],
    ),
    "clean with a plan that is none": (
        "database clean --plan nowhere.yaml --dsn postgresql://h/d",
        {},
        "",
        ["--plan = 'nowhere.yaml'"],
    ),
    "clean of a workload that only reads": (
        "database clean --plan reads.toml --dsn postgresql://h/d",
        {},
        "",
        ["workload.own_rows", "leaves nothing behind"],
    ),
    "allow-list that is a DSN": (
        "database",
        {"NIGHTBENCH_DATABASE_ALLOWED": f"postgresql://u:{SECRET}@h/d"},
        "",
        ["NIGHTBENCH_DATABASE_ALLOWED", "holds a whole DSN"],
    ),
    "allow-list without a database": (
        "database",
        {},
        "database_allowed = ['localhost']",
        ["database_allowed", "lacks a host or a database", "host:5432/database"],
    ),
    "allow-list that is a number": (
        "database",
        {},
        "database_allowed = 1",
        ["database_allowed = '1'", "list"],
    ),
}

ADDRESSES = {
    "nobody there": f"postgresql://u:{SECRET}@127.0.0.1:1/d",
    "password with an at": f"postgresql://u:{SECRET}@x@127.0.0.1:1/d",
    "password with a slash": f"postgresql://u:{SECRET}/x@127.0.0.1:1/d",
    "password with a hash": f"postgresql://u:{SECRET}#x@127.0.0.1:1/d",
    "unknown parameter": f"postgresql://u@127.0.0.1:1/d?pasword={SECRET}",
    "password as a parameter": f"postgresql://127.0.0.1:1/d?user=u&password={SECRET}",
    "no port": f"postgresql://u:{SECRET}@127.0.0.1:x/d",
    "another scheme": f"mysql://u:{SECRET}@127.0.0.1:1/d",
    "no such host": f"postgresql://u:{SECRET}@nowhere.invalid:1/d",
    "no host at all": f"postgresql://u:{SECRET}@{'x' * 70}.example:1/d",
}


@pytest.mark.parametrize("case", CASES, ids=CASES.keys())
def test_bad_input_is_told_in_one_line(case, refused, tmp_path):
    (tmp_path / "reads.toml").write_text(
        "[[database.workload.statements]]\nname = 'now'\nkind = 'read'\nsql = 'SELECT now()'\n"
    )
    refused(*CASES[case])


@pytest.mark.parametrize("command", ["prepare", "prepare --undo", "prepare --reference", "clean"])
@pytest.mark.parametrize("address", ADDRESSES, ids=ADDRESSES.keys())
def test_no_piece_of_a_password_is_told(command, address, refused):
    refused(["database", *command.split(), "--dsn", ADDRESSES[address]], {}, "", ["dsn"])


def test_the_commands_stand_in_the_help_of_the_suite(capsys):
    assert run_command(["database", "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("prepare", "clean", "--queries"):
        assert word in shown


@pytest.mark.parametrize(
    ("value", "entries"), [("a/x, b:1/y,", ("a/x", "b:1/y")), ("a/x", ("a/x",)), ("", ())]
)
def test_the_allow_list_has_commas_in_a_variable(clean_settings, monkeypatch, value, entries):
    monkeypatch.setenv("NIGHTBENCH_DATABASE_ALLOWED", value)
    assert settings_module.load().database_allowed == entries


def test_the_allow_list_is_a_list_in_the_file(clean_settings, tmp_path):
    assert settings_module.load().database_allowed == ()
    (tmp_path / "nightbench.toml").write_text("database_allowed = ['a/x', '/run/pg:1/y']")
    assert settings_module.load().database_allowed == ("a/x", "/run/pg:1/y")


def test_an_entry_in_the_wrong_way_is_refused_as_the_setting_that_it_is(clean_settings, monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_DATABASE_ALLOWED", "a/x,nothing")
    with pytest.raises(ConfigurationError, match="NIGHTBENCH_DATABASE_ALLOWED = 'a/x,nothing'"):
        settings_module.load()
