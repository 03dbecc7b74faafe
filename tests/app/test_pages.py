"""Every page with Streamlit's own test runner: what it says, what its widgets do, what its address restores."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from app.components import concept_tiles
from app.components.concept_tiles import Tile
from app.explain.network_panels import ALL, INSIDE
from app.figures import bars, concept_words
from app.figures import charts as figures
from app.frame import opening
from app.frame.examples import EXAMPLES
from app.frame.models import model_title
from core.concepts.store import load_atlas
from core.explanation import relevance
from core.explanation.engine import Trace
from core.models.network import StagedNetwork
from core.models.store import default_model, load_model, model_names
from core.paths import ROOT
from core.synthesis.clip import compose
from tests.app.addresses import address
from tests.app.reading import read
from tests.app.strips import strip
from tests.app.tiles import tiles
from tests.bad_files import BAD_FILES, encoded, tone

PAGES = ("listen", "explain", "compare")
SHORT = "wimu12;instruments=piano,trumpet;duration=2@5"
TIMEOUT = 300  # seconds; a soundfont may have to be loaded first, and other tests may run beside this one


def open_page(page: str = "listen", **address: str) -> AppTest:
    """The app at a page and an address, run once."""
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=TIMEOUT)
    for name, value in {"clip": SHORT, **address}.items():
        app.query_params[name] = value
    if page != "listen":
        app.switch_page(f"../pages/{page}.py")
    return app.run()


def open_inside(**address: str) -> AppTest:
    """The page Explain with its single concepts opened."""
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=TIMEOUT)
    for name, value in {"clip": SHORT, **address}.items():
        app.query_params[name] = value
    app.session_state[INSIDE] = True
    return app.switch_page("../pages/explain.py").run()


def words(app: AppTest) -> str:
    """All that the page says."""
    parts = [*app.markdown, *app.subheader, *app.caption, *app.error, *app.warning, *app.metric]
    return " ".join(f"{getattr(part, 'label', '')} {read(part.value)}" for part in parts)


def button(app: AppTest, label: str) -> Any:
    return next(button for button in app.button if button.label == label)


@pytest.mark.parametrize("page", PAGES)
def test_page_runs_and_its_address_restores_it(page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error
    again = open_page(page, **address(app))
    assert address(again) == address(app)
    assert words(again) == words(app)


def test_a_new_visitor_finds_an_example_already_answered() -> None:
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=TIMEOUT).run()
    assert not app.exception
    assert address(app)["clip"] == next(iter(EXAMPLES.values()))
    assert address(app)["model"] == default_model()
    assert "The network" in words(app)


@pytest.mark.parametrize("clip", list(EXAMPLES.values()), ids=list(EXAMPLES))
def test_examples_open_from_the_shelf(clip: str) -> None:
    app = open_page()
    title = next(title for title, name in EXAMPLES.items() if name == clip)
    button(app, title).click().run()
    assert not app.exception
    assert address(app)["clip"] == clip


def test_composing_turns_to_the_new_clip() -> None:
    app = open_page()
    app.button_group(key="way-in").set_value("compose").run()
    app.multiselect(key="compose-instruments").set_value(["flute", "organ"]).run()
    app.slider(key="compose-duration").set_value(3).run()
    app.number_input(key="compose-seed").set_value(123).run()
    button(app, "Compose").click().run()
    assert not app.exception
    assert address(app)["clip"].endswith("@123")
    assert "instruments=organ,flute" in address(app)["clip"]
    assert "duration=3" in address(app)["clip"]


def test_what_surprise_me_drew_stands_in_the_form_and_makes_the_same_mix_again() -> None:
    app = open_page()
    app.button_group(key="way-in").set_value("compose").run()
    app.slider(key="compose-duration").set_value(3).run()
    button(app, "Surprise me").click().run()
    assert not app.exception
    clip = address(app)["clip"]
    drawn = app.multiselect(key="compose-instruments").value
    assert f"instruments={','.join(drawn)}" in clip
    assert clip.endswith(f"@{app.number_input(key='compose-seed').value}")
    button(app, "Compose").click().run()
    assert not app.exception
    assert address(app)["clip"] == clip


def test_a_click_computes_the_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cut short to begin anew loses the click if another one comes meanwhile."""
    runs: list[object] = []
    restore = opening.restore
    monkeypatch.setattr(opening, "restore", lambda: (runs.append(None), restore())[1])
    app = open_page()

    def clicked(label: str) -> str:
        before = len(runs)
        button(app, label).click().run()
        assert not app.exception
        assert len(runs) == before + 1, label
        return address(app)["clip"]

    assert clicked(next(iter(EXAMPLES))) == next(iter(EXAMPLES.values()))
    app.button_group(key="way-in").set_value("compose").run()
    app.slider(key="compose-duration").set_value(2)
    app.number_input(key="compose-seed").set_value(123)  # and in the same moment
    assert clicked("Compose").endswith("@123")
    app = open_page("explain", clip="wimu12;instruments=piano;@")
    assert clicked("Open an example instead") == next(iter(EXAMPLES.values()))


