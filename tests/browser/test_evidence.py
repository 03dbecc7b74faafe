"""The Evidence page in a real browser, over made-up files: its figures are drawn, and follow what is chosen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.grading.searches import REASONS
from core.paths import STUDIES
from tests.app.graded import grouped, write_graded, write_searched
from tests.browser.serving import CHROMIUM, serve

MODEL = "wimu12-shallow"
FIGURES = 5 + 1 + 1 + 6  # main measures, cross-talk, sanity against lift, and ways to find reasons
PICTURES = 1 + 5

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("graded")
    write_graded(root, MODEL, "wimu12")
    write_searched(root)
    grouped().write(root / STUDIES / REASONS)
    with pytest.MonkeyPatch.context() as context:
        context.setenv("GRADED", str(root))
        with serve(Path(__file__).with_name("evidence_app.py")) as address:
            yield address


def visit(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{address}?model={MODEL}")
    expect(page.locator(".js-plotly-plot")).to_have_count(FIGURES)
    expect(page.locator(".strip img")).to_have_count(PICTURES)
    return page


@pytest.mark.slow
def test_figures_are_drawn_and_follow_what_is_chosen(browser: Browser, address: str) -> None:
    page = visit(browser, address, 1280)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    assert page.locator(".strip img").evaluate_all("pictures => pictures.every(p => p.complete && p.naturalWidth > 0)")
    marks = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace")
    expect(marks).to_have_count(1)
    page.get_by_text("by how many play at once").click()
    expect(marks).to_have_count(3)
    assert "by=count" in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").first.click()
        page.get_by_role("button", name="Measures (CSV)").click()
    assert download.value.suggested_filename == "measures.csv"
    assert (
        Path(download.value.path()).read_text().startswith("explainer,group,clips,instruments,measure,value,low,high\n")
    )
    assert errors == []


@pytest.mark.parametrize("width", [800, 1024])
def test_no_grade_is_cut_off(width: int, browser: Browser, address: str) -> None:
    page = visit(browser, address, width)
    assert page.locator(".graded").first.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_the_page_fits_a_phone(browser: Browser, address: str) -> None:
    page = visit(browser, address, 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    rules = page.locator(".candidates").first
    assert rules.evaluate("box => box.scrollWidth > box.clientWidth"), "the table of the rules scrolls by itself"
    table = page.locator(".graded")
    assert table.evaluate("box => box.scrollWidth > box.clientWidth"), "the table scrolls by itself"
    table.evaluate("box => box.scrollBy(200, 0)")
    measure = table.locator("tbody th").first
    assert measure.bounding_box()["x"] == pytest.approx(table.bounding_box()["x"], abs=1)
