"""The Atlas page and what Explain takes from the atlas, over a made-up one: search, links there and back, sentences."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.concepts import figures
from app.explain import panels as explaining
from app.explain import usual
from app.explain.flow_tree import flow_tree
from app.explain.network_panels import USUAL
from app.frame import opening
from app.frame.models import model_title
from app.frame.sounds import Sound
from core.concepts.prototypes import Typicality
from core.concepts.store import ATLAS, load_atlas
from core.explanation.flow import Node
from core.models import store
from core.paths import ROOT
from tests.app.addresses import address
from tests.app.mapped import CHANNEL, CLIPS, LAYER, MODEL, NAME, RECIPE, write_atlas
from tests.app.reading import read
from tests.app.tiles import tiles

OTHER = "general-deep-rich"
CLIP = "wimu12;instruments=piano,trumpet;duration=2;soundfont=timgm6mb@5"
OPENED = {"layer": LAYER, "concept": str(CHANNEL)}
CONCEPTS = 128  # of the layer


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_atlas(tmp_path)
    monkeypatch.setattr(store, "TRAINED_MODELS", tmp_path)
    return tmp_path


def open_page(page: str = "atlas", **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=120)
    app.session_state[USUAL] = True
    for name, value in {"model": MODEL, "layer": LAYER, "clip": CLIP, **address}.items():
        app.query_params[name] = value
    return app.switch_page(f"../pages/{page}.py").run()


def words(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.subheader, *app.caption, *app.info, *app.error]
    return " ".join(str(part.value) for part in parts) + " ".join(part.proto.body for part in app.get("html"))


def listed(app: AppTest) -> list[int]:
    return [int(str(b.key).rpartition("-")[2]) for b in app.button if str(b.key).startswith(f"open-{LAYER}-")]


def test_all_concepts_of_a_layer_are_there_the_most_used_first(root: Path) -> None:
    app = open_page()
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert app.get("plotly_chart")[0].proto.alt.startswith(f"Map of the {CONCEPTS} concepts of ")
    assert listed(app)[0] == CHANNEL
    assert len(listed(app)) == 40
    assert f"{CONCEPTS} of {CONCEPTS} concepts; the 40 most used are listed" in words(app)
    assert f"Measured on {len(CLIPS)} composed clips of `{RECIPE}`" in words(app)


SEARCHES: dict[str, dict[str, str]] = {
    "a word of the name": {"search": "plucked"},
    "several, in any order": {"search": "600 PLUCKED attacks"},
    "an instrument that it serves": {"search": "piano"},
    "a family that it responds to": {"answers": "family:plucked"},
    "an octave within its register": {"answers": "register:150–300 Hz"},
    "the label that it serves": {"serves": "piano"},
    "all at once": {"search": "plucked", "answers": "onset:onset", "serves": "piano"},
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_search_finds_the_concept_and_is_in_the_address(search: dict[str, str], root: Path) -> None:
    app = open_page()
    for name, value in search.items():
        field = app.text_input if name == "search" else app.selectbox
        field(key=f"choose-{name}").set_value(value).run()
    assert not app.exception
    assert listed(app) == [CHANNEL]
    assert {name: address(app).get(name) for name in search} == search
    assert listed(open_page(**search)) == [CHANNEL]


def test_a_search_for_what_is_not_there_finds_nothing(root: Path) -> None:
    app = open_page(search="kazoo", answers="instrument:kazoo", serves="kazoo")
    assert not app.exception
    assert listed(app) == []
    assert f"0 of {CONCEPTS} concepts" in words(app)
    assert f"No concept of {LAYER} fits all that was asked for." in words(app)
    assert "fits all that was asked for" not in words(open_page(search="plucked"))


def test_a_concept_opens_has_a_link_and_leads_back(root: Path) -> None:
    app = open_page(search="plucked")
    app.button(key=f"open-{LAYER}-{CHANNEL}").click().run()
    assert not app.exception
    assert address(app).get("concept") == str(CHANNEL)
    restored = open_page(**OPENED)
    for page in (app, restored):
        assert NAME[1:] in words(page)
        assert "0.93 AUC" in words(page)
        assert "0.20 AUC" in words(page)
        assert "20.0%" in words(page)
    app.button(key=f"near-{LAYER}-{CHANNEL + 1}").click().run()
    assert address(app).get("concept") == str(CHANNEL + 1)
    app.button(key="back").click().run()
    assert address(app).get("concept") is None
    assert listed(app) == [CHANNEL], "the search is kept"


def test_a_concept_does_not_stand_where_the_overview_stood(root: Path) -> None:
    def places(app: AppTest) -> list[bool]:
        """Which of the last two places of the page hold something."""
        (page,) = (node for node in app.main.children.values() if len(getattr(node, "children", ())) > 3)
        return [bool(getattr(node, "children", None)) for node in page.children.values()][-2:]

    app = open_page()
    assert places(app) == [True, False]
    app.button(key=f"open-{LAYER}-{CHANNEL}").click().run()
    assert places(app) == [False, True]


def test_examples_are_shown_by_what_they_are_the_strongest_in(root: Path) -> None:
    app = open_page(**OPENED)
    choice = app.button_group(key=f"examples-{MODEL}-{LAYER}-{CHANNEL}")
    assert list(choice.options) == ["Most relevant", "for piano", "Most active"]
    for asked in ("for piano", "Most active"):
        choice.set_value(asked).run()
        assert not app.exception
        assert not app.error


def test_a_concept_that_is_not_there_is_one_sentence(root: Path) -> None:
    app = open_page(concept="9999")
    assert not app.exception
    assert len(app.error) == 1
    assert f"The layer {LAYER} has the channels 0 to {CONCEPTS - 1}, not 9999." in read(app.error[0].value)


def test_without_an_atlas_a_sentence_says_what_makes_one(root: Path) -> None:
    app = open_page(model=OTHER)
    assert not app.exception
    assert f"`timbrescope atlas build --model {OTHER}`" in words(app)
    assert f"Models that have one: “{model_title(MODEL)}”." in words(app)
    explain = open_page("explain", model=OTHER, instrument="piano")
    assert not explain.exception
    assert not explain.error
    assert f"`timbrescope atlas build --model {OTHER}`" in words(explain)
    assert tiles(explain)
    assert not any(tile["in_atlas"] for tile in tiles(explain))


def test_explain_works_without_an_atlas_that_can_be_read(root: Path) -> None:
    (root / MODEL / ATLAS).write_bytes(b"nonsense")
    app = open_page("explain", instrument="piano", **OPENED)
    assert not app.exception
    assert [read(error.value) for error in app.error] == [
        f"The atlas of the model {MODEL} is damaged; make it again with `timbrescope atlas build --model {MODEL}`."
    ]
    assert tiles(app)
    assert "What if the network could not notice them?" in words(app)


def test_a_recording_is_explained_without_an_atlas_that_can_be_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the verdict goes by the atlas, so only that is missing."""
    (root / MODEL / ATLAS).write_bytes(b"nonsense")
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 44100).astype(np.float32)
    monkeypatch.setattr(opening, "open_sound", lambda clip: Sound(noise, 22050, "noise", key=clip))
    app = open_page("explain", instrument="piano", clip="noise")
    assert not app.exception
    assert {read(error.value) for error in app.error} == {
        f"The atlas of the model {MODEL} is damaged; make it again with `timbrescope atlas build --model {MODEL}`."
    }
    assert "Is the explanation right?" in words(app)


