"""Takes the pictures of the guide and of the README from the running app: ``python docs/take_pictures.py``.

Needs the libraries of ``make test`` and Debian's Chromium.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from tests.browser.serving import CHROMIUM, FLAGS, PATIENCE, serve  # noqa: E402

PICTURES = ROOT / "docs/pictures"
VIEWS = {  # address and what is on the page once it is complete
    "listen": ("", "Who plays when"),
    "explain": ("explain?instrument=trumpet", "The reasons"),
    "atlas": ("atlas", "Concepts that"),
    "compare": ("compare", "Where the evidence lies"),
    "evidence": ("evidence", "Sanity check"),
    "experiments": ("experiments", "Families"),
}
SIZE = {"width": 1280, "height": 900}
SETTLE = 8000  # ms, for charts and pictures to be drawn


def take(page: Page, address: str, name: str) -> None:
    """Opens a view, waits until it is complete, and keeps what a visitor sees first."""
    path, complete = VIEWS[name]
    page.goto(f"{address}/{path}")
    page.get_by_text(complete).first.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=PICTURES / f"{name}.png")


def main() -> None:
    """Takes all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with serve(ROOT / "app/main.py") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        for name in VIEWS:
            take(page, address, name)
        browser.close()


if __name__ == "__main__":
    main()
