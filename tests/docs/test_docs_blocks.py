"""Every block of the guide says what it is, and is it: plans are plans, settings are settings, code runs."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest
import yaml
from docs.reading import BLOCKS, PROJECT

from nightbench import settings
from nightbench.plan.file import read_plan_file
from nightbench.planning import planned

LANGUAGES = {"sh", "python", "toml", "yaml", "json", "csv", "sql", "text"}
TO_LOOK_AT = 30
"""How many blocks may be neither run nor read: what a terminal shows, a drawing."""

PLAN = {"websocket", "database", "blocks", "reruns"}
RUN_ELSEWHERE = {
    "docs/conversation.md": "tests/plan/test_plan_examples.py",
    "docs/history.md": "tests/history/test_history_docs.py",
    "docs/verdict.md": "tests/verdict/test_verdict_examples.py",
    "results/README.md": "tests/history/test_history_docs.py",
}
"""Pages whose Python is run beside what it is about."""
PARTS_OF_A_PLAN = ("# …",)
"""What stands in a plan that shows a part of a table which is replaced as a whole."""


def of(*languages):
    return [block for block in BLOCKS if block.language in languages]


def place(block):
    return block.place


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS}))
def test_every_block_says_what_it_is(page):
    unsaid = [block.place for block in BLOCKS if block.page == page and block.language not in LANGUAGES]
    assert unsaid == []


def test_few_blocks_are_only_looked_at():
    assert len(of("text")) <= TO_LOOK_AT < len(of("sh")) / 2


def test_there_are_blocks_of_each_kind():
    assert {language: bool(of(language)) for language in LANGUAGES} == dict.fromkeys(LANGUAGES, True)
    assert len(of("yaml", "toml")) >= 15


def parsed(block):
    return tomllib.loads(block.text) if block.language == "toml" else yaml.safe_load(block.text)


@pytest.mark.parametrize("block", of("toml", "yaml"), ids=place)
def test_a_table_is_a_plan_or_settings(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables = set(parsed(block))
    if not tables <= PLAN:
        assert block.language == "toml", "a table of settings is TOML; else it is a plan"
        Path("nightbench.toml").write_text(block.text)
        loaded = settings.load()
        for tier in ("quick", "baseline", "full", "stress"):
            planned(loaded, tier)
        return
    if any(part in block.text for part in PARTS_OF_A_PLAN):
        return
    file = Path(f"plan.{block.language}")
    file.write_text(block.text)
    planned(settings.load().with_plan_file(read_plan_file(file)), "quick")


@pytest.mark.parametrize("block", of("json"), ids=place)
def test_json_is_json(block):
    json.loads(block.text)


@pytest.mark.parametrize("block", of("csv"), ids=place)
def test_a_table_has_a_header_and_whole_rows(block):
    header, *rows = csv.reader(io.StringIO(block.text))
    assert rows
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("page", RUN_ELSEWHERE)
def test_code_that_is_run_elsewhere_is(page):
    assert page in (PROJECT / RUN_ELSEWHERE[page]).read_text("utf-8")
    assert [block for block in of("python") if block.page == page]


@pytest.mark.parametrize(
    "block", [block for block in of("python") if block.page not in RUN_ELSEWHERE], ids=place
)
def test_code_runs(block, tmp_path, monkeypatch):
    from flows.subject import NightbenchSubject

    monkeypatch.chdir(tmp_path)
    saved = []
    monkeypatch.setattr(NightbenchSubject, "save", lambda subject, name: saved.append((name, subject)))
    names = {"rows": 3, "tenant": "a", "ProviderError": ValueError}  # what stands for a backend's own
    exec(compile(block.text, block.place, "exec"), names)
    assert bool(saved) == (".save(" in block.text)
