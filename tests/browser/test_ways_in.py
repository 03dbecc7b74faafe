"""The ways into the app in a real browser: guess first, a MIDI file, the tour, the glossary, the link, both themes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from core.paths import ROOT
from tests.browser.serving import CHROMIUM, serve
from tests.browser.test_app import SHORT, heard, play, settle, visit
from tests.synthesis.midi_files import MUSIC_BOX, PIANO, TRUMPET, midi_file

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(ROOT / "app/main.py") as address:
        yield address


def top(page: Page) -> float:
    """How far down the page the player is."""
    box = page.locator(".player").bounding_box()
    assert box
    return box["y"]


def test_one_guesses_sees_the_answer_without_a_jump_and_goes_on(page: Page, address: str) -> None:
    visit(page, address, clip=SHORT)
    page.get_by_text("Guess first").click()
    page.wait_for_url(re.compile("count%3D2|count=2"))
    check = page.get_by_role("button", name="Check my guess")
    expect(check).to_be_disabled()
    expect(heard(page)).to_have_count(0)
    expect(page.locator(".strip")).to_have_count(0)
    settle(page)
    before = page.url, top(page)
    page.get_by_role("button", name="Oboe", exact=True).click()
    check.click()
    expect(page.get_by_text(re.compile(r"You: \d right, \d missed, \d wrong"))).to_be_visible()
    expect(heard(page)).to_be_visible()
    expect(page.locator(".strip")).to_be_visible()
    settle(page)
    assert (page.url, top(page)) == before
    play(page)
    page.get_by_role("button", name="Next mix").click()
    expect(check).to_be_visible()
    expect(heard(page)).to_have_count(0)
    assert page.url != before[0]


@pytest.mark.slow
def test_a_midi_file_is_played_and_its_stems_are_mixed(page: Page, address: str, tmp_path: Path) -> None:
    song = tmp_path / "duo.mid"
    song.write_bytes(midi_file([(PIANO, [60, 64, 67]), (TRUMPET, [67, 72, 76]), (MUSIC_BOX, [84])]))
    visit(page, address, clip=SHORT)
    page.get_by_text("Upload", exact=True).click()
    page.locator('input[type="file"]').set_input_files(song)
    page.wait_for_url(re.compile("clip=upload"))
    settle(page)
    expect(page.get_by_text("Left out, as no instrument that the networks know: Music box.")).to_be_visible()
    page.get_by_text("Reveal the truth").click()
    expect(page.locator('.player [data-action="solo"]')).to_have_count(2)
    play(page)


@pytest.mark.slow
def test_a_recording_from_the_microphone_is_heard(browser: Browser, address: str) -> None:
    """Chromium's stand-in for a microphone gives beeps."""
    browser_type = browser.browser_type
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with browser_type.launch(executable_path=CHROMIUM, args=flags) as other:
        page = other.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone"]).new_page()
        visit(page, address, clip=SHORT)
        page.get_by_text("Record", exact=True).click()
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_timeout(2500)
        page.get_by_role("button", name="Stop recording").click()
        page.wait_for_url(re.compile("recording.wav"))
        settle(page)
        expect(page.locator(".player")).to_contain_text("recording.wav")
        expect(heard(page)).to_be_visible()


@pytest.mark.slow
def test_the_tour_the_glossary_and_the_link(browser: Browser, address: str) -> None:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        visit(page, address, clip=SHORT)
        page.get_by_role("button", name="New here? A tour of 30 seconds").click()
        window = page.get_by_role("dialog")
        for _ in range(4):
            size = window.bounding_box()
            window.get_by_role("button", name="Next").click()
            page.wait_for_timeout(500)
            assert window.bounding_box() == size  # and does not jump from step to step
        window.get_by_role("button", name="Done").click()
        expect(window).to_have_count(0)
        expect(page.get_by_role("button", name="No, thanks")).to_have_count(0)
        page.get_by_role("button", name="Glossary").click()
        window.get_by_role("textbox").fill("signal-to-distortion")
        window.get_by_role("textbox").press("Enter")
        expect(window.get_by_text("Stem", exact=True)).to_have_count(0)
        expect(window.get_by_text("SI-SDR", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        copy = page.locator(".copy-link")
        copy.click()
        expect(copy).to_have_attribute("data-state", "copied")
        expect(copy.get_by_text("Copied", exact=True)).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        expect(copy).to_have_attribute("data-state", "ready")


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(14, 17, 23)")])
def test_the_page_takes_the_theme_of_the_system(
    browser: Browser, address: str, theme: Literal["dark", "light"], ground: str
) -> None:
    with browser.new_context(color_scheme=theme) as context:
        page = context.new_page()
        visit(page, address, clip=SHORT)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", ground)
