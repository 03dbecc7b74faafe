"""What stands on top of every page: the tour, which is offered once, and the glossary; colours suit the theme."""

import re
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.figures import colors
from app.frame import glossary, tour
from core.paths import ROOT
from core.taxonomy.instruments import INSTRUMENTS
from tests.app.test_pages import open_page, words


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def test_the_tour_is_offered_once_and_turned_down_for_good() -> None:
    app = open_page("evidence")
    assert "30 seconds" in app.button(key="tour").label
    app.button(key="no-tour").click().run()
    app.switch_page("../pages/listen.py").run()
    assert not app.exception
    assert app.button(key="tour").label == "Tour"
    assert "no-tour" not in keys(app)


def touring() -> None:
    from app.frame import tour

    tour.tour()


def searching() -> None:
    from app.frame.glossary import glossary

    glossary()


def test_the_tour_and_the_glossary_open_from_the_header() -> None:
    app = open_page("evidence")
    app.button(key="tour").click().run()
    assert f"1. {tour.STEPS[0].title}" in words(app)
    app.button(key="glossary").click().run()
    assert not app.exception
    assert "**SI-SDR**" in words(app)


def test_the_tour_goes_forth_and_back_through_all_steps() -> None:
    app = AppTest.from_function(touring).run()
    for number, step in enumerate(tour.STEPS, start=1):
        assert f"{number}. {step.title}" in words(app)
        assert (ROOT / f"docs/pictures/{step.page}.png").is_file()
        if number < len(tour.STEPS):
            app.button(key="tour-next").click().run()
    app.button(key="tour-back").click().run()
    assert tour.STEPS[-2].title in words(app)
    app.button(key="tour-next").click().run()
    assert app.button(key="tour-done").label == "Done"
    assert not app.exception


def test_the_glossary_is_searched() -> None:
    app = AppTest.from_function(searching).run()
    app.text_input[0].set_value("one instrument contributes").run()
    assert not app.exception
    assert "**Stem**" in words(app)
    assert "**SI-SDR**" not in words(app)
    app.text_input[0].set_value("kazoo").run()
    assert "No entry has all of these words" in words(app)


def test_the_glossary_has_every_entry_of_the_guide_in_order() -> None:
    source = glossary.SOURCE.read_text(encoding="utf-8")
    terms = list(glossary.entries())
    assert len(terms) == source.count("\n: ")
    assert terms == sorted(terms, key=str.lower)
    wanted = {"passage", "relevance", "evidence", "concept", "reason", "layer", "lift", "auc", "si-sdr", "mask", "stem"}
    assert wanted <= {term.lower() for term in terms}
    assert all(meaning[-1] in ".)" for meaning in glossary.entries().values())


def luminance(shade: str) -> float:
    levels = [int(shade[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("label", INSTRUMENTS)
def test_colours_stand_out_from_the_ground_of_either_theme(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert colors.color(label) == INSTRUMENTS[label].color
    assert (luminance(colors.color(label)) + 0.05) / (luminance(colors.DARK.ground) + 0.05) >= 3
    monkeypatch.setattr(colors.st, "context", SimpleNamespace(theme=SimpleNamespace(type="light")))
    assert 1.05 / (luminance(colors.color(label)) + 0.05) >= 2.95


@pytest.mark.parametrize("theme", [colors.DARK, colors.LIGHT], ids=["dark", "light"])
def test_writing_can_be_read(theme: colors.Inks) -> None:
    for shade in (theme.text, theme.best):
        low, high = sorted([luminance(shade), luminance(theme.ground)])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_figures_and_pages_name_no_colour_of_one_theme() -> None:
    """Those of the dark theme stand in the table of colours, in the settings, and as fallbacks of variables."""
    dark = re.compile("|".join((colors.DARK.text, colors.DARK.faint, colors.DARK.ground, colors.DARK.best)))
    found = [
        path.name
        for folder in ("app", "pages")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".css", ".js"} and path.name != "colors.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if dark.search(re.sub(r"var\([^)]*\)", "", line))
    ]
    assert found == []