def test_revealing_the_truth_names_who_plays() -> None:
    app = open_page()
    assert "Really playing" not in words(app)
    app.toggle(key="reveal").set_value(True).run()
    assert "Really playing" in words(app)
    assert not app.exception
    said = " ".join(chart.proto.alt for chart in app.get("plotly_chart"))
    assert all(part in said for part in ("below each ribbon its true notes", "by time and pitch: "))


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.button_group(key="way-in").set_value("upload").run()
    return app.file_uploader(key="upload").set_value((name, data, "audio/mpeg")).run()


def test_an_upload_is_recognised_explained_and_kept_over_pages() -> None:
    app = upload(open_page(), "my song.mp3", encoded(tone(7.0), format="MP3"))
    assert not app.exception
    assert address(app)["clip"].startswith("upload:")
    assert address(app)["clip"].endswith("my song.mp3")
    app.switch_page("../pages/explain.py").run()
    assert not app.exception
    assert "for a recording the true stems are not known" in words(app)
    assert strip(app)["duration"] == pytest.approx(7.0, abs=0.1)
    assert strip(app)["passage"]["seconds"] == 5


@pytest.mark.parametrize("data", [encoded(tone(1.0)), b"no sound"])
def test_an_uploaded_file_is_not_kept_beside_its_sound(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    stores: list[MemoryUploadedFileManager] = []
    add = MemoryUploadedFileManager.add_file

    def watched(store: MemoryUploadedFileManager, session: str, file: UploadedFileRec) -> None:
        stores.append(store)
        add(store, session, file)

    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", watched)
    app = upload(open_page(), "tone.wav", data)
    assert not app.exception
    assert stores
    assert not any(files for store in stores for files in store.file_storage.values())


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_a_bad_upload_is_one_sentence_and_the_next_one_works(name: str) -> None:
    app = open_page()
    before = address(app)
    app = upload(app, name, BAD_FILES[name].make())
    assert not app.exception
    assert len(app.error) == 1
    assert BAD_FILES[name].words in read(app.error[0].value)
    assert address(app) == before
    app.file_uploader(key="upload").set_value(("good.wav", encoded(tone(1.0)), "audio/wav")).run()
    assert not app.error
    assert address(app)["clip"].endswith("good.wav")


def test_a_complaint_does_not_shift_the_page() -> None:
    app = open_page()
    before = [node.type for node in app.main.children.values()]
    app = upload(app, "broken.wav", BAD_FILES[next(iter(BAD_FILES))].make())
    assert len(app.error) == 1
    assert [node.type for node in app.main.children.values()] == before
    restored = open_page(model="no-such-model")
    assert len(restored.warning) == 1
    assert [node.type for node in restored.main.children.values()] == before


def test_a_link_to_an_upload_of_somebody_else_asks_for_the_file() -> None:
    app = open_page(clip="upload:0123456789abcdef:holiday.mp3")
    assert not app.exception
    assert "holiday.mp3" in words(app)
    assert "upload it again" in words(app)
    app.file_uploader(key="upload").set_value(("holiday.mp3", encoded(tone(1.0)), "audio/wav")).run()
    assert "The network" in words(app)


BAD_LINKS: dict[str, dict[str, str]] = {
    "no clip": {"clip": "nonsense"},
    "no recipe": {"clip": "opera@7"},
    "no instrument": {"clip": "general;instruments=kazoo@7"},
    "too long": {"clip": "general;duration=999@7"},
    "files of the server": {"clip": "general;style=midi;midi=/etc@7"},
}


@pytest.mark.parametrize("link", BAD_LINKS.values(), ids=BAD_LINKS)
@pytest.mark.parametrize("page", PAGES)
def test_a_broken_link_says_so_and_offers_an_example(page: str, link: dict[str, str]) -> None:
    app = open_page(page, **link)
    assert not app.exception
    assert len(app.warning) == 1
    button(app, "Open an example instead").click().run()
    assert not app.warning
    assert address(app)["clip"] == next(iter(EXAMPLES.values()))


def test_unknown_parts_of_a_link_fall_back_to_the_defaults() -> None:
    app = open_page("explain", model="nope", instrument="kazoo", layer="conv99", concept="abc", start="soon")
    assert not app.exception
    assert "nope" in read(app.warning[0].value)
    assert address(app)["model"] == default_model()


def test_an_instrument_and_a_concept_have_a_link() -> None:
    app = open_inside(instrument="piano")
    app.selectbox(key="choose-instrument").set_value("trumpet").run()
    assert address(app)["instrument"] == "trumpet"
    channel = tiles(app)[1]["channel"]
    app.query_params["concept"] = str(channel)
    app.run()
    restored = open_page("explain", **address(app))
    assert [tile["channel"] for tile in tiles(restored) if tile["opened"]] == [channel]
    app.selectbox(key="choose-layer").set_value("conv2").run()
    assert address(app)["layer"] == "conv2"
    assert "concept" not in address(app)
    assert not app.exception


def test_every_instrument_can_be_asked_for_heard_or_not() -> None:
    app = open_page("explain")
    choice = app.selectbox(key="choose-instrument")
    assert any("why not?" in option for option in choice.options)
    choice.set_value("saxophone").run()
    assert not app.exception
    assert "Saxophone** does not play here" in words(app)


def test_silencing_concepts_keeps_the_page_and_moves_the_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[float], list[float]]] = []
    draw = bars.change_bars

    def spy(labels: Sequence[str], before: np.ndarray, after: np.ndarray) -> Any:
        seen.append((before.tolist(), after.tolist()))
        return draw(labels, before, after)

    monkeypatch.setattr(bars, "change_bars", spy)
    app = open_inside()
    channel = tiles(app)[0]["channel"]
    pills = next(group for group in app.button_group if group.key and group.key.startswith("silent-"))
    shown = address(app)
    pills.set_value([channel]).run()
    assert not app.exception
    assert address(app) == {**shown, "silent": f"{shown['layer']}-{channel}"}
    (before, unmoved), (_, moved) = seen
    assert before == unmoved
    assert moved != before


