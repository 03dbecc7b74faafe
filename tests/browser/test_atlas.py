"""The Atlas in a real browser, over a made-up one: the map opens concepts, examples sound, the flow can be walked."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.mapped import CHANNEL, LAYER, MODEL, NAME, write_atlas
from tests.browser.serving import CHROMIUM, PATIENCE, await_number, computed, serve

CLIP = "wimu12;instruments=piano,trumpet;duration=2;soundfont=timgm6mb@5"
HEADING = NAME[0].upper() + NAME[1:]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("atlases")
    write_atlas(root)
    with pytest.MonkeyPatch.context() as context:
        context.setenv("ATLASES", str(root))
        with serve(Path(__file__).with_name("atlas_app.py")) as address:
            yield address


def visit(page: Page, address: str, name: str = "atlas", **view: str) -> None:
    page.goto(f"{address}/{name}?{urlencode({'model': MODEL, 'layer': LAYER, 'clip': CLIP, **view})}")
    settle(page)


def settle(page: Page) -> None:
    expect(page.locator(".js-plotly-plot, .bars").first).to_be_visible()
    computed(page)


def click(mark: Locator) -> None:
    """Clicks on the middle of a mark of a figure, over which Plotly lays a layer that takes the click."""
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box
    mark.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mark.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.slow
def test_a_click_on_the_map_opens_a_concept_with_a_link_of_its_own(page: Page, address: str) -> None:
    visit(page, address, search="plucked")
    # The planted concept is the only one of its kind, so its mark is a trace of its own, drawn last.
    click(page.locator(".js-plotly-plot .scatterlayer .trace").last.locator(".point"))
    page.wait_for_url(re.compile(f"concept={CHANNEL}"))
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name=f"All concepts of {LAYER}").click()
    expect(page.get_by_text("1 of 128 concepts")).to_be_visible(timeout=PATIENCE)
    assert "concept=" not in page.url


def test_an_example_plays_its_patch_and_its_whole_clip_one_at_a_time(page: Page, address: str) -> None:
    visit(page, address, concept=str(CHANNEL))
    first, second = page.locator(".example").nth(0), page.locator(".example").nth(1)
    expect(second).to_be_visible(timeout=PATIENCE)
    assert first.locator("img").evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    frame, picture = first.locator('[data-part="frame"]').bounding_box(), first.locator("img").bounding_box()
    assert frame
    assert picture
    middle = (frame["x"] + frame["width"] / 2 - picture["x"]) / picture["width"]
    assert middle == pytest.approx(0.7 / 1.5, abs=0.02)
    for name in ("patch", "whole"):
        first.locator(f'[data-action="{name}"]').click()
        expect(first).to_have_attribute("data-playing", name)
        await_number(first, "position", above=0.05)
    second.locator('[data-action="patch"]').click()
    expect(second).to_have_attribute("data-state", "playing")
    expect(first).to_have_attribute("data-playing", "")
    expect(second).to_have_attribute("data-state", "ready")  # half a second later it is over


@pytest.mark.slow
def test_explain_leads_to_the_atlas_and_back(page: Page, address: str) -> None:
    visit(page, address, "explain", instrument="piano")
    page.locator('.tile [data-action="atlas"]:visible').first.click()
    page.wait_for_url(re.compile("/atlas.*concept="))
    page.get_by_role("button", name="Try it on my clip").click()
    page.wait_for_url(re.compile("/explain.*concept="))
    expect(page.get_by_text(re.compile("What feeds concept"))).to_be_visible(timeout=PATIENCE)
    assert "instrument=piano" in page.url


def test_the_flow_can_be_walked(page: Page, address: str) -> None:
    visit(page, address, "explain", instrument="piano", concept=str(CHANNEL))
    tree = page.locator("[class*=st-key-flow-] .js-plotly-plot")
    expect(tree.locator(".point")).to_have_count(1 + 4 + 4 * 2)
    click(tree.locator(".point").nth(1))
    page.wait_for_url(re.compile("layer=conv2"))
    expect(page.get_by_text(re.compile("What feeds concept"))).to_be_visible(timeout=PATIENCE)
    assert re.search(r"concept=\d+", page.url)


def back(page: Page) -> None:
    """One step back in the browser's history, which asks the page for another view without loading it anew."""
    page.evaluate("history.back()")
    page.wait_for_timeout(300)
    settle(page)


def test_back_closes_a_concept_and_then_leaves_the_page(page: Page, address: str) -> None:
    visit(page, address, "")
    page.get_by_role("link", name="Atlas").click()
    page.wait_for_url(re.compile(r"/atlas\?.*clip="))
    settle(page)
    overview = page.url
    page.get_by_role("button", name=re.compile(NAME)).click()
    page.wait_for_url(re.compile("concept="))
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=PATIENCE)
    settle(page)
    click(page.locator("[class*=st-key-near-] .js-plotly-plot .point").nth(5))
    page.wait_for_url(lambda url: f"concept={CHANNEL}" not in url)
    settle(page)
    back(page)
    assert page.url.endswith(f"concept={CHANNEL}")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=PATIENCE)
    back(page)
    assert page.url == overview
    expect(page.get_by_text(re.compile("of 128 concepts"))).to_be_visible(timeout=PATIENCE)
    page.evaluate("history.forward()")
    page.wait_for_url(re.compile(f"concept={CHANNEL}"))
    back(page)
    back(page)
    assert page.url.startswith(f"{address}/?")
    assert page.evaluate("history.length") <= 2 + 4  # about:blank, and a step for each page and each concept


def test_on_a_phone_the_menu_closes_after_a_choice(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        visit(page, address)
        page.get_by_test_id("stExpandSidebarButton").click()
        menu = page.get_by_test_id("stSidebar")
        expect(menu).to_have_attribute("data-collapsed", "false")
        menu.get_by_role("link", name="Experiments").click()
        expect(page.get_by_role("heading", name="Experiments", exact=True)).to_be_visible(timeout=PATIENCE)
        expect(menu).to_have_attribute("data-collapsed", "true")


def test_a_link_from_page_to_page_is_one_step(page: Page, address: str) -> None:
    visit(page, address, concept=str(CHANNEL))
    there = page.url
    page.get_by_role("button", name="Try it on my clip").click()
    page.wait_for_url(re.compile("/explain.*concept="))
    settle(page)
    back(page)
    assert page.url == there
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize(("name", "view"), [("atlas", {}), ("atlas", {"concept": "7"}), ("explain", {"concept": "7"})])
def test_the_page_fits_a_phone(name: str, view: dict[str, str], browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        visit(page, address, name, instrument="piano", **view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
