"""The whole way, as a user goes it: real backend, real database, real Prefect, real processes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import urllib.request
from pathlib import Path

import pandas as pd
import psutil
import pytest
from outboxes import waiting
from processes import survivors
from waiting import until
from warm import NIGHTBENCH
from warm import nightbench as warm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CACHE = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[2] / ".cache").absolute()
SHORT = [
    # fewer than 100 sends and clock ticks are judged by their P95: a pause of 200 ms makes no run invalid
    *("--websocket.users", "8", "--websocket.duration", "4", "--websocket.rate", "20"),
    *("--websocket.warmup", "0.5", "--websocket.timeout", "10"),
    *("--database.queries", "80", "--database.rate", "20", "--database.warmup", "0.5"),
    # nor does it make a database slow: how fast this machine is, is not what is tested here
    *("--database-target", "query.response_time.p95 < 2000"),
    *("--database-target", "query.response_time.growth < 10000"),
]


@pytest.fixture
def cache(tmp_path):
    """A cache of the test's own, but for the templates, which are made once."""
    folder = tmp_path / "cache"
    folder.mkdir()
    for templates in ("postgres", "prefect"):
        (CACHE / templates).mkdir(parents=True, exist_ok=True)
        (folder / templates).symlink_to(CACHE / templates)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(tmp_path, cache):
    """The settings of a run: results and cache in folders of its own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NIGHTBENCH_", "PREFECT_"))
    }
    return kept | {
        "NIGHTBENCH_CACHE": str(cache),
        "NIGHTBENCH_RESULTS": str(tmp_path / "results"),
        "NIGHTBENCH_RUN__SLOTS": str(tmp_path / "slots"),
    }


@contextlib.contextmanager
def reference(environment, *staging):
    """``nightbench reference up`` staged so: its address and its process."""
    command = [*NIGHTBENCH, "reference", "up", "--json", *staging]
    with warm().start(*command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.send_signal(signal.SIGTERM)


def against(environment, address):
    return environment | {
        "NIGHTBENCH_WEBSOCKET_URL": address["websocket_url"],
        "NIGHTBENCH_TOKEN": address["token"],
        "NIGHTBENCH_DATABASE_DSN": address["dsn"],
    }


def nightbench(environment, cwd, *arguments):
    """Run the command line to its end: its exit code and what it said."""
    with started(environment, cwd, *arguments) as run:
        out, err = run.communicate()
    return subprocess.CompletedProcess(arguments, run.returncode, out, err)


def started(environment, cwd, *arguments, **how):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return warm().start(*NIGHTBENCH, *arguments, env=environment, cwd=cwd, text=True, **streams, **how)


def counters(address):
    with urllib.request.urlopen(address["counters_url"]) as response:
        return json.load(response)


def outbox(tmp_path):
    return waiting(tmp_path / "results" / "outbox")


def instances(cache):
    return [path.name for path in (cache / "instances").iterdir() if path.is_dir()]


def family(pid):
    """A process with all its descendants."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def ports_of(processes):
    """The TCP ports that they listen on; one that has ended meanwhile, as PostgreSQL's workers do, on none."""
    ports = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            connections = process.net_connections("tcp")
            ports |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return ports


