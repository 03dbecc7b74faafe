"""What one does on the pages, on a wide screen, on a small one and on a phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.frame.examples import EXAMPLES
from core.paths import ROOT
from tests.browser.serving import CHROMIUM, PATIENCE, SIZES, await_number, computed, serve
from tests.browser.test_app import LONG, play, settle, visit

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
EXPLAINED = {"clip": LONG, "instrument": "trumpet"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(ROOT / "app/main.py") as address:
        yield address


@pytest.fixture(params=SIZES)
def sized(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of each width; whatever a test does on it, no script of the page may fail."""
    size = {"width": request.param, "height": SIZES[request.param]}
    with browser.new_context(viewport=size) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def back(page: Page, url: str) -> None:
    """One step back in the browser's history leads to this address."""
    page.evaluate("history.back()")
    page.wait_for_url(url)
    computed(page)


def opened(page: Page) -> Locator:
    return page.locator('.reason[data-opened="true"], .tile[data-opened="true"]')


def test_back_undoes_one_step(sized: Page, address: str) -> None:
    """An example, a reason, a concept: each is one step, and a step back adds none."""
    visit(sized, address, clip=LONG)
    first = sized.url
    sized.get_by_role("button", name=next(iter(EXAMPLES))).click()
    sized.wait_for_url(lambda url: url != first)
    settle(sized)
    back(sized, first)
    expect(sized.locator(".player")).to_have_attribute("data-duration", re.compile("^8"))
    visit(sized, address, "explain", **EXPLAINED)
    whole, reason = sized.url, sized.locator('.reason [data-action="open"]').nth(1)
    reason.click()
    sized.wait_for_url(re.compile("reason="))
    expect(opened(sized)).to_have_count(1)
    computed(sized)
    back(sized, whole)
    expect(opened(sized)).to_have_count(0)
    sized.get_by_text("Inside the network: single concepts").click()
    sized.locator('.tile [data-action="open"]').first.click()
    sized.wait_for_url(re.compile("concept="))
    expect(opened(sized)).to_have_count(1)
    computed(sized)
    back(sized, whole)
    expect(opened(sized)).to_have_count(0)


# How often each part of the page stood on it at most, from now on.
WATCH = """() => {
    const parts = ["h1", ".strip", ".st-key-explain", ".st-key-listen", ".st-key-reasons", ".st-key-choices"];
    window.most = {};
    const shown = (found) => found.checkVisibility() && found.getBoundingClientRect().height > 1;
    const all = (root, part) => [
        ...root.querySelectorAll(part),
        ...[...root.querySelectorAll("*")].flatMap((node) => (node.shadowRoot ? all(node.shadowRoot, part) : [])),
    ];
    const count = () => {
        for (const part of parts)
            window.most[part] = Math.max(window.most[part] ?? 0, all(document, part).filter(shown).length);
    };
    count();
    new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
}"""


def test_no_part_of_a_page_is_shown_twice_while_it_computes(sized: Page, address: str) -> None:
    visit(sized, address, "explain", **EXPLAINED)
    sized.evaluate(WATCH)
    sized.locator('.reason [data-action="open"]').first.click()
    expect(opened(sized)).to_have_count(1)
    settle(sized)
    sized.get_by_role("slider", name="Passage to explain").press("Home")
    sized.wait_for_url(re.compile("start=0"))
    settle(sized)
    expect(opened(sized)).to_have_count(1)  # moving the passage keeps the opened reason
    turn_to(sized, "Listen")
    sized.get_by_role("button", name=next(iter(EXAMPLES))).click()
    computed(sized)
    settle(sized)
    turn_to(sized, "Explain")
    most = sized.evaluate("window.most")
    assert most == dict.fromkeys(most, 1)


def turn_to(page: Page, name: str) -> None:
    """Turns to another page by the menu."""
    if (page.viewport_size or {})["width"] < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(page)


def test_what_surprise_me_drew_stands_in_the_form(sized: Page, address: str) -> None:
    visit(sized, address, clip=LONG)
    sized.get_by_text("Compose", exact=True).click()
    sized.get_by_role("button", name="Surprise me").click()
    expect(sized).to_have_url(re.compile(r"duration(%3D|=)8(%40|@|%3B|;)"))
    settle(sized)
    expect(sized.get_by_label("Seed")).not_to_have_value("7")
    seed = sized.get_by_label("Seed").input_value()
    expect(sized).to_have_url(re.compile(rf"(%40|@){seed}\b"))


def test_the_truth_marks_an_instrument_that_is_missed(sized: Page, address: str) -> None:
    visit(sized, address, clip=EXAMPLES["Five at once"])
    sized.get_by_text("Reveal the truth").click()
    chart = sized.locator(".st-key-bars .js-plotly-plot")
    name = chart.locator(".ytick text", has_text=", missed")
    expect(name).to_be_visible()
    label, outer = name.bounding_box(), chart.bounding_box()
    assert label
    assert outer
    assert label["x"] >= outer["x"] - 1


