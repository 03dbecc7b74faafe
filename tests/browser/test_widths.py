"""All pages on a wide screen, on a small one and on a phone: they fit, and one reads and tabs as one sees."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.paths import ROOT
from tests.browser.serving import CHROMIUM, SIZES, computed, serve
from tests.browser.test_app import LONG, visit

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
VIEWS: dict[str, tuple[str, dict[str, str], str]] = {  # page, view, and a selector of what comes last
    "listen": ("", {"clip": LONG}, ".st-key-place-when .js-plotly-plot"),
    "explain": ("explain", {"clip": LONG, "instrument": "trumpet"}, ".reason"),
    "explain a reason": ("explain", {"clip": LONG, "instrument": "trumpet", "reason": "conv7-rest"}, ".reason"),
    "explain a concept": ("explain", {"clip": LONG, "instrument": "trumpet", "concept": "7"}, ".tile"),
    "atlas": ("atlas", {}, ".js-plotly-plot"),
    "atlas of a concept": ("atlas", {"concept": "7"}, ".example"),
    "atlas of a reason": ("atlas", {"reason": "conv7-reason0"}, ".example"),
    "compare": ("compare", {"clip": LONG, "instrument": "piano"}, ".js-plotly-plot"),
    "evidence": ("evidence", {}, ".strip img"),
    "experiments": ("experiments", {}, ".js-plotly-plot"),
}

# What can be read, and what can be tabbed to, in the order of the document, with its place on the page. What lies in a
# drawing or in a window of its own that scrolls, and what is hidden, is left out.
ORDER = """() => {
    const words = [], stops = [];
    const scroller = document.querySelector('[data-testid="stMain"]');
    const place = (box) => [box.left, box.top, box.right, box.bottom].map(Math.round);
    const shown = (box) => box.width > 1 && box.height > 1;
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) {
            const range = document.createRange();
            range.selectNodeContents(node);
            const box = range.getBoundingClientRect();
            if (node.data.trim() && shown(box)) words.push([node.data.trim().slice(0, 40), ...place(box)]);
            return;
        }
        if (node.nodeType !== Node.ELEMENT_NODE) return;
        const style = getComputedStyle(node);
        if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
        if (node.ariaHidden === "true" || ["svg", "style", "script"].includes(node.localName)) return;
        const scrolls = /auto|scroll/.test(style.overflowY) && node.scrollHeight > node.clientHeight + 1;
        if (scrolls && node !== scroller) return;
        const box = node.getBoundingClientRect();
        if (node.tabIndex >= 0 && !node.disabled && shown(box))
            stops.push([node.ariaLabel || node.textContent.trim().slice(0, 40) || node.localName, ...place(box)]);
        for (const child of node.shadowRoot?.childNodes ?? []) walk(child);
        for (const child of node.childNodes) walk(child);
    };
    walk(scroller);
    return { words, stops };
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(ROOT / "app/main.py") as address:
        yield address


def jumps_back(places: list[list[Any]]) -> list[str]:
    """Neighbours of which the second is wholly above the first and not to the right of it."""
    return [
        json.dumps([one, other]) for one, other in pairwise(places) if other[4] <= one[2] + 2 and other[1] < one[3] - 2
    ]


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_fits_and_is_read_and_tabbed_as_it_is_seen(name: str, page: Page, address: str) -> None:
    where, view, last = VIEWS[name]
    if ".player" in last or where in {"", "explain", "compare"}:
        visit(page, address, where, **view)
    else:
        page.goto(f"{address}/{where}?" + "&".join(f"{key}={value}" for key, value in view.items()))
    expect(page.locator(last).first).to_be_visible()
    computed(page)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth") <= width, f"at {width} pixels"
        found = page.evaluate(ORDER)
        assert len(found["words"]) > 20
        assert len(found["stops"]) > 5
        for kind, places in found.items():
            assert jumps_back(places) == [], f"{kind} at {width} pixels"
