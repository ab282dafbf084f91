"""A dataset that cannot be looked into is never told as an empty history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_history_reading import READ, dataset

from nightbench.errors import ConfigurationError, ExitCode
from nightbench.history.pruning import Limits, prunable
from nightbench.history.reach import UnreachableError
from nightbench.history.storage import Folder, OutOfReachError
from nightbench.history.store import HistoryStore

LOOKS: dict[str, Callable[[HistoryStore], Any]] = {
    **{name: read for name, read in READ.items() if name != "noise"},
    "run": lambda store: store.run("2026"),
    "run ids": lambda store: store.run_ids(),
    "prune": lambda store: prunable(store, Limits(nights=0)),
}


def refusing(folder: str, error: OSError) -> Callable[[Folder, str], Any]:
    entries = Folder.entries

    def entries_of(self: Folder, asked: str) -> Any:
        if asked == folder:
            raise error
        return entries(self, asked)

    return entries_of


@pytest.mark.parametrize("look", LOOKS)
def test_a_file_in_its_place_is_told(tmp_path: Path, look: str) -> None:
    (tmp_path / "file").write_text("I am here")
    with pytest.raises(ConfigurationError, match=r"results = '.*/file': .* cannot be read: not a directory"):
        LOOKS[look](HistoryStore(tmp_path / "file"))


@pytest.mark.parametrize("look", [look for look in LOOKS if look != "run"])
def test_nothing_there_yet_is_an_empty_history(tmp_path: Path, look: str) -> None:
    store = HistoryStore(tmp_path / "new")
    LOOKS[look](store)
    assert store.unreadable == []


@pytest.mark.parametrize("table", READ)
def test_a_table_that_may_not_be_listed_is_told(
    tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = dataset(tmp_path)
    monkeypatch.setattr(Folder, "entries", refusing(table, PermissionError(13, "Permission denied")))
    with pytest.raises(ConfigurationError, match=f"{table} cannot be read: permission denied; name a folder"):
        {**READ, "windows": READ["metrics"]}[table](store)  # judging looks at the windows too


def test_a_folder_below_it_that_may_not_be_listed_is_skipped_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = dataset(tmp_path)
    folder = "runs/suite=websocket/tier=full/month=2026-11"
    monkeypatch.setattr(Folder, "entries", refusing(folder, PermissionError(13, "Permission denied")))
    assert store.runs().empty
    assert [(file.path, file.problem) for file in store.unreadable] == [
        (tmp_path / folder, "cannot be listed: permission denied")
    ]


def test_a_store_that_stops_answering_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def silent(self: Folder, paths: Any) -> Iterator[tuple[str, OSError]]:
        for path in paths:
            asked.append(path)
            yield path, OutOfReachError("no answer in 30 s")

    store = dataset(tmp_path)
    monkeypatch.setattr(Folder, "read", silent)
    with pytest.raises(
        UnreachableError, match=r"results = .*no answer in 30 s; .* try again later"
    ) as caught:
        store.runs()
    assert caught.value.exit_code is ExitCode.INVALID
    assert len(asked) == 1
