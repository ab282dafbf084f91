"""The release of the subject in the dataset: kept with each run and metric, and no part of what is compared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from builders import verdict_of, websocket_measurement

from nightbench.history.fingerprint import fingerprint
from nightbench.history.record import record
from nightbench.history.store import HistoryStore
from nightbench.history.tidy import rows_of

RELEASES = [None, "v2.4.1", "1.2.3.4", "größer 5 (main)"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    store = HistoryStore(tmp_path_factory.mktemp("releases"))
    for number, release in enumerate(RELEASES):
        run = websocket_measurement(number=number, release=release)
        store.save(run, verdict_of(run).targets)
    return store


def known(releases: pd.Series) -> list[str | None]:
    return [each if isinstance(each, str) else None for each in releases]


def test_each_metric_of_a_run_has_its_release(store: HistoryStore) -> None:
    found = store.nights("local").groupby("night", observed=True)["release"]
    assert known(found.first()) == RELEASES
    assert found.nunique().max() == 1


def test_the_runs_are_listed_with_their_releases(store: HistoryStore) -> None:
    assert known(store.runs()["release"]) == RELEASES


def test_a_run_is_read_back_with_its_release(store: HistoryStore) -> None:
    assert [store.run(each).document()["release"] for each in store.run_ids()] == RELEASES


def test_other_tools_read_it_as_a_column(store: HistoryStore) -> None:
    for table in ("runs", "metrics"):
        assert set(known(pd.read_parquet(Path(store.root) / table)["release"])) == set(RELEASES)


def test_nights_of_different_releases_are_compared() -> None:
    one, other = (websocket_measurement(release=release) for release in ("v1", "v2"))
    assert fingerprint(one) == fingerprint(other)


def test_a_run_that_was_not_stored_has_the_same_rows(store: HistoryStore) -> None:
    rows = pd.concat([store.nights("local"), rows_of(websocket_measurement(number=9, release="v3"))])
    assert rows["release"].iloc[-1] == "v3"
    assert rows_of(websocket_measurement())["release"].isna().all()


def test_no_secret_in_a_release_is_kept() -> None:
    run = websocket_measurement(release="v1 password=hunter2")
    assert record(run, ())["release"] == "v1 password=***"
    assert set(rows_of(run)["release"]) == {"v1 password=***"}
