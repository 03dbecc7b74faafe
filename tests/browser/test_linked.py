"""Linked players in a real browser: they go together, one of them sounds, and others are left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.linked_app import LATER, LOUDNESS, SECONDS
from tests.browser.serving import CHROMIUM, await_number, drag, serve

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
SHARED = ("loop", "zoom", "opacity")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(Path(__file__).with_name("linked_app.py")) as address:
        yield address


@pytest.fixture
def first(page: Page, address: str) -> Locator:
    page.goto(address)
    expect(page.locator('.player[data-state="ready"]')).to_have_count(3, timeout=60_000)
    return named(page, "First")


@pytest.fixture
def second(first: Locator) -> Locator:
    return named(first.page, "Second")


@pytest.fixture
def alone(first: Locator) -> Locator:
    return named(first.page, "Alone")


def named(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def number(player: Locator, name: str) -> float:
    return float(player.get_attribute(f"data-{name}") or "nan")


def picture(player: Locator) -> Locator:
    return player.locator('[data-action="seek"]')


def shared(player: Locator) -> list[str | None]:
    return [player.get_attribute(f"data-{name}") for name in SHARED]


def await_sound(player: Locator, share: float = 1.0) -> None:
    """Waits until a player sounds, as loud as only this player is."""
    rms = share * LOUDNESS[player.get_attribute("aria-label") or ""] / 2**0.5
    await_number(player, "level", above=0.95 * rms, below=1.05 * rms)


def cursor(player: Locator) -> float:
    """Share of the picture's width at which the cursor stands."""
    box, line = picture(player).bounding_box(), player.locator(".cursor").bounding_box()
    assert box
    assert line
    return (line["x"] + 1 - box["x"]) / box["width"]


def expect_together(players: list[Locator]) -> None:
    positions = [number(player, "position") for player in players]
    assert positions == pytest.approx([positions[0]] * len(players), abs=0.001)
    cursors = [cursor(player) for player in players]
    assert cursors == pytest.approx([(positions[0] - LATER) / SECONDS] * len(players), abs=0.01)


def test_the_cursor_of_the_silent_one_goes_along(first: Locator, second: Locator, alone: Locator) -> None:
    first.locator('[data-action="play"]').click()
    await_sound(first)
    await_number(second, "position", above=LATER + 0.5)
    assert number(second, "position") == pytest.approx(number(first, "position"), abs=0.3)
    expect(second).to_have_attribute("data-state", "ready")
    assert number(second, "level") == 0
    first.locator('[data-action="play"]').click()
    expect_together([first, second])
    assert number(alone, "position") == LATER


def test_the_one_last_clicked_sounds_from_where_they_are(first: Locator, second: Locator) -> None:
    first.locator('[data-action="play"]').click()
    await_number(first, "position", above=LATER + 0.5)
    for act, player, other, share in (
        (lambda: second.locator('[data-track-name="Only this"]').click(), second, first, 0.5),
        (lambda: first.locator('[data-action="play"]').click(), first, second, 1.0),
        (lambda: picture(second).press("1"), second, first, 1.0),
    ):
        before = number(other, "position")
        act()
        await_sound(player, share)
        expect(player).to_have_attribute("data-state", "playing")
        expect(other).to_have_attribute("data-state", "paused")
        assert before <= number(player, "position") < before + 1.5
        assert number(other, "level") == 0


def test_whoever_is_clicked_on_moves_all_and_sounds(first: Locator, second: Locator) -> None:
    box = picture(second).bounding_box()
    assert box
    halfway = {"x": box["width"] / 2, "y": 30}
    picture(second).click(position=halfway)
    expect_together([first, second])
    assert number(first, "position") == pytest.approx(LATER + SECONDS / 2, abs=0.02)
    expect(second).to_have_attribute("data-state", "ready")  # where nothing sounded, nothing sounds
    picture(first).press("Home")
    first.locator('[data-action="play"]').click()
    await_sound(first)
    picture(second).click(position=halfway)
    await_sound(second)
    expect(first).to_have_attribute("data-state", "paused")
    await_number(first, "position", above=LATER + SECONDS / 2)


def test_loop_zoom_and_opacity_are_those_of_all(first: Locator, second: Locator, alone: Locator) -> None:
    untouched = shared(alone)
    drag(first, 0.5, 0.75)
    second.get_by_role("button", name="Zoom in on time").click()
    second.get_by_role("button", name="Zoom in on low frequencies").click()
    first.locator('[data-action="opacity"]').fill("0.3")
    assert shared(first) == shared(second)
    assert shared(second)[1:] == ["2.00,2.00", "0.3"]
    assert number(second, "position") == pytest.approx(LATER + SECONDS / 2, abs=0.02)  # at the loop's beginning
    expect(second.locator('canvas[data-part="for"]')).to_have_css("opacity", "0.3")
    expect(second.locator('[data-part="opacity"]')).to_have_value("0.3")
    axes = [player.locator('[data-part="time-axis"]').inner_text() for player in (first, second)]
    assert axes[0] == axes[1]
    assert shared(alone) == untouched
    second.locator('[data-action="clear-loop"]').click()
    first.locator('[data-action="reset-zoom"]').click()
    assert shared(first) == shared(second) == ["", "1.00,1.00", "0.3"]


def test_what_the_silent_one_is_told_does_not_stop_the_sound(first: Locator, second: Locator) -> None:
    drag(first, 0.25, 0.75)
    first.locator('[data-action="play"]').click()
    await_sound(first)
    second.locator('[data-action="opacity"]').fill("0.5")
    second.get_by_role("button", name="Zoom in on time").click()
    second.locator('[data-action="clear-loop"]').click()
    expect(first).to_have_attribute("data-state", "playing")
    await_sound(first)
    assert shared(first) == ["", "2.00,1.00", "0.5"]


def test_one_that_comes_later_stands_as_the_others_do(first: Locator, second: Locator) -> None:
    drag(first, 0.5, 0.75)
    first.get_by_role("button", name="Zoom in on time").click()
    first.locator('[data-action="opacity"]').fill("0.3")
    first.page.get_by_text("A third one").click()
    third = named(first.page, "Third")
    expect(third).to_have_attribute("data-opacity", "0.3")
    assert shared(third) == shared(first)
    expect_together([first, second, third])