def test_explain_names_concepts_and_leads_to_the_atlas_and_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("explain", instrument="piano")
    assert not app.exception
    known = next(tile for tile in tiles(app) if tile["in_atlas"])
    assert known["name"] == "Mixed" or known["name"].endswith(NAME[1:])
    clicked = [known["channel"]]
    monkeypatch.setattr(explaining, "concept_tiles", lambda **_: clicked.pop() if clicked else None)
    channel = str(known["channel"])
    app.run()
    assert not app.exception
    assert app.title[0].value == "Atlas"
    assert (address(app).get("layer"), address(app).get("concept")) == (LAYER, channel)
    app.button(key="try").click().run()
    assert not app.exception
    assert app.title[0].value == "Explain"
    assert f"What feeds concept {channel} here" in words(app)
    assert (address(app).get("instrument"), address(app).get("clip")) == ("piano", CLIP)


def test_explain_tells_how_usual_the_concepts_are(root: Path) -> None:
    app = open_page("explain", instrument="piano")
    assert "of 24 reference clips in which piano was recognised correctly" in words(app)
    app.button(key="explain-A usual clip").click().run()
    assert not app.exception
    assert str(address(app).get("clip")) in CLIPS
    assert "Trumpet was not recognised in enough of the atlas's 24 clips" in words(
        open_page("explain", instrument="trumpet")
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "look twice.** The network hardly ever recognises cello by these concepts: of 50 reference clips in "
         "which cello was recognised correctly, none is as unusual."),
        (0.04, "4% are at least as unusual."),
        (0.1, "**Somewhat unusual.**"),
        (0.43, "**Usual.** The network often recognises cello by these concepts: of 50 reference clips in which cello "
         "was recognised correctly, 43% are at least as unusual."),
    ],
)  # fmt: skip
def test_how_usual_in_words(share: float, said: str) -> None:
    assert said in usual.sentence(Typicality(share, 0, (), ()), "cello", 50)


