"""What `nightbench serve` decides before it starts anything."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.serving import environment
from flows.serving.applying import Applying
from flows.serving.data_folder import alone
from flows.serving.database import is_migrated, now_migrated
from flows.serving.own_server import reachable
from flows.serving.remembered import Remembered
from nightbench.cli import run_command
from nightbench.cli.serve import _print_ready
from nightbench.errors import ConfigurationError
from nightbench.serving import Place

ROOT = Path(__file__).parents[2]
DATABASE_URL = "postgresql+asyncpg://postgres:hunter2@127.0.0.1:5/prefect"


@pytest.fixture
def inherited(monkeypatch):
    """A user's own Prefect, and the secrets of what is measured."""
    monkeypatch.setenv("PREFECT_API_URL", "https://api.prefect.cloud/api/accounts/a/workspaces/w")
    monkeypatch.setenv("PREFECT_API_KEY", "pnu_hunter2")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite:///theirs.db")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "user:hunter2")
    monkeypatch.setenv("PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS", "7")
    monkeypatch.setenv("NIGHTBENCH_TOKEN", "hunter2-token")


def test_a_server_of_ours_has_nothing_of_the_user_s_own_prefect(inherited, tmp_path):
    server = environment.of_server(tmp_path, "127.0.0.1", 4200, DATABASE_URL, migrated=True)
    assert "PREFECT_API_KEY" not in server
    assert "PREFECT_API_URL" not in server
    assert server["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == DATABASE_URL
    assert Path(server["PREFECT_HOME"]).parent == tmp_path


def test_it_keeps_what_closes_it_and_how_often_its_services_look(inherited, tmp_path):
    server = environment.of_server(tmp_path, "127.0.0.1", 4200, DATABASE_URL, migrated=True)
    assert server["PREFECT_API_AUTH_STRING"] == "user:hunter2"
    assert server["PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS"] == "7"


def test_it_and_its_runs_keep_where_links_are_to_lead(inherited, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_UI_URL", "https://nightbench.example.org")
    monkeypatch.setenv("PREFECT_SERVER_UI_V2_ENABLED", "false")
    for each in (
        environment.of_server(tmp_path, "127.0.0.1", 4200, DATABASE_URL, migrated=True),
        environment.of_own_clients(tmp_path, "http://127.0.0.1:4200/api"),
    ):
        assert each["PREFECT_UI_URL"] == "https://nightbench.example.org"
        assert each["PREFECT_SERVER_UI_V2_ENABLED"] == "false"


def test_the_server_never_sees_the_secrets_of_what_is_measured_and_runs_do(inherited, tmp_path):
    server = environment.of_server(tmp_path, "127.0.0.1", 4200, DATABASE_URL, migrated=True)
    runs = environment.of_own_clients(tmp_path, "http://127.0.0.1:4200/api")
    assert "hunter2-token" not in server.values()
    assert runs["NIGHTBENCH_TOKEN"] == "hunter2-token"
    assert runs["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
    assert not [name for name, value in runs.items() if value == DATABASE_URL or name == "PREFECT_API_KEY"]


def test_on_another_server_the_user_s_own_prefect_is_kept(inherited):
    runs = environment.of_clients("https://prefect.example.org/api")
    assert runs["PREFECT_API_KEY"] == "pnu_hunter2"
    assert runs["PREFECT_API_URL"] == "https://prefect.example.org/api"


def test_nobody_is_told_of_its_use_and_runs_give_signs_of_life(inherited, tmp_path):
    for each in (
        environment.of_server(tmp_path, "127.0.0.1", 4200, DATABASE_URL, migrated=True),
        environment.of_own_clients(tmp_path, "http://127.0.0.1:4200/api"),
        environment.of_clients("https://prefect.example.org/api"),
    ):
        assert each["DO_NOT_TRACK"] == "1"
        assert each["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert (
        environment.of_clients("https://prefect.example.org/api")["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    )


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.org:3128")
    monkeypatch.setenv("NO_PROXY", "intra.example.org")
    runs = environment.of_own_clients(tmp_path, "http://127.0.0.1:4200/api")
    assert runs["NO_PROXY"] == runs["no_proxy"] == "intra.example.org,127.0.0.1"


def test_a_second_one_of_a_server_is_refused_and_told_where_the_first_is(tmp_path):
    with alone(tmp_path, None) as announce:
        announce("at http://127.0.0.1:4200/api")
        with (
            pytest.raises(
                ConfigurationError, match=r"runs already, at http://127\.0\.0\.1:4200/api; stop it"
            ),
            alone(tmp_path, None),
        ):
            pass
        with alone(tmp_path, "https://prefect.example.org/api"):
            pass
    with alone(tmp_path, None):
        pass


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "{port}"], "cannot be listened on: address already in use; choose another with --port"),
        (["--port", "65536"], "--port = 65536: is not between 0 and 65535"),
        (["--port", "-1"], "--port = -1: is not between 0 and 65535"),
        (["--api-url", "http://127.0.0.1:9/api", "--port", "1"], "--port = 1: is for a server of its own"),
        (["--api-url", "http://127.0.0.1:9/api"], "--api-url = 'http://127.0.0.1:9/api': nothing answers"),
        (["--api-url", "127.0.0.1"], "it is no API's URL"),
        (["--file", "{tmp}/none.yaml"], "is not there; start in the project's folder"),
        (["--file", "{tmp}/pools.yaml"], "pools.yaml = 'a, b': has several work pools; use --no-worker"),
        (["--file", "{tmp}/cron.yaml"], "cron.yaml: deployments.0.schedules.0.cron: Invalid cron string"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(tmp_path, taken_port, capfd, flags, words):
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    for number, name in enumerate("ab"):
        content["deployments"][number]["work_pool"] = {"name": name}
    pools = {**content, "deployments": content["deployments"][:2]}
    (tmp_path / "pools.yaml").write_text(yaml.safe_dump(pools))
    content["deployments"][0]["schedules"][0]["cron"] = "61 3 * * *"
    (tmp_path / "cron.yaml").write_text(yaml.safe_dump(content))
    filled = [flag.format(port=taken_port, tmp=tmp_path) for flag in flags]
    file = [] if "--file" in flags else ["--file", str(ROOT / "prefect.yaml")]
    assert run_command(["serve", "--data", str(tmp_path / "data"), *file, *filled]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("path", "called"), [("{bin}", "  prefect deployment"), ("", "{bin}/prefect deployment")]
)
def test_the_hint_calls_the_prefect_that_is_installed_here(monkeypatch, capsys, path, called):
    own = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", path.format(bin=own))
    _print_ready(Place("http://127.0.0.1:4200/api", 1.0), worker=True)
    assert called.format(bin=own) in capsys.readouterr().out


def test_a_killed_one_holds_no_lock(tmp_path):
    holder = (
        "import os, sys; from pathlib import Path; from flows.serving.data_folder import alone\n"
        "with alone(Path(sys.argv[1]), None): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", holder, str(tmp_path)], check=False)
    with alone(tmp_path, None):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="--data"), alone(tmp_path / "file", None):
        pass


def test_the_folder_is_for_its_user_alone(tmp_path):
    with alone(tmp_path / "data", None):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_database_is_migrated_once_for_each_prefect(tmp_path, monkeypatch):
    folder = tmp_path / "postgres"
    assert not is_migrated(folder)
    folder.mkdir()
    now_migrated(folder)
    assert is_migrated(folder)
    monkeypatch.setattr("flows.serving.database.version", lambda _name: "99.0")
    assert not is_migrated(folder)


def test_a_database_that_is_gone_is_migrated_anew(tmp_path):
    (tmp_path / "postgres").mkdir()
    now_migrated(tmp_path / "postgres")
    shutil.rmtree(tmp_path / "postgres")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")],
)
def test_a_server_that_listens_everywhere_is_reached_on_this_machine(host, address):
    assert reachable(host) == address


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("worker", [True, False])
def test_what_is_to_be_applied_is_read_as_it_was_written(own, worker):
    asked = Applying(Path("-a b"), Path("c"), Path("d"), own=own, worker=worker)
    assert Applying.parse(asked.words()) == asked


@pytest.mark.parametrize(
    "words", [[], ["own", "worker"], ["--file", "a", "--automations", "b", "--remembered", "c", "--ow"]]
)
def test_a_wrong_use_of_applying_is_one_line(words, capsys):
    with pytest.raises(SystemExit) as ended:
        Applying.parse(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_has_not_changed_is_known_again_whatever_its_order(tmp_path):
    Remembered(tmp_path / "own.json").keep("deployment", "a/a", {"x": 1, "y": [2]})
    again = Remembered(tmp_path / "own.json")
    assert again.knows("deployment", "a/a", {"y": [2], "x": 1})
    assert not again.knows("deployment", "a/a", {"x": 1, "y": [3]})
    assert not again.knows("automation", "a/a", {"x": 1, "y": [2]})


def test_what_the_file_no_longer_has_is_remembered_until_it_is_gone(tmp_path):
    remembered = Remembered(tmp_path / "own.json")
    remembered.keep("deployment", "a/a", {})
    remembered.keep("deployment", "b/b", {})
    assert remembered.others("deployment", {"a/a"}) == ["b/b"]
    remembered.forget("deployment", "b/b")
    assert Remembered(tmp_path / "own.json").others("deployment", set()) == ["a/a"]


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_memory_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "own.json").write_text(text, encoding="latin-1")
    assert not Remembered(tmp_path / "own.json").knows("deployment", "a/a", {})
