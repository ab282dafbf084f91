"""Workers on machines of their own, as far as the network goes: each in a network namespace with its address."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from dask_cluster import environment, scheduler, workers

HUB = "10.213.0.1"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def namespaces():
    """A hub and two machines on a bridge in it; nothing of them touches this machine's own network."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces take root and the command ip")
    names = [f"nb{os.getpid()}{name}" for name in ("hub", "a", "b")]
    hub, *machines = names
    with ExitStack() as stack:
        try:
            for name in names:
                ip("netns", "add", name)
                stack.callback(ip, "netns", "del", name)
                ip("-n", name, "link", "set", "lo", "up")
            ip("-n", hub, "link", "add", "bridge", "type", "bridge")
            ip("-n", hub, "addr", "add", f"{HUB}/24", "dev", "bridge")
            ip("-n", hub, "link", "set", "bridge", "up")
            for number, name in enumerate(machines, start=2):
                link = f"to{number}"
                ip("-n", hub, "link", "add", link, "type", "veth", "peer", "name", "up0", "netns", name)
                ip("-n", hub, "link", "set", link, "master", "bridge")
                ip("-n", hub, "link", "set", link, "up")
                ip("-n", name, "addr", "add", f"10.213.0.{number}/24", "dev", "up0")
                ip("-n", name, "link", "set", "up0", "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        yield names


def test_a_worker_that_is_cut_off_is_told_and_ends_the_others_without_a_prefect_server(namespaces):
    hub, *machines = [["ip", "netns", "exec", name] for name in namespaces]
    with scheduler(host=HUB, before=hub) as address, workers(address, 2, before=machines) as both:
        assert sorted(each.address.split(":")[1] for each in both) == ["//10.213.0.2", "//10.213.0.3"]
        script = str(Path(__file__).parent / "dask_from_hub.py")
        ran = subprocess.run(
            [*hub, sys.executable, script, address, f"ip -n {namespaces[0]} link set to2 down"],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    came = json.loads(ran.stdout.splitlines()[-1])
    (lost,) = came["lost"]
    assert lost.startswith("the Dask worker tcp://10.213.0.2:")
    assert "was lost: silent for" in lost or "its connection broke" in lost
    assert came["others"] == ["interrupted"]
