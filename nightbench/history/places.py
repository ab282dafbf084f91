"""Where the files of a table lie, which says what they are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from nightbench.history.schema import Layout, TableForm

_NAME = r"month=(?P<month>\d{4}-\d{2})/(?P<name>[^/]+)\.parquet"
_PLACES: Mapping[Layout, re.Pattern[str]] = MappingProxyType(
    {
        "run": re.compile(rf"suite=(?P<suite>[a-z]+)/tier=(?P<tier>[a-z]+)/{_NAME}"),
        "month": re.compile(_NAME),
    }
)
_SHOWN: Mapping[Layout, str] = MappingProxyType(
    {"run": "suite=…/tier=…/month=…/ID.parquet", "month": "month=…/ID.parquet"}
)
_SAFE = re.compile(r"[\w+-][\w.+-]*")


@dataclass(frozen=True)
class Place:
    """One file of a table.

    Attributes:
        path: From the root of the dataset on.
        name: Of the file without its ending: the id of the run, judgement or mark.
        month: For example ``2026-11``.
        suite, tier: Empty where the table has no folders for them.
    """

    path: str
    name: str
    month: str
    suite: str = ""
    tier: str = ""

    def in_table(self, form: TableForm) -> Place:
        """Where another table has the file of the same run."""
        return replace(self, path=f"{form.name}/{self.path.partition('/')[2]}")


def place_of(form: TableForm, path: str) -> Place | None:
    """The place of a file of a table; None where none of the dataset lies."""
    found = _PLACES[form.layout].fullmatch(path.removeprefix(f"{form.name}/"))
    return None if found is None else Place(path, **found.groupdict())


def misplaced(form: TableForm) -> str:
    """What is said of a file that lies elsewhere."""
    return f"not part of the dataset, whose files are {_SHOWN[form.layout]}"


def path_of(form: TableForm, name: str, at: datetime, suite: str = "", tier: str = "") -> str:
    """Where the file `name` of an instant belongs.

    Raises:
        ValueError: when the name is none of a file.
    """
    if not _SAFE.fullmatch(name):
        msg = f"{name!r} is no id: letters, digits and - . _ + are"
        raise ValueError(msg)
    month = f"month={at.astimezone(UTC):%Y-%m}"
    folders = [form.name, f"suite={suite}", f"tier={tier}"] if form.layout == "run" else [form.name]
    path = "/".join([*folders, month, f"{name}.parquet"])
    if place_of(form, path) is None:
        msg = f"{path} is no place of the dataset: suites and tiers are of small letters"
        raise ValueError(msg)
    return path