def test_a_moment_leads_to_its_explanation_in_the_time_of_the_song(sized: Page, address: str) -> None:
    visit(sized, address, clip=LONG)
    ribbon = sized.locator('.strip [data-label="trumpet"] svg')
    box = ribbon.bounding_box()
    assert box
    ribbon.click(position={"x": 0.5 * box["width"], "y": 8})
    sized.wait_for_url(re.compile(r"/explain\?.*start="))
    player = sized.locator(".player").first
    expect(player).to_contain_text(re.compile(r"Evidence for trumpet, 1\.5–6\.5 s · \d+ % here · \d+ % in the song"))
    settle(sized)
    assert player.get_attribute("data-offset") == "1.5"


def test_the_whole_song_is_parted_while_one_uses_the_page_and_then_sounds(sized: Page, address: str) -> None:
    visit(sized, address, "explain", **EXPLAINED)
    sized.locator('.reason [data-action="open"]').first.click()
    expect(opened(sized)).to_have_count(1)
    settle(sized)
    name = sized.locator('.reason[data-opened="true"] [data-part="name"]').inner_text()
    sized.get_by_role("button", name=re.compile("^.*Only trumpet.*over the whole song")).click()
    sized.wait_for_url(re.compile("whole="))
    song = sized.locator(".st-key-whole-song .player")
    expect(song).to_contain_text(f"reason “{name.lower()}”, over the whole song", ignore_case=True)
    expect(song).to_have_attribute("data-state", "ready")
    song.locator('[data-track-name="Only this"]').click()
    song.locator('[data-action="play"]').click()
    await_number(song, "position", above=0.3)
    sized.locator('.reason[data-opened="true"] [data-action="open"]').click()
    expect(song).to_contain_text("Evidence for trumpet, over the whole song")


def test_the_atlas_is_searched_and_its_map_zoomed(sized: Page, address: str) -> None:
    sized.goto(f"{address}/atlas")
    chart = sized.locator(".js-plotly-plot").first
    expect(chart).to_be_visible()
    computed(sized)
    spread = """() => {
        const across = [...document.querySelectorAll(".js-plotly-plot .point")].map((p) => p.getBoundingClientRect().x);
        return Math.max(...across) - Math.min(...across);
    }"""
    before = sized.evaluate(spread)
    chart.hover()
    chart.locator('[data-title="Zoom in"]').click()
    sized.wait_for_function(f"before => ({spread})() > 1.2 * before", arg=before)
    search = sized.get_by_label("Search")
    search.fill("kazoo")
    search.press("Enter")
    expect(sized.get_by_text(re.compile("No concept of conv8 fits all that was asked for"))).to_be_visible()


def test_reasons_are_mixed_and_the_player_stays_in_view_beside_them(sized: Page, address: str) -> None:
    visit(sized, address, "explain", **EXPLAINED)
    player = sized.locator(".st-key-explain .player")
    sized.get_by_text("Mix the reasons").click()
    expect(player.locator('[data-action="solo"]')).to_have_count(sized.locator(".reason").count() + 1)
    settle(sized)
    player.locator('[data-action="mute"]').first.click()
    player.locator('[data-action="solo"]').nth(1).click()
    play(sized)
    await_number(player, "position", above=0.2)
    sized.locator('.reason [data-action="silence"]').last.click()
    expect(sized.locator('.reason[data-silent="true"]')).to_have_count(1)
    assert len(str(player.get_attribute("data-track")).split(", ")) == 1
    if (sized.viewport_size or {})["width"] >= 900:  # else all stands in one column
        sized.locator(".st-key-usual, .st-key-inside").last.scroll_into_view_if_needed()
        expect(player.locator('[data-action="play"]')).to_be_in_viewport()


def test_one_guesses_first_and_no_page_tells(sized: Page, address: str) -> None:
    visit(sized, address, clip=LONG)
    sized.get_by_text("Guess first").click()
    sized.wait_for_url(re.compile("count%3D2|count=2"))
    settle(sized)
    for name in ("Explain", "Compare"):
        if (sized.viewport_size or {})["width"] < 768:
            sized.get_by_test_id("stExpandSidebarButton").click()
        sized.get_by_role("link", name=name).click()
        expect(sized.get_by_text("this page would tell")).to_be_visible()
        computed(sized)
        expect(sized.locator(".player, .reason, .js-plotly-plot, .strip")).to_have_count(0)
    sized.get_by_role("button", name="Back to my guess").click()
    settle(sized)
    sized.get_by_role("button", name="Oboe", exact=True).click()
    sized.get_by_role("button", name="Check my guess").click()
    expect(sized.get_by_text(re.compile(r"You: \d right, \d missed, \d wrong"))).to_be_visible()
    turn_to(sized, "Explain")
    expect(sized.locator(".reason").first).to_be_visible()


def test_compare_keeps_its_players_together(sized: Page, address: str) -> None:
    visit(sized, address, "compare", clip=LONG, instrument="piano")
    players = sized.locator(".player")
    expect(players).to_have_count(2)
    players.first.locator('[data-action="seek"]').focus()
    sized.keyboard.press("l")
    sized.keyboard.press("+")
    loop, zoom = (players.first.get_attribute(f"data-{name}") for name in ("loop", "zoom"))
    assert loop
    assert zoom == "2.00,1.00"
    expect(players.last).to_have_attribute("data-loop", loop)
    expect(players.last).to_have_attribute("data-zoom", zoom)
