"""The song strip in a real browser: the passage is moved by mouse, finger and keyboard, and ribbons ask why."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.serving import CHROMIUM, await_number, drag, serve
from tests.browser.strip_app import PASSAGE, SECONDS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
AWAIT = 20_000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(Path(__file__).with_name("strip_app.py")) as address:
        yield address


@pytest.fixture
def strip(page: Page, address: str) -> Locator:
    page.goto(address)
    expect(page.locator(".player")).to_have_attribute("data-state", "ready", timeout=60_000)
    return page.locator(".strip")


@pytest.fixture
def player(strip: Locator) -> Locator:
    return strip.page.locator(".player")


def number(part: Locator, name: str) -> float:
    return float(part.get_attribute(f"data-{name}") or "nan")


def at(part: Locator, second: float) -> tuple[float, float]:
    """Where a second of the song is on the page, in the middle of a part as wide as the song."""
    box = part.bounding_box()
    assert box
    return box["x"] + second / SECONDS * box["width"], box["y"] + box["height"] / 2


def expect_asked(strip: Locator, label: str, start: float, why: bool = False) -> None:
    expect(strip.page.get_by_text(f"asked: {label} {start:g} {why}", exact=True)).to_be_visible(timeout=AWAIT)
    assert number(strip, "start") == pytest.approx(start)


def test_dragging_the_window_takes_the_passage_along(strip: Locator, player: Locator) -> None:
    mouse, overview = strip.page.mouse, strip.locator(".overview")
    mouse.move(*at(overview, 7.0))
    mouse.down()
    mouse.move(*at(overview, 10.5), steps=4)
    assert number(strip, "start") == pytest.approx(9.5, abs=0.05)
    expect(strip.page.get_by_text("asked: low 6 False")).to_be_visible()  # nothing is computed on the way
    mouse.up()
    told = strip.page.get_by_text(re.compile(r"asked: low 9\.\d+ False"))
    expect(told).to_be_visible(timeout=AWAIT)
    assert float(told.inner_text().split()[2]) == pytest.approx(9.5, abs=0.05)
    assert number(strip, "start") == float(told.inner_text().split()[2])
    expect(player).to_have_attribute("data-offset", told.inner_text().split()[2])


def test_a_click_beside_the_window_centres_it_there(strip: Locator) -> None:
    strip.page.mouse.click(*at(strip.locator(".overview"), 14.5))
    expect(strip.page.get_by_text(re.compile(r"asked: low 1[12][.\d]* False"))).to_be_visible(timeout=AWAIT)
    assert number(strip, "start") == pytest.approx(12.0, abs=0.05)
    strip.page.mouse.click(*at(strip.locator(".overview"), 19.9))
    expect_asked(strip, "low", SECONDS - PASSAGE)


def test_a_click_in_the_window_goes_to_that_moment(strip: Locator, player: Locator) -> None:
    strip.page.mouse.click(*at(strip.locator(".overview"), 8.0))
    await_number(player, "position", above=7.95, below=8.05)
    assert number(strip, "playhead") == number(player, "position")
    assert number(strip, "start") == 6


def test_the_window_moves_by_the_keyboard_and_says_where_it_is(strip: Locator) -> None:
    window = strip.get_by_role("slider", name="Passage to explain")
    window.focus()
    keyboard = strip.page.keyboard
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        keyboard.press(key)
    expect(window).to_have_attribute("aria-valuenow", "7")
    expect(window).to_have_attribute("aria-valuetext", "0:07.0 to 0:12.0")
    expect(window).to_have_attribute("aria-valuemax", "15.00")
    expect_asked(strip, "low", 7)
    expect(window).to_be_focused()
    for key, start in {"PageUp": 12, "Home": 0, "End": 15}.items():
        keyboard.press(key)
        expect_asked(strip, "low", start)


def test_a_finger_drags_the_window(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(address)
        strip = page.locator(".strip")
        expect(page.locator(".player")).to_have_attribute("data-state", "ready", timeout=60_000)
        touch = context.new_cdp_session(page)
        (x, y), (end, _) = at(strip.locator(".overview"), 8.0), at(strip.locator(".overview"), 4.0)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for share in (0.3, 0.7, 1.0):
            moved = [{"x": x + share * (end - x), "y": y}]
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(page.get_by_text(re.compile(r"asked: low [12][.\d]* False"))).to_be_visible(timeout=AWAIT)
        assert number(strip, "start") == pytest.approx(2.0, abs=0.1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_click_on_a_ribbon_asks_why_around_that_moment(strip: Locator) -> None:
    ribbon = strip.locator('[data-label="high"] svg')
    strip.page.mouse.move(*at(ribbon, 12.5))
    expect(strip.locator(".hint")).to_have_text(re.compile(r"Why high tone at 0:12\.5\? · 37 % sure"))
    strip.page.mouse.click(*at(ribbon, 12.5))
    expect(strip.page.get_by_text(re.compile(r"asked: high (10|9\.9)[.\d]* True"))).to_be_visible(timeout=AWAIT)
    assert number(strip, "start") == pytest.approx(10.0, abs=0.05)


def test_a_name_asks_why_at_the_cursor(strip: Locator, player: Locator) -> None:
    why = strip.get_by_role("button", name="Why high tone at the cursor?")
    why.press("Enter")  # the cursor is at the start of the passage: that one
    expect_asked(strip, "high", 6, why=True)
    strip.page.keyboard.press("Tab")
    expect(strip.page.get_by_text("asked: high 6")).to_be_visible()
    strip.page.mouse.click(*at(strip.locator(".overview"), 8.0))
    await_number(strip, "playhead", above=7.9)
    strip.get_by_role("slider").focus()
    strip.page.keyboard.press("End")
    expect_asked(strip, "high", 15)
    await_number(player, "offset", above=15)
    strip.get_by_role("button", name="Why low tone at the cursor?").click()
    expect_asked(strip, "low", 15, why=True)


def test_the_playhead_follows_the_player(strip: Locator, player: Locator) -> None:
    player.locator('[data-action="play"]').click()
    await_number(strip, "playhead", above=6.5, below=11)
    player.locator('[data-action="play"]').click()
    expect(player).to_have_attribute("data-state", "paused")
    playhead, overview = strip.locator(".playhead").bounding_box(), strip.locator(".overview").bounding_box()
    assert playhead
    assert overview
    share = (playhead["x"] + 1 - overview["x"]) / overview["width"]
    assert share * SECONDS == pytest.approx(number(player, "position"), abs=0.1)


def test_the_sound_goes_on_where_the_passages_overlap(strip: Locator, player: Locator) -> None:
    drag(player, 0.4, 0.98)
    player.locator('[data-action="play"]').click()
    await_number(player, "position", above=8.1)
    strip.get_by_role("slider").press("ArrowRight")
    await_number(player, "offset", above=6.4)
    expect(player).to_have_attribute("aria-busy", "false")
    expect(player).to_have_attribute("data-state", "playing")
    start, end = map(float, (player.get_attribute("data-loop") or "").split(","))
    assert (start, end) == (pytest.approx(8.0, abs=0.02), pytest.approx(10.9, abs=0.02))
    await_number(player, "level", above=0.05)
    assert start <= number(player, "position") <= end


def test_a_song_of_one_passage_has_no_window(strip: Locator, player: Locator) -> None:
    strip.page.get_by_text("A short song").click()
    expect(strip.locator(".window")).to_be_hidden()
    await_number(player, "offset", above=-1, below=0)
    expect(player).to_have_attribute("aria-busy", "false")
    box = strip.locator(".overview").bounding_box()
    assert box
    strip.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 10)
    await_number(player, "position", above=2.95, below=3.05)
    strip.locator('[data-label="high"] svg').click()
    expect(strip.page.get_by_text("asked: high 0 True", exact=True)).to_be_visible(timeout=AWAIT)
