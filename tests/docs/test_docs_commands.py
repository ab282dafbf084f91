"""Every command of the guide is run, or read by the program that it calls."""

from __future__ import annotations

import re
from functools import cache

import pytest
from docs.reading import BLOCKS, PAGES, page_name
from docs.scene import NAMED
from docs.shell import commands_of

from nightbench.cli import app

SHELL = [block for block in BLOCKS if block.language == "sh"]
PAGES_WITH_COMMANDS = list(dict.fromkeys(block.page for block in SHELL))


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_the_commands_of_a_page_run(page, scene):
    for block in SHELL:
        if block.page == page:
            try:
                scene.run_block(block.text)
            except (AssertionError, ValueError) as error:
                pytest.fail(f"{block.place}: {error}")


def test_there_are_commands_to_run():
    commands = [command for block in SHELL for command in commands_of(block.text) if command.words]
    assert len([command for command in commands if command.program == "nightbench"]) > 100
    assert len(PAGES_WITH_COMMANDS) > 15


def test_every_command_of_the_program_is_in_the_guide():
    shown = {
        command.words[1]
        for block in SHELL
        for command in commands_of(block.text)
        if command.words and command.program == "nightbench" and len(command.words) > 1
    }
    assert {name for name in app if not name.startswith("-")} <= shown


def test_a_file_has_one_name():
    named = [block for block in BLOCKS if block.name and block.name != "nightbench.toml"]
    assert {block.place: block.text for block in named if NAMED[block.name] != block.text} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "nightbench run ful",
        "nightbench run full --websocket.user 20",
        "nightbench websocket --users 0",
        "nightbench websocket --plan none.yaml",
        "nightbench database --target 'message.response_time.p95 < 5'",
        "NIGHTBENCH_TOKN=x nightbench history",
        "NIGHTBENCH_PLAN__FULL__WEBSOCKET__USERS=none nightbench run full",
        "nightbench history show 2031",
        "nightbench history  # exit code 3",
        "make everything",
        "prefect deployment rn full/full",
        "curly https://example.org",
        "docker build --file deployments/Dockerfil .",
    ],
)
def test_a_wrong_command_is_found(wrong, scene):
    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever the program says to it
        scene.run_block(wrong)


@pytest.mark.parametrize(
    "more", ["for i in 1 2; do", "if true; then", "cat <<EOF", "nightbench run 'full", "a & b"]
)
def test_what_is_more_than_a_list_of_commands_is_refused(more):
    with pytest.raises(ValueError, match=r"more than|in place|middle"):
        commands_of(more)


def test_every_page_is_looked_at():
    assert len(PAGES) > 25
    assert "README.md" in map(page_name, PAGES)


@cache
def flags_of(names):
    """The flags of a command, which take a tenth of a second to be put together."""
    *_, called = app.parse_commands(names)[1]
    return {name for argument in called.assemble_argument_collection() for name in argument.names}


SPANS = sorted(
    {
        (page_name(path), span)
        for path in PAGES
        for span in re.findall(r"`(nightbench [a-z][^`…|]*)`", path.read_text("utf-8"))
        if span != "nightbench subject"  # a kind of block of Prefect's
    }
)


@pytest.mark.parametrize(("page", "span"), SPANS)
def test_a_command_that_is_only_named_is_there_with_its_flags(page, span):
    words = [word for word in span.split()[1:] if word != "--help"]
    names, _, _ = app.parse_commands(words)
    assert names
    known = flags_of(names)
    assert {word for word in words if word.startswith("--")} - known == set()
