"""Sounds of one's own: recordings and MIDI files become sounds like uploads, with the truth where it is known."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.addresses import address
from tests.app.reading import read
from tests.app.test_pages import open_page, upload, words
from tests.bad_files import encoded, tone
from tests.synthesis.midi_files import MUSIC_BOX, PIANO, TRUMPET, midi_file

DUO = midi_file([(PIANO, [60, 64, 67, 72]), (TRUMPET, [67, 72, 76, 72]), (MUSIC_BOX, [84])])


def record(app: AppTest, data: bytes) -> AppTest:
    app.button_group(key="way-in").set_value("record").run()
    return app.audio_input(key="recording").set_value(("audio.wav", data, "audio/wav")).run()


def test_a_recording_is_heard_like_an_upload_and_kept_over_pages() -> None:
    app = record(open_page(), encoded(tone(2.0)))
    assert not app.exception
    assert not app.error
    clip = address(app)["clip"]
    assert clip.startswith("upload:")
    assert clip.endswith(":recording.wav")
    app.switch_page("../pages/explain.py").run()
    assert not app.exception
    assert address(app)["clip"] == clip


@pytest.mark.parametrize(
    ("samples", "said"), [(np.zeros(22050, np.float32), "Nothing was recorded"), (tone(0.01), "only 10 ms")]
)
def test_a_recording_of_nothing_is_one_sentence(samples: np.ndarray, said: str) -> None:
    app = open_page()
    before = address(app)
    app = record(app, encoded(samples))
    assert not app.exception
    assert [said in read(error.value) for error in app.error] == [True]
    assert address(app) == before


def test_a_midi_file_is_played_explained_and_its_truth_revealed() -> None:
    app = upload(open_page(), "duo.mid", DUO)
    assert not app.exception
    assert not app.error
    assert address(app)["clip"].endswith(":duo.mid")
    assert "Left out, as no instrument that the networks know: Music box." in words(app)
    app.toggle(key="reveal").set_value(True).run()
    assert "Really playing" in words(app)
    assert not app.exception
    app.switch_page("../pages/explain.py").run()
    assert not app.exception
    assert "Purer by" in words(app)


def test_a_damaged_midi_file_is_one_sentence() -> None:
    app = open_page()
    before = address(app)
    app = upload(app, "duo.mid", DUO[:40])
    assert not app.exception
    assert ["duo.mid cannot be read as a MIDI file" in read(error.value) for error in app.error] == [True]
    assert address(app) == before
