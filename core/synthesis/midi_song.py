"""A MIDI file, played as it is: each instrument's part becomes a stem, so that what really sounds is known.

The mix is the exact float32 sum of the stems, as in a composed clip. Every stem is equally loud; what a file says about
volume, pedals and pitch bend is not followed.
"""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from core.audio import MAX_SECONDS, SAMPLE_RATE, Samples
from core.errors import InputError
from core.synthesis.clip import SILENT, STEM_LEVEL, Clip, balance, sounding_rms
from core.synthesis.effects import Effects
from core.synthesis.midi import MidiPart, MidiSong, parse_midi
from core.synthesis.playable import playable
from core.synthesis.render import DRUM_BANK, render_stem
from core.synthesis.score import Note, Score
from core.synthesis.soundfonts import all_presets, installed_soundfonts, known_soundfonts, presets, soundfont_path
from core.taxonomy.general_midi import PROGRAM_NAMES
from core.taxonomy.instruments import INSTRUMENTS, LABEL_SETS

MAGIC = b"MThd"
EXTENSIONS = (".mid", ".midi", ".kar")
MAX_BYTES = 2**20
MAX_NOTES = 30_000
ALL_SECONDS = 1200  # of the mix and all stems together: 106 MB
TAIL = 1.0  # seconds in which the last note may die away
SHORTEST_NOTE = 0.1  # seconds; in many files drum notes last a single tick
STANDARD_KIT = 0

Part = dict[int, list[Note]]  # what one instrument plays: notes by General MIDI program


@dataclass(frozen=True)
class PlayedSong:
    """A MIDI file as sound.

    Attributes:
        clip: Its stems, their sum, and the notes; the clip bears the name of the file.
        left_out: Names of the General MIDI programs that are none of the known instruments.
        duration: Of the whole song in seconds; the clip may hold its beginning only.
    """

    clip: Clip
    left_out: tuple[str, ...]
    duration: float

    @property
    def remark(self) -> str:
        """What of the file is not heard, in sentences; empty if all is."""
        said = []
        if self.left_out:
            said.append(f"Left out, as no instrument that the networks know: {', '.join(self.left_out)}.")
        if self.clip.duration < self.duration:
            count = len(self.clip.labels)
            said.append(
                f"You hear the first {_clock(self.clip.duration)} of {_clock(self.duration)}, which is as much as fits "
                f"with {count} instrument{'s' if count > 1 else ''}."
            )
        return " ".join(said)


def is_midi(data: bytes, name: str) -> bool:
    """Whether a file is MIDI, or claims to be.

    >>> is_midi(b"MThd...", "song"), is_midi(b"", "song.MID"), is_midi(b"RIFF", "song.wav")
    (True, True, False)
    """
    return data.startswith(MAGIC) or name.lower().endswith(EXTENSIONS)


def play_midi(data: bytes, name: str) -> PlayedSong:
    """Plays the content of a MIDI file with the installed soundfonts.

    Args:
        data: The whole file.
        name: What to call it, in messages and in the result.

    Raises:
        InputError: the file is damaged, too big, or has no notes for a known instrument; or no soundfont is installed.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has more than {MAX_BYTES // 2**20} MB; choose a smaller MIDI file.")
    song = parse_midi(data, name)
    if sum(len(part.notes) for part in song.parts) > MAX_NOTES:
        raise InputError(f"{name} has more than {MAX_NOTES} notes; choose a shorter MIDI file.")
    parts, left_out = _cast(song)
    if not parts:
        raise InputError(f"{name} has no part for an instrument that the networks know; choose another MIDI file.")
    duration = _duration(parts)
    score, stems = {}, {}
    for label, part in parts.items():
        heard = {program: _playable(notes, label, duration) for program, notes in part.items()}
        stem = _stem(label, heard, duration)
        if stem.any():
            stems[label] = stem
            score[label] = tuple(sorted((note for notes in heard.values() for note in notes), key=lambda n: n.onset))
    if not stems:
        raise InputError(f"Nothing is heard in the first {_clock(duration)} of {name}; choose another MIDI file.")
    stems = balance(stems, dict.fromkeys(stems, 0.0))
    programs = {label: max(parts[label], key=lambda program: len(parts[label][program])) for label in stems}
    clip = Clip(
        name=name,
        mix=reduce(np.add, stems.values()),
        stems=stems,
        score=Score(duration, score, song.tempo),
        programs=programs,
        soundfonts={label: _soundfont(label, program) for label, program in programs.items()},
        gains_db=dict.fromkeys(stems, 0.0),
        style="midi",
        effects=dict.fromkeys(stems, Effects()),
    )
    return PlayedSong(clip, left_out, song.duration)


def _cast(song: MidiSong) -> tuple[dict[str, Part], tuple[str, ...]]:
    """The parts of the known instruments, in the order of the taxonomy, and the names of the programs without one."""
    by_program = {
        program: label
        for label, programs in LABEL_SETS["general"].programs.items()
        if not INSTRUMENTS[label].is_drums
        for program in programs
    }
    cast: dict[str, Part] = {}
    left_out: dict[str, None] = {}
    for part in song.parts:
        label = "drums" if part.is_drums else by_program.get(part.program)
        if label is None:
            left_out[PROGRAM_NAMES[part.program]] = None
        else:
            cast.setdefault(label, {}).setdefault(_program(part, label), []).extend(part.notes)
    return {label: cast[label] for label in INSTRUMENTS if label in cast}, tuple(left_out)


def _program(part: MidiPart, label: str) -> int:
    """The part's program; the standard kit for drums whose kit is not known."""
    return part.program if part.program in INSTRUMENTS[label].programs else STANDARD_KIT


def _duration(parts: dict[str, Part]) -> float:
    """How much of a song is played: all, or as much as fits into memory with so many instruments."""
    last = max(note.end for part in parts.values() for notes in part.values() for note in notes)
    return min(last + TAIL, MAX_SECONDS, ALL_SECONDS / (len(parts) + 1))


def _playable(notes: list[Note], label: str, duration: float) -> tuple[Note, ...]:
    """The notes within the song, none too short to be heard, and none that repeats a pitch which still sounds."""
    player = replace(INSTRUMENTS[label], low=0, high=127, polyphony=128)
    longer = (replace(note, duration=max(note.duration, SHORTEST_NOTE)) for note in notes if note.onset >= 0)
    return playable(longer, player, duration)


def _stem(label: str, part: dict[int, tuple[Note, ...]], duration: float) -> Samples:
    """One instrument alone, at the level of all stems; its programs, such as two kinds of saxophone, play together."""
    stem = np.zeros(round(duration * SAMPLE_RATE), np.float32)
    for program, notes in part.items():
        if notes:
            stem += render_stem(notes, INSTRUMENTS[label], program, duration, _soundfont(label, program))
    return stem * np.float32(STEM_LEVEL / max(sounding_rms(stem), SILENT))


def _soundfont(label: str, program: int) -> str:
    """The first installed soundfont that plays a program well, or has it at all."""
    wanted = (DRUM_BANK if INSTRUMENTS[label].is_drums else 0, program)
    fonts = [font.name for font in installed_soundfonts()]
    for held in (presets, all_presets):
        for font in fonts:
            if wanted in held(font):
                return font
    soundfont_path(next(iter(known_soundfonts())))  # says how to install one, where there is none
    raise InputError(f"No installed soundfont has a {INSTRUMENTS[label].title.lower()}; install another one.")


def _clock(seconds: float) -> str:
    """A length for people.

    >>> _clock(125.4)
    '2:05'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
