"""The app in a real browser: upload, compose, explain, listen to a concept, follow a link, bad files, four at once."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from app.figures.colors import AGAINST
from core.inference import recognise
from core.models.store import default_model, load_model
from core.paths import ROOT
from core.synthesis.clip import compose
from tests.bad_files import BAD_FILES, encoded, tone
from tests.browser.serving import CHROMIUM, FLAGS, PATIENCE, await_number, computed, drag, serve

INSIDE = "Inside the network: single concepts"
SHORT = "wimu12;instruments=piano,trumpet;duration=3@5"
LONG = "wimu12;instruments=piano,trumpet;duration=8@5"  # longer than a passage

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(ROOT / "app/main.py") as address:
        yield address


def visit(page: Page, address: str, name: str = "", **view: str) -> None:
    page.goto(f"{address}/{name}?{urlencode(view)}")
    settle(page)


def settle(page: Page) -> None:
    """Waits until the page has been computed and its players can play."""
    expect(page.locator(".player").first).to_have_attribute("data-state", re.compile("ready|paused|playing"))
    computed(page)


def heard(page: Page) -> Locator:
    return page.get_by_text(re.compile("The network (hears|is)"))


def play(page: Page) -> None:
    """Plays and waits until there is really sound."""
    page.locator('.player [data-action="play"]').first.click()
    await_number(page.locator(".player").first, "level", above=0.001)


@pytest.mark.slow
def test_the_first_view_is_a_worked_example_that_plays(page: Page, address: str) -> None:
    visit(page, address)
    expect(heard(page)).to_be_visible()
    assert "clip=" in page.url
    assert "model=" in page.url
    play(page)
    await_number(page.locator(".player").first, "position", above=0.3)


def test_an_mp3_is_uploaded_recognised_explained_and_a_reason_played(page: Page, address: str, tmp_path: Path) -> None:
    song = tmp_path / "trumpet & piano.mp3"
    song.write_bytes(encoded(compose("wimu12;instruments=piano,trumpet;duration=7@5").mix, format="MP3"))
    visit(page, address)
    page.get_by_text("Upload", exact=True).click()
    page.locator('input[type="file"]').set_input_files(song)
    page.wait_for_url(re.compile("clip=upload"))
    settle(page)
    expect(page.locator(".player")).to_contain_text(song.name)
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="The reasons")).to_be_visible(timeout=PATIENCE)
    settle(page)
    reason = page.locator(".reason").first
    reason.locator('[data-action="open"]').click()
    page.wait_for_url(re.compile(r"reason=conv\d+-"))
    expect(page.locator(".player")).to_contain_text("reason “")
    settle(page)
    page.locator('.player [data-track-name="Only this"]').click()
    play(page)
    assert page.locator(".player").get_attribute("data-track") == "Only this"


@pytest.mark.slow
def test_a_mix_is_composed_and_its_truth_revealed(page: Page, address: str) -> None:
    visit(page, address, clip=SHORT)
    page.get_by_text("Compose", exact=True).click()
    page.get_by_label("Seed").fill("42")
    page.get_by_label("Seed").press("Enter")
    page.get_by_role("button", name="Compose").click()
    page.wait_for_url(re.compile("%4042|@42"))
    settle(page)
    page.get_by_text("Reveal the truth").click()
    expect(page.get_by_text("Really playing")).to_be_visible()
    expect(page.locator('.player [data-action="solo"]').first).to_be_visible()


def test_a_ribbon_leads_from_a_moment_to_its_explanation(page: Page, address: str) -> None:
    visit(page, address, clip=LONG)
    strip = page.locator(".strip")
    ribbon = strip.locator('[data-label="trumpet"] svg')
    box = ribbon.bounding_box()
    assert box
    ribbon.click(position={"x": 0.5 * box["width"], "y": 8})
    page.wait_for_url(re.compile(r"/explain\?.*start="))
    assert "instrument=trumpet" in page.url
    expect(page.locator(".player").first).to_contain_text(
        re.compile(r"Evidence for trumpet, 1\.5–6\.5 s"), timeout=PATIENCE
    )
    settle(page)
    play(page)
    strip.get_by_role("slider", name="Passage to explain").press("Home")
    page.wait_for_url(re.compile("start=0"))
    expect(page.locator(".player").first).to_contain_text("0.0–5.0 s")
    page.reload()
    settle(page)
    assert strip.get_attribute("data-start") == "0"


def test_a_link_restores_an_explained_concept(page: Page, address: str) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="piano", layer="conv3", concept="5")
    expect(page.locator(".player")).to_contain_text("concept 5")
    expect(page.get_by_text("On target")).to_be_visible()
    for part in ("instrument=piano", "layer=conv3", "concept=5", "clip="):
        assert part in page.url


def test_the_sound_goes_on_while_a_reason_is_opened(page: Page, address: str) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="trumpet")
    drag(page.locator(".player").first, 0.1, 0.9)  # a loop goes on for as long as the reason takes
    play(page)
    page.locator('.reason [data-action="open"]').first.click()
    expect(page.locator('.reason[data-opened="true"]')).to_have_count(1)
    settle(page)
    assert page.locator(".player").get_attribute("data-state") == "playing"


def test_reasons_are_silenced_together_in_the_link_and_stay_so_on_other_pages(page: Page, address: str) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="trumpet")
    for number in (0, 1):
        page.locator('.reason [data-action="silence"]').nth(number).click()
        expect(page.locator('.reason[data-silent="true"]')).to_have_count(number + 1)
        settle(page)
    page.wait_for_url(re.compile(r"silent=conv\d+-\w+(,|%2C)conv\d+-\w+"))
    expect(page.locator(".st-key-without")).to_contain_text(re.compile(r"trumpet \d+ % → \d+ %"))
    page.get_by_role("link", name="Listen").click()
    settle(page)
    page.get_by_role("link", name="Explain").click()
    expect(page.locator('.reason[data-silent="true"]')).to_have_count(2)
    page.get_by_role("button", name="Let it notice all again").click()
    expect(page.locator('.reason[data-silent="true"]')).to_have_count(0)
    assert "silent=" not in page.url


def test_reasons_are_mixed_muted_and_soloed_and_the_player_stays_in_view(page: Page, address: str) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="trumpet")
    page.get_by_text("Mix the reasons").click()
    player = page.locator(".player").first
    count = page.locator(".reason").count()
    expect(player.locator('[data-action="solo"]')).to_have_count(count + 1)
    settle(page)
    player.locator('[data-action="mute"]').first.click()
    muted = page.locator('.reason [data-part="name"]').first.inner_text()
    assert muted not in str(player.get_attribute("data-track"))
    for number in (1, 2):
        player.locator('[data-action="solo"]').nth(number).click()
    assert len(str(player.get_attribute("data-track")).split(", ")) == 2
    play(page)
    await_number(player, "position", above=0.2)
    page.locator(".st-key-usual, .st-key-inside").last.scroll_into_view_if_needed()
    expect(player.locator('[data-action="play"]')).to_be_in_viewport()


def test_single_concepts_come_when_asked_for_and_each_opens_closes_and_leads_to_the_atlas(
    page: Page, address: str
) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="trumpet")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(0)
    page.get_by_text(INSIDE).click()
    expect(tiles).to_have_count(8)
    visit(page, address, "explain", clip=SHORT, instrument="trumpet", layer="conv2")  # this link asks for them
    expect(tiles).to_have_count(8)
    settle(page)
    page.get_by_text("concepts of the layer").click()
    expect(tiles).to_have_count(load_model(default_model()).card.config["widths"][1])
    assert tiles.last.locator("img").evaluate("image => image.complete && image.naturalWidth > 0")
    against = page.locator('.tile [data-part="share"]', has_text="against it").first
    assert against.evaluate("words => getComputedStyle(words).color") == f"rgb({_rgb(AGAINST)})"
    channel = tiles.last.get_attribute("data-channel")
    tiles.last.locator('[data-action="open"]').click()
    page.wait_for_url(re.compile(rf"concept={channel}(&|$)"))
    opened = page.locator('.tile[data-opened="true"]')
    expect(opened).to_have_attribute("data-channel", str(channel))
    settle(page)
    opened.locator('[data-action="open"]').click()
    page.wait_for_url(lambda url: "concept=" not in url)
    settle(page)
    tiles.first.locator('[data-action="atlas"]').click()
    page.wait_for_url(re.compile(r"/atlas\?.*concept=\d+"))


def _rgb(shade: str) -> str:
    return ", ".join(str(int(shade[i : i + 2], 16)) for i in (1, 3, 5))


def test_silencing_a_concept_moves_the_predictions(page: Page, address: str) -> None:
    visit(page, address, "explain", clip=SHORT, instrument="trumpet")
    page.get_by_text(INSIDE).click()
    section = page.locator(".st-key-silencing")
    before = section.locator(".bars").inner_text()
    section.get_by_role("button").first.click()
    settle(page)
    expect(section.locator(".bars")).not_to_have_text(before)


def test_compare_puts_models_side_by_side(page: Page, address: str) -> None:
    visit(page, address, "compare", clip=SHORT, instrument="piano")
    expect(page.get_by_role("heading", name="How far they agree")).to_be_visible()
    players = page.locator(".player")
    expect(players).to_have_count(2)
    drag(players.first, 0.25, 0.75)
    expect(players.last).to_have_attribute("data-loop", str(players.first.get_attribute("data-loop")))


def test_a_screen_reader_is_told_what_a_chart_shows(page: Page, address: str) -> None:
    visit(page, address, clip=SHORT)
    charts = page.get_by_role("figure", name=re.compile(r"Bars of how sure the network is\. .*Trumpet \d+%"))
    expect(charts).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("figure", name=re.compile("over the 3 seconds of the sound"))).to_be_visible()
    assert page.locator('[data-testid="stPlotlyChart"]:not([aria-label])').count() == 0


@pytest.mark.slow
def test_each_bad_file_is_answered_with_a_sentence(page: Page, address: str, tmp_path: Path) -> None:
    visit(page, address, clip=SHORT)
    page.get_by_text("Upload", exact=True).click()
    for name, bad in BAD_FILES.items():
        (tmp_path / name).write_bytes(bad.make())
        page.locator('input[type="file"]').set_input_files(tmp_path / name)
        expect(page.get_by_test_id("stAlert")).to_contain_text(bad.words)
        expect(page.get_by_test_id("stAlert")).to_contain_text(name)
    (tmp_path / "good.wav").write_bytes(encoded(tone(1.0)))
    page.locator('input[type="file"]').set_input_files(tmp_path / "good.wav")
    page.wait_for_url(re.compile("good.wav"))
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_the_page_fits_a_phone(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        visit(page, address, clip=SHORT)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["", "explain"])
def test_on_a_phone_the_player_comes_before_the_choices(page: Page, address: str, name: str) -> None:
    visit(page, address, name, clip=SHORT, instrument="trumpet")
    player, choices = page.locator(".player").first, page.locator(".st-key-choices")
    after = page.locator(".st-key-bars, .st-key-reasons").first  # what comes after the choices on a phone
    expect(after).to_be_visible(timeout=PATIENCE)
    assert _top(choices) < _top(player)  # on a wide screen
    page.set_viewport_size({"width": 390, "height": 844})
    strip = page.locator(".strip")
    assert _top(strip) < _top(player) < _top(choices) < _top(after)
    for part in (strip, player, choices, after):
        box = part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert 340 < box["width"] <= 390


def _top(part: Locator) -> float:
    """Where a part begins on the page."""
    return float(part.evaluate("part => part.getBoundingClientRect().top"))


@pytest.mark.slow
def test_four_sessions_that_explain_at_once_all_get_right_answers(address: str) -> None:
    clips = [f"wimu12;instruments={pair};duration=3@{seed}" for seed, pair in enumerate(
        ("piano,trumpet", "organ,violin", "flute,double_bass", "saxophone,mallets"))]  # fmt: skip
    with ThreadPoolExecutor(len(clips)) as sessions:
        answers = list(sessions.map(lambda clip: _explained(address, clip), clips))
    model = load_model(default_model())
    for clip, answer in zip(clips, answers, strict=True):
        likeliest = recognise(model, model.frontend.analyse(compose(clip).audio)).ranking[0]
        assert answer == likeliest.replace("_", " ")


def _explained(address: str, clip: str) -> str:
    """What the Explain page of a session of its own names as the evidence's instrument."""
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()
        page.set_default_timeout(2 * PATIENCE)
        visit(page, address, "explain", clip=clip)
        said = re.search(r"Evidence for ([a-z ]+),", page.locator(".player").inner_text())
        return said.group(1) if said else ""
