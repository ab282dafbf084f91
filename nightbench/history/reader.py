"""Reading tables file by file; a file that cannot be read is skipped and remembered, never raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from nightbench.files import reason
from nightbench.history.places import Place, misplaced, place_of
from nightbench.history.reach import unreachable
from nightbench.history.reading import Part, UnreadableError, UnreadableFile, part_of, rows_of
from nightbench.history.schema import OF_A_RUN, RUNS, TableForm
from nightbench.history.storage import OutOfReachError, Storage, is_hidden


class Reader:
    """Reads a dataset.

    A run that vanishes while it is read has been pruned, when its row in ``runs`` is gone as well. A table that
    cannot be listed, or a store that does not answer, is no empty history: every method that looks into the
    dataset raises `ConfigurationError` or `UnreachableError` then.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._skipped: dict[str, str] = {}
        self._unlisted: set[str] = set()

    @property
    def unreadable(self) -> list[UnreadableFile]:
        """What had to be skipped so far."""
        return self._named_as_skipped(self._skipped)

    def skipped_of(self, form: TableForm) -> list[UnreadableFile]:
        """What of a table had to be skipped so far."""
        return self._named_as_skipped(path for path in self._skipped if path.partition("/")[0] == form.name)

    def listed_whole(self, form: TableForm) -> bool:
        """Whether every folder of a table could be listed so far: else some of its files are not known."""
        return not any(folder.partition("/")[0] == form.name for folder in self._unlisted)

    def skipped(self, path: str) -> UnreadableFile:
        """One file that had to be skipped; it vanished where nothing is known of it."""
        return UnreadableFile(self._storage.location(path), self._skipped.get(path, "is gone"))

    def _named_as_skipped(self, paths: Iterable[str]) -> list[UnreadableFile]:
        return [UnreadableFile(self._storage.location(path), self._skipped[path]) for path in sorted(paths)]

    def skip(self, path: str, problem: str) -> None:
        """Remember that a file was skipped."""
        self._skipped[path] = problem

    def places(self, form: TableForm, suite: str | None = None, tier: str | None = None) -> list[Place]:
        """The files of a table in the order of their names, of one suite and tier where these are given.

        Only the folders of that suite and tier are looked into; what lies beside the folders of the
        table is noticed everywhere.
        """
        found: list[Place] = []
        for folder in self._folders(form, suite, tier):
            for entry in self._storage.below(folder, self._not_listed):
                place = None if entry.is_folder else place_of(form, entry.path)
                if place is not None:
                    found.append(place)
                else:
                    self.skip(entry.path, "a folder and no file" if entry.is_folder else misplaced(form))
        return sorted(found, key=lambda place: (place.name, place.path))

    def tables(
        self, form: TableForm, places: Iterable[Place], columns: Sequence[str] | None = None
    ) -> Iterator[tuple[Place, pa.Table]]:
        """The rows of each file that can be read, in the order of `places`; see `part_of` for their columns."""
        part = Part(form, part_of(form, columns))
        by_path = {place.path: place for place in places}
        for path, content in self._storage.read(by_path):
            if isinstance(content, FileNotFoundError) and self._pruned(form, by_path[path]):
                continue
            if isinstance(content, OutOfReachError):
                raise unreachable(self._storage, path, content)
            try:
                if isinstance(content, OSError):
                    msg = f"cannot be read: {reason(content)}"
                    raise UnreadableError(msg)  # noqa: TRY301  # told as the other ways are in which it cannot
                table = rows_of(content, part)
            except UnreadableError as error:
                self.skip(path, str(error))
            else:
                yield by_path[path], table

    def whole(self, form: TableForm, places: Iterable[Place]) -> list[Place]:
        """Those that look whole; the others are read, which tells why they are skipped."""
        return [
            place
            for place in places
            if self._storage.looks_whole(place.path) or any(self.tables(form, [place]))
        ]

    def stamp(self, place: Place) -> str:
        """What changes when a file is replaced; see `Storage.stamp`."""
        return self._storage.stamp(place.path)

    def _pruned(self, form: TableForm, place: Place) -> bool:
        if form not in OF_A_RUN:
            return False
        try:
            return not self._storage.exists(place.in_table(RUNS).path)
        except OSError:
            return False

    def _folders(self, form: TableForm, suite: str | None, tier: str | None) -> Iterator[str]:
        if form.layout == "month":
            yield form.name
            return
        for of_suite in self._named(form.name, "suite=", suite, form):
            yield from self._named(of_suite, "tier=", tier, form)

    def _named(self, folder: str, key: str, wanted: str | None, form: TableForm) -> Iterator[str]:
        """The folders ``key=wanted`` in `folder`; all else that lies there belongs nowhere."""
        try:
            entries = self._storage.entries(folder)
        except OSError as error:
            self._not_listed(folder, error)
            return
        for entry in entries:
            name = entry.path.rpartition("/")[2]
            if is_hidden(name):
                continue
            if entry.is_folder and name.startswith(key):
                if wanted in (None, name.removeprefix(key)):
                    yield entry.path
            elif entry.is_folder:
                for stray in self._storage.below(entry.path, self._not_listed):
                    self.skip(stray.path, misplaced(form))
            else:
                self.skip(entry.path, misplaced(form))

    def _not_listed(self, folder: str, error: OSError) -> None:
        """Remember a folder of a table that cannot be listed; without the table itself nothing is known."""
        if isinstance(error, OutOfReachError) or "/" not in folder:
            raise unreachable(self._storage, folder, error) from None
        if not isinstance(error, FileNotFoundError):
            self._unlisted.add(folder)
            self.skip(folder, f"cannot be listed: {reason(error)}")
