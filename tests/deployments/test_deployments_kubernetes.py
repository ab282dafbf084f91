from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.metadata import version

import pytest
import yaml
from deployed import GRACE_SECONDS, IMAGE, KUBERNETES, PROJECT, USER, containers, manifests, pods, template

from flows.serving.applying import Applying
from nightbench.settings import Settings

MANIFESTS = manifests()
KINDS = {
    "v1": {"Namespace", "ServiceAccount", "PersistentVolumeClaim", "Service"},
    "apps/v1": {"Deployment", "StatefulSet"},
    "batch/v1": {"Job"},
    "rbac.authorization.k8s.io/v1": {"Role", "RoleBinding"},
    "networking.k8s.io/v1": {"NetworkPolicy"},
}
RUN_TEMPLATE = template("kubernetes")
RUN = RUN_TEMPLATE["job_configuration"]["job_manifest"]["spec"]["template"]
PODS = [*pods(MANIFESTS), RUN]
DEFAULTS = {name: each.get("default") for name, each in RUN_TEMPLATE["variables"]["properties"].items()}
BY_HAND = {("Secret", "prefect-api"), ("Secret", "nightbench-secrets"), ("Secret", "dask-tls")}
"""What the README has the user make."""


def named(kind: str, name: str) -> dict:
    return next(each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name))


def selected(labels: dict[str, str]) -> list[dict]:
    return [pod for pod in PODS if labels.items() <= pod["metadata"]["labels"].items()]


def generated() -> set[tuple[str, str]]:
    files = [KUBERNETES / "kustomization.yaml", KUBERNETES / "dask-tls" / "kustomization.yaml"]
    return {
        ("ConfigMap", each["name"])
        for file in files
        for each in yaml.safe_load(file.read_text())["configMapGenerator"]
    }


def references(value: object) -> set[tuple[str, str]]:
    """The secrets, config maps, claims and accounts that a pod names, with the variables' defaults."""
    kinds = {"secretRef": "Secret", "configMapRef": "ConfigMap", "configMap": "ConfigMap"}
    found: set[tuple[str, str]] = set()
    if isinstance(value, list):
        return found.union(*map(references, value))
    if not isinstance(value, dict):
        return found
    for key, inner in value.items():
        if key in kinds:
            found.add((kinds[key], inner["name"]))
        elif key == "secret":
            found.add(("Secret", inner["secretName"]))
        elif key == "persistentVolumeClaim":
            found.add(("PersistentVolumeClaim", inner["claimName"]))
        elif key == "serviceAccountName":
            found.add(("ServiceAccount", inner))
        else:
            found |= references(inner)
    return {(kind, re.sub(r"{{ (\w+) }}", lambda match: DEFAULTS[match[1]], name)) for kind, name in found}


def test_every_kind_is_known_and_every_name_is_there_once():
    assert all(each["kind"] in KINDS[each["apiVersion"]] for each in MANIFESTS)
    names = [(each["kind"], each["metadata"]["name"]) for each in MANIFESTS]
    assert len(set(names)) == len(names)


def test_whatever_a_pod_names_is_there():
    there = {(each["kind"], each["metadata"]["name"]) for each in MANIFESTS}
    assert references(PODS) <= there | generated() | BY_HAND


def test_whatever_a_pod_mounts_is_a_volume_of_it():
    for pod in PODS:
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        inside = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
        assert {mount["name"] for each in inside for mount in each["volumeMounts"]} == volumes


def test_what_selects_pods_selects_those_of_its_own():
    for each in MANIFESTS:
        if each["kind"] in KINDS["apps/v1"]:
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
        if each["kind"] == "Service":
            [pod] = selected(each["spec"]["selector"])
            ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= ports


