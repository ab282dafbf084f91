"""A second copy of the dataset: what it lacks is copied by path; nothing is replaced, nothing removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nightbench.errors import ConfigurationError, NightbenchError
from nightbench.files import reason
from nightbench.history.places import Place, place_of
from nightbench.history.reach import UnreachableError, unreachable
from nightbench.history.root import storage_at
from nightbench.history.schema import FORMS, OF_A_RUN, RUNS, TableForm
from nightbench.history.storage import Storage

SETTING = "backup"

_BEGAN = re.compile(r"\d{8}T\d{6}Z")
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class Lack:
    """What a copy lacks.

    Attributes:
        places: Of the files that are to be copied.
        torn: Files of the copy that have no end, which is no file of the dataset.
        runs: Of the dataset, by their ids.
        there: Those of them that the copy has.
        newest: When the newest run of the copy began, UTC; None without one.
    """

    places: tuple[Place, ...]
    torn: tuple[str, ...]
    runs: frozenset[str]
    there: frozenset[str]
    newest: datetime | None

    @property
    def lacking(self) -> list[str]:
        """The runs that the copy lacks, oldest first."""
        return sorted(self.runs - self.there)


@dataclass(frozen=True)
class Copied:
    """What became of one file.

    Attributes:
        path: From the root of the dataset on.
        problem: Why it is not in the copy; empty when it is.
    """

    path: str
    problem: str = ""


def check_apart(results: Path | str, backup: Path | str) -> None:
    """See that a copy would be one.

    Raises:
        ConfigurationError: when both are the same place, or one lies inside of the other.
    """
    one, other = _parts(results), _parts(backup)
    if one[: len(other)] == other or other[: len(one)] == one:
        problem = "is where the results are, or inside of it, or around it"
        raise ConfigurationError(SETTING, storage_at(backup).name, problem, "name another disk or bucket")


def _parts(place: Path | str) -> tuple[str, ...]:
    return place.resolve().parts if isinstance(place, Path) else tuple(place.rstrip("/").split("/"))


def lack_of(results: Storage, backup: Storage, *, since: str = "") -> Lack:
    """Compare the names at both places; of the copy's files the ends are looked at, too.

    Args:
        results: The dataset.
        backup: Its copy.
        since: The month, such as ``2026-11``, from which on ends are looked at: to open thousands takes seconds.

    Raises:
        NightbenchError: when a place cannot be listed, naming its setting.
    """
    here = {form.name: _listed(results, form, "results") for form in FORMS}
    there = {form.name: _listed(backup, form, SETTING) for form in FORMS}
    known = {place.path: place for places in there.values() for place in places}
    copied = {place.name for place in there[RUNS.name]}
    began = [instant for name in copied if (instant := began_of(name)) is not None]
    return Lack(
        places=tuple(place for places in here.values() for place in places if place.path not in known),
        torn=tuple(
            path for path in sorted(known) if known[path].month >= since and not backup.looks_whole(path)
        ),
        runs=frozenset(place.name for place in here[RUNS.name]),
        there=frozenset(copied),
        newest=max(began, default=None),
    )


def check_writable(backup: Storage) -> None:
    """Try to write there, before thousands of files are read for nothing.

    Raises:
        ConfigurationError: naming the setting and the place.
    """
    try:
        backup.check_writable(form.name for form in FORMS)
    except ConfigurationError as error:
        raise _of_setting(error, SETTING) from None


def copy(results: Storage, backup: Storage, lack: Lack) -> Iterator[Copied]:
    """Copy what is lacking, file by file, those of ``runs`` last.

    A run is copied when all its other files are: what was interrupted goes on the next time, and whoever reads the
    copy meanwhile finds whole runs. The places are read and written in turns, so that no more than a few files are in
    memory.
    """
    incomplete: set[str] = set()
    for path, content in results.read(place.path for place in lack.places if not _of_runs(place)):
        done = _copied(backup, path, content)
        if done.problem:
            incomplete.add(path.rpartition("/")[2])
        yield done
    ready = []
    for place in (place for place in lack.places if _of_runs(place)):
        if f"{place.name}.parquet" in incomplete or _lacks_a_part(backup, place):
            yield Copied(place.path, "its other files are not in the copy")
        else:
            ready.append(place.path)
    for path, content in results.read(ready):
        yield _copied(backup, path, content)


def began_of(run_id: str) -> datetime | None:
    """When a run began, as its id says; None of an id that does not."""
    found = _BEGAN.match(run_id)
    try:
        return None if found is None else datetime.strptime(found[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _listed(storage: Storage, form: TableForm, setting: str) -> Sequence[Place]:
    def failed(folder: str, error: OSError) -> None:
        raise _of_setting(unreachable(storage, folder, error), setting)

    try:
        entries = storage.below(form.name, failed)
    except NightbenchError as error:
        raise _of_setting(error, setting) from None
    places = (None if entry.is_folder else place_of(form, entry.path) for entry in entries)
    return [place for place in places if place is not None]


def _of_setting(error: NightbenchError, setting: str) -> NightbenchError:
    """What a place has against being looked at, by the name of the setting that names it."""
    if isinstance(error, ConfigurationError):
        return ConfigurationError(setting, error.value, error.problem, error.way_out)
    if isinstance(error, UnreachableError):
        return UnreachableError(error.problem.replace("results", setting, 1), error.way_out)
    return error


def _of_runs(place: Place) -> bool:
    return place.path.partition("/")[0] == RUNS.name


def _lacks_a_part(backup: Storage, run: Place) -> bool:
    try:
        return not all(backup.exists(run.in_table(form).path) for form in OF_A_RUN if form is not RUNS)
    except OSError:
        return True


def _copied(backup: Storage, path: str, content: bytes | OSError) -> Copied:
    if isinstance(content, OSError):
        return Copied(path, f"cannot be read: {reason(content)}")
    if not content.endswith(_MAGIC):
        return Copied(path, "is torn: it has no end")
    try:
        if not backup.exists(path):  # somebody else may have copied it meanwhile
            backup.write(path, content)
    except OSError as error:
        return Copied(path, f"cannot be written: {reason(error)}")
    return Copied(path)
