"""The player in a real browser: what is heard (level, track, sources started) and what is seen follow the user."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.player_app import BAND_HZ, BANDS
from tests.browser.serving import CHROMIUM, CONTRASTS, await_number, drag, serve

# Before any script of the page runs: counts what it does with Web Audio, and taps every sample that goes out.
SPY = """
window.audio = { contexts: [], starts: 0, heard: [] };
const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process([[samples]]) { if (samples) this.port.postMessage(samples); return true; }
})`;
window.AudioContext = class extends AudioContext {
  constructor(...options) { super(...options); window.audio.contexts.push(this); }
  createAnalyser() {
    const analyser = super.createAnalyser();
    this.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }))).then(() => {
      const tap = new AudioWorkletNode(this, "tap");
      tap.port.onmessage = ({ data }) => window.audio.heard.push(...data);
      analyser.connect(tap);
    });
    return analyser;
  }
};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) { window.audio.starts++; return start.apply(this, when); };
"""
# RMS of the tones of player_app.py: amplitude / sqrt(2).
LOW, HIGH = 0.2 / 2**0.5, 0.3 / 2**0.5
MIX = (LOW**2 + HIGH**2) ** 0.5

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of player_app.py, served by Streamlit."""
    with serve(Path(__file__).with_name("player_app.py")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(SPY)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        expect(page.locator('.player[data-state="ready"]')).to_have_count(3, timeout=60_000)
        yield page
        assert errors == []


@pytest.fixture
def player(page: Page) -> Locator:
    return page.locator(".player", has=page.get_by_text("One at a time"))


@pytest.fixture
def mixer(page: Page) -> Locator:
    return page.locator(".player", has=page.locator(".mixer"))


@pytest.fixture
def levels(page: Page) -> Locator:
    return page.get_by_role("region", name="Levels")


def number(player: Locator, name: str) -> float:
    return float(player.get_attribute(f"data-{name}") or "nan")


def press(player: Locator, action: str, track: str | None = None) -> None:
    which = f'[data-track-name="{track}"]' if track else ""
    player.locator(f'button[data-action="{action}"]{which}').click()


def play(player: Locator) -> None:
    press(player, "play")
    expect(player).to_have_attribute("data-state", "playing")
    await_level(player, 0.01, 1.0)


def await_level(player: Locator, low: float, high: float) -> None:
    await_number(player, "level", low, high)


def await_position(player: Locator, beyond: float) -> None:
    await_number(player, "position", beyond)


def steps(player: Locator, clicks: list[str], seconds: float) -> list[tuple[float, float]]:
    """Clicks buttons, evenly spread over a time; returns (passed, moved) seconds between reports of the position."""
    trace = """async (root, [clicks, ms]) => {
        const seen = [];
        const observer = new MutationObserver(() => seen.push([performance.now() / 1000, +root.dataset.position]));
        observer.observe(root, { attributeFilter: ["data-position"] });
        for (const selector of [...clicks, null]) {
            await new Promise((resolve) => setTimeout(resolve, ms / (clicks.length + 1)));
            if (selector) root.querySelector(selector).click();
        }
        observer.disconnect();
        return seen;
    }"""
    seen = player.evaluate(trace, [clicks, 1000 * seconds])
    return [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(seen)]


def loudness(page: Page, act: Callable[[], None]) -> np.ndarray:
    """RMS in each window of 20 ms of all that goes out from shortly before ``act`` to shortly after it."""
    more = "count => window.audio.heard.length > count"
    page.evaluate("window.audio.heard = []")
    page.wait_for_function(more, arg=5_000)
    act()
    page.wait_for_function(more, arg=page.evaluate("window.audio.heard.length") + 15_000)
    heard = np.array(page.evaluate("window.audio.heard"))
    return np.sqrt(np.convolve(heard**2, np.full(441, 1 / 441), "valid"))


def rerun(page: Page, toggle: str) -> None:
    """Flips a switch of the app and waits for the run that follows."""
    runs = int(page.get_by_text("runs:").inner_text().split()[-1])
    page.get_by_text(toggle).click()
    expect(page.get_by_text(f"runs: {runs + 1}")).to_be_visible()


def fetched(page: Page) -> list[str]:
    """Collects the addresses of the sounds that are fetched from now on."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url) if request.url.endswith(".wav") else None)
    return urls


def starts(page: Page) -> int:
    return int(page.evaluate("window.audio.starts"))


def test_nothing_sounds_before_a_click_and_then_it_plays(page: Page, player: Locator) -> None:
    assert page.evaluate("window.audio.contexts.length") == 0
    assert number(player, "duration") == 8
    play(player)
    await_level(player, 0.95 * MIX, 1.05 * MIX)
    await_position(player, 1.0)
    press(player, "play")
    expect(player).to_have_attribute("data-state", "paused")
    assert number(player, "level") == 0
    assert steps(player, [], 0.5) == []


def test_switching_tracks_neither_moves_nor_restarts_the_sound(page: Page, player: Locator) -> None:
    play(player)
    started = starts(page)
    passed = steps(player, [f'button[data-track-name="{name}"]' for name in ("Only this", "Without it")], 2.0)
    assert len(passed) >= 8
    for seconds, moved in passed:
        assert moved == pytest.approx(seconds, abs=0.1)
    expect(player).to_have_attribute("data-track", "Without it")
    await_level(player, 0.95 * LOW, 1.05 * LOW)
    assert starts(page) == started == 3


def test_no_gap_and_no_click_is_heard(page: Page, player: Locator) -> None:
    picture = player.locator('[data-action="seek"]')
    play(player)
    switched = loudness(page, lambda: press(player, "track", "Only this"))
    assert 0.97 * HIGH < switched.min() < switched.max() < 1.03 * MIX
    sought = loudness(page, lambda: picture.click(position={"x": 50, "y": 30}))
    assert 0.7 * HIGH < sought.min() < sought.max() < 1.03 * HIGH  # two phases of one tone may cancel as they cross
    swapped = loudness(page, lambda: rerun(page, "Another concept"))
    assert 0.97 * HIGH / 4 < swapped.min() < swapped.max() < 1.03 * HIGH


def test_click_seeks(player: Locator) -> None:
    box = player.locator('[data-action="seek"]').bounding_box()
    assert box
    player.locator('[data-action="seek"]').click(position={"x": box["width"] * 0.75, "y": 30})
    assert number(player, "position") == pytest.approx(6.0, abs=0.02)
    cursor = player.locator(".cursor").bounding_box()
    assert cursor
    assert cursor["x"] - box["x"] == pytest.approx(0.75 * box["width"], abs=2)


def test_plays_to_the_end_and_again_from_the_start(player: Locator) -> None:
    player.locator('[data-action="seek"]').focus()
    for _ in range(7):
        player.press("ArrowRight")
    play(player)
    expect(player).to_have_attribute("data-state", "paused")
    assert number(player, "position") == 8
    play(player)
    assert number(player, "position") < 4


def test_drag_loops_and_wraps_around(player: Locator) -> None:
    drag(player, 0.9, 0.98)  # near the end: sounds that did not loop, too, would fall silent
    start, end = map(float, (player.get_attribute("data-loop") or "").split(","))
    assert (start, end) == (pytest.approx(7.2, abs=0.02), pytest.approx(7.84, abs=0.02))
    play(player)
    moves = [moved for _, moved in steps(player, [], 2.0)]
    assert sum(moved < 0 for moved in moves) >= 2
    assert start <= number(player, "position") <= end
    await_level(player, 0.95 * MIX, 1.05 * MIX)
    press(player, "clear-loop")
    expect(player).to_have_attribute("data-loop", "")
    expect(player).to_have_attribute("data-state", "paused")
    assert number(player, "position") == 8


def test_click_outside_the_loop_ends_it(player: Locator) -> None:
    drag(player, 0.6, 0.5)  # leftwards works, too
    expect(player.locator(".loop")).to_be_visible()
    player.locator('[data-action="seek"]').click(position={"x": 50, "y": 50})
    expect(player).to_have_attribute("data-loop", "")
    expect(player.locator(".loop")).to_be_hidden()


def test_keyboard(player: Locator) -> None:
    press(player, "track", "Only this")  # after a mouse click on a button, space still means play
    player.page.keyboard.press("Space")
    expect(player).to_have_attribute("data-state", "playing")
    expect(player).to_have_attribute("data-track", "Only this")
    player.page.keyboard.press("Space")
    expect(player).to_have_attribute("data-state", "paused")
    player.page.keyboard.press("Home")
    player.page.keyboard.press("ArrowRight")
    player.page.keyboard.press("ArrowRight")
    player.page.keyboard.press("ArrowLeft")
    assert number(player, "position") == 1
    player.locator('button[data-track-name="Mix"]').focus()
    player.page.keyboard.press("Space")  # on a focused button it presses that button
    expect(player).to_have_attribute("data-track", "Mix")
    expect(player).to_have_attribute("data-state", "paused")


def test_keys_loop_choose_tracks_and_zoom(player: Locator, mixer: Locator) -> None:
    picture = player.locator('[data-action="seek"]')
    picture.focus()
    picture.press("2")
    expect(player).to_have_attribute("data-track", "Only this")
    picture.press("9")  # there are only three
    expect(player).to_have_attribute("data-track", "Only this")
    for _ in range(4):
        picture.press("ArrowRight")
    picture.press("+")
    expect(player).to_have_attribute("data-zoom", "2.00,1.00")
    picture.press("l")
    assert (player.get_attribute("data-loop") or "").split(",") == ["2.000", "6.000"]  # what is in view
    picture.press("L")
    expect(player).to_have_attribute("data-loop", "")
    picture.press("0")
    expect(player).to_have_attribute("data-zoom", "1.00,1.00")
    mixer.locator('[data-action="seek"]').press("2")
    expect(mixer).to_have_attribute("data-track", "High")
    mixer.locator('[data-action="seek"]').press("2")
    expect(mixer).to_have_attribute("data-track", "Low, High")


def test_the_pointer_is_told_time_frequency_and_note(page: Page, player: Locator) -> None:
    picture, readout = player.locator('[data-action="seek"]'), player.locator(".readout")
    box = picture.bounding_box()
    assert box
    share = (np.interp(2000, BAND_HZ, np.arange(BANDS)) + 0.5) / BANDS
    picture.hover(position={"x": 0.25 * box["width"], "y": (1 - share) * box["height"]})
    told = re.fullmatch(r"([\d.]+) s · ([\d.]+) kHz · (\S+)", readout.inner_text())
    assert told
    assert float(told[1]) == pytest.approx(2.0, abs=0.02)
    assert float(told[2]) == pytest.approx(2.0, rel=0.03)
    assert told[3] in {"A♯6", "B6", "C7"}  # B6 has 1976 Hz; the pointer stands on whole pixels
    page.mouse.move(0, 0)
    expect(readout).to_be_hidden()


def test_zoom_keeps_what_is_under_the_pointer(page: Page, player: Locator) -> None:
    picture, readout = player.locator('[data-action="seek"]'), player.locator(".readout")
    box = picture.bounding_box()
    assert box
    whole = picture.screenshot()
    place = {"x": round(0.75 * box["width"]), "y": round(0.25 * box["height"])}
    picture.hover(position=place)
    before = readout.inner_text()
    scrolled = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    page.keyboard.up("Control")
    expect(player).to_have_attribute("data-zoom", "2.00,2.00")
    page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
    (second, tone), (second_before, tone_before) = (
        map(float, re.findall(r"[\d.]+(?= s| kHz)", words)) for words in (readout.inner_text(), before)
    )
    assert second == pytest.approx(second_before, abs=0.02)
    assert tone == pytest.approx(tone_before, rel=0.02)
    assert page.evaluate("scrollY") == scrolled
    assert picture.screenshot() != whole
    picture.click(position=place)
    assert number(player, "position") == pytest.approx(6.0, abs=0.02)
    drag(player, 0.2, 0.4)  # on what is in view: from 3 s to 7 s
    start, end = map(float, (player.get_attribute("data-loop") or "").split(","))
    assert (start, end) == (pytest.approx(3.8, abs=0.03), pytest.approx(4.6, abs=0.03))
    press(player, "reset-zoom")
    expect(player).to_have_attribute("data-zoom", "1.00,1.00")
    expect(player.locator('[data-action="reset-zoom"]')).to_be_disabled()


def test_buttons_zoom_and_the_view_follows_the_sound(page: Page, player: Locator) -> None:
    closer = player.get_by_role("button", name="Zoom in on time")
    for _ in range(4):
        closer.click()
    expect(player).to_have_attribute("data-zoom", "16.00,1.00")
    labels = player.locator('[data-part="time-axis"] span')
    assert labels.last.inner_text() == "0.5 s"
    play(player)
    await_position(player, 1.2)
    expect(labels.first).not_to_have_text("0 s")
    picture, cursor = (player.locator(part).bounding_box() for part in (".plot", ".cursor"))
    assert picture
    assert cursor
    assert picture["x"] - 2 <= cursor["x"] <= picture["x"] + picture["width"]
    player.get_by_role("button", name="Zoom in on low frequencies").click()
    lowest = player.locator('[data-part="frequency-axis"] span').first
    before = (lowest.inner_text(), lowest.bounding_box())
    player.locator('[data-action="seek"]').press("ArrowUp")
    assert (lowest.inner_text(), lowest.bounding_box()) != before


def test_two_fingers_zoom(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(address)
        player = page.locator(".player", has=page.get_by_text("One at a time"))
        expect(player).to_have_attribute("data-state", "ready", timeout=60_000)
        box = player.locator(".plot").bounding_box()
        assert box
        middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch = context.new_cdp_session(page)

        def fingers(kind: str, apart: float) -> None:
            points = [{"x": middle + side * apart / 2, "y": height, "id": i} for i, side in enumerate((-1, 1))]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if apart else []})

        fingers("touchStart", 80)
        for apart in (100, 130, 160):
            fingers("touchMove", apart)
        fingers("touchEnd", 0)
        assert float((player.get_attribute("data-zoom") or "").split(",")[0]) == pytest.approx(2, abs=0.1)
        assert player.get_attribute("data-loop") == ""
        assert number(player, "position") == 0


def test_the_cursor_stays_at_its_moment_when_a_paused_player_changes_size(page: Page, player: Locator) -> None:
    player.locator('[data-action="seek"]').focus()
    for _ in range(4):
        player.locator('[data-action="seek"]').press("ArrowRight")
    page.set_viewport_size({"width": 800, "height": 800})
    page.wait_for_timeout(300)
    picture, cursor = (player.locator(part).bounding_box() for part in (".plot", ".cursor"))
    assert picture
    assert cursor
    assert cursor["x"] + 1 - picture["x"] == pytest.approx(picture["width"] / 2, abs=2)


def test_the_true_notes_are_drawn_where_they_sound_when_asked_for(player: Locator) -> None:
    notes, button = player.locator('canvas[data-part="notes"]'), player.locator('[data-layer="notes"]')
    expect(notes).to_be_hidden()
    button.click()
    expect(notes).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")
    found = notes.evaluate("""canvas => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        const green = [];
        for (let i = 0; i < data.length; i += 4) {
            const [x, y] = [(i / 4) % width, Math.floor(i / 4 / width)];
            if (data[i + 1] > 200 && data[i] < 50) green.push([x / width, y / height]);
        }
        return green;
    }""")
    x, y = np.array(found).T
    assert (x.min(), x.max()) == (pytest.approx(2 / 8, abs=0.01), pytest.approx(6 / 8, abs=0.01))
    share = (np.interp(2000, BAND_HZ, np.arange(BANDS)) + 0.5) / BANDS
    assert 1 - y.mean() == pytest.approx(share, abs=0.02)


def test_a_passage_is_shown_in_the_time_of_the_song(page: Page, player: Locator) -> None:
    drag(player, 0.5, 0.75)
    play(player)
    rerun(page, "A later passage")
    expect(player).to_have_attribute("data-offset", "3")
    expect(player).to_have_attribute("aria-busy", "false")
    expect(player).to_have_attribute("data-state", "playing")
    start, end = map(float, (player.get_attribute("data-loop") or "").split(","))
    assert (start, end) == (pytest.approx(4.0, abs=0.02), pytest.approx(6.0, abs=0.02))
    assert start <= number(player, "position") <= end
    press(player, "play")
    press(player, "clear-loop")
    labels = player.locator('[data-part="time-axis"] span')
    assert (labels.first.inner_text(), labels.last.inner_text()) == ("3 s", "11 s")
    picture = player.locator('[data-action="seek"]')
    picture.press("Home")
    expect(player.locator('[data-part="now"]')).to_have_text("0:03.0")
    expect(player.locator('[data-part="total"]')).to_have_text(" / 0:11.0")
    for name, value in {"valuemin": "3", "valuenow": "3.0", "valuemax": "11", "valuetext": "3.0 seconds"}.items():
        expect(picture).to_have_attribute(f"aria-{name}", value)
    box = picture.bounding_box()
    assert box
    picture.hover(position={"x": box["width"] / 2, "y": 20})
    assert float(player.locator(".readout").inner_text().split()[0]) == pytest.approx(7.0, abs=0.02)


def test_tracks_sound_equally_loud_or_at_their_true_levels(player: Locator, levels: Locator) -> None:
    expect(player.locator(".levels")).to_be_hidden()
    expect(levels.locator(".levels")).to_be_visible()
    press(levels, "track", "Soft")
    play(levels)
    await_level(levels, 0.95 * LOW, 1.05 * LOW)
    levels.get_by_role("button", name="true level").click()
    expect(levels).to_have_attribute("data-levels", "true")
    await_level(levels, 0.095 * LOW, 0.105 * LOW)
    press(levels, "track", "Loud")
    await_level(levels, 0.95 * MIX, 1.05 * MIX)
    levels.get_by_role("button", name="equal loudness").click()
    press(levels, "track", "Soft")
    await_level(levels, 0.95 * LOW, 1.05 * LOW)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_all_words_can_be_read(browser: Browser, address: str, theme: Literal["dark", "light"]) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator('.player[data-state="ready"]')).to_have_count(3, timeout=60_000)
        page.locator('[data-action="mute"]').first.click()
        page.locator('.player [data-layer="against"]').first.click()
        ground = page.locator(".player").first.evaluate("player => getComputedStyle(player).backgroundColor")
        contrasts = [found for player in page.locator(".player").all() for found in player.evaluate(CONTRASTS)]
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}[theme]
    assert len(contrasts) > 40
    assert {words: contrast for words, contrast in contrasts if contrast < 4.5} == {}


def test_opacity_and_layers_need_no_server(page: Page, player: Locator) -> None:
    runs = page.get_by_text("runs:").inner_text()
    evidence = {side: player.locator(f'canvas[data-part="{side}"]') for side in ("for", "against")}
    player.locator('[data-action="opacity"]').fill("0.25")
    expect(player).to_have_attribute("data-opacity", "0.25")
    for canvas in evidence.values():
        expect(canvas).to_have_css("opacity", "0.25")
    player.locator('[data-layer="against"]').click()
    expect(evidence["against"]).to_have_css("opacity", "0")
    expect(evidence["for"]).to_have_css("opacity", "0.25")
    assert page.get_by_text("runs:").inner_text() == runs


def test_other_evidence_does_not_touch_the_sound(page: Page, player: Locator) -> None:
    pixel = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [...data].findIndex((value, i) => i % 4 === 3 && value > 0);
    }"""
    drag(player, 0.25, 0.9)
    press(player, "track", "Without it")
    player.locator('[data-action="opacity"]').fill("0.5")
    play(player)
    before = player.locator('canvas[data-part="for"]').evaluate(pixel)
    loop, started, sounds = player.get_attribute("data-loop"), starts(page), fetched(page)
    rerun(page, "Flip the evidence")
    expect(player).to_have_attribute("aria-busy", "false")
    for seconds, moved in steps(player, [], 1.0):
        assert moved == pytest.approx(seconds, abs=0.1)
    await_level(player, 0.95 * LOW, 1.05 * LOW)
    assert player.locator('canvas[data-part="for"]').evaluate(pixel) != before
    assert starts(page) == started
    assert sounds == []
    state = {name: player.get_attribute(f"data-{name}") for name in ("state", "track", "loop", "opacity")}
    assert state == {"state": "playing", "track": "Without it", "loop": loop, "opacity": "0.5"}


def test_a_changed_track_is_swapped_in_where_the_old_one_was(page: Page, player: Locator) -> None:
    press(player, "track", "Only this")
    play(player)
    await_level(player, 0.95 * HIGH, 1.05 * HIGH)
    started, sounds, position = starts(page), fetched(page), number(player, "position")
    rerun(page, "Another concept")
    await_level(player, 0.95 * HIGH / 4, 1.05 * HIGH / 4)
    expect(player).to_have_attribute("data-state", "playing")
    expect(player).to_have_attribute("data-track", "Only this")
    assert number(player, "position") > position
    assert starts(page) == started + 1
    assert len(sounds) == 1
    press(player, "track", "Mix")
    await_level(player, 0.95 * MIX, 1.05 * MIX)


def test_leaving_the_page_stops_the_sound(page: Page, player: Locator) -> None:
    play(player)
    rerun(page, "Show the player")
    expect(player).to_have_count(0)
    page.wait_for_function("window.audio.contexts.every((context) => context.state === 'closed')")


def test_sound_that_cannot_be_decoded_is_named(page: Page, player: Locator) -> None:
    page.route("**/media/*.wav", lambda route: route.fulfill(body=b"not a sound"))
    page.reload()
    expect(player).to_have_attribute("data-state", "error", timeout=30_000)
    alert = player.get_by_role("alert")
    expect(alert).to_have_text("“Mix” cannot be played: this browser cannot decode it.")
    expect(player.locator('[data-action="play"]')).to_be_disabled()


def test_mixer_solo_and_mute(mixer: Locator) -> None:
    play(mixer)
    await_level(mixer, 0.95 * MIX, 1.05 * MIX)
    press(mixer, "solo", "High")
    expect(mixer).to_have_attribute("data-track", "High")
    await_level(mixer, 0.95 * HIGH, 1.05 * HIGH)
    press(mixer, "solo", "High")
    press(mixer, "mute", "High")
    expect(mixer).to_have_attribute("data-track", "Low")
    await_level(mixer, 0.95 * LOW, 1.05 * LOW)
    press(mixer, "mute", "Low")
    expect(mixer).to_have_attribute("data-track", "")
    await_level(mixer, 0, 1e-4)


def test_one_player_sounds_at_a_time_and_the_others_keep_their_positions(player: Locator, mixer: Locator) -> None:
    play(player)
    await_position(player, 0.5)
    play(mixer)
    expect(player).to_have_attribute("data-state", "paused")
    paused_at = number(player, "position")
    assert paused_at > 0.5
    play(player)
    expect(mixer).to_have_attribute("data-state", "paused")
    assert number(player, "position") > paused_at


def test_a_card_and_a_player_pause_each_other(page: Page, player: Locator) -> None:
    card = page.locator(".example")
    play(player)
    await_position(player, 0.5)
    card.get_by_role("button", name="Whole clip").click()
    expect(card).to_have_attribute("data-state", "playing")
    expect(player).to_have_attribute("data-state", "paused")
    await_number(card, "position", above=0.5)
    position = number(player, "position")
    play(player)
    expect(card).to_have_attribute("data-state", "ready")
    assert number(player, "position") > position > 0.5
    paused_at = number(card, "position")
    card.get_by_role("button", name="Whole clip").click()
    expect(player).to_have_attribute("data-state", "paused")
    assert number(card, "position") >= paused_at
    await_number(card, "position", above=paused_at, below=paused_at + 1)


def test_players_are_told_apart_by_their_names(page: Page) -> None:
    names = [name.get_attribute("aria-label") for name in page.locator(".player").all()]
    assert names == ["One at a time", "Both tones", "Levels"]
    for name in names:
        player = page.get_by_role("region", name=name)
        player.get_by_role("button", name=f"Play {name}").click()
        player.get_by_role("button", name=f"Pause {name}").click()
        expect(player.get_by_role("slider", name=f"Position in {name}")).to_be_visible()


def test_fits_a_phone(page: Page, player: Locator) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for part in (
        '[data-action="seek"]',
        *(f'button[data-track-name="{n}"]' for n in ("Mix", "Only this", "Without it")),
    ):
        box = player.locator(part).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 40
    labels = [label.bounding_box() for label in player.locator('[data-part="time-axis"] span').all()]
    for left, right in itertools.pairwise(labels):
        assert left
        assert right
        assert left["x"] + left["width"] < right["x"]
