"""The files of ``deployments/``, as data."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "deployments"
KUBERNETES = FOLDER / "kubernetes"

IMAGE = "nightbench:" + tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
USER = 10001
GRACE_SECONDS = 120
"""What everything that ends a run leaves it."""


def template(kind: str) -> dict[str, Any]:
    """The base-job template of the work pools of a kind."""
    content: dict[str, Any] = json.loads((FOLDER / kind / "base-job-template.json").read_text())
    return content


def manifests() -> list[dict[str, Any]]:
    """What the kustomization names, one after the other, with its images."""
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    found = [
        each
        for name in kustomization["resources"]
        for each in yaml.safe_load_all((KUBERNETES / name).read_text())
    ]
    images = {each["name"]: f"{each['newName']}:{each['newTag']}" for each in kustomization["images"]}
    for container in containers(found):
        container["image"] = images.get(container["image"], container["image"])
    return found


def pods(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pod templates of `found`."""
    for each in found:
        if "template" in each.get("spec", {}):
            yield each["spec"]["template"]


def containers(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The containers of all pods of `found`."""
    for pod in pods(found):
        yield from pod["spec"].get("initContainers", ())
        yield from pod["spec"]["containers"]


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with its arguments; lines that go on are one."""
    text = re.sub(r"^#.*\n", "", (FOLDER / "container" / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]  # type: ignore[misc]


def image_environment() -> dict[str, str]:
    """What the image sets."""
    last = [arguments for instruction, arguments in dockerfile() if instruction == "ENV"][-1]
    return dict(re.findall(r"(\w+)=(\S+)", last))
