"""Who leaves takes along what only that visitor needed, also where nobody comes after."""

import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page

from core.paths import ROOT
from tests.browser.serving import CHROMIUM, serve
from tests.browser.test_app import SHORT, visit

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return False


@pytest.mark.slow
def test_a_session_ends_after_its_browser_left(page: Page) -> None:
    sounds: list[str] = []
    page.on("response", lambda response: sounds.append(response.url) if response.url.endswith(".wav") else None)
    with serve(ROOT / "app/main.py", "--server.disconnectedSessionTTL=8") as address:
        visit(page, address, clip=SHORT)
        assert sounds
        assert served(sounds[-1])
        page.goto("about:blank")
        deadline = time.monotonic() + 30
        while served(sounds[-1]) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not served(sounds[-1])
