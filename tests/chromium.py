"""Debian's Chromium without a window, for the tests of pages; where there is none they are skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

_PATIENCE_MS = 60_000.0


@contextmanager
def chromium(*, patience_ms: float = _PATIENCE_MS, **options: Any) -> Iterator[BrowserContext]:
    """A browser with nothing in its store, in English and UTC; `options` are those of a context of playwright."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            context = browser.new_context(locale="en-GB", timezone_id="UTC", **options)
            context.set_default_timeout(patience_ms)
            yield context
        finally:
            browser.close()


def pictures_folder() -> Path:
    """Where pictures are kept: in the cache, from where ``make screenshots`` takes them into the documentation."""
    cache = Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[1] / ".cache")
    folder = cache.absolute() / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