def test_concepts_are_silenced_by_number_and_name() -> None:
    app = open_inside()
    pills = next(group for group in app.button_group if group.key and group.key.startswith("silent-"))
    layer, atlas = address(app)["layer"], load_atlas(default_model())
    assert len(pills.options) == 8
    for option in pills.options:
        number, _, shown = option.partition(" · ")
        assert shown
        assert len(shown) <= concept_words.SHORT
        assert atlas.concept(layer, int(number)).name.startswith(shown.removesuffix(" …"))


@pytest.mark.parametrize("layer", ["conv1", "conv8"])
def test_all_concepts_of_a_layer_come_when_asked_for(layer: str) -> None:
    app = open_inside(instrument="piano", layer=layer)
    assert len(tiles(app)) == 8
    app.toggle(key=ALL).set_value(True).run()
    assert not app.exception
    model = load_model(default_model())
    found = relevance.explain(model, model.frontend.analyse(compose(SHORT).audio).features, "piano", layer, top=1000)
    assert [tile["channel"] for tile in tiles(app)] == [concept.channel for concept in found.concepts]
    assert all(tile["picture"].startswith("data:image/jpeg") for tile in tiles(app))


def test_a_click_on_a_tile_opens_its_concept_and_another_one_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mounted: dict[str, Any] = {}
    monkeypatch.setattr(concept_tiles, "_mount", lambda **given: mounted.update(given))
    seen: list[int | None] = []
    shown = [Tile(4, "", "60.0%", b"", opened=True, in_atlas=False), Tile(9, "", "1.0%", b"", False, False)]
    concept_tiles.concept_tiles(key="tiles", tiles=shown, on_open=seen.append)
    for channel in (9, 4):
        monkeypatch.setattr(concept_tiles.st, "session_state", {"tiles": SimpleNamespace(open=channel)})
        mounted["on_open_change"]()
    assert seen == [9, None]


