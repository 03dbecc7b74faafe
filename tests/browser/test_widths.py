"""All pages on a wide screen, on a small one and on a phone: they fit, are read as they are seen, and stand out."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from core.paths import ROOT
from tests.browser.serving import CHROMIUM, CONTRASTS, SIZES, computed, serve
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
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
GROUNDS = {"dark": "rgb(14, 17, 23)", "light": "rgb(255, 255, 255)"}
READABLE = 4.5  # contrast of words with what is behind them, at least
MARKS = "●■◆"  # of legends, whose words stand beside them

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
        if (node.tabIndex >= 0 && !node.disabled && shown(box) && !node.ariaLabel?.startsWith("Scroll tabs"))
            stops.push([node.ariaLabel || node.textContent.trim().slice(0, 40) || node.localName, ...place(box)]);
        for (const child of node.shadowRoot?.childNodes ?? []) walk(child);
        for (const child of node.childNodes) walk(child);
    };
    walk(scroller);
    return { words, stops };
}"""

# Words that do not fit where they stand: in HTML those that are cut off, in charts those that leave the chart or run
# into the next. What a list or a table scrolls to is not lost.
CUT = """() => {
    const cut = [];
    const walk = (node) => {
        if (node.nodeType !== Node.ELEMENT_NODE) return;
        const style = getComputedStyle(node);
        if (style.display === "none" || style.visibility === "hidden" || node.localName === "svg") return;
        if (node.matches('[data-testid="stMultiSelect"]')) return; // shortens long names itself, and has them as a hint
        const own = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
        const long = node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1;
        if (long && own && /hidden|clip/.test(style.overflowX)) cut.push(node.textContent.trim().slice(0, 40));
        if (long && node.localName === "input") cut.push(node.value);
        const words = node.textContent.trim().slice(0, 40);
        if (long && words && /auto|scroll/.test(style.overflowX) && !node.querySelector("table, canvas, [role=tab]"))
            cut.push(`${words} scrolls sideways`);
        for (const child of node.shadowRoot?.childNodes ?? []) walk(child);
        for (const child of node.childNodes) walk(child);
    };
    walk(document.querySelector('[data-testid="stMain"]'));
    for (const chart of document.querySelectorAll(".js-plotly-plot")) {
        const outer = chart.getBoundingClientRect();
        for (const text of chart.querySelectorAll(".xtitle, .ytitle, .xtick text, .ytick text")) {
            const box = text.getBoundingClientRect();
            if (box.left < outer.left - 2 || box.right > outer.right + 2 || box.top < outer.top - 2
                || box.bottom > outer.bottom + 2) cut.push(`${text.textContent} leaves its chart`);
        }
        const flat = [...chart.querySelectorAll(".xtick text")].filter((text) => !/rotate\\((?!0,)/.test(
            text.getAttribute("transform") ?? ""));
        const boxes = flat.map((text) => text.getBoundingClientRect()).sort((a, b) => a.left - b.left);
        boxes.forEach((box, place) => {
            const clash = place && box.left < boxes[place - 1].right;
            if (clash) cut.push(`labels of ${chart.ariaLabel} run into each other`);
        });
    }
    return [...new Set(cut)];
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
def test_a_page_fits_is_read_and_tabbed_as_it_is_seen_and_can_be_read(name: str, page: Page, address: str) -> None:
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
        assert page.evaluate(CUT) == [], f"at {width} pixels"
        found = page.evaluate(ORDER)
        assert len(found["words"]) > 20
        assert len(found["stops"]) > 5
        for kind, places in found.items():
            assert jumps_back(places) == [], f"{kind} at {width} pixels"
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUNDS[theme])
        for _ in range(20):  # a page that is computed anew fades what it is about to replace
            page.wait_for_timeout(500)
            computed(page)
            contrasts = page.get_by_test_id("stMain").evaluate(CONTRASTS)
            assert len(contrasts) > 20
            faint = {
                words: round(contrast, 1) for words, contrast in contrasts if contrast < READABLE and words not in MARKS
            }
            if not faint:
                break
        assert faint == {}, theme
