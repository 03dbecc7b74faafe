"""The Experiments page in a real browser, over made-up files: its figures are drawn, and follow what is chosen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.models.store import card
from tests.app.measured import write_measured
from tests.browser.serving import CHROMIUM, computed, serve

FIGURES = 5 + 3 + 1 + 2 * 4

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("measured")
    write_measured(root)
    with pytest.MonkeyPatch.context() as context:
        context.setenv("MEASURED", str(root))
        with serve(Path(__file__).with_name("experiments_app.py")) as address:
            yield address


def visit(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    expect(page.locator(".js-plotly-plot")).to_have_count(FIGURES)
    return page


@pytest.mark.slow
def test_figures_are_drawn_and_follow_the_choice_of_models(browser: Browser, address: str) -> None:
    page = visit(browser, address, 1280)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    by_number = page.locator(".js-plotly-plot").first
    curves = by_number.locator(".scatterlayer .trace")
    expect(curves).to_have_count(2 * 4)  # a band and a line for each of the general models
    page.get_by_role("button", name=f"Remove {card('general-deep-rich-8').title}").click()
    expect(curves).to_have_count(2 * 3)
    assert "shown=" in page.url
    computed(page)
    page.get_by_role("heading", name="Experiments").click()  # the first click elsewhere only leaves the list of models
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").first.click()
        page.get_by_role("button", name="By number (CSV)").click()
    assert download.value.suggested_filename == "by-number.csv"
    assert Path(download.value.path()).read_text().startswith("model,set,value,low,high\n")
    assert errors == []


def test_the_page_fits_a_phone(browser: Browser, address: str) -> None:
    page = visit(browser, address, 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
