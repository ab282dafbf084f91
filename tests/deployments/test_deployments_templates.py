"""The work pools' base-job templates, as Prefect renders them; the README's commands, as Prefect reads them.

Prefect is imported late in here: to import it takes seconds, and every worker collects these tests.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from deployed import FOLDER, IMAGE, PROJECT, template

KINDS = ("docker", "kubernetes")

OURS = {
    "docker": {
        "job_configuration.container_create_kwargs",
        "variables.properties.auto_remove.default",
        "variables.properties.cpus",
        "variables.properties.image.default",
        "variables.properties.image_pull_policy.default",
        "variables.properties.network_mode.default",
        "variables.properties.open_files",
        "variables.properties.volumes.default",
    },
    "kubernetes": {
        *(
            f"job_configuration.job_manifest.spec.{path}"
            for path in (
                "completions",
                "parallelism",
                "template.metadata",
                "template.spec.automountServiceAccountToken",
                "template.spec.containers.0.command",
                "template.spec.containers.0.envFrom",
                "template.spec.containers.0.securityContext",
                "template.spec.containers.0.volumeMounts",
                "template.spec.nodeSelector",
                "template.spec.securityContext",
                "template.spec.terminationGracePeriodSeconds",
                "template.spec.tolerations",
                "template.spec.volumes",
            )
        ),
        *(
            f"variables.properties.{name}.default"
            for name in (
                "cpu_limit",
                "cpu_request",
                "env",
                "finished_job_ttl",
                "image",
                "memory_limit",
                "memory_request",
                "namespace",
                "pod_watch_timeout_seconds",
                "service_account_name",
            )
        ),
        *(
            f"variables.properties.{name}"
            for name in (
                "node_selector",
                "results_claim",
                "secret_name",
                "settings_name",
                "termination_grace_seconds",
                "tolerations",
            )
        ),
    },
}
"""Where they differ from Prefect's own."""


@cache
def prefects_own(kind: str) -> dict[str, Any]:
    views = Path(find_spec("prefect").origin).parent / "server" / "api" / "collections_data" / "views"
    known = json.loads((views / "aggregate-worker-metadata.json").read_text())
    own: dict[str, Any] = known["prefect" if kind == "process" else f"prefect-{kind}"][kind][
        "default_base_job_configuration"
    ]
    return own


def differences(one: Any, other: Any, place: str = "") -> set[str]:
    """Where `other` is not as `one`, or has more or less."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = ((key, one.get(key), other.get(key)) for key in one | other)
        return {path for key, mine, its in pairs for path in differences(mine, its, f"{place}.{key}")}
    return set() if one == other else {place.lstrip(".")}


@cache
def configuration() -> Any:
    from prefect.workers.base import BaseJobConfiguration

    # each kind of worker has fields of its own
    return type("Configuration", (BaseJobConfiguration,), {"model_config": {"extra": "allow"}})


def rendered(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the worker of a pool makes of its template and the job variables of a deployment."""
    return rendered_from(template(kind), values)


def rendered_from(whole: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The same of a template itself."""
    no_server: Any = object()
    rendering = configuration().from_template_and_values(whole, values, client=no_server)
    return asyncio.run(rendering).model_dump(exclude_unset=True)


def deployments() -> list[dict[str, Any]]:
    return yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_differs_from_prefects_own_where_it_says_so(kind):
    assert differences(prefects_own(kind), template(kind)) == OURS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_its_schema_takes_its_defaults_and_the_variables_of_every_deployment(kind):
    schema = template(kind)["variables"]
    jsonschema.Draft7Validator.check_schema(schema)
    defaults = {name: each["default"] for name, each in schema["properties"].items() if "default" in each}
    assert defaults["image"] == IMAGE
    for values in (defaults, *(each["work_pool"].get("job_variables", {}) for each in deployments())):
        jsonschema.validate(values, schema)


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_is_left_and_no_variable_is_for_nothing(kind):
    from prefect.utilities.templating import find_placeholders

    content = template(kind)
    asked = {each.name for each in find_placeholders(content["job_configuration"])}
    assert asked == set(content["variables"]["properties"])
    for deployment in deployments():
        made = rendered(kind, deployment["work_pool"].get("job_variables", {}))
        assert "{{" not in json.dumps(made)


@pytest.mark.parametrize("kind", [*KINDS, "process"])
def test_a_run_of_a_plain_worker_finds_what_its_deployment_sets(kind):
    for deployment in deployments():
        variables = deployment["work_pool"]["job_variables"]
        whole = prefects_own(kind) if kind == "process" else template(kind)
        made = rendered_from(whole, variables)
        assert variables["env"].items() <= made["env"].items()


def test_a_docker_container_is_as_its_library_takes_it():
    arguments = pytest.importorskip("docker.models.containers")._create_container_args
    made = rendered("docker", {"cpus": "2-5"})
    container = {name: made[name] for name in ("image", "network_mode", "volumes")}
    taken = arguments({**container, **made["container_create_kwargs"], "version": "1.50"})
    host = taken["host_config"]
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 65536, "Hard": 65536}]
    assert host["CpusetCpus"] == "2-5"
    assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])


def test_a_docker_container_without_pinned_cpus_asks_for_none():
    assert "cpuset_cpus" not in rendered("docker", {})["container_create_kwargs"]


def test_a_pod_ends_its_run_early_and_is_never_begun_anew_for_it():
    made = rendered(
        "kubernetes", {**deployments()[0]["work_pool"]["job_variables"], "termination_grace_seconds": 300}
    )
    job = made["job_manifest"]["spec"]
    assert (job["backoffLimit"], job["parallelism"], job["completions"]) == (0, 1, 1)
    assert job["template"]["spec"]["terminationGracePeriodSeconds"] == 300
    assert made["env"]["PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"] == "relinquish"


@pytest.mark.parametrize("kind", KINDS)
def test_the_signal_of_a_container_goes_to_its_run(kind):
    made = rendered(kind, {})
    begins = {
        "docker": lambda: made["container_create_kwargs"]["entrypoint"],
        "kubernetes": lambda: made["job_manifest"]["spec"]["template"]["spec"]["containers"][0]["command"],
    }[kind]()
    *_, script = begins
    assert begins == ["tini", "--", "python", "-I", script]
    assert (PROJECT / script.removeprefix("/opt/nightbench/")).is_file()


README = (FOLDER / "README.md").read_text()


def test_every_file_that_the_readme_names_is_there():
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", README)]
    named = re.findall(r"(?<![\w/.-])deployments/[\w./-]+", README)
    assert [target for target in targets if not (FOLDER / target).exists()] == []
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_the_readme_names_every_file_of_the_cluster():
    names = {file.name for file in (FOLDER / "kubernetes").iterdir()} - {"kustomization.yaml"}
    missing = [name for name in names if f"(kubernetes/{name}" not in README]
    assert missing == []