def test_a_passage_is_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[bytes] = []

    def spy(network: StagedNetwork, inputs: torch.Tensor) -> Trace:
        traced.append(inputs.numpy().tobytes())
        return Trace(network, inputs)

    monkeypatch.setattr(relevance, "Trace", spy)
    app = open_inside(clip="wimu12;instruments=organ,flute;duration=2@11", instrument="organ")
    app.query_params["concept"] = str(tiles(app)[0]["channel"])
    app.run()
    app.selectbox(key="choose-instrument").set_value("flute").run()
    assert not app.exception
    assert traced
    assert len(traced) == len(set(traced))


def test_the_card_of_the_model_can_be_read() -> None:
    app = open_page(model="wimu12-shallow")
    card = load_model("wimu12-shallow").card
    said = " ".join(part.value for part in app.markdown)
    assert card.description in said
    assert "`--model wimu12-shallow`" in said
    assert f"{card.training.epochs} epochs over {card.training.clips:,} clips of `{card.training.recipe}`" in said
    real = card.evaluation["real_dev"]
    assert f"| real recordings | {real['clips']} | {real['mAP']['value']:.0%} ({real['mAP']['low']:.0%} to " in said


def test_a_model_has_one_name_on_every_page() -> None:
    assert model_title("wimu12-shallow") == load_model("wimu12-shallow").card.title
    for page in (*PAGES, "atlas", "evidence", "experiments"):
        app = open_page(page, model="wimu12-shallow", models="wimu12-shallow,general-deep-rich", instrument="piano")
        assert not app.exception
        shown = re.sub(r"`[^`]*`", "", words(app)) + " ".join(part.proto.body for part in app.get("html"))
        assert not [name for name in model_names() if re.search(rf"\b{name}\b", shown)], page


def test_two_models_of_one_title_are_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").touch()
        title = "Three" if name == "three" else "Same"
        load_model("wimu12-shallow").card.model_copy(update={"name": name, "title": title}).write(
            tmp_path / name / "card.json"
        )
    assert [model_title(n, tmp_path) for n in ("one", "two", "three")] == ["Same (one)", "Same (two)", "Three"]


def test_compare_shows_every_chosen_model() -> None:
    names = model_names()
    app = open_page("compare", models=",".join(names[:2]), instrument="piano")
    assert not app.exception
    assert len(app.dataframe) == 1
    assert words(app).count("Logit") == len(names[:2])
    said = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert all(name in said[0] for name in map(model_title, names[:2]))
    assert "the evidence for piano in each model" in said[1]
    table = app.dataframe[0].value
    assert list(table.columns) == [" / ".join(map(model_title, names[:2]))]
    assert len(table) == 4
    assert table.notna().all(axis=None)
    assert table.max(axis=None) <= 1


def test_compare_tells_where_the_evidence_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[dict[str, dict[str, float]]] = []
    draw = figures.grouped_bars

    def spy(series: dict[str, dict[str, float]], rows: Sequence[str], shades: dict[str, str]) -> Any:
        drawn.append(series)
        return draw(series, rows, shades)

    monkeypatch.setattr(figures, "grouped_bars", spy)
    names = model_names()[:2]
    assert not open_page("compare", models=",".join(names), instrument="piano").exception
    places = drawn[-1]
    assert list(places) == [*map(model_title, names), "energy of the mix"]
    for shares in places.values():
        assert {"Note onsets", "The instrument's own sound"} <= set(shares)
        assert sum(shares[f"{part} frequencies"] for part in ("Low", "Middle", "High")) == pytest.approx(1)


@pytest.mark.parametrize("page", PAGES)
def test_the_view_survives_a_walk_through_all_pages(page: str) -> None:
    app = open_page(page, instrument="piano")
    for other in PAGES:
        app.switch_page(f"../pages/{other}.py").run()
        assert not app.exception
        assert address(app)["clip"] == SHORT
        assert address(app)["instrument"] == "piano"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_can_be_exported(page: str) -> None:
    labels = " ".join(button.label for button in open_page(page, instrument="piano").get("download_button"))
    assert "PNG" in labels
    assert "JSON" in labels
    assert "CSV" in labels
