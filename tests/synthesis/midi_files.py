"""Small MIDI files for tests."""

import io
from collections.abc import Sequence

import mido

from core.taxonomy.instruments import DRUM_CHANNEL

PIANO, MUSIC_BOX, TIMPANI, TRUMPET, ALTO, TENOR = 0, 10, 47, 56, 65, 66
BEAT = 480  # ticks: half a second


def midi_file(parts: Sequence[tuple[int | None, Sequence[int]]], beats: int = 1) -> bytes:
    """A file with a track for each part; its notes follow one another.

    Args:
        parts: General MIDI program and pitches of each part; no program stands for drums.
        beats: How long each note is; a beat is half a second.
    """
    tracks = []
    for index, (program, pitches) in enumerate(parts):
        channel = DRUM_CHANNEL if program is None else index
        track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program or 0)])
        for pitch in pitches:
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=beats * BEAT))
        tracks.append(track)
    buffer = io.BytesIO()
    mido.MidiFile(type=1, ticks_per_beat=BEAT, tracks=tracks).save(file=buffer)
    return buffer.getvalue()
