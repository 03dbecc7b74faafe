"""Links into the app: those of version 0.1 open the same view as ever, and those with nonsense in them open one too."""

import re
from typing import Any

import pytest

from app.components.alerts import plain
from core.inference import likeliest_start, recognise
from core.models.store import default_model, load_model, model_names
from core.synthesis.clip import compose
from tests.app.addresses import address
from tests.app.reading import read
from tests.app.strips import strip
from tests.app.test_pages import SHORT, button, open_page, words

LONG = "wimu12;instruments=piano,trumpet;duration=8@5"  # longer than a passage
MODEL = "general-deep-simple"

# The page, its address, and what the view then shows: parts of the address that stay, and values of widgets by key.
LINKS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "a clip": ("listen", {"clip": LONG}, {}),
    "a model": ("listen", {"model": MODEL}, {"choose-model": MODEL}),
    "an instrument": ("explain", {"instrument": "trumpet"}, {"choose-instrument": "trumpet"}),
    "why not": ("explain", {"instrument": "saxophone"}, {"choose-instrument": "saxophone"}),
    "a layer": ("explain", {"layer": "conv3"}, {"choose-layer": "conv3"}),
    "a concept": ("explain", {"instrument": "piano", "layer": "conv3", "concept": "5"}, {"choose-layer": "conv3"}),
    "a passage": ("explain", {"clip": LONG, "start": "1.25"}, {}),
    "two models": ("compare", {"models": f"{MODEL},wimu12-shallow", "instrument": "piano"},
                   {"compare-models": [MODEL, "wimu12-shallow"], "choose-instrument": "piano"}),
    "four models": ("compare", {"models": ",".join(sorted(model_names())[:4])},
                    {"compare-models": sorted(model_names())[:4]}),
    "compared in a passage": ("compare", {"clip": LONG, "models": MODEL, "start": "2.5"}, {"compare-models": [MODEL]}),
    "a layer of the atlas": ("atlas", {"layer": "conv3"}, {"choose-layer": "conv3"}),
    "a concept of the atlas": ("atlas", {"layer": "conv3", "concept": "5"}, {"choose-layer": "conv3"}),
    "a search in the atlas": ("atlas", {"layer": "conv3", "search": "attacks", "serves": "piano"},
                              {"choose-search": "attacks", "choose-serves": "piano"}),
    "an answer in the atlas": ("atlas", {"layer": "conv3", "answers": "family:brass"},
                               {"choose-answers": "family:brass"}),
    "an explainer": ("evidence", {"explainer": "gradient_x_input", "by": "count"},
                     {"choose-explainer": "gradient_x_input", "choose-by": "count"}),
    "figures of models": ("experiments", {"shown": f"{MODEL},general-shallow-simple"},
                          {"experiments-models": [MODEL, "general-shallow-simple"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
def test_links_of_version_0_1_open_the_same_view(name: str) -> None:
    page, link, widgets = LINKS[name]
    app = open_page(page, **link)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert address(app).items() >= link.items()
    assert {key: app.session_state[key] for key in widgets} == widgets
    if page == "explain" and "start" in link:
        assert strip(app)["passage"]["start"] == float(link["start"])
    if page == "explain" and "concept" in link:
        assert f"concept {link['concept']}" in _player_title(app)


def _player_title(app: Any) -> str:
    return next(mounted for c in app.get("bidi_component") if "tracks" in (mounted := str(c.proto.json)))


NOT_FINITE = ("nan", "inf", "-inf", "1e999")


@pytest.mark.parametrize("start", NOT_FINITE)
@pytest.mark.parametrize("page", ["explain", "compare"])
def test_a_start_that_is_no_moment_is_left_to_its_default(page: str, start: str) -> None:
    app = open_page(page, clip=LONG, instrument="piano", start=start)
    assert not app.exception
    assert not app.error
    assert "start" not in address(app)
    if page == "explain":
        model = load_model(default_model())
        prediction = recognise(model, model.frontend.analyse(compose(LONG).audio))
        assert strip(app)["passage"]["start"] == likeliest_start(prediction, "piano")


NAMES = model_names()
MODELS: dict[str, tuple[str, list[str]]] = {
    "one": (NAMES[0], NAMES[:1]),
    "the same twice": (f"{NAMES[1]},{NAMES[1]}", NAMES[1:2]),
    "two, one of them twice": (f"{NAMES[1]},{NAMES[0]},{NAMES[1]}", [NAMES[1], NAMES[0]]),
    "all": (",".join(NAMES), NAMES[:4]),
    "500": (",".join(NAMES[number % len(NAMES)] for number in range(500)), NAMES[:4]),
    "500 unknown": (",".join(f"model-{number}" for number in range(500)), NAMES[:2]),
    "none": (",", NAMES[:2]),
}


@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_models_in_a_link_is_compared(name: str) -> None:
    link, chosen = MODELS[name]
    app = open_page("compare", models=link, instrument="piano")
    assert not app.exception
    assert not app.error
    assert app.session_state["compare-models"] == chosen
    assert words(app).count("Logit") == len(chosen)
    assert len(app.dataframe) == (len(chosen) > 1)
    assert ("Choose a second model" in words(app)) == (len(chosen) == 1)
    assert bool(app.info) == (name in ("all", "500"))


def test_figures_of_a_model_that_a_link_names_twice_are_shown_once() -> None:
    app = open_page("experiments", shown=f"{MODEL},{MODEL},no-model")
    assert not app.exception
    assert app.session_state["experiments-models"] == [MODEL]


HOSTILE = (
    "[click](http://evil.example/a) ![pixel](http://evil.example/b.png)",
    "<img src=x onerror=alert(1)> **bold** `code` [x](y) `",
    "www.evil.example http://evil.example me@evil.example :smile: :material/home: $x$",
    "```[x](y)```\n\n# Heading",
)
# What Streamlit's Markdown makes links, pictures, formulas, colours, icons or HTML of, where it is not escaped.
LIVE = (r"(?<!\\)[\[\]()<>!*_$~#]", r"https?:/", r"www\.", r"\w@\w", r":\w")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_plain_text(name: str) -> None:
    app = open_page(clip=f"upload:0123456789abcdef:{name}")
    assert not app.exception
    shown = app.warning[0].value
    assert " ".join(name.split()).replace("`", "") in read(shown).replace("`", "")
    outside_code = re.sub(r"(?<!\\)`[^`]*`", "", shown)
    assert not [live for live in LIVE if re.search(live, outside_code)]


@pytest.mark.parametrize("part", ["clip", "model"])
def test_other_parts_of_a_link_are_plain_text_too(part: str) -> None:
    app = open_page(**{part: HOSTILE[0]})
    assert not app.exception
    assert r"\[click\]\(" in app.warning[0].value


def test_code_in_a_sentence_stays_code() -> None:
    assert plain("Use `a_b` and *c*") == r"Use `a_b` and \*c\*"
    assert plain("odd ` tick") == r"odd \` tick"


def test_a_link_that_is_too_long_for_the_shelf_still_offers_an_example() -> None:
    app = open_page(clip="upload:" + "x" * 5000)
    assert not app.exception
    button(app, "Open an example instead").click().run()
    assert not app.warning
    assert "The reasons" in words(open_page("explain", clip=SHORT))
