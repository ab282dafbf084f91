"""What is wrong in the files of the deployments is refused, where Prefect would pass over it."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from flows.serving.project_file import ProjectFile
from nightbench.errors import ConfigurationError

FILE = Path(__file__).parents[2] / "prefect.yaml"
CONTENT = yaml.safe_load(FILE.read_text())


def with_change(content, path, value):
    """A copy of `content` with `value` at a path such as ``deployments.0.name``."""
    changed = copy.deepcopy(content)
    *way, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    place = changed
    for part in way:
        place = place[part]
    place[last] = value
    return changed


def test_the_project_s_own_file_is_taken():
    project = ProjectFile.parse(CONTENT)
    assert [each.name for each in project.deployments][:2] == ["nightly", "baseline"]


def test_a_night_is_scheduled_with_time_zone_and_slug():
    scheduled = {
        each.name: each.schedules for each in ProjectFile.parse(CONTENT).deployments if each.schedules
    }
    assert {name: [(each.slug, each.timezone) for each in given] for name, given in scheduled.items()} == {
        "nightly": [("every-night", "UTC")],
        "trend-report": [("every-week", "UTC")],
    }


UNKNOWN = (
    "deploymets",
    "deployments/0/schedule",
    "deployments/0/paramters",
    "deployments/0/schedules/0/time_zone",
    "deployments/0/work_pool/job_variable",
    "deployments/0/concurrency_limit/colision_strategy",
)


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_key_that_prefect_would_pass_over_is_refused(path):
    with pytest.raises(ConfigurationError, match=f"prefect.yaml: {path.replace('/', '.')}: no such key"):
        ProjectFile.parse(with_change(CONTENT, path, {}))


WRONG = {
    "name": "No Slug",
    "prefect-version": "latest",
    "pull": [],
    "deployments": [],
    "deployments/0/name": "no_slug",
    "deployments/0/tags/0": "No Slug",
    "deployments/0/description": "",
    "deployments/0/entrypoint": "flows.nightly",
    "deployments/0/schedules/0/slug": "every night",
    "deployments/0/schedules/0/timezone": "Europe/Zürich",
    "deployments/0/schedules/0/cron": "61 3 * * *",
    "deployments/0/concurrency_limit/limit": 0,
    "deployments/0/concurrency_limit/collision_strategy": "WAIT",
    "deployments/1/name": "nightly",
    "deployments/0/pull": [{"a.step": {}, "another.step": {}}],
}


@pytest.mark.parametrize("path", WRONG)
def test_what_is_wrong_is_refused_with_its_place(path):
    # what is wrong with a list as a whole is told of the list
    place = "deployments" if path == "deployments/1/name" else path.replace("/", ".")
    with pytest.raises(ConfigurationError, match=f"^prefect.yaml: {place}: "):
        ProjectFile.parse(with_change(CONTENT, path, WRONG[path]))


@pytest.mark.parametrize("field", ["cron", "timezone"])
@pytest.mark.parametrize("value", [None, "", "every night", "* * *", "H 3 * * *"])
def test_what_no_clock_can_follow_is_refused(field, value):
    with pytest.raises(ConfigurationError, match=rf"^prefect.yaml: deployments\.0\.schedules\.0\.{field}: "):
        ProjectFile.parse(with_change(CONTENT, f"deployments/0/schedules/0/{field}", value))


@pytest.mark.parametrize(
    "path",
    ["deployments/0/version", "deployments/1/parameters/quick", "deployments/0/tags/0", "pull/0"],
)
def test_a_variable_that_would_be_stored_as_it_stands_is_refused(path):
    value = {"a.step": {"directory": "{{ $HERE }}"}} if path == "pull/0" else "{{ $HERE }}"
    with pytest.raises(ConfigurationError, match="a variable that is not set"):
        ProjectFile.parse(with_change(CONTENT, path, value))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is no YAML"),
        ("- a", "valid dictionary"),
        ("", "valid dictionary"),
        (b"\xff", "cannot be read"),
        ("[" * 20_000, "levels deep"),
        ("name: " + "[" * 60 + "]" * 60, "levels deep"),
        ("name: &a [*a]", "levels deep"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, problem):
    file = tmp_path / "prefect.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match=problem):
        ProjectFile.read(file)


def test_a_missing_file_says_where_to_start(tmp_path):
    with pytest.raises(ConfigurationError, match="start in the project's folder"):
        ProjectFile.read(tmp_path / "prefect.yaml")
