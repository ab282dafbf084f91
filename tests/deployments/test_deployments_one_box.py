"""What runs on one machine: the systemd unit, and the compose file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict

import pytest
import yaml
from deployed import FOLDER, GRACE_SECONDS, IMAGE

from flows.serving.serve import WORKER_GRACE_SECONDS
from nightbench.reference.server import STOP_SECONDS
from nightbench.settings import Settings

UNIT = FOLDER / "systemd" / "nightbench.service"
COMPOSE = yaml.safe_load((FOLDER / "compose" / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
EXAMPLES = sorted(FOLDER.rglob("*.example.env"))


def unit() -> dict[str, dict[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            keys = sections.setdefault(line.strip("[]"), defaultdict(list))
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            keys[key].append(value)
    return sections


SERVICE = unit()["Service"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_of_an_environment_sets_settings(file, monkeypatch):
    names = dict(re.findall(r"^#?(NIGHTBENCH_\w+)=(.*)$", file.read_text(), flags=re.MULTILINE))
    assert {"NIGHTBENCH_WEBSOCKET_URL", "NIGHTBENCH_DATABASE_DSN", "NIGHTBENCH_TOKEN"} <= set(names)
    for name, value in names.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            assert name.removeprefix("NIGHTBENCH_").lower() in Settings.model_fields
    assert Settings().websocket_url


def test_there_is_time_for_the_longest_end_of_serve():
    server_and_database = 5 + 3 * STOP_SECONDS
    assert WORKER_GRACE_SECONDS + server_and_database <= GRACE_SECONDS
    assert SERVICE["TimeoutStopSec"] == [str(GRACE_SECONDS)]
    for name in ("server", "worker", "dask-worker"):
        assert SERVICES[name]["stop_grace_period"] == f"{GRACE_SECONDS}s"


def test_the_unit_tells_serve_alone_to_end_and_does_not_repeat_what_is_configured_wrong():
    assert SERVICE["ExecStart"] == ["/opt/nightbench/.venv/bin/nightbench serve"]
    assert SERVICE["KillMode"] == ["mixed"]
    assert SERVICE["RestartPreventExitStatus"] == ["2"]


def test_the_unit_keeps_its_secrets_out_of_itself():
    assert SERVICE["EnvironmentFile"] == ["-/etc/nightbench/nightbench.env"]
    assert SERVICE["Environment"] == ["NIGHTBENCH_RESULTS=/var/lib/nightbench/results"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_unit_and_finds_it_closed(tmp_path):
    here = tmp_path / UNIT.name
    # as if the project were where this one is
    text = UNIT.read_text().replace("/opt/nightbench/.venv/bin/nightbench", sys.executable)
    here.write_text(text.replace("WorkingDirectory=/opt/nightbench", f"WorkingDirectory={FOLDER.parent}"))
    for command in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=20", "--no-pager"]):
        done = subprocess.run(
            ["systemd-analyze", *command, str(here)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_every_service_has_the_image_and_can_write_its_volumes_alone():
    for service in SERVICES.values():
        assert service["image"] == IMAGE
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_what_is_built_is_the_dockerfile():
    build = COMPOSE["x-nightbench"]["build"]
    context = (FOLDER / "compose" / build["context"]).resolve()
    assert context == FOLDER.parent
    assert (context / build["dockerfile"]).is_file()


def test_volumes_and_services_that_are_named_are_there():
    named = {volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())}
    assert named == set(COMPOSE["volumes"])
    assert {other for each in SERVICES.values() for other in each.get("depends_on", ())} <= set(SERVICES)


def test_who_is_waited_for_has_a_check():
    for service in SERVICES.values():
        for other in service.get("depends_on", ()):
            healthcheck = SERVICES[other]["healthcheck"]
            assert "test" in healthcheck or "HEALTH_URL" in SERVICES[other]["environment"]


def test_nothing_is_open_to_other_machines():
    assert [port for each in SERVICES.values() for port in each.get("ports", ())] == ["127.0.0.1:4200:4200"]
    for name in ("dask-scheduler", "dask-worker"):
        assert "--host=127.0.0.1" in SERVICES[name]["command"]