def at_work_in(cache):
    """Whatever was started with this cache, wherever it hangs in the tree of processes."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            named = process.environ().get("NIGHTBENCH_CACHE") == str(cache)
            # PostgreSQL overwrites its environment, and stands in its data folder
            if named or process.cwd().startswith(str(cache)):
                found.append(process)
    return found


def values_of(tmp_path, metric):
    metrics = pd.read_parquet(tmp_path / "results" / "metrics")
    return metrics[metrics["name"] == metric]["value"].tolist()


@pytest.mark.alone  # valid, and not for want of a core
def test_a_healthy_run_agrees_with_what_the_backend_counted(environment, tmp_path):
    with reference(environment) as (address, _):
        done = nightbench(against(environment, address), tmp_path, "run", "quick", *SHORT, "--json", "-")
        counted = counters(address)
    assert done.returncode == 0, done.stdout + done.stderr
    night = json.loads(done.stdout)
    websocket, database = night["suites"]
    connection = websocket["operations"]["connection"]
    sent = [accounts["message"] for accounts in (websocket["operations"], websocket["uncounted"])]

    assert connection["ok"] == 8
    # one more connection reached the port to see that somebody listens, and asked for no WebSocket
    assert counted["connections_accepted"] == 8
    assert counted["messages_received"] == sum(account["scheduled"] for account in sent)
    assert counted["replies_done"] == sum(account["ok"] for account in sent)
    assert counted["rows_written"] == {"conversations": 8, "messages": 2 * counted["replies_done"]}

    written = [
        accounts["query[expense_insert]"]["ok"]
        for accounts in (database["operations"], database["uncounted"])
    ]
    rows = database["details"]["rows"]
    assert (rows["left_over"], rows["removed"]) == (0, sum(written) + database["plan"]["workers"])
    assert rows["before"] == rows["after"] == {"expenses": 100_000}
    assert outbox(tmp_path) == []
    for secret in (address["token"], address["dsn"].split(":")[2].split("@")[0]):
        everything = [path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()]
        assert secret.encode() not in b"".join([*everything, done.stdout.encode(), done.stderr.encode()])


def test_a_second_run_compares_with_the_first(environment, tmp_path):
    # as slow as SHORT, for its reason
    arguments = ("websocket", "--users", "5", "--duration", "4", "--warmup", "0.5", "--rate", "20")
    with reference(environment) as (address, _):
        first = nightbench(against(environment, address), tmp_path, *arguments)
        second = nightbench(against(environment, address), tmp_path, *arguments)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "no baseline yet: 0 comparable nights" in first.stdout
    assert "no baseline yet: 1 comparable night," in second.stdout
    assert len(values_of(tmp_path, "message.response_time.p95")) == 2


def test_a_missed_target_is_code_1_an_alert_and_a_row(environment, tmp_path):
    slow_and_failing = ["--delay", "fixed", "--delay-ms", "2500", "--refuse-rate", "0.5", "--seed", "4"]
    with reference(environment, *slow_and_failing) as (address, _):
        done = nightbench(against(environment, address), tmp_path, "run", "quick", *SHORT)
    assert done.returncode == 1, done.stdout + done.stderr
    alerts = {event["tags"]["metric"]: event for event in outbox(tmp_path)}
    assert sorted(alerts) == [
        "connection.connected_users",
        "connection.success_rate",
        "message.response_time.p95",
    ]
    for metric, alert in alerts.items():
        assert alert["level"] == "error"
        assert alert["fingerprint"] == ["target_missed", "websocket", "quick", metric, "local"]
    runs = pd.read_parquet(tmp_path / "results" / "runs").set_index("suite")
    assert bool(runs.loc["websocket", "valid"])
    assert not bool(runs.loc["websocket", "targets_met"])
    assert bool(runs.loc["database", "targets_met"])
    (users,), (p95,) = (
        values_of(tmp_path, metric) for metric in ("connection.connected_users", "message.response_time.p95")
    )
    assert users < 8
    assert p95 > 2000


def test_a_backend_killed_in_the_middle_leaves_what_was_measured_marked_incomplete(environment, tmp_path):
    with reference(environment) as (address, process):
        backend = family(process.pid)
        arguments = ["websocket", "--users", "5", "--duration", "60", "--rate", "50", "--warmup", "0.2"]
        with started(against(environment, address), tmp_path, *arguments) as run:
            until(lambda: run.poll() is not None or counters(address)["replies_done"] >= 60)
            assert run.poll() is None
            process.kill()
            out, _ = run.communicate(timeout=60)
    assert survivors(backend) == []
    assert run.returncode == 3
    assert "the subject was lost" in " ".join(out.split())
    runs = pd.read_parquet(tmp_path / "results" / "runs")
    assert runs[["valid", "complete"]].to_numpy().tolist() == [[False, False]]
    (throughput,) = values_of(tmp_path, "message.throughput")
    assert throughput > 0


def test_a_night_interrupted_by_ctrl_c_keeps_what_it_has_and_leaves_nothing(environment, cache, tmp_path):
    arguments = ("run", "quick", "--websocket.duration", "60")
    run = started(environment, tmp_path, *arguments, start_new_session=True)
    said = []
    for line in run.stderr:
        said.append(line)
        if "measure" in line and "P95 –" not in line:
            break
    processes, left_meanwhile = family(run.pid), instances(cache)
    ports, ports_found = ports_of(processes), ports_of(at_work_in(cache))
    os.killpg(run.pid, signal.SIGINT)
    reader = threading.Thread(target=lambda: said.extend(run.stderr))
    reader.start()
    out = run.stdout.read()
    assert run.wait(60) == 3, "".join(said)
    reader.join()
    run.stdout.close()
    run.stderr.close()
    assert "interrupted" in out
    assert "not run" in out
    runs = pd.read_parquet(tmp_path / "results" / "runs")
    assert runs["complete"].tolist() == [False]
    # Prefect's server, the backend, PostgreSQL
    assert len(ports) == 3
    assert len(left_meanwhile) == 2
    assert survivors(processes) == []
    assert instances(cache) == []
    # who looks at the ports themselves may find that another test has one of them by now
    assert ports_found == ports
    assert survivors(at_work_in(cache)) == []


def test_an_unreadable_file_in_the_history_is_named_and_nothing_is_lost(environment, tmp_path):
    torn = (
        tmp_path / "results" / "metrics" / "suite=websocket" / "tier=quick" / "month=2026-01" / "torn.parquet"
    )
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"PAR1 half a fi")
    arguments = ("websocket", "--users", "2", "--duration", "2", "--warmup", "0", "--rate", "20")
    done = nightbench(environment, tmp_path, *arguments)
    assert done.returncode == 3
    assert "torn.parquet" in done.stderr
    assert "Traceback" not in done.stderr
    runs = pd.read_parquet(tmp_path / "results" / "runs")
    assert runs["complete"].tolist() == [True]
