from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from http_served import http_served

from flows.in_process import environment
from flows.in_process.engine import STARTING, run_flow
from flows.in_process.environment import check_reachable
from nightbench import settings as settings_module
from nightbench.alerts.outbox import Outbox
from nightbench.errors import ConfigurationError, ExitCode


def stray_file(settings) -> None:
    """A file that belongs to no tier."""
    stray = settings.results / "metrics" / "stray.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_text("no Parquet")


def state_of(flow, settings, prefect_server) -> str:
    """The state that a flow ends in when Prefect itself runs it."""
    from prefect.settings import temporary_settings

    with settings_module.use(settings), temporary_settings({"api.url": prefect_server.api_url}):
        return asyncio.run(flow(quick=True, return_state=True)).name


def test_a_tier_that_is_a_night_by_itself_answers_for_all_of_it(api, prefect_server, settings, stages):
    from flows.quick import quick

    stray_file(settings)
    assert state_of(quick, settings, prefect_server) == "Invalid"


def test_in_a_night_each_tier_answers_for_itself(api, prefect_server, settings, stages):
    from flows.nightly import nightly

    stray_file(settings)
    assert state_of(nightly, settings, prefect_server) == "Invalid"
    runs = api("flow_runs/filter", sort="START_TIME_DESC", limit=4)
    assert sorted(run["state"]["name"] for run in runs) == ["Completed", "Completed", "Completed", "Invalid"]


def test_a_summary_that_cannot_be_published_is_told_and_no_more(api, settings, stages, monkeypatch):
    def refused(*_args, **_kwargs):
        raise RuntimeError("the server said token=abcdef123456")

    monkeypatch.setattr("tasks.publish.acreate_markdown_artifact", refused)
    told: list[str] = []

    outcome = run_flow("quick", settings, on_note=told.append)

    assert outcome.exit_code is ExitCode.MET
    start, *rest = told
    assert start == STARTING
    assert len(rest) == 1
    assert rest[0].startswith("the summary could not be published: ")
    assert "abcdef123456" not in rest[0]
    assert Outbox(settings.outbox_folder).pending() == []


def test_a_delivery_that_breaks_is_a_failure_and_alerted(api, settings, stages, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("no more threads")

    monkeypatch.setattr("nightbench.night_alerts.deliver", broken)

    outcome = run_flow("quick", settings)

    assert outcome.exit_code is ExitCode.INVALID
    assert len(Outbox(settings.outbox_folder).pending()) == 1


def test_a_deployed_flow_looks_at_its_folders_before_any_load(
    api, prefect_server, settings, stages, tmp_path
):
    from flows.quick import quick

    (tmp_path / "file").write_text("in the way")
    wrong = settings.model_copy(update={"outbox": tmp_path / "file"})
    assert state_of(quick, wrong, prefect_server) == "Refused"
    assert stages.steps == []


# --- the user's own server --------------------------------------------------------------------------------


@contextmanager
def answering(status: int):
    """A server that answers everything with `status`; the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_served(Handler) as port:
        yield port, paths


@pytest.mark.parametrize(("given", "seconds"), [({}, 30), ({"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "75"}, 75)])
def test_a_run_on_the_user_s_server_gives_signs_of_life(monkeypatch, given, seconds):
    from prefect.settings import get_current_settings

    for name, value in {environment.API_URL: "http://127.0.0.1:9/api", **given}.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with environment.prefect_environment(environment.external()):
        assert get_current_settings().flows.heartbeat_frequency == seconds
        assert os.environ["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == str(seconds)  # of processes that it starts
    assert dict(os.environ) == before


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_server_that_answers_is_prefect_s_own_matter(status):
    with answering(status) as (port, paths):
        check_reachable(f"http://user:hunter2@127.0.0.1:{port}/api/")
    assert paths == ["/api/health"]


def test_a_gateway_without_a_server_behind_it_is_told():
    with answering(503) as (port, _), pytest.raises(ConfigurationError, match="answers with HTTP 503"):
        check_reachable(f"http://127.0.0.1:{port}/api")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:9/api", "nothing answers: connection refused"),
        ("http://user:hunter2@127.0.0.1:9/api", "nothing answers"),
        ("127.0.0.1:4200/api", "no API's URL"),
        ("ftp://127.0.0.1/api", "no API's URL"),
        ("http://127.0.0.1:99999/api", "no API's URL"),
        ("http:///api", "no API's URL"),
        ("user:hunter2@127.0.0.1:4200/api", "no API's URL"),
        ("http://127.0.0.1:9/api?of=hunter2", "no API's URL"),
        ("http://127.0.0.1:9/api#hunter2", "no API's URL"),
    ],
)
def test_a_server_that_is_not_there_is_told_before_any_load(settings, stages, monkeypatch, url, problem):
    monkeypatch.setenv("PREFECT_API_URL", url)
    with pytest.raises(ConfigurationError, match=f"PREFECT_API_URL = .*{problem}.*unset it") as caught:
        run_flow("quick", settings)
    assert "hunter2" not in str(caught.value)
    assert stages.steps == []
    assert len(Outbox(settings.outbox_folder).pending()) == 1
