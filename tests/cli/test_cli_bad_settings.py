"""Variables, folders and a settings file that cannot be used."""

from pathlib import Path

import pytest
from cli.conftest import SECRET

from nightbench.cli import run_command

# arguments, environment, settings file, and what the line has to name
CASES = {
    "results in a home that is none": (
        "websocket",
        {"NIGHTBENCH_RESULTS": "~nosuchuser/x"},
        "",
        ["NIGHTBENCH_RESULTS = '~nosuchuser/x'", "no such home folder"],
    ),
    "results of a flag in a home that is none": (
        "run quick --results ~nosuchuser/x",
        {},
        "",
        ["--results = '~nosuchuser/x'", "no such home folder"],
    ),
    "outbox in a home that is none": (
        "run quick",
        {},
        "outbox = '~nosuchuser/x'",
        ["outbox = '~nosuchuser/x'", "no such home folder"],
    ),
    "cache in a home that is none": (
        "reference up",
        {"NIGHTBENCH_CACHE": "~nosuchuser/x"},
        "",
        ["NIGHTBENCH_CACHE = '~nosuchuser/x'", "no such home folder"],
    ),
    "environment without a name": (["websocket", "--environment", ""], {}, "", ["--environment"]),
    "results in a file": ("websocket --results taken/results", {}, "", ["results", "taken/results"]),
    "results where nothing can be": (
        "database --results /proc/nightbench",
        {},
        "",
        ["results", "/proc/nightbench"],
    ),
    "cache where nothing can be": (
        "websocket",
        {"NIGHTBENCH_CACHE": "/proc/nightbench"},
        "",
        ["/proc/nightbench"],
    ),
    "misspelled variable": (
        "websocket",
        {"NIGHTBENCH_DATABSE_DSN": f"postgresql://u:{SECRET}@h/d"},
        "",
        ["NIGHTBENCH_DATABSE_DSN", "did you mean NIGHTBENCH_DATABASE_DSN?"],
    ),
    "misspelled variable of a secret": (
        "websocket",
        {"NIGHTBENCH_TOKN": SECRET},
        "",
        ["NIGHTBENCH_TOKN = '***'", "did you mean NIGHTBENCH_TOKEN?"],
    ),
    "part of a variable that has none": (
        "websocket",
        {"NIGHTBENCH_TOKEN__X": SECRET},
        "",
        ["NIGHTBENCH_TOKEN__X = '***'", "did you mean NIGHTBENCH_TOKEN?"],
    ),
    "misspelled number in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__QUICK__WEBSOCKET__TOKN": SECRET},
        "",
        ["NIGHTBENCH_PLAN__QUICK__WEBSOCKET__TOKN = '***'", "no such setting"],
    ),
    "misspelled field of a plan": (
        "websocket",
        {"NIGHTBENCH_PLAN__FULL__WEBSOCKET__USRS": "1"},
        "",
        ["NIGHTBENCH_PLAN__FULL__WEBSOCKET__USRS", "did you mean users?"],
    ),
    "misspelled suite of a plan": (
        "websocket",
        {},
        "[plan.full.websockets]\nusers = 1",
        ["plan.full.websockets", "did you mean websocket?"],
    ),
    "field of the other suite in the file": (
        "websocket",
        {},
        "[plan.full.database]\nusers = 1",
        ["plan.full.database.users", "known are", "queries", "workers"],
    ),
    "misspelled part of a target": (
        "websocket",
        {},
        "[[plan.full.database.targets]]\nmetrc = 'x'\nmetric = 'query.x'\nop = '<'\nlimit = 1",
        ["plan.full.database.targets.0.metrc = '***': no such setting", "did you mean metric?"],
    ),
    "variable in lower case": (
        "websocket",
        {"nightbench_results": "elsewhere"},
        "",
        ["nightbench_results = '***'", "did you mean NIGHTBENCH_RESULTS?"],
    ),
    "misspelled variable in lower case": (
        "websocket",
        {"nightbench_tokn": SECRET},
        "",
        ["nightbench_tokn = '***'", "did you mean NIGHTBENCH_TOKEN?"],
    ),
    "plan's variable in lower case": (
        "websocket",
        {"nightbench_plan__full__websocket__users": "3"},
        "",
        ["nightbench_plan__full__websocket__users", "did you mean NIGHTBENCH_PLAN__FULL__WEBSOCKET__USERS?"],
    ),
    "variable that is no JSON": ("websocket", {"NIGHTBENCH_PLAN": f"{{{SECRET}"}, "", ["plan"]),
    "bad number in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__QUICK__WEBSOCKET__USERS": "-3"},
        "",
        ["NIGHTBENCH_PLAN__QUICK__WEBSOCKET__USERS", "'-3'"],
    ),
    "misspelled tier in a variable": (
        "websocket",
        {"NIGHTBENCH_PLAN__FUL__WEBSOCKET__USERS": "3"},
        "",
        ["ful", "did you mean full?"],
    ),
    "settings file that is no TOML": ("websocket", {}, "plan = [", ["nightbench.toml", "not TOML"]),
    "settings file with an unknown key": (
        "websocket",
        {},
        "enviroment = 'x'",
        ["enviroment", "did you mean environment?"],
    ),
    "settings file with a misspelled secret": (
        "websocket",
        {},
        f"toke = '{SECRET}'",
        ["toke = '***'", "did you mean token?"],
    ),
    "settings file with an unknown nested key": (
        "websocket",
        {},
        f"[plan.full.websocket]\ntoken = '{SECRET}'",
        ["plan.full.websocket.token = '***'", "no such setting"],
    ),
    "settings file with an unknown table": (
        "websocket",
        {},
        f"[secrets]\nx = '{SECRET}'",
        ["secrets = '***'", "no such setting"],
    ),
    "settings file with a table for a secret": (
        "websocket",
        {},
        f"[token]\nx = '{SECRET}'",
        ["token = '***'"],
    ),
    "settings file with a bad number": (
        "websocket",
        {},
        "[plan.full.database]\nworkers = 0",
        ["plan.full.database.workers", "greater than 0"],
    ),
    "settings file with a bad target": (
        "websocket",
        {},
        "[plan.full.websocket]\ntargets = ['soon']",
        ["plan.full.websocket.targets", "METRIC OP LIMIT"],
    ),
    "settings file with a target of the other suite": (
        "websocket --tier full",
        {},
        "[plan.full.websocket]\ntargets = ['query.leaked_rows == 0']",
        [
            "plan.full.websocket.targets.0 = 'query.leaked_rows == 0'",
            "connection, reconnection, greeting, message, message[KIND], generator",
        ],
    ),
    "variable with a target of the other suite": (
        "run full",
        {"NIGHTBENCH_PLAN__FULL__DATABASE__TARGETS": '["message.success_rate > 9"]'},
        "",
        [
            "NIGHTBENCH_PLAN__FULL__DATABASE__TARGETS = 'message.success_rate > 9'",
            "query, query[STATEMENT], pool, isolation, policy, server, observer, generator",
        ],
    ),
    "settings file with fields that do not agree": (
        "websocket --tier full",
        {},
        "[plan.full.websocket]\nrate = 3\nrate_profile = [{at = 0, rate = 3}]",
        [
            "nightbench.toml: plan.full.websocket.rate and nightbench.toml: plan.full.websocket.rate_profile: ",
            "exclude each other",
        ],
    ),
    "variable and settings file that do not agree": (
        "run nightly",
        {"NIGHTBENCH_PLAN__STRESS__WEBSOCKET__USERS": "3"},
        "[plan.stress.websocket]\nshards = 4",
        [
            "nightbench.toml: plan.stress.websocket.shards and NIGHTBENCH_PLAN__STRESS__WEBSOCKET__USERS: ",
            "more shards than users: 4 > 3",
        ],
    ),
    "variable whose parts do not agree": (
        "websocket --tier full",
        {"NIGHTBENCH_PLAN__FULL__WEBSOCKET__REPLY": '{"match": "predicate"}'},
        "",
        ["NIGHTBENCH_PLAN__FULL__WEBSOCKET__REPLY: match: predicate and a predicate go together"],
    ),
    "variable that is too deep": (
        "websocket --tier full",
        {"NIGHTBENCH_PLAN__FULL__WEBSOCKET__MESSAGES": "[" * 5000},
        "",
        ["NIGHTBENCH_", "is too deep"],
    ),
    "settings file that is too deep": ("websocket", {}, "x = " + "[" * 5000, ["nightbench.toml", "too deep"]),
    "settings file with a target that nothing is measured for": (
        "database --tier full",
        {},
        "[plan.full.database]\ntargets = ['query.throughput > 1', 'query.leaked_row == 0']",
        [
            "nightbench.toml: plan.full.database.targets[1] = 'query.leaked_row == 0'",
            "did you mean query.leaked_rows?",
        ],
    ),
    "settings file with a misspelled field of a message": (
        "websocket",
        {},
        "[[plan.full.websocket.messages]]\nname = 'a'\ntext = 'x'\nweigth = 3",
        ["plan.full.websocket.messages.0.weigth = '***'", "did you mean weight?"],
    ),
    "settings file with tokens of two sources": (
        "websocket --tier full",
        {},
        f"[plan.full.websocket.tokens]\nfile = 'x'\ntemplate = '{SECRET}'",
        ["plan.full.websocket.tokens = '***'", "not file and template"],
    ),
    "settings file with a header of the handshake": (
        "websocket --tier full",
        {},
        f"[plan.full.websocket.headers]\nUpgrade = '{SECRET}'",
        ["plan.full.websocket.headers = '***'", "belongs to the handshake"],
    ),
    "variable with a header that is no text": (
        "websocket --tier full",
        {"NIGHTBENCH_PLAN__FULL__WEBSOCKET__HEADERS": f'{{"X": ["{SECRET}"]}}'},
        "",
        ["NIGHTBENCH_PLAN__FULL__WEBSOCKET__HEADERS = '***'"],
    ),
    "settings file with a bad DSN": (
        "database",
        {},
        f"database_dsn = 'oracle://u:{SECRET}@h/d'",
        ["database_dsn", "postgresql://"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_setting_is_one_line_and_code_2(case, refused):
    refused(*CASES[case])


def test_a_settings_file_that_cannot_be_read_is_named(clean_settings, capsys):
    Path("nightbench.toml").mkdir()
    assert run_command(["websocket"]) == 2
    assert "nightbench.toml" in capsys.readouterr().err


def test_a_settings_file_of_another_encoding_is_named(clean_settings, capsys):
    Path("nightbench.toml").write_bytes(b"environment = '\xff\xfe'")
    assert run_command(["websocket"]) == 2
    assert "nightbench.toml" in capsys.readouterr().err
