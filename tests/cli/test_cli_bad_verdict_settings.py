"""A ``[verdict]`` table or variable that cannot be used: what is wrong, where it stands, and the way out."""

from pathlib import Path

import pytest

from nightbench.cli import run_command

# environment, settings file, and what the line has to name
CASES = {
    "percent for a share": (
        {},
        "[verdict]\neffect_floor = 5",
        ["verdict.effect_floor = '5'", "from 0.001 to 0.9", "0.05 is 5 %"],
    ),
    "percent for a share in a variable": (
        {"NIGHTBENCH_VERDICT__EFFECT_FLOOR": "5"},
        "",
        ["NIGHTBENCH_VERDICT__EFFECT_FLOOR = '5'", "from 0.001 to 0.9"],
    ),
    "truth for a number": ({}, "[verdict]\nalpha = true", ["verdict.alpha = 'True'", "a number is due"]),
    "no number": (
        {"NIGHTBENCH_VERDICT__ALPHA": "strict"},
        "",
        ["NIGHTBENCH_VERDICT__ALPHA = 'strict'", "valid number"],
    ),
    "NaN": ({}, "[verdict]\nmost_noise = nan", ["verdict.most_noise = 'nan'", "finite"]),
    "a chance of nothing": ({}, "[verdict]\nsustained_alpha = 0", ["sustained_alpha = '0'", "to 0.5"]),
    "a certain chance": ({}, "[verdict]\nchange_alpha = 1", ["change_alpha = '1'", "to 0.5"]),
    "a weight below nothing": ({}, "[verdict]\nprior_weight = -1", ["prior_weight = '-1'", "from 0 to 100"]),
    "one night": ({}, "[verdict]\nleast_nights = 1", ["verdict.least_nights = '1'", "from 2 to 365"]),
    "half a night": ({}, "[verdict]\ngating_nights = 7.5", ["verdict.gating_nights = '7.5'", "integer"]),
    "too many nights": ({}, "[verdict]\nbaseline_nights = 366", ["baseline_nights = '366'", "from 2 to 365"]),
    "a floor of a pattern": (
        {},
        "[verdict.effect_floors]\n'message.*' = 2",
        ["verdict.effect_floors.message.* = '2'", "0.05 is 5 %"],
    ),
    "truth for a floor": (
        {},
        "[verdict.effect_floors]\n'message.*' = true",
        ["verdict.effect_floors.message.* = 'True'", "a number is due"],
    ),
    "a pattern of nothing": (
        {},
        "[verdict.effect_floors]\n'' = 0.1",
        ["verdict.effect_floors = ", "pattern without a character", "'*' is every metric"],
    ),
    "no truth": (
        {},
        "[verdict.gates]\n'query.*' = 'no'",
        ["verdict.gates.query.* = 'no'", "valid boolean"],
    ),
    "a list of patterns": (
        {},
        "[verdict]\nhigher_is_worse = ['query.*']",
        ["verdict.higher_is_worse = '…'", "table"],
    ),
    "a variable that is no table": (
        {"NIGHTBENCH_VERDICT__GATES": "query.*"},
        "",
        ["NIGHTBENCH_VERDICT__GATES = 'query.*'", "is no JSON table"],
    ),
    "a bad part of a variable's table": (
        {"NIGHTBENCH_VERDICT__GATES": '{"query.*": 3}'},
        "",
        ["NIGHTBENCH_VERDICT__GATES: query.* = '3'", "boolean"],
    ),
    "a bad part of a variable of all": (
        {"NIGHTBENCH_VERDICT": '{"alpha": 2}'},
        "[verdict]\neffect_floor = 0.1",
        ["NIGHTBENCH_VERDICT: alpha = '2'"],
    ),
    "in the file, beside a variable of other parts": (
        {"NIGHTBENCH_VERDICT": '{"alpha": 0.02}'},
        "[verdict]\neffect_floor = 9",
        ["nightbench: verdict.effect_floor = '9'"],
    ),
    "no table": ({}, "verdict = 3", ["verdict = '3'", "table"]),
    "misspelled": ({}, "[verdict]\nefect_floor = 0.1", ["efect_floor = '***'", "did you mean effect_floor?"]),
    "misspelled variable": (
        {"NIGHTBENCH_VERDICT__ALFA": "0.1"},
        "",
        ["NIGHTBENCH_VERDICT__ALFA = '***'", "did you mean NIGHTBENCH_VERDICT__ALPHA?"],
    ),
    "variable in lower case": (
        {"nightbench_verdict__alpha": "0.1"},
        "",
        ["nightbench_verdict__alpha", "did you mean NIGHTBENCH_VERDICT__ALPHA?"],
    ),
    "part of a variable that has none": (
        {"NIGHTBENCH_VERDICT__GATES__A": "true"},
        "",
        ["NIGHTBENCH_VERDICT__GATES__A", "no such setting"],
    ),
    "fewer nights than a regression needs": (
        {},
        "[verdict]\nbaseline_nights = 7",
        ["nightbench.toml: verdict.baseline_nights: gating_nights is 10", "more than baseline_nights, 7"],
    ),
    "nights that do not agree, of two places": (
        {"NIGHTBENCH_VERDICT__GATING_NIGHTS": "11"},
        "[verdict]\nleast_nights = 12",
        [
            "nightbench.toml: verdict.least_nights and NIGHTBENCH_VERDICT__GATING_NIGHTS: ",
            "least_nights is 12, which is more than gating_nights, 11",
            "set least_nights lower or gating_nights higher",
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_line_and_code_2_before_anything_runs(case, refused):
    environment, settings_file, names = CASES[case]
    refused("calibrate --suite database", environment, settings_file, names)
    assert not Path("results").exists()


@pytest.mark.parametrize("command", ["run quick", "websocket", "database", "compare last last"])
def test_whatever_judges_refuses_nights_that_do_not_agree(command, refused):
    refused(command, {}, "[verdict]\nleast_nights = 12", ["verdict.least_nights", "gating_nights"])


def test_what_only_reads_does_not_mind_them(clean_settings):
    Path("nightbench.toml").write_text("[verdict]\nleast_nights = 12")
    assert run_command(["history"]) == 0
