"""“Only this” over a whole song on the page Explain: asked for, stopped, kept, restored by its link."""

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.explain import whole_song
from core.explanation.whole_song import SongSplit, label_masking
from core.models.store import default_model, load_model
from core.synthesis.clip import compose
from tests.app.test_pages import SHORT, address, open_page

LONG = "general;instruments=piano,trumpet,drums;duration=8@5"


def players(app: AppTest) -> dict[str, Any]:
    """The players of the page by their titles."""
    sent = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return {data["title"]: data for data in sent if "tracks" in data}


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def test_a_song_is_parted_passage_by_passage_and_played(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[SongSplit] = []
    monkeypatch.setattr(SongSplit, "step", lambda split, step=SongSplit.step: (done.append(split), step(split)))
    app = open_page("explain", clip=LONG, instrument="trumpet")
    assert not done
    app.button(key="whole-song-start").click().run()
    while not app.session_state["whole-song"].split.finished:
        app.run()
    app.run()
    assert not app.exception
    assert address(app)["whole"] == "True"
    assert len(done) == done[0].steps == 2
    shown = players(app)["Evidence for trumpet, over the whole song"]
    assert [track["name"] for track in shown["tracks"]] == ["Only this", "Without it", "Mix"]
    model = load_model(default_model())
    ours = SongSplit(model, compose(LONG).audio, label_masking("trumpet"))
    while not ours.finished:
        ours.step()
    kept = app.session_state["whole-song"].split.split.kept.samples
    np.testing.assert_allclose(kept, ours.split.kept.samples, atol=1e-6)
    app.button(key="whole-song-close").click().run()
    assert "whole" not in address(app)
    assert "whole-song-start" in keys(app)


def test_a_link_asks_for_the_whole_song_and_another_instrument_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_song.SongSplit, "step", lambda split: None)
    app = open_page("explain", clip=LONG, instrument="trumpet", whole="True")
    assert "whole-song-stop" in keys(app)
    app.selectbox(key="choose-instrument").set_value("piano").run()
    assert "whole" not in address(app)
    assert "whole-song-stop" not in keys(app)


def test_a_song_of_one_passage_is_explained_as_a_whole_already() -> None:
    app = open_page("explain", clip=SHORT, whole="True")
    assert not app.exception
    assert not {key for key in keys(app) if key and key.startswith("whole-song")}
