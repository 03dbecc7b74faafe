"""On a server that has just been started the frame of a page stands at once, and nothing in it moves later."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cold_app import SECONDS
from tests.browser.serving import CHROMIUM, serve
from tests.browser.test_app import LONG, settle

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
SIZES = {1280: 800, 1024: 800, 390: 844}
PARTS = {  # those whose tops nothing above them may move, by width
    1280: ("strip", "stage", "choices", "trust"),
    1024: ("strip", "stage", "choices", "trust"),
    390: ("strip", "stage"),
}


def tops(page: Page, width: int) -> list[float]:
    boxes = [page.locator(f".st-key-place-{name}").bounding_box() for name in PARTS[width]]
    return [box["y"] for box in boxes if box]


@pytest.mark.slow
def test_on_a_cold_server_the_frame_stands_at_once_and_nothing_moves(browser: Browser) -> None:
    with serve(Path(__file__).with_name("cold_app.py")) as address:
        views = {}
        for width, height in SIZES.items():
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            page.goto(f"{address}/explain?clip={LONG}&instrument=trumpet", wait_until="commit")
            views[width] = page
        for page in views.values():
            expect(page.get_by_role("heading", name="Explain")).to_be_visible(timeout=1000 * (SECONDS - 2))
            expect(page.locator(".st-key-place-strip .block")).to_be_visible()
            expect(page.locator(".st-key-place-stage .block")).to_be_visible()
            assert page.locator(".player").count() == 0
        before = {width: tops(page, width) for width, page in views.items()}
        for page in views.values():
            settle(page)
            expect(page.locator(".block").locator("visible=true")).to_have_count(0)
        for width, page in views.items():
            assert len(before[width]) == len(PARTS[width])
            assert tops(page, width) == pytest.approx(before[width], abs=2), f"at {width} pixels"
            page.context.close()
