"""What the documentation says about the format: each piece of code runs as it stands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nightbench.history.schema import FORMS, VERSION

PROJECT = Path(__file__).parents[2]
WRITTEN = Path(__file__).parent / "written"
PAGES = ("docs/history.md", "results/README.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``results`` of every version."""
    folder = tmp_path_factory.mktemp("docs")
    for version in sorted(WRITTEN.iterdir()):
        shutil.copytree(version, folder / "results", dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_code_runs(folder: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    codes = re.findall(r"```python\n(.*?)```", (PROJECT / page).read_text(), re.DOTALL)
    for code in codes:
        names.pop("nights", None)
        exec(compile(code, page, "exec"), names)
        assert len(names.get("nights", "two")) >= 2, code
    assert len(names["counts"]) > 0
    assert names["skipped"] == 0
    assert page == "results/README.md" or 0 < names["p95"] < 60_000


def test_every_column_is_documented() -> None:
    text = (PROJECT / "results/README.md").read_text()
    rows = {
        form.name: row for form in FORMS for row in text.splitlines() if row.startswith(f"| `{form.name}` |")
    }
    for form in FORMS:
        missing = [name for name in form.schema.names if f"`{name}`" not in rows[form.name]]
        assert missing == []


def test_every_version_is_documented_and_kept() -> None:
    text = (PROJECT / "docs/history.md").read_text()
    for version in range(1, VERSION + 1):
        assert f"\n| {version} | " in text
        assert (WRITTEN / f"schema_{version}").is_dir()
