"""A second copy: what it lacks is copied, and nothing there is replaced or removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import fsspec
import pytest

from nightbench.errors import ConfigurationError
from nightbench.history.copying import began_of, check_apart, copy, lack_of
from nightbench.history.root import storage_at
from nightbench.history.store import HistoryStore


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.parquet")}


@pytest.fixture
def results(one_of_each: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(one_of_each, tmp_path / "results"))


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def _copied(results: Path, there: Path | str):
    here, copied = storage_at(results), storage_at(there)
    return list(copy(here, copied, lack_of(here, copied)))


def test_a_copy_has_the_same_files_and_lacks_nothing(results, there):
    assert not any(each.problem for each in _copied(results, there))
    assert _files(there) == _files(results)
    lack = lack_of(storage_at(results), storage_at(there))
    assert (lack.places, lack.lacking, lack.torn) == ((), [], ())
    assert HistoryStore(there).run_ids() == HistoryStore(results).run_ids()


def test_an_object_store_can_be_the_second_location(results):
    url = "memory://copies/results"
    assert not any(each.problem for each in _copied(results, url))
    assert HistoryStore(url).run_ids() == HistoryStore(results).run_ids()
    assert _copied(results, url) == []
    fsspec.filesystem("memory").rm("/copies", recursive=True)


def test_the_outbox_and_what_is_no_file_of_the_dataset_are_not_copied(results, there):
    for name in ("outbox/x.envelope", "runs/readme.txt", "runs/suite=websocket/loose.parquet"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_bytes(b"PAR1")
    _copied(results, there)
    assert not {"outbox", "readme.txt", "loose.parquet"} & {path.name for path in there.rglob("*")}


def test_what_the_copy_has_is_never_replaced_nor_removed(results, there):
    _copied(results, there)
    run = next((there / "runs").rglob("*.parquet"))
    run.write_bytes(b"edited by handPAR1")
    for path in (results / "metrics").rglob("*.parquet"):
        path.unlink()
    before = _files(there)
    assert _copied(results, there) == []
    assert _files(there) == before


def test_a_torn_file_is_told_and_its_run_waits(results, there):
    torn = next((results / "metrics").rglob("*.parquet"))
    torn.write_bytes(torn.read_bytes()[:-4])
    problems = {each.path for each in _copied(results, there) if each.problem}
    assert problems == {
        f"metrics/{torn.relative_to(results / 'metrics')}",
        f"runs/{torn.relative_to(results / 'metrics')}",
    }
    assert torn.stem not in HistoryStore(there).run_ids()


def test_runs_are_copied_after_all_that_belongs_to_them(results, there):
    tables = [each.path.partition("/")[0] for each in _copied(results, there)]
    assert "runs" not in tables[: tables.index("runs")]
    assert set(tables[tables.index("runs") :]) == {"runs"}


def test_a_copy_that_was_interrupted_goes_on(results, there):
    here, copied = storage_at(results), storage_at(there)
    interrupted = copy(here, copied, lack_of(here, copied))
    next(interrupted)
    interrupted.close()
    assert HistoryStore(there).run_ids() == []
    assert not any(each.problem for each in _copied(results, there))
    assert _files(there) == _files(results)


def test_a_torn_file_of_the_copy_is_told(results, there):
    _copied(results, there)
    torn = next((there / "windows").rglob("*.parquet"))
    torn.write_bytes(b"torn")
    assert lack_of(storage_at(results), storage_at(there)).torn == (str(torn.relative_to(there)),)


@pytest.mark.parametrize(
    ("results", "backup"),
    [
        ("data", "data"),
        ("data", "data/copy"),
        ("data/results", "data"),
        ("s3://b/x", "s3://b/x/"),
        ("s3://b/x", "s3://b/x/y"),
    ],
)
def test_a_copy_lies_elsewhere(results, backup):
    places = [each if "://" in each else Path(each) for each in (results, backup)]
    with pytest.raises(ConfigurationError, match="backup"):
        check_apart(*places)


@pytest.mark.parametrize(
    ("one", "other"), [("data", "data-copy"), ("s3://b/x", "s3://b/xy"), ("data", "s3://b/x")]
)
def test_a_neighbour_is_elsewhere(one, other):
    check_apart(*[each if "://" in each else Path(each) for each in (one, other)])


@pytest.mark.parametrize(
    ("run_id", "began"),
    [
        ("20261124T031500Z-full-websocket-9f2c4e", "2026-11-24T03:15:00+00:00"),
        ("mine", None),
        ("20269924T031500Z-x", None),
    ],
)
def test_an_id_says_when_its_run_began(run_id, began):
    found = began_of(run_id)
    assert (found and found.isoformat()) == began
