"""A MIDI file becomes stems that add up to its mix; what cannot be played is named; what is no MIDI is one sentence."""

import io

import mido
import numpy as np
import pytest

from core.audio import SAMPLE_RATE
from core.errors import InputError
from core.synthesis import midi_song
from core.synthesis.midi_song import play_midi
from core.synthesis.score import Note
from tests.synthesis.midi_files import ALTO, MUSIC_BOX, PIANO, TENOR, TIMPANI, TRUMPET, midi_file


def test_the_mix_is_the_sum_of_the_stems_of_all_known_instruments() -> None:
    song = play_midi(midi_file([(TRUMPET, [67, 69]), (PIANO, [60, 62]), (None, [38, 42])]), "duo.mid")
    assert song.clip.labels == ("piano", "trumpet", "drums")
    assert song.clip.duration == pytest.approx(1 + midi_song.TAIL)
    assert len(song.clip.mix) == round(song.clip.duration * SAMPLE_RATE)
    assert (song.clip.mix == sum(song.clip.stems.values())).all()
    assert all(np.abs(stem).max() > 0.01 for stem in song.clip.stems.values())
    assert song.clip.score.parts["piano"] == (Note(0.0, 0.5, 60, 90), Note(0.5, 0.5, 62, 90))
    assert (song.left_out, song.remark) == ((), "")


def test_the_same_file_gives_the_same_bytes() -> None:
    data = midi_file([(PIANO, [60]), (TRUMPET, [67])])
    assert play_midi(data, "a.mid").clip.mix.tobytes() == play_midi(data, "b.mid").clip.mix.tobytes()


def test_unknown_programs_are_left_out_and_named() -> None:
    song = play_midi(midi_file([(MUSIC_BOX, [72]), (PIANO, [60]), (TIMPANI, [40]), (MUSIC_BOX, [74])]), "toys.mid")
    assert song.clip.labels == ("piano",)
    assert song.left_out == ("Music box", "Timpani")
    assert "Music box, Timpani" in song.remark


def test_two_programs_of_one_instrument_sound_together() -> None:
    song = play_midi(midi_file([(ALTO, [60, 62]), (TENOR, [55])]), "saxes.mid")
    assert song.clip.labels == ("saxophone",)
    assert song.clip.programs == {"saxophone": ALTO}  # which has more notes
    assert [note.pitch for note in song.clip.score.parts["saxophone"]] == [60, 55, 62]
    alone = play_midi(midi_file([(ALTO, [60, 62])]), "sax.mid")
    assert not np.allclose(song.clip.mix, alone.clip.mix, atol=1e-3)


def test_an_unknown_drum_kit_is_played_by_the_standard_one() -> None:
    unknown = midi_file([(None, [38])]).replace(bytes([0xC9, 0]), bytes([0xC9, 50]))
    song = play_midi(unknown, "kit.mid")
    assert song.clip.programs == {"drums": midi_song.STANDARD_KIT}


def test_notes_of_a_single_tick_are_heard() -> None:
    track = mido.MidiTrack(
        [mido.Message("note_on", channel=9, note=38), mido.Message("note_off", channel=9, note=38, time=1)]
    )
    buffer = io.BytesIO()
    mido.MidiFile(tracks=[track]).save(file=buffer)
    assert play_midi(buffer.getvalue(), "tick.mid").clip.score.parts["drums"][0].duration == midi_song.SHORTEST_NOTE


def test_a_long_song_is_cut_to_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_song, "ALL_SECONDS", 6.0)
    song = play_midi(midi_file([(PIANO, [60] * 10), (TRUMPET, [67])]), "long.mid")
    assert song.clip.duration == pytest.approx(2.0)
    assert song.duration == pytest.approx(5.0)
    assert "first 0:02 of 0:05" in song.remark
    assert max(note.end for note in song.clip.score.parts["piano"]) <= 2.0
    alone = play_midi(midi_file([(PIANO, [60] * 10)]), "alone.mid")
    assert alone.clip.duration == pytest.approx(3.0)  # fewer stems leave room for more of each


def test_ten_minutes_and_the_memory_for_all_stems_are_never_exceeded() -> None:
    notes = [Note(0.0, 5000.0, 60, 90)]
    for count in (1, 4, 15):
        duration = midi_song._duration({str(index): {0: notes} for index in range(count)})
        assert duration <= 600
        assert duration * (count + 1) <= midi_song.ALL_SECONDS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read as a MIDI file"),
        (b"MThd", "cannot be read as a MIDI file"),
        (midi_file([(PIANO, [60])])[:-9], "song.mid"),
        (midi_file([(PIANO, [])]), "has no notes"),
        (midi_file([(TIMPANI, [40])]), "no part for an instrument that the networks know"),
        (b"MThd" + bytes(midi_song.MAX_BYTES), "more than 1 MB"),
        (midi_file([(PIANO, [60] * (midi_song.MAX_NOTES + 1))]), "more than 30000 notes"),
    ],
    ids=["empty", "header only", "cut off", "no notes", "unknown only", "big", "many notes"],
)
def test_what_cannot_be_played_ends_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=r"song\.mid") as raised:
        play_midi(data, "song.mid")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
