"""The fingerprint of the machine."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

from nightbench.host import PACKAGES, fingerprint


def test_it_is_json_and_names_machine_and_packages() -> None:
    found = json.loads(json.dumps(fingerprint()))
    assert found["cores"] >= 1
    assert found["memory_mib"] > 0
    assert found["cpu"]
    assert set(found["packages"]) == set(PACKAGES)
    assert found["packages"]["pyarrow"] == version("pyarrow")


def test_the_name_of_the_host_stays_at_home() -> None:
    found = fingerprint()
    assert platform.node() not in found.values()
    assert found["machine"] == fingerprint()["machine"]


def test_a_package_that_is_not_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr("nightbench.host.PACKAGES", ("no-such-package",))
    assert fingerprint()["packages"] == {"no-such-package": None}
