"""“Only this” over a whole song on the page Explain: asked for, stopped, kept within bounds, restored by its link."""

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.explain import reasons, whole_song
from app.explain.whole_song import part_of
from app.frame import caches
from app.frame.caches import LIMITS_MB, MB, size_of
from app.frame.sounds import Sound
from app.frame.view import View
from core.audio import MAX_SECONDS
from core.explanation.whole_song import SongSplit, label_masking, reason_masking
from core.models.store import default_model, highest_rate, load_model
from core.synthesis.clip import compose
from tests.app.test_pages import SHORT, address, open_page, words

LONG = "general;instruments=piano,trumpet,drums;duration=8@5"


def players(app: AppTest) -> dict[str, Any]:
    """The players of the page by their titles."""
    sent = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return {data["title"]: data for data in sent if "tracks" in data}


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def split_of(app: AppTest) -> SongSplit:
    """What is kept of the song that the page was asked for."""
    split = app.session_state["whole-song"][1]()
    assert isinstance(split, SongSplit)
    return split


def finish(app: AppTest) -> None:
    while not split_of(app).finished:
        app.run()
    app.run()
    assert not app.exception


def test_a_song_is_parted_passage_by_passage_and_played(monkeypatch: pytest.MonkeyPatch) -> None:
    caches.clear()
    done: list[SongSplit] = []
    step = SongSplit.step
    monkeypatch.setattr(SongSplit, "step", lambda split, song: (done.append(split), step(split, song)))
    app = open_page("explain", clip=LONG, instrument="trumpet")
    assert not done
    app.button(key="whole-song-start").click().run()
    finish(app)
    assert address(app)["whole"] == "True"
    assert len(done) == done[0].steps == 2
    shown = players(app)["Evidence for trumpet, over the whole song"]
    assert [track["name"] for track in shown["tracks"]] == ["Only this", "Without it", "Mix"]
    model, song = load_model(default_model()), compose(LONG).audio
    ours = SongSplit(model, song, label_masking("trumpet"))
    while not ours.finished:
        step(ours, song)
    np.testing.assert_allclose(split_of(app).kept.samples, ours.kept.samples, atol=1e-6)
    app.button(key="whole-song-close").click().run()
    assert "whole" not in address(app)
    assert "whole-song-start" in keys(app)


def test_the_whole_song_follows_the_opened_reason() -> None:
    app = open_page("explain", clip=LONG, instrument="trumpet", whole="True")
    finish(app)
    cards = next(
        data["cards"]
        for component in app.get("bidi_component")
        if "cards" in (data := json.loads(component.proto.json))
    )
    opened = next(card for card in cards if card["in_atlas"])
    app = open_page("explain", clip=LONG, instrument="trumpet", reason=opened["id"], whole="True")
    finish(app)
    model, song, known = load_model(default_model()), compose(LONG).audio, reasons.dictionary(default_model())
    assert known
    ours = SongSplit(model, song, reason_masking("trumpet", known, opened["id"]))
    while not ours.finished:
        ours.step(song)
    np.testing.assert_allclose(split_of(app).kept.samples, ours.kept.samples, atol=1e-6)
    (title,) = (title for title in players(app) if title.endswith("over the whole song"))
    assert opened["name"].lower() in title.lower()


def test_a_reason_that_the_model_does_not_have_leaves_the_label() -> None:
    known = reasons.dictionary(default_model())
    assert known
    clip = compose(SHORT)
    sound = Sound(clip.mix, clip.sample_rate, key=clip.name, clip=clip)
    followed = {
        id: part_of(View(model=default_model(), reason=id), sound, "trumpet", known)
        for id in (f"{known.layer}-reason0", f"{known.layer}-rest", "conv1-reason0", None)
    }
    assert [part.reason for part in followed.values()] == [*list(followed)[:2], None, None]
    assert len({part.key for part in followed.values()}) == 3


def test_what_is_kept_of_a_song_has_its_size_from_the_first_and_the_longest_fits_into_the_cache() -> None:
    rate = highest_rate()
    song = Sound(np.zeros(rate * MAX_SECONDS, np.float32), rate, key="long")
    split = SongSplit(load_model(default_model()), song, label_masking("trumpet"))
    before = size_of(split)
    split.step(song)
    assert size_of(split) == before
    assert song.samples.nbytes <= before <= LIMITS_MB["whole songs"] * MB


def test_what_had_to_make_room_for_others_is_begun_again_only_when_asked_for() -> None:
    app = open_page("explain", clip=LONG, instrument="trumpet", whole="True")
    finish(app)
    caches.clear()
    app.run()
    assert "had to make room" in words(app)
    assert caches.sizes()["whole songs"] == 0
    app.button(key="whole-song-start").click().run()
    finish(app)
    assert "Evidence for trumpet, over the whole song" in players(app)


def test_a_link_asks_for_the_whole_song_and_another_instrument_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    caches.clear()
    monkeypatch.setattr(whole_song.SongSplit, "step", lambda split, song: None)
    app = open_page("explain", clip=LONG, instrument="trumpet", whole="True")
    assert "whole-song-stop" in keys(app)
    app.selectbox(key="choose-instrument").set_value("piano").run()
    assert "whole" not in address(app)
    assert "whole-song-stop" not in keys(app)


def test_a_song_of_one_passage_is_explained_as_a_whole_already() -> None:
    app = open_page("explain", clip=SHORT, whole="True")
    assert not app.exception
    assert not {key for key in keys(app) if key and key.startswith("whole-song")}
