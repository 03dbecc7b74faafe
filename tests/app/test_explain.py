"""The page Explain: reasons first, what the network says without them, how they sound, trust, and files."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.components import reason_cards
from app.components.reason_cards import Card
from app.explain import explanations, panels, reasons
from app.explain.panels import chances
from app.figures.thumbnails import thumbnail
from app.frame import passages
from app.frame.models import model_title
from app.frame.passages import passage_of
from app.frame.sounds import open_sound
from app.frame.view import View
from app.listen import panels as listening
from core.explanation.strength import full_strength
from core.inference import recognise
from core.models import store
from core.paths import ROOT
from tests.app import addresses
from tests.app.mapped import LAYER, MODEL
from tests.app.reading import read
from tests.app.reasoned import COUNT, NAMES, write_reasons
from tests.app.tiles import tiles

CLIP = "wimu12;instruments=piano,trumpet;duration=2;soundfont=timgm6mb@5"
LONG = "wimu12;instruments=piano,trumpet;duration=6;soundfont=timgm6mb@5"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_reasons(tmp_path)
    monkeypatch.setattr(store, "TRAINED_MODELS", tmp_path)
    return tmp_path


def open_page(page: str = "explain", **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=300)
    for name, value in {"model": MODEL, "clip": CLIP, "instrument": "piano", **address}.items():
        app.query_params[name] = value
    return app.switch_page(f"../pages/{page}.py").run()


def mounted(app: AppTest, part: str) -> Any:
    """What the page hands to the component whose data have this part."""
    found = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return next(data for data in found if part in data)


def cards(app: AppTest) -> list[dict[str, Any]]:
    return list(mounted(app, "cards")["cards"])


def words(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.subheader, *app.caption, *app.info, *app.error]
    return " ".join(read(str(part.value)) for part in parts) + " ".join(p.proto.body for p in app.get("html"))


def address(app: AppTest, name: str) -> str | None:
    return addresses.address(app).get(name)


def test_the_page_opens_with_the_reasons_and_computes_no_concept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> None:
        raise AssertionError("a concept was computed unasked")

    monkeypatch.setattr(explanations, "explanation", asked)
    app = open_page()
    assert not app.exception
    shown = cards(app)
    assert 3 <= len(shown) <= 5
    assert [card["name"] for card in shown if card["in_atlas"]] == [
        card["name"] for card in shown if card["name"].lower() in NAMES
    ]
    assert sum(abs(card["share"]) for card in shown) == pytest.approx(1)
    assert all("without it: " in card["without"] and card["without"].endswith("%") for card in shown)
    assert tiles(app) == []


def test_a_reason_opens_by_its_link_in_the_big_player_and_says_how_much_it_holds(root: Path) -> None:
    first = cards(open_page())[0]
    app = open_page(reason=first["id"])
    assert not app.exception
    assert [card["id"] for card in cards(app) if card["opened"]] == [first["id"]]
    player = mounted(app, "tracks")
    assert [track["name"] for track in player["tracks"]] == ["Mix", "Only this", "Without it", "True stem"]
    assert first["name"].lower() in player["title"]
    assert "% of the sound's energy" in words(app)
    assert address(app, "reason") == first["id"]


def test_a_reason_that_is_not_shown_here_says_so_and_stays_in_the_link(root: Path) -> None:
    shown = {card["id"] for card in cards(open_page())}
    hidden = next(id for id in (f"{LAYER}-reason{number}" for number in range(COUNT)) if id not in shown)
    app = open_page(reason=hidden)
    assert not app.exception
    assert "weighs too little here" in words(app)
    assert address(app, "reason") == hidden
    assert "not one of this model's" in words(open_page(reason="conv1-reason99"))


def test_a_reason_stays_open_when_the_passage_moves_but_not_for_another_instrument(root: Path) -> None:
    first = cards(open_page(clip=LONG))[0]["id"]
    app = open_page(clip=LONG, reason=first, start="0")
    app.query_params["start"] = "0.5"
    app.run()
    assert [card["id"] for card in cards(app) if card["opened"]] == [first]
    app.selectbox(key="choose-instrument").set_value("trumpet").run()
    assert address(app, "reason") is None
    assert not app.exception


def test_silent_reasons_are_in_the_link_move_the_answer_and_survive_other_pages(root: Path) -> None:
    first, second = (card["id"] for card in cards(open_page())[:2])
    app = open_page(silent=f"{first},{second},{LAYER}-7")
    assert not app.exception
    assert [card["id"] for card in cards(app) if card["silent"]] == [first, second]
    assert "in the network: piano " in words(app)
    assert " → " in words(app)
    app.switch_page("../pages/listen.py").run().switch_page("../pages/explain.py").run()
    assert [card["id"] for card in cards(app) if card["silent"]] == [first, second]
    app.button(key="unsilence").click().run()
    assert address(app, "silent") is None
    assert not any(card["silent"] for card in cards(app))


def test_all_reasons_silent_together_change_more_than_none(root: Path) -> None:
    passage = passage_of(open_sound(CLIP), MODEL, "piano", None)
    parts = reasons.reasons(passage, "piano")
    before, after = reasons.answer_without(passage, "piano", [])
    np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(before, passages.probabilities(passage), atol=1e-5)
    _, after = reasons.answer_without(passage, "piano", [part.id for part in parts])
    assert np.abs(after - before).max() > 0.01


def test_the_mixer_plays_every_reason_and_the_rest_which_sum_to_the_mix(root: Path) -> None:
    app = open_page()
    app.toggle(key="mix-reasons").set_value(True).run()
    assert not app.exception
    player = mounted(app, "tracks")
    assert player["mode"] == "mixer"
    assert [track["name"] for track in player["tracks"]] == [*(card["name"] for card in cards(app)), "Rest of the mix"]
    passage = passage_of(open_sound(CLIP), MODEL, "piano", None)
    found = reasons.mixable(passage, "piano")
    total = np.sum([*(part.samples for part in found.parts.values()), found.rest.samples], axis=0)
    np.testing.assert_allclose(total, passages.analysed(passage).samples, atol=1e-4)


def test_notes_are_filled_in_only_when_asked_for_and_the_page_says_which_of_the_two_one_hears(root: Path) -> None:
    app = open_page()
    assert "Notes filled in" not in [track["name"] for track in mounted(app, "tracks")["tracks"]]
    app.toggle(key="fill-notes").set_value(True).run()
    assert not app.exception
    names = [track["name"] for track in mounted(app, "tracks")["tracks"]]
    assert names == ["Mix", "Only this", "Notes filled in", "Without it", "True stem"]
    assert any("is a reconstruction" in caption.value for caption in app.caption)
    app = open_page(reason=cards(app)[0]["id"])
    assert "fill-notes" not in [toggle.key for toggle in app.toggle]


def test_single_concepts_are_one_click_deeper_and_all_of_them_only_come_when_asked_for(root: Path) -> None:
    app = open_page(layer=LAYER, concept="7")
    assert not app.exception
    assert len(tiles(app)) == 8
    app.toggle(key="all-concepts").set_value(True).run()
    assert len(tiles(app)) == 128
    assert len({tile["channel"] for tile in tiles(app)}) == 128


def test_a_model_without_reasons_says_so_and_explains_by_concepts(root: Path) -> None:
    (root / MODEL / "reasons.parquet").unlink()
    app = open_page()
    assert not app.exception
    assert f"`timbrescope atlas reasons --model {MODEL}`" in words(app)
    assert len(tiles(app)) == 8
    assert mounted(app, "tracks")["mode"] == "switch"


def test_damaged_reasons_are_one_sentence_and_the_rest_of_the_page_is_there(root: Path) -> None:
    (root / MODEL / "reasons.parquet").write_bytes(b"nonsense")
    for name in ("explain", "atlas"):
        app = open_page(name)
        assert not app.exception
        assert [read(error.value) for error in app.error] == [
            f"The reasons of the model {MODEL} are damaged; make them again with `timbrescope atlas reasons --model "
            f"{MODEL}`."
        ]
        assert tiles(app) or "Search" in [field.label for field in app.text_input]


def test_the_page_says_whether_to_trust_it(root: Path) -> None:
    said = words(open_page())
    assert "Can you trust this?" in said
    assert "sure here" in said
    assert "nobody plays flute" in words(open_page(instrument="flute"))


def test_the_passage_and_the_song_each_have_their_probability(root: Path) -> None:
    app = open_page(clip=LONG, start="0")
    sound = open_sound(LONG)
    passage = passage_of(sound, MODEL, "piano", 0.0)
    here = passages.probabilities(passage)[store.load_model(MODEL).label_index("piano")]
    option = next(o for o in app.selectbox(key="choose-instrument").options if o.startswith("Piano"))
    assert option.startswith(f"Piano · {chances(here, 0).split(' here')[0]} here · ")
    assert " in the song · " in option


def test_a_weak_map_looks_weak() -> None:
    quiet, full = np.zeros((64, 100), np.float32), full_strength(6.0, 6400)
    map = np.zeros_like(quiet)
    map[20:30, 40:60] = full
    strong, weak = (thumbnail(quiet, share * map, full=full) for share in (1.0, 0.02))
    assert brightness(strong) > 4 * brightness(weak) > 0
    assert brightness(thumbnail(quiet, map)) == brightness(thumbnail(quiet, 0.02 * map)), "without a scale all glow"
    assert full_strength(0.3, 6400) == full_strength(-4.0, 6400) < full_strength(-8.0, 6400)


def brightness(jpeg: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(jpeg)).convert("L")).mean())


def test_what_is_opened_is_what_is_exported(root: Path) -> None:
    passage = passage_of(open_sound(CLIP), MODEL, "piano", None)
    first = reasons.reasons(passage, "piano")[0]
    view = View(CLIP, MODEL, "piano", LAYER, reason=first.id)
    shown = panels.shown_map(view, passage, "piano")
    assert shown.file_name == f"piano-{first.id}"
    told = panels.report(view, passage, shown)
    assert told["shown"] == {"reason": first.id, "layer": LAYER, "concept": None}
    assert [reason["id"] for reason in told["reasons"]] == [part.id for part in reasons.reasons(passage, "piano")]
    assert told["trust"]["verdict"] in ("yes", "partly", "no")
    assert told["truth"] == reasons.truth(passage, "piano", first.id)
    assert json.dumps(told)
    concept = panels.shown_map(View(CLIP, MODEL, "piano", LAYER, concept=7), passage, "piano")
    assert panels.report(View(CLIP, MODEL, "piano", LAYER, concept=7), passage, concept)["shown"]["concept"] == 7


def test_the_map_as_a_table_has_time_and_hz(root: Path) -> None:
    passage = passage_of(open_sound(LONG), MODEL, "piano", 0.5)
    map = passages.relevance(passage, "piano")
    table = pd.read_csv(io.StringIO(panels.map_csv(passage, map)), index_col=0)
    front = store.load_model(MODEL).frontend
    np.testing.assert_allclose(table.index, front.band_hz, rtol=1e-4)
    np.testing.assert_allclose(table.columns.astype(float), front.frame_times(map.values.shape[1]) + 0.5, atol=1e-3)
    np.testing.assert_allclose(table.to_numpy(), map.values, rtol=1e-4, atol=1e-9)


def test_clicks_on_a_card_open_close_silence_and_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(reason_cards, "_mount", lambda **settings: given.update(settings))
    opened: list[str | None] = []
    silent: list[list[str]] = []
    shown = [
        Card("a", "A", "", "red", 0.6, "", b"", opened=True, silent=False, in_atlas=True),
        Card("b", "B", "", "red", -0.4, "", b"", opened=False, silent=True, in_atlas=True),
    ]
    reason_cards.reason_cards(key="cards", cards=shown, on_open=opened.append, on_silence=silent.append)
    for id in ("b", "a"):
        monkeypatch.setattr(reason_cards.st, "session_state", {"cards": SimpleNamespace(open=id, silence=id)})
        given["on_open_change"]()
        given["on_silence_change"]()
    assert opened == ["b", None]
    assert silent == [[], ["a", "b"]]
    assert [card["percent"] for card in given["data"]["cards"]] == ["60 %", "−40 %, against it"]


def test_a_reason_has_a_view_in_the_atlas_with_links_both_ways(root: Path) -> None:
    app = open_page("atlas")
    app.button(key="reason-3").click().run()
    assert not app.exception
    assert address(app, "reason") == f"{LAYER}-reason3"
    for page in (app, open_page("atlas", reason=f"{LAYER}-reason3")):
        assert NAMES[3].capitalize() in words(page)
        assert "AUC 0.90" in words(page)
        said = " ".join(part.proto.body for part in page.get("html"))
        assert model_title(MODEL) in said
        assert MODEL not in said
        assert "Trumpet" in words(page)
        assert sum("walks" in json.loads(part.proto.json) for part in page.get("bidi_component")) == 2
    app.button(key="try").click().run()
    assert address(app, "reason") == f"{LAYER}-reason3"
    assert cards(app)
    app = open_page("atlas", reason=f"{LAYER}-reason3")
    app.button(key="back").click().run()
    assert address(app, "reason") is None
    assert app.button(key="reason-0")


def test_every_heard_instrument_has_its_why(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than have a picture."""
    monkeypatch.setattr(listening, "EVIDENCE", 1)
    app = open_page("listen")
    assert not app.exception
    heard = recognise(store.load_model(MODEL), store.load_model(MODEL).frontend.analyse(open_sound(CLIP))).detected
    assert len(heard) > 1
    assert [button.key for button in app.button if str(button.key).startswith("why-")] == [f"why-{x}" for x in heard]
    app.button(key=f"why-{heard[-1]}").click().run()
    assert not app.exception
    assert address(app, "instrument") == heard[-1]
    assert cards(app)
