"""Where results lie: a folder, or the URL of an object store without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightbench.errors import ConfigurationError
from nightbench.history.store import HistoryStore
from nightbench.settings import load


@pytest.mark.parametrize(
    ("given", "results", "folder"),
    [
        ("results", Path("results"), Path("results")),
        ("~/results", Path.home() / "results", Path.home() / "results"),
        ("file:///var/my%20results", Path("/var/my results"), Path("/var/my results")),
        ("s3://bucket/team/results/", "s3://bucket/team/results", None),
        ("S3://bucket", "s3://bucket", None),
        ("memory://results", "memory://results", None),
    ],
)
def test_what_the_setting_means(given: str, results: Path | str, folder: Path | None) -> None:
    settings = load({"results": given})
    assert settings.results == results
    assert settings.results_folder == folder


def test_alerts_wait_beside_the_results_or_in_the_cache() -> None:
    assert load({"results": "here"}).outbox_folder == Path("here/outbox")
    assert load({"results": "s3://bucket", "cache": "there"}).outbox_folder == Path("there/outbox")
    assert load({"results": "s3://bucket", "outbox": "own"}).outbox_folder == Path("own")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("s3://AKIAX:hunter2@bucket/results", "AWS_ACCESS_KEY_ID"),
        ("s3://hunter2@bucket", "AWS_ACCESS_KEY_ID"),
        ("s3://bucket/results?secret=hunter2", "AWS_ACCESS_KEY_ID"),
        ("", "it is empty"),
        (" ", "it is empty"),
        ("s3:///results", "no bucket"),
        ("file://hunter2/results", "no bucket"),
        ("simplecache::s3://bucket", "not a URL of an object store"),
        ("://bucket", "not a URL of an object store"),
    ],
)
def test_a_url_that_cannot_be_used_names_the_setting_and_no_secret(given: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        load({"results": given})
    assert str(caught.value).startswith("--results = ")
    assert "hunter2" not in str(caught.value) or given.startswith("file")


def test_a_store_takes_a_folder_as_text_and_as_a_file_url(tmp_path: Path) -> None:
    for root in (str(tmp_path / "text"), f"file://{tmp_path}/url", tmp_path / "path"):
        HistoryStore(root).check_writable()
    assert {path.name for path in tmp_path.iterdir()} == {"text", "url", "path"}
