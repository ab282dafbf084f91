"""``nightbench export``: a table or the whole dataset as files for other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from cli.storing import LAST, P95, run

READ = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("command", [["export"], ["history", "export"]], ids=" ".join)
def test_a_file_has_a_row_a_metric(stored, ran, form, command):
    out = ran(
        *command, f"nights.{form}", "--suite", "websocket", "--since", "2026-11-29", "--environment", "local"
    )
    frame = READ[form](f"nights.{form}")
    assert set(frame["run_id"]) == {run(LAST), run(LAST, block=2), run(LAST, role="rerun")}
    assert P95 in set(frame["metric"])
    assert out == f"nights.{form}: {len(frame):,} rows\n"


def test_a_folder_has_a_file_a_table(stored, document):
    found = document("export", "everything", "--format", "json", "--last", "4")
    files = {Path(each["path"]).name: each["rows"] for each in found["files"]}
    assert files["runs.json"] == 4
    assert {"metrics.json", "windows.json", "verdicts.json", "marks.json", "noise.json"} < set(files)
    assert len(json.loads(Path("everything/runs.json").read_text())) == 4


def test_all_environments_are_exported_unless_one_is_named(stored, ran):
    ran("export", "all.parquet")
    ran("export", "one.parquet", "--environment", "prod", "--valid")
    assert run(LAST + 1, block=7) in set(pd.read_parquet("all.parquet")["run_id"])
    assert set(pd.read_parquet("one.parquet")["run_id"]) == {run(LAST + 1, block=7)}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("export nights.csv --format json", ["--format = 'json'", "nights.csv"]),
        ("export nights.csv --format xml", ["--format", "xml"]),
        ("export nights.csv --tier stress", ["nights.csv", "fits"]),
        ("export", ["TARGET"]),
        ("export nights.csv --since yesterday", ["--since"]),
    ],
)
def test_bad_input_is_told_in_one_line(stored, refused, command, names):
    refused(command, {}, "", names)
    assert not Path("nights.csv").exists()


def test_a_place_that_cannot_be_written_is_told(stored, capsys):
    from nightbench.cli import run_command

    Path("taken").write_text("a file")
    assert run_command(["export", "taken/nights.csv"]) == 3
    out, err = capsys.readouterr()
    assert "taken/nights.csv could not be written" in err
    assert out == ""


@pytest.mark.parametrize("target", ["nights.foo", "nights.csv.gz", "nights.xlsx"])
def test_an_ending_that_is_no_form_of_a_file_makes_no_folder(stored, refused, target):
    refused(["export", target], {}, "", ["TARGET", target, "end it in .csv, .json or .parquet"])
    assert not Path(target).exists()


def test_a_folder_that_is_there_may_have_a_dot(stored, document):
    Path("v2.4").mkdir()
    document("export", "v2.4", "--last", "1")
    assert Path("v2.4/runs.parquet").is_file()


@pytest.mark.parametrize("target", ["all.csv", "runs", "deep/down.parquet", "."])
def test_the_dataset_itself_takes_no_export(stored, refused, target):
    before = sorted(stored.rglob("*"))
    refused(
        ["export", f"{stored}/{target}"], {}, "", ["TARGET", "lies in the dataset", "name a place elsewhere"]
    )
    assert sorted(stored.rglob("*")) == before


def test_a_place_beside_the_dataset_is_none_in_it(stored, ran):
    assert "rows" in ran("export", f"{stored}-export/all.csv")


def test_an_empty_history_has_nothing_to_export(refused):
    refused("export nights.csv", {}, "", ["no run in results fits"])
