"""A person runs `full` from the form of its deployment, in a real browser, and reads what came of it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser import MOST_BYTES, Browser, browsing
from playwright.sync_api import Locator

pytestmark = pytest.mark.served

TOKEN = "hunter2-token"
MISSED = "message.response_time.p95 < 0.001"
MEASURING = "full websocket measure"
USERS, SECONDS = 40, 3
STAGED = {"full websocket": "form_stages:until_looked_at", "full database": "form_stages:as_of_now"}
FIRST_QUESTIONS = ["WebSocket URL", "Users", "Duration (s)", "Targets", "Queries", "Quick", "Subject"]


@dataclass
class Seen:
    """What the browser saw, and what the server had at the end."""

    questions: list[str] = field(default_factory=list)
    form: str = ""
    out_of_bounds: str = ""
    refused: str = ""
    runs_by_refusal: int = -1
    running: str = ""
    badge_colour: tuple[int, int, int] = (0, 0, 0)
    summary: str = ""
    run: dict = field(default_factory=dict)
    told: str = ""
    connections: int = 0
    pictures: list[Path] = field(default_factory=list)


class Listener:
    """An address that can be reached; who connects is counted and sent away."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def staged_deployment(stack, name: str, staged: dict[str, str]) -> Iterator[dict]:
    """The runs of a deployment that are started in the UI have staged suites inside the block."""
    deployment = stack.deployment(name)
    path = f"/deployments/{deployment['id']}"
    variables = {"env": {"STAGED_SUITES": json.dumps(staged)}}
    stack.api.patch(path, json={"job_variables": variables}).raise_for_status()
    try:
        yield deployment
    finally:
        stack.results.mkdir(exist_ok=True)
        (stack.results / "looked-at").touch()  # or else a run that was not looked at goes on
        stack.api.patch(path, json={"job_variables": deployment["job_variables"]}).raise_for_status()


@contextmanager
def registered_subject(stack, name: str, **data: str) -> Iterator[None]:
    """A subject to choose in the form."""
    block_type = stack.read("/block_types/slug/nightbench-subject")["id"]
    (schema, *_) = stack.ask("/block_schemas/filter", block_schemas={"block_type_id": {"any_": [block_type]}})
    document = stack.ask(
        "/block_documents/", name=name, data=data, block_schema_id=schema["id"], block_type_id=block_type
    )
    try:
        yield
    finally:
        stack.api.delete(f"/block_documents/{document['id']}").raise_for_status()


def open_form(browser: Browser, seen: Seen) -> None:
    browser.open("/")  # from where the server leads to the UI that is its default
    browser.page.get_by_role("link", name="Deployments", exact=True).click()
    browser.page.wait_for_url("**/deployments**")  # the page before has links of that name to runs
    browser.page.get_by_role("link", name="full", exact=True).first.wait_for()
    seen.pictures.append(browser.picture("deployments"))
    browser.page.get_by_role("link", name="full", exact=True).first.click()
    browser.page.wait_for_url("**/deployment/**")
    browser.button("Run").click()
    browser.page.get_by_role("menuitem", name="Custom run").click()
    browser.field("Users").wait_for()
    seen.form = browser.text()
    seen.questions = [
        line.removesuffix(" (Optional)") for line in seen.form.splitlines() if "(Optional)" in line
    ]


def answer(browser: Browser, url: str, seen: Seen) -> None:
    browser.field("WebSocket URL").fill(url)
    browser.field("Users").fill(str(USERS))
    browser.field("Duration (s)").fill(str(SECONDS))
    browser.button("Add item").first.click()
    browser.page.locator("textarea").nth(1).fill(MISSED)
    browser.page.get_by_label("Select a block").click()
    browser.page.get_by_role("option", name="staging").click()
    browser.page.get_by_role("option", name="staging").wait_for(state="hidden")
    seen.pictures.append(browser.picture("custom-run", below="Parameters"))


def answer_wrongly(browser: Browser, stack, seen: Seen) -> None:
    before = runs_of(stack, "full")
    browser.field("Users").fill("0")
    browser.button("Submit").click()
    seen.out_of_bounds = browser.field("Users").evaluate("field => field.validationMessage")
    browser.field("Users").fill(str(USERS))
    browser.page.locator("textarea").nth(1).fill("fast")
    browser.button("Submit").click()
    refusal = refusals(browser).first
    refusal.wait_for()
    seen.refused = refusal.inner_text()
    seen.runs_by_refusal = runs_of(stack, "full") - before
    seen.pictures.append(browser.picture("refused", below="Duration (s)"))


def start(browser: Browser) -> str:
    """Set the wrong answer right and start the run; its id."""
    browser.page.locator("textarea").nth(1).fill(MISSED)
    if refusals(browser).count():  # the UI forgets a refusal with one click, and starts with the next
        browser.button("Submit").click()
        refusals(browser).first.wait_for(state="hidden")
    browser.button("Submit").click()
    browser.button("View run").click()
    browser.page.wait_for_url("**/flow-run/**")
    return browser.page.url.partition("/flow-run/")[2].partition("?")[0]


def runs_of(stack, name: str) -> int:
    return stack.ask("/flow_runs/count", deployments={"id": {"any_": [stack.deployment(name)["id"]]}})


