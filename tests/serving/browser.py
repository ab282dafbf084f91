"""A real headless Chromium on the UI of a Prefect server; what it saw is kept as pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import chromium, pictures_folder
from playwright.sync_api import Locator, Page, Route

WIDTH, HEIGHT = 1200, 800
MOST_BYTES = 150 * 1024
_FEW_FRAMES = """
window.requestAnimationFrame = draw => setTimeout(() => draw(performance.now()), 400);
window.cancelAnimationFrame = clearTimeout;
"""
"""The graph of a run is drawn anew for each frame, and without a graphics card that takes a core."""


class Browser:
    """One page of a browser.

    Attributes:
        page: Playwright's.
        pictures: The folder that pictures are kept in.
    """

    def __init__(self, page: Page, ui_url: str, pictures: Path) -> None:
        self.page = page
        self.pictures = pictures
        self._ui_url = ui_url

    def open(self, path: str = "/") -> None:
        """Go to a page of the UI."""
        self.page.goto(f"{self._ui_url}{path}")

    def field(self, label: str) -> Locator:
        """The input below a label of the form."""
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( \(Optional\))?$"))

    def button(self, name: str) -> Locator:
        """A button by its text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def text(self) -> str:
        """All that the page says."""
        return self.page.locator("body").inner_text()

    def drawn(self) -> None:
        """Wait until the graph of a run is drawn, of which nothing on the page tells."""
        self.page.locator("canvas").first.wait_for()
        self.page.wait_for_timeout(1000)

    def picture(self, name: str, *, below: str = "") -> Path:
        """Keep what is seen as a picture, with the label `below` at the top."""
        if below:
            label = self.page.get_by_text(below, exact=False).first
            label.evaluate("label => label.scrollIntoView({block: 'start'})")
        file = self.pictures / f"{name}.png"
        self.page.screenshot(path=file, animations="disabled")
        return file


@contextmanager
def browsing(ui_url: str) -> Iterator[Browser]:
    """Open a browser that talks to nothing but the server at `ui_url`; without Chromium the test is skipped."""

    def answer(route: Route) -> None:
        route.continue_() if route.request.url.startswith(ui_url) else route.abort()

    with chromium(viewport={"width": WIDTH, "height": HEIGHT}) as context:
        context.route("**/*", answer)
        context.add_init_script(_FEW_FRAMES)
        yield Browser(context.new_page(), ui_url, pictures_folder())
