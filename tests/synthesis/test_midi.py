"""Scores come back from a MIDI file as they were; files that are not MIDI are refused."""

from contextlib import suppress
from pathlib import Path

import mido
import numpy as np
import pytest

from core.errors import InputError
from core.synthesis.midi import read_midi, score_to_midi
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.taxonomy.instruments import DRUM_CHANNEL, INSTRUMENTS

LABELS = ("piano", "violin", "drums", "tuba")
PROGRAMS = {label: INSTRUMENTS[label].programs[-1] for label in LABELS}


def composed(style: str, seed: int) -> Score:
    request = ScoreRequest(tuple(INSTRUMENTS[label] for label in LABELS), 10.0)
    return STYLES.get(style)(request, np.random.default_rng(seed))


@pytest.mark.parametrize("style", ["random", "musical"])
@pytest.mark.parametrize("seed", range(5))
def test_round_trip(style: str, seed: int, tmp_path: Path) -> None:
    score = composed(style, seed)
    score_to_midi(score, PROGRAMS).save(tmp_path / "score.mid")
    song = read_midi(tmp_path / "score.mid")
    assert song.tempo == pytest.approx(score.tempo, rel=1e-4)
    assert [part.name for part in song.parts] == list(score.parts)
    for part in song.parts:
        notes = score.parts[part.name]
        assert part.program == PROGRAMS[part.name]
        assert part.is_drums == (part.name == "drums")
        by_pitch = [sorted(group, key=lambda note: (note.pitch, note.onset)) for group in (part.notes, notes)]
        for read, written in zip(*by_pitch, strict=True):
            assert (read.pitch, read.velocity) == (written.pitch, written.velocity)
            assert read.onset == pytest.approx(written.onset, abs=0.002)
            assert read.end == pytest.approx(written.end, abs=0.002)


def test_tracks_and_channels() -> None:
    file = score_to_midi(composed("random", 0), PROGRAMS)
    assert [track.name for track in file.tracks[1:]] == list(LABELS)
    channels = [{message.channel for message in track if not message.is_meta} for track in file.tracks[1:]]
    assert channels[LABELS.index("drums")] == {DRUM_CHANNEL}
    assert len(set.union(*channels)) == len(LABELS)


def test_more_instruments_than_channels() -> None:
    pitched = [label for label in INSTRUMENTS if label != "drums"]
    score = Score(1.0, {label: (Note(0.0, 1.0, 60, 90),) for label in pitched})
    with pytest.raises(InputError, match="15 pitched instruments"):
        score_to_midi(score, dict.fromkeys(pitched, 0))


def test_tempo_changes_and_programs(tmp_path: Path) -> None:
    """One beat at 120 per minute, one at 60: the tempo of one track holds for the others, and programs may change."""
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000, time=480)])
    player = mido.MidiTrack(
        [
            mido.Message("program_change", program=40),
            mido.Message("note_on", note=60, velocity=64),
            mido.Message("note_on", note=60, velocity=0, time=480),  # the other way to end a note
            mido.Message("program_change", program=56),
            mido.Message("note_on", note=62, velocity=65),
            mido.Message("note_off", note=62, time=480),
            mido.Message("note_on", note=64, velocity=66),  # never ends
        ]
    )
    path = tmp_path / "song.mid"
    mido.MidiFile(ticks_per_beat=480, tracks=[conductor, player]).save(path)
    song = read_midi(path)
    assert [(part.program, part.notes) for part in song.parts] == [
        (40, (Note(0.0, 0.5, 60, 64),)),
        (56, (Note(0.5, 1.0, 62, 65),)),
    ]
    assert song.duration == 1.5
    assert song.tempo == 120


@pytest.mark.parametrize("content", [b"", b"MThd", b"RIFF\x00\x00\x00\x00WAVE", bytes(range(256)) * 20])
def test_files_that_are_no_midi(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"song\.mid"):
        read_midi(path)


def test_missing_file_and_smpte_time(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mid"):
        read_midi(tmp_path / "none.mid")
    mido.MidiFile(ticks_per_beat=-6136).save(tmp_path / "film.mid")
    with pytest.raises(InputError, match="SMPTE"):
        read_midi(tmp_path / "film.mid")


@pytest.mark.parametrize("seed", range(150))
def test_damaged_files_end_in_notes_or_one_sentence(seed: int, tmp_path: Path) -> None:
    score_to_midi(composed("random", 0), PROGRAMS).save(tmp_path / "song.mid")
    content = bytearray((tmp_path / "song.mid").read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 10):
        content[place] = rng.integers(256)
    (tmp_path / "song.mid").write_bytes(content[: rng.integers(10, len(content))])
    with suppress(InputError):
        assert read_midi(tmp_path / "song.mid").duration > 0