def test_a_policy_lets_those_in_who_are_there_to_ports_that_are_listened_on():
    for policy in (each for each in MANIFESTS if each["kind"] == "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", ()):
            [pod] = selected(policy["spec"]["podSelector"]["matchLabels"])
            listened = {port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
            assert {port["port"] for port in rule["ports"]} <= listened
            for source in rule["from"]:
                for expression in source["podSelector"]["matchExpressions"]:
                    assert all(selected({expression["key"]: value}) for value in expression["values"])


def test_the_image_is_the_same_everywhere_and_the_worker_is_of_the_prefect_that_is_locked():
    images = {each["image"] for each in containers(MANIFESTS)} | {DEFAULTS["image"]}
    assert images == {IMAGE, f"docker.io/prefecthq/prefect:{version('prefect')}-python3.11-kubernetes"}


def test_no_pod_may_do_more_than_it_must():
    for pod in PODS:
        spec = pod["spec"]
        assert (
            spec["securityContext"].items()
            >= {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER}.items()
        )
        for each in (*spec.get("initContainers", ()), *spec["containers"]):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_only_the_worker_speaks_to_the_cluster():
    speaking = [pod for pod in PODS if pod["spec"].get("automountServiceAccountToken", True)]
    assert [pod["spec"]["serviceAccountName"] for pod in speaking] == ["nightbench-worker"]


def test_who_generates_load_has_its_cores_alone_and_time_to_end():
    workers = named("StatefulSet", "dask-worker")["spec"]["template"]["spec"]
    resources = workers["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"]
    assert resources["limits"]["cpu"].isdecimal()
    assert (DEFAULTS["cpu_request"], DEFAULTS["memory_request"]) == (
        DEFAULTS["cpu_limit"],
        DEFAULTS["memory_limit"],
    )
    assert workers["terminationGracePeriodSeconds"] == GRACE_SECONDS
    assert DEFAULTS["termination_grace_seconds"] == GRACE_SECONDS


def test_a_dask_worker_takes_one_shard():
    arguments = named("StatefulSet", "dask-worker")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {"--nworkers=1", "--nthreads=1"} <= set(arguments)


def test_the_settings_of_runs_are_settings_and_their_dask_is_the_scheduler():
    settings = Settings(**tomllib.loads((KUBERNETES / "nightbench.toml").read_text()))
    service = named("Service", "dask-scheduler")
    assert settings.run.dask == f"tcp://dask-scheduler:{service['spec']['ports'][0]['port']}"


def test_the_job_that_makes_the_deployments_is_understood():
    job = named("Job", "nightbench-deployments")["spec"]["template"]["spec"]
    (script,) = job["containers"][0]["args"]
    said, _, command = script.partition(" | ")
    python, flag, module, *words = shlex.split(command)
    assert (said, python, flag, module) == ("echo there", "python", "-m", "flows.serving.apply")
    asked = Applying.parse(words)
    assert (asked.own, asked.worker) == (False, False)
    assert [file for file in (asked.file, asked.automations) if not (PROJECT / file).is_file()] == []
    assert str(asked.remembered.parent) in {
        each["mountPath"] for each in job["containers"][0]["volumeMounts"]
    }


def test_the_job_template_that_is_mounted_is_the_one_that_is_named():
    mounted = [
        argument
        for each in containers(MANIFESTS)
        for argument in each["args"]
        if argument.startswith("--base-job-template")
    ]
    assert mounted == ["--base-job-template=/etc/nightbench/base-job-template.json"] * 2


@pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which renders the kustomization, is not here"
)
@pytest.mark.parametrize("component", ["", "components: [dask-tls]"], ids=["plain", "with TLS"])
def test_kubectl_renders_it(tmp_path, component):
    copy = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, copy)
    file = copy / "kustomization.yaml"
    text = file.read_text()
    assert "\n# components: [dask-tls]\n" in text
    file.write_text(text.replace("# components: [dask-tls]", component))
    done = subprocess.run(["kubectl", "kustomize", str(copy)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    rendered = [json.loads(json.dumps(each, default=str)) for each in yaml.safe_load_all(done.stdout)]
    encrypted = {
        each["metadata"]["name"] for each in rendered if "dask-tls" in json.dumps(each.get("spec", {}))
    }
    assert encrypted == ({"dask-scheduler", "dask-worker"} if component else set())
    assert {each["metadata"].get("namespace", "nightbench") for each in rendered} == {"nightbench"}
