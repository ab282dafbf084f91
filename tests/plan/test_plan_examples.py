"""The plan files of the documentation are plans, and what they say can be said."""

import asyncio
import re
from pathlib import Path

import pytest

from nightbench.plan import changed
from nightbench.plan.file import read_plan_file
from nightbench.tiers import TIERS
from nightbench.websocket.provisions import headers_of, load_provisions, script_of

TEXT = (Path(__file__).parents[2] / "docs/conversation.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
PLANS = [block for block in BLOCKS if block[0] in ("yaml", "toml")]
(PROMPTS,) = (content for kind, content in BLOCKS if kind == "csv")
(PREDICATE,) = (content for kind, content in BLOCKS if kind == "python")


@pytest.fixture(autouse=True)
def _surroundings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_API_KEY", "hunter2")
    Path("prompts.csv").write_text(PROMPTS)
    Path("people.csv").write_text("name,jwt\nann,a.b.c\nbob,d.e.f\n")
    Path("tokens.txt").write_text("one\ntwo\n")
    Path("frame.bin").write_bytes(b"\0")
    Path("matching.py").write_text(PREDICATE)


def plan_of(kind, content):
    path = Path(f"it.{kind}")
    path.write_text(content)
    return changed(TIERS["full"].websocket, read_plan_file(path).changes.websocket)


@pytest.mark.parametrize(("kind", "content"), PLANS)
def test_an_example_can_be_run(kind, content):
    plan = plan_of(kind, content)
    provisions = asyncio.run(load_provisions(plan, None))
    script = script_of(plan, "run", provisions)
    said = {script.compose(user, turn, "m")[0] for user in range(10) for turn in range(20)}
    assert len(said) == len(script.kinds) == max(1, len(plan.messages))


def test_the_assistant_is_what_its_text_says():
    plan = plan_of(*PLANS[0])
    provisions = asyncio.run(load_provisions(plan, None))
    assert headers_of(plan, provisions, 1) == (
        ("X-Tenant", "globex"),
        ("X-Api-Key", "hunter2"),
        ("Authorization", "Bearer two"),
    )
    script = script_of(plan, "run", provisions)
    assert script.greeting(0, "m") == (b'{"type":"hello","id":"m","locale":"en"}', False)
    payloads = {script.compose(user, 1, "m")[1] for user in range(50)}
    assert (
        b'{"type":"chat","id":"m","message":"Which expenses, by tag, grew most?",'
        b'"context":{"customer":"globex"}}' in payloads
    )


def test_a_token_in_a_subprotocol_is_all_that_the_handshake_has():
    (example,) = (content for _, content in PLANS if "subprotocols:" in content)
    plan = plan_of("yaml", example)
    provisions = asyncio.run(load_provisions(plan, None))
    assert headers_of(plan, provisions, 1) == (("Sec-WebSocket-Protocol", "chat.v1, bearer.d.e.f"),)


def test_the_predicate_is_one():
    plan = plan_of("yaml", "websocket: {reply: {match: predicate, predicate: 'matching:by_reference'}}")
    asyncio.run(load_provisions(plan, None))
