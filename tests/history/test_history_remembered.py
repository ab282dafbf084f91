"""Rows that were read once: what is remembered saves reading, and never changes what is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import websocket_measurement, with_metric
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.history import remembered
from nightbench.history.reading import UnreadableFile
from nightbench.history.store import HistoryStore
from nightbench.measurement import Measurement

WRITTEN = Path(__file__).parent / "written"
P95, THROUGHPUT, OTHER = "message.response_time.p95", "message.throughput", "generator.cpu_seconds"
NUMBERS = range(6)
KINDS = (
    {},
    {},
    {"environment": "staging"},
    {"role": "rerun"},
    {"role": "calibration"},
    {"started_at": websocket_measurement(number=1).started_at},
)
"""Of the runs of these numbers; the last one began with the second."""

Wanted = Callable[[str], bool]


def few(metric: str) -> bool:
    return metric in (P95, THROUGHPUT)


def others(metric: str) -> bool:
    return metric in (P95, OTHER)


def run(number: int, value: float = 20.0) -> Measurement:
    """A run of three metrics; its id is that of its number whatever the value."""
    whole = websocket_measurement(number=number, windows=(), **KINDS[number % len(KINDS)])
    metrics = tuple(metric for metric in whole.metrics if metric.name in (P95, THROUGHPUT, OTHER))
    return with_metric(replace(whole, metrics=metrics), P95, value)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[float, dict[int, list[tuple[str, bytes]]]]:
    """The files of each run, by its value and number: the row in ``runs`` last."""
    found: dict[float, dict[int, list[tuple[str, bytes]]]] = {}
    for value in (20.0, 30.0):
        root = tmp_path_factory.mktemp("stored")
        for number in NUMBERS:
            paths = HistoryStore(root).save(run(number, value), ()).paths
            files = [(str(Path(path).relative_to(root)), Path(path).read_bytes()) for path in paths]
            found.setdefault(value, {})[number] = files
    return found


class Dataset:
    """A folder of runs, and one of what was read of it."""

    def __init__(self, folder: Path, stored: dict[float, dict[int, list[tuple[str, bytes]]]]) -> None:
        self.root, self.memory, self._stored = folder / "results", folder / "memory", stored

    def put(self, number: int, value: float = 20.0) -> None:
        for name, content in self._stored[value][number]:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)

    def remove(self, number: int) -> None:
        for name, _ in reversed(self._stored[20.0][number]):
            (self.root / name).unlink(missing_ok=True)

    def metrics(self, number: int) -> Path:
        (name,) = (name for name, _ in self._stored[20.0][number] if name.startswith("metrics/"))
        return self.root / name

    def tear(self, number: int) -> None:
        if self.metrics(number).exists():
            self.metrics(number).write_bytes(b"PAR1 torn PAR1")

    def check(self, wanted: Wanted | None = few, **asked: object) -> list[UnreadableFile]:
        """See that what is read with a memory is what is read without one; what could not be read."""
        plain, remembering = HistoryStore(self.root), HistoryStore(self.root, remembered=self.memory)
        frames = (
            store.nights("local", roles=("night", "rerun"), metrics=wanted, **asked)  # type: ignore[arg-type]
            for store in (plain, remembering)
        )
        pd.testing.assert_frame_equal(*frames)
        assert remembering.unreadable == plain.unreadable
        return remembering.unreadable

    @property
    def file(self) -> Path:
        (found,) = self.memory.rglob("*.parquet")
        return found

    @property
    def run_ids(self) -> list[str]:
        """All that the file holds, whether a row has them or not."""
        column = pq.ParquetFile(self.file).read()["run_id"].combine_chunks()
        return list(column.dictionary.to_pylist())

    def read(self, wanted: Wanted | None = few) -> int:
        """How many files of metrics are read when they are asked for."""
        store, paths = HistoryStore(self.root, remembered=self.memory), list[str]()
        whole = store.storage.read
        store.storage.read = lambda asked: whole([paths.append(path) or path for path in asked])  # type: ignore[method-assign]
        store.nights("local", metrics=wanted)
        return sum(path.startswith("metrics/") for path in paths)


@pytest.fixture
def dataset(tmp_path: Path, stored: dict[float, dict[int, list[tuple[str, bytes]]]]) -> Dataset:
    """All runs, which were read once."""
    made = Dataset(tmp_path, stored)
    for number in NUMBERS:
        made.put(number)
    made.check()
    return made


STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(NUMBERS), st.sampled_from((20.0, 30.0))),
    st.tuples(st.sampled_from(("remove", "tear")), st.sampled_from(NUMBERS)),
    st.tuples(st.just("check"), st.sampled_from((few, others, None))),
)


@given(st.lists(STEPS, max_size=12))
@settings(max_examples=15)
def test_whatever_happens_to_the_dataset_it_reads_as_without_a_memory(stored, steps) -> None:
    with TemporaryDirectory() as folder:
        made = Dataset(Path(folder), stored)
        made.put(0)
        for name, *about in steps:
            getattr(made, name)(*about)
        made.check()
        made.check(last=2)


def test_what_was_read_once_is_not_read_again(dataset: Dataset) -> None:
    assert dataset.read() == 0


def test_only_what_is_new_is_read(dataset: Dataset) -> None:
    dataset.remove(3)
    assert dataset.read() == 0
    dataset.put(3)
    assert dataset.read() == 1


def test_the_last_nights_are_remembered_without_the_others(dataset: Dataset, monkeypatch) -> None:
    shutil.rmtree(dataset.memory)
    monkeypatch.setattr("nightbench.history.tidy._AT_ONCE", 1)
    dataset.check(last=1)
    assert 0 < dataset.read() < len(NUMBERS)
    dataset.check()


def test_runs_of_one_instant_come_in_the_same_order(dataset: Dataset) -> None:
    dataset.remove(1)
    dataset.check()
    dataset.put(1)
    dataset.check()


def test_a_file_that_was_replaced_is_read_again(dataset: Dataset) -> None:
    dataset.put(1, 30.0)
    assert dataset.read() == 1
    dataset.check()


def test_what_cannot_be_read_is_told_each_time(dataset: Dataset) -> None:
    dataset.tear(1)
    first, second = dataset.check(), dataset.check()
    assert [file.path for file in first] == [file.path for file in second] == [dataset.metrics(1)]


def test_what_was_pruned_is_forgotten(dataset: Dataset) -> None:
    assert run(0).run_id in dataset.run_ids
    dataset.remove(0)
    dataset.check()
    assert run(0).run_id not in dataset.run_ids


def test_only_wanted_metrics_are_kept(dataset: Dataset) -> None:
    assert set(pq.read_table(dataset.file)["name"].to_pylist()) == {P95, THROUGHPUT}


def test_where_a_metric_is_wanted_that_was_left_out_all_is_read_anew(dataset: Dataset) -> None:
    assert dataset.read(others) == len(NUMBERS)
    dataset.check(others)


def test_where_fewer_metrics_are_wanted_nothing_is_read(dataset: Dataset) -> None:
    assert dataset.read(P95.__eq__) == 0
    dataset.check(P95.__eq__)


def _of_another_key(file: Path) -> None:
    pq.write_table(pq.read_table(file).replace_schema_metadata({b"nightbench": b"[]"}), file)


def _of_other_columns(file: Path) -> None:
    pq.write_table(pq.read_table(file).drop_columns("unit"), file)


SPOILED = {
    "torn": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file: file.write_bytes(b""),
    "no Parquet": lambda file: file.write_text("{}"),
    "foreign": lambda file: pq.write_table(pa.table({"a": [1]}), file),
    "of another key": _of_another_key,
    "of other columns": _of_other_columns,
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_memory_that_is_of_no_use_is_made_anew(dataset: Dataset, spoil: Callable[[Path], object]) -> None:
    spoil(dataset.file)
    dataset.check()
    assert dataset.read() == 0


def test_a_memory_of_another_version_is_made_anew(dataset: Dataset, monkeypatch) -> None:
    monkeypatch.setattr(remembered, "_FORM", "of tomorrow")
    assert dataset.read() == len(NUMBERS)
    assert dataset.read() == 0


@pytest.mark.parametrize("in_place", ["file", "folder"])
def test_a_memory_that_cannot_be_written_is_no_error(dataset: Dataset, in_place: str) -> None:
    file = dataset.file
    if in_place == "folder":
        file.unlink()
        (file / "something").mkdir(parents=True)
    else:
        shutil.rmtree(dataset.memory)
        dataset.memory.write_text("")
    dataset.check()
    dataset.check()


def test_two_datasets_are_not_mixed_up(dataset: Dataset, stored, tmp_path: Path) -> None:
    other = Dataset(tmp_path / "other", stored)
    other.memory = dataset.memory
    other.put(1, 30.0)
    other.check()
    dataset.check()
    assert (other.read(), dataset.read()) == (0, 0)


@pytest.mark.parametrize("version", sorted(each.name for each in WRITTEN.iterdir() if each.is_dir()))
def test_files_of_every_version_are_remembered(version: str, tmp_path: Path) -> None:
    made = Dataset(tmp_path, {})
    made.root = WRITTEN / version
    made.check(None)
    made.check(None)
    assert made.read(None) == 0


def test_a_fingerprint_that_could_not_be_told_is_asked_for_again(tmp_path: Path) -> None:
    made = Dataset(tmp_path, {})
    shutil.copytree(WRITTEN / "schema_1", made.root)
    first = min((made.root / "runs").rglob("*.parquet"))
    content = first.read_bytes()
    first.write_bytes(b"PAR1 torn PAR1")
    assert made.check(None) == made.check(None) != []
    first.write_bytes(content)
    assert made.check(None) == []


def test_an_object_store_is_remembered_too(tmp_path: Path) -> None:
    root = "memory://remembered/results"
    store = HistoryStore(root, remembered=tmp_path)
    store.save(run(0), ())
    first = store.nights("local", metrics=few)
    pd.testing.assert_frame_equal(store.nights("local", metrics=few), first)
    assert list(tmp_path.rglob("*.parquet"))