def refusals(browser: Browser) -> Locator:
    return browser.page.locator("form").get_by_text("'fast' does not match")


def watch(browser: Browser, stack, run_id: str, seen: Seen) -> None:
    # the tab has what there is when it is opened: not before there is something to see
    stack.until(
        lambda: MEASURING in str(of_run(stack, "artifacts", run_id)), tell=lambda: stack.story(run_id)
    )
    browser.page.get_by_role("tab", name="Artifacts").click()
    browser.page.get_by_text(MEASURING).first.wait_for()
    seen.running = browser.text()
    browser.drawn()
    seen.pictures.append(browser.picture("running"))
    (stack.results / "looked-at").touch()


def read(browser: Browser, stack, run_id: str, seen: Seen) -> None:
    seen.run = stack.wait(run_id)
    browser.page.reload()
    badge = browser.page.get_by_text("TargetMissed", exact=True).first
    badge.wait_for()
    colour = badge.evaluate("badge => getComputedStyle(badge).color.match(/\\d+/g).slice(0, 3).map(Number)")
    seen.badge_colour = tuple(colour)
    browser.page.get_by_text("nightbench-summary").first.wait_for()
    browser.drawn()
    seen.pictures.append(browser.picture("target-missed"))
    summary = next(each for each in of_run(stack, "artifacts", run_id) if each["key"] == "nightbench-summary")
    browser.open(f"/v2/artifacts/artifact/{summary['id']}")
    browser.page.get_by_text(MISSED.split(maxsplit=1)[0]).first.wait_for()
    browser.page.get_by_text("of environment").first.wait_for()
    seen.summary = browser.text()
    seen.pictures.append(browser.picture("summary"))


def of_run(stack, what: str, run_id: str) -> list[dict]:
    return stack.ask(f"/{what}/filter", **{what: {"flow_run_id": {"any_": [run_id]}}})


@pytest.fixture(scope="module")
def seen(stack) -> Seen:
    seen, listener = Seen(), Listener()
    address = f"ws://127.0.0.1:{listener.port}"
    with (
        registered_subject(
            stack, "staging", environment="staging", websocket_url=f"{address}/old", token=TOKEN
        ),
        staged_deployment(stack, "full", STAGED),
        browsing(stack.ui_url) as browser,
    ):
        open_form(browser, seen)
        answer(browser, f"{address}/chat", seen)
        answer_wrongly(browser, stack, seen)
        run_id = start(browser)
        watch(browser, stack, run_id, seen)
        read(browser, stack, run_id, seen)
    told = [of_run(stack, what, run_id) for what in ("artifacts", "logs")]
    told += [seen.run, stack.read(f"/flow_run_states/?flow_run_id={run_id}")]
    told += [stack.ask("/task_runs/filter", task_runs={"flow_run_id": {"any_": [run_id]}})]
    seen.told, seen.connections = json.dumps(told), listener.connections
    listener.close()
    return seen


def test_the_most_wanted_is_asked_first_and_in_plain_words(seen):
    assert seen.questions[: len(FIRST_QUESTIONS)] == FIRST_QUESTIONS
    assert "times in ms" in seen.form


def test_a_number_out_of_bounds_is_refused_before_anything_is_sent(seen):
    assert seen.out_of_bounds == "Value must be greater than or equal to 1."


def test_what_is_no_target_is_refused_in_the_form_and_starts_nothing(seen):
    assert "'fast' does not match" in seen.refused
    assert seen.runs_by_refusal == 0


def test_the_run_has_what_was_answered(seen):
    parameters = seen.run["parameters"]
    assert (parameters["users"], parameters["duration"], parameters["targets"]) == (USERS, SECONDS, [MISSED])
    assert parameters["url"].endswith("/chat")


def test_the_subject_is_the_one_that_was_chosen(seen):
    assert list(seen.run["parameters"]["subject"]["$ref"]) == ["block_document_id"]
    assert seen.connections
    assert "of environment staging" in seen.summary


def test_its_secrets_are_in_nothing_that_prefect_has(seen):
    assert seen.run["id"] in seen.told
    assert TOKEN not in seen.told


def test_its_progress_is_shown_while_it_runs(seen):
    assert "nightbench-progress" in seen.running
    assert "Running" in seen.running


def test_a_missed_target_is_red_under_its_name(seen):
    assert (seen.run["state_name"], seen.run["state_type"]) == ("TargetMissed", "FAILED")
    red, green, blue = seen.badge_colour
    assert red > 2 * max(green, blue)


def test_the_summary_tells_what_was_missed(seen):
    assert MISSED.split(maxsplit=1)[0] in seen.summary
    assert "Target missed" in seen.summary


def test_its_figures_are_those_of_the_plan_that_was_asked_for(seen):
    assert f"{USERS} users, open model, {USERS / 2:g} messages/s; {SECONDS}.0 s measured" in seen.summary
    assert f"{USERS / 2:.2f} 1/s" in seen.summary


def test_the_pictures_are_small_enough_for_the_documentation(seen):
    names = ["deployments", "custom-run", "refused", "running", "target-missed", "summary"]
    assert [file.stem for file in seen.pictures] == names
    assert all(file.stat().st_size <= MOST_BYTES for file in seen.pictures)
