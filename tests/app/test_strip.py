"""The song strip on the pages Listen and Explain: what it is given, and how the view follows it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.components import song_strip as component
from app.components.song_strip import Ribbon, Window
from app.frame import passages, view
from core.explanation.playback import passage
from core.inference import Prediction, recognise
from core.models.store import default_model, load_model
from core.synthesis.clip import compose
from core.taxonomy.instruments import INSTRUMENTS
from tests.app.strips import strip
from tests.app.test_pages import SHORT, address, open_page

LONG = "general;instruments=piano,trumpet,drums;duration=8@5"  # longer than a passage


def prediction(clip: str) -> Prediction:
    model = load_model(default_model())
    return recognise(model, model.frontend.analyse(compose(clip).audio))


@pytest.mark.parametrize("page", ["listen", "explain"])
def test_ribbons_are_what_is_heard_over_time(page: str) -> None:
    heard = prediction(LONG)
    app = open_page(page, clip=LONG)
    assert not app.exception
    shown = strip(app)
    assert [ribbon["label"] for ribbon in shown["ribbons"]] == heard.detected
    assert [ribbon["shown"] for ribbon in shown["ribbons"]] == [True] + [False] * (len(heard.detected) - 1)
    assert (shown["edges"][0], shown["edges"][-1]) == (0, pytest.approx(heard.duration, abs=1e-3))
    assert (np.diff(shown["edges"]) > 0).all()
    for ribbon in shown["ribbons"]:
        assert len(ribbon["values"]) == len(shown["edges"]) - 1 == len(heard.timeline)
        course = heard.timeline[:, heard.labels.index(ribbon["label"])]
        np.testing.assert_allclose(ribbon["values"], course, atol=1e-3)


def test_what_is_explained_has_a_ribbon_though_it_is_not_heard() -> None:
    shown = strip(open_page("explain", clip=LONG, instrument="saxophone"))
    assert [ribbon["label"] for ribbon in shown["ribbons"] if ribbon["shown"]] == ["saxophone"]


def test_a_short_song_has_a_strip_without_a_passage_to_move() -> None:
    assert strip(open_page(clip=SHORT))["passage"] is None


def test_another_passage_keeps_the_open_concept_and_another_instrument_forgets_it() -> None:
    app = open_page("explain", clip=LONG, instrument="piano", layer="conv3", concept="5")
    app.query_params["start"] = "2.5"
    app.run()
    assert address(app)["concept"] == "5"
    assert "concept 5" in next(mounted for c in app.get("bidi_component") if "tracks" in (mounted := c.proto.json))
    assert strip(app)["passage"]["start"] == 2.5
    app.selectbox(key="choose-instrument").set_value("trumpet").run()
    assert "concept" not in address(app)
    assert address(app)["start"] == "2.5"


class Address(dict[str, str]):
    """Stands for the browser's address."""

    to_dict = dict[str, str].copy

    def from_dict(self, parts: dict[str, str]) -> None:
        self.clear()
        self.update(parts)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the component's callbacks as the browser would, and returns what they are told."""

    def call(**state: Any) -> tuple[list[Any], bool]:
        mounted: dict[str, Any] = {}

        def mount(**given: Any) -> SimpleNamespace:
            mounted.update(given)
            return SimpleNamespace(**state)

        monkeypatch.setattr(component, "_mount", mount)
        monkeypatch.setattr(component.st, "session_state", {"k": SimpleNamespace(**state)})
        seen: list[Any] = []
        asked = component.strip(
            key="k",
            picture=b"",
            duration=9.0,
            edges=[0.0, 9.0],
            ribbons=[Ribbon("piano", "Piano", "#fff", [0.5], shown=True)],
            window=Window(1.0, 5.0),
            on_move=seen.append,
            on_why=lambda label, start: seen.append((label, start)),
        )
        for name in state:
            mounted[f"on_{name}_change"]()
        return seen, asked

    return call


def test_the_page_is_told_where_the_passage_went_and_what_was_asked(told: Any) -> None:
    assert told(moved=2.5) == ([2.5], False)
    assert told(why={"label": "piano", "start": 3}) == ([("piano", 3.0)], True)
    assert told(why={"label": "piano", "start": None}) == ([("piano", None)], True)


@pytest.mark.parametrize("nonsense", ["soon", None, float("nan"), float("inf")])
def test_no_moment_moves_nothing(told: Any, nonsense: Any) -> None:
    assert told(moved=nonsense) == ([], False)
    assert told(why={"label": "piano", "start": nonsense}) == ([("piano", None)], True)


def test_only_an_instrument_of_the_strip_can_be_asked_for(told: Any) -> None:
    assert told(why={"label": "kazoo", "start": 1.0})[0] == []


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"start": 2.0}, True),
        ({"layer": "conv2"}, False),
        ({"model": "m"}, False),
        ({"start": 1.0, "instrument": "piano"}, False),
    ],
)
def test_what_is_open_belongs_to_model_instrument_and_layer(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], kept: bool
) -> None:
    monkeypatch.setattr(view.st, "session_state", {})
    monkeypatch.setattr(view.st, "query_params", Address())
    view.show(concept=5)
    view.turn_to(**changes)
    assert ("concept" in view.st.query_params) == kept
    assert view.st.query_params.items() >= {name: str(value) for name, value in changes.items()}.items()


def test_true_notes_are_those_of_the_score_within_the_passage() -> None:
    clip = compose(LONG)
    sound = passages.Sound(clip.mix, clip.sample_rate, clip.name, key=clip.name, clip=clip)
    notes = passages.true_notes(passage(clip.name, sound, default_model(), 2.0))
    pitched = {label: part for label, part in clip.score.parts.items() if not INSTRUMENTS[label].is_drums}
    sounding = [note for part in pitched.values() for note in part if note.onset < 7 and note.end > 2]
    assert len(pitched) == 2
    assert len(notes) == len(sounding) > 0
    for note, true in zip(notes, sounding, strict=True):
        assert 2 <= note.start < note.end <= 7
        assert (note.start, note.end) == (max(true.onset, 2.0), min(true.end, 7.0))
        assert 69 + 12 * np.log2(note.hz / 440) == pytest.approx(true.pitch)


def test_of_an_upload_no_notes_are_known() -> None:
    clip = compose(SHORT)
    sound = passages.Sound(clip.mix, clip.sample_rate, "song.mp3", key="song")
    assert passages.true_notes(passage("song", sound, default_model(), 0.0)) == []