def test_the_flow_is_a_tree_of_rows() -> None:
    leaf = Node("conv1", 3, relevance=-0.5, share=-0.1)
    strong, weak = Node("conv2", 1, 1.5, 0.5, (leaf,)), Node("conv2", 2, 0.5, 0.2)
    figure = flow_tree(Node("conv3", 9, 2.0, 0.4, (strong, weak)), _named, lambda *place: "mixed")
    *lines, nodes = figure.data
    assert [tuple(place) for place in nodes.customdata] == [("conv3", 9), ("conv2", 1), ("conv1", 3), ("conv2", 2)]
    assert list(nodes.x) == [0, 1, 2, 1]
    assert list(nodes.y) == [0, -1, -2, -3]
    assert "conv2/1" in nodes.text[1]
    assert "75%" in nodes.text[1]
    assert "−25%" in nodes.text[2]
    assert lines[0].line.width > lines[1].line.width == lines[2].line.width
    assert lines[0].line.color == lines[2].line.color != lines[1].line.color


def test_what_feeds_a_concept_that_speaks_against_adds_to_it() -> None:
    against = Node("conv2", 9, -2.0, -0.4, (Node("conv1", 1, -1.5, -0.5), Node("conv1", 2, 0.5, 0.2)))
    *lines, nodes = flow_tree(against, _named, lambda *place: "mixed").data
    assert "75%" in nodes.text[1]
    assert "−75%" not in nodes.text[1]
    assert "−25%" in nodes.text[2]
    assert lines[0].line.color != lines[1].line.color


_named: Callable[[str, int], str] = "{}/{}".format


def test_no_mark_of_the_map_covers_another_and_the_map_can_be_zoomed() -> None:
    concepts = load_atlas(OTHER).layer("conv8")
    drawn = figures.concept_map(concepts, set())
    pixels = np.array([figures.WIDTH, figures.HEIGHT]) / (2 + 2 * figures.MARGIN)
    places = np.concatenate([np.stack([trace.x, trace.y], axis=1) for trace in drawn.data]) * pixels
    sizes = np.concatenate([trace.marker.size for trace in drawn.data])
    distances = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    np.fill_diagonal(distances, np.inf)
    assert len(places) == len(concepts)
    assert (distances >= np.add.outer(sizes, sizes) / 2 - 0.1).all()
    assert drawn.layout.xaxis.fixedrange is drawn.layout.yaxis.fixedrange is False
    assert figures.CONFIG["displayModeBar"]


def test_marks_that_are_moved_apart_stay_near_their_places() -> None:
    alone = figures.moved_apart(((0.0, 0.0), (0.5, 0.5)), (10.0, 10.0), figures.HEIGHT)
    assert alone == pytest.approx(np.array([[0.0, 0.0], [0.5, 0.5]]), abs=1e-4)
    same = figures.moved_apart(((0.2, 0.2),) * 2, (10.0, 10.0), figures.HEIGHT)
    assert same.mean(axis=0) == pytest.approx([0.2, 0.2], abs=0.01)
    assert figures.moved_apart((), (), figures.HEIGHT).shape == (0, 2)
