"""The root of a dataset: a folder, or the URL of an object store."""

from __future__ import annotations

from pathlib import Path

from nightbench.addresses import results_of
from nightbench.history.objects import ObjectStore
from nightbench.history.storage import Folder, Storage


def storage_at(root: Path | str) -> Storage:
    """The files below `root`; nothing is opened yet.

    Raises:
        ValueError: for a URL that is none of a store, or that holds credentials.
    """
    place = results_of(root)
    return Folder(place) if isinstance(place, Path) else ObjectStore(str(place))
