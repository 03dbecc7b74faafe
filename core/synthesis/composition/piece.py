"""Pieces whose every property can be set by itself; see :mod:`core.synthesis.controls`.

A piece is written once, in full: in four beats a bar, with all notes, on the degrees of a scale. Each control then
acts on what is written, note by note: the mode says which pitches the degrees are, a sparse piece leaves notes out, a
bar of three beats lacks the last one, tempo and swing say when a beat is. So two pieces that differ in one control
differ in nothing else. The small inaccuracies of the players belong to the places in the bars, and stay with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.synthesis.composition.accompaniment import STROKE_LENGTH, STROKES
from core.synthesis.composition.patterns import KIT, RHYTHMS, cells
from core.synthesis.composition.theory import MODES, nearest
from core.synthesis.controls import Settings, stream
from core.synthesis.playable import playable
from core.synthesis.score import Note
from core.taxonomy.instruments import Instrument

BAR = 4.0  # beats, as it is written
BEATS = {"four": 4.0, "three": 3.0}  # of each bar that are played
HALF_BAR = 2.0
TEMPI = {"slow": (60.0, 85.0), "fast": (130.0, 180.0)}  # beats per minute
SWING = {"no": 0.5, "yes": 2 / 3}  # where in a beat its second eighth comes
TOUCH = {"soft": 45, "hard": 100}  # velocity
SWELL = {"steady": 0, "swelling": 30}  # velocity, up and down
SWELL_BEATS = 8.0  # from one peak to the next
OCTAVES = {"low": 0, "high": 1}
LONGEST = 31  # bars of any piece: 30 seconds of three beats at 180 beats a minute, and one more
PLACES = 8  # in a bar: eighths
HUMAN, LOOSENESS = 3.0, 0.01  # standard deviations of velocity, and of the onset in beats
ACCENTS = {0: 8, 4: 3}  # in velocity, at places in the bar
OTHER_ACCENT = -3
BALANCE = {"melody": 8, "chords": -8, "bass": 0, "drums": 0}  # in velocity
HELD = 0.92  # share of its written length for which a note sounds

SCALE = len(MODES["major"])
STEPS = 10 * SCALE  # up to pitches that no instrument plays
PENTATONIC = (0, 1, 2, 4, 5)  # degrees of melodies, which fit all the chords
LOOPS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 5, 4), (0, 2, 3, 4), (5, 3, 0, 4))  # degrees of the chords' roots
REACH = 8  # steps of the scale that a part spans
# In all patterns something is played on the first and the third beat, and between two beats.
MELODIES = tuple(r for r in RHYTHMS["4/4"] if len(r) == PLACES and r[0] == r[4] == "x" and "x" in r[1::2])
CHORDS = ("cccccccc", "c-ccc-cc", "c--cc-c-", "c-cccccc", "c--cc--c")
BASSES = ("RRRRRRRR", "R--RR--5", "R-RRR-R5", "R--5R--5", "R-R5R-RR")
FORM = "AABA"  # of a melody, in phrases of two bars
PHRASE = 2
GROOVES = {
    "plain": {"kick": "x.......", "hat": "xoxoxoxo"},
    "four_on_the_floor": {"kick": "x.x.x.x.", "hat": "xoxoxoxo"},
    "backbeat": {"kick": "x.......", "snare": "..X...X.", "hat": "xoxoxoxo"},
    "one_drop": {"kick": "....x...", "stick": "....x...", "hat": "xoxoxoxo"},
}

Grid = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Player:
    """Who plays a part.

    Attributes:
        label: Name of the stem.
        part: Name of the part, which is the same whatever instrument plays it.
        instrument: What is played, with its range.
        role: "melody", "chords", "bass" or "drums".
    """

    label: str
    part: str
    instrument: Instrument
    role: str


class Written(NamedTuple):
    """A note on paper.

    Attributes:
        bar: Number of the bar.
        beat: In the bar.
        length: In beats.
        pitch: Step of the scale above the lowest tonic; for drums, the key.
        accent: Of a drum stroke.
    """

    bar: int
    beat: float
    length: float
    pitch: int
    accent: float = 0.0


@dataclass(frozen=True)
class Piece:
    """What all players share.

    Attributes:
        settings: The value of every control.
        seed: From which all else is drawn.
        duration: Seconds.
    """

    settings: Settings
    seed: int
    duration: float

    @cached_property
    def tempo(self) -> float:
        """Beats per minute."""
        tempi = {name: self._stream(f"tempo {name}").uniform(*limits) for name, limits in TEMPI.items()}
        return float(tempi[self.settings["tempo"]])

    @cached_property
    def tonic(self) -> int:
        """Pitch class."""
        return int(self._stream("tonic").integers(12))

    @cached_property
    def loop(self) -> tuple[int, ...]:
        """Roots of the chords, which follow each other again and again."""
        return LOOPS[self._stream("loop").integers(len(LOOPS))]

    @property
    def bars(self) -> int:
        """As many as the fastest piece needs."""
        return min(int(np.ceil(self.duration)) + 1, LONGEST)

    def root(self, bar: int, beat: float) -> int:
        """Degree of the chord's root at a beat of a bar."""
        number = bar // PHRASE if self.settings["chords"] == "slow" else 2 * bar + int(beat // HALF_BAR)
        return self.loop[number % len(self.loop)]

    def part(self, player: Player) -> tuple[Note, ...]:
        """The notes that a player plays within the piece."""
        written = _WRITERS[player.role](self, player, self._stream(f"part {player.part}"))
        beats = BEATS[self.settings["metre"]]
        kept = (note for note in written if note.beat < beats and self._is_kept(note, player))
        return playable((self._played(note, player) for note in kept), player.instrument, self.duration)

    def _is_kept(self, note: Written, player: Player) -> bool:
        return self.settings["density"] == "dense" or player.role == "drums" or note.beat % HALF_BAR == 0

    def _played(self, note: Written, player: Player) -> Note:
        beats, place = BEATS[self.settings["metre"]], (note.bar, int(note.beat * PLACES / BAR))
        start = note.bar * beats + note.beat
        end = start + min(note.length, beats - note.beat) * HELD
        drums = player.role == "drums"
        pitch = note.pitch if drums else self._in(self.settings["mode"], note.pitch)
        if player.role in ("melody", "chords"):
            pitch += 12 * OCTAVES[self.settings["register"]]
        slips, moods = self._inaccuracies(player.part)
        onset = self._seconds(start) + float(slips[place]) * 60 / self.tempo
        length = self._seconds(end) - self._seconds(start)
        return Note(max(onset, 0.0), length, pitch, self._velocity(note, player, moods[place]))

    def _velocity(self, note: Written, player: Player, mood: float) -> int:
        accent = ACCENTS.get(round(note.beat * PLACES / BAR), OTHER_ACCENT) + 8 * note.accent
        swell = SWELL[self.settings["dynamics"]] * np.sin(2 * np.pi * (note.bar * BAR + note.beat) / SWELL_BEATS)
        return int(np.clip(round(TOUCH[self.settings["touch"]] + BALANCE[player.role] + accent + swell + mood), 5, 127))

    def _seconds(self, beat: float) -> float:
        """When a beat is; with swing, the second eighth of a beat comes late."""
        whole, within = divmod(beat, 1.0)
        late = SWING[self.settings["swing"]]
        return float(whole + np.interp(within, (0.0, 0.5, 1.0), (0.0, late, 1.0))) * 60 / self.tempo

    def _inaccuracies(self, part: str) -> tuple[Grid, Grid]:
        """How late a player is at each place ``(bars, places)``, in beats, and how much louder, in velocity."""
        rng = self._stream(f"player {part}")
        slips = rng.normal(0, LOOSENESS, (LONGEST, PLACES)).clip(-2 * LOOSENESS, 2 * LOOSENESS)
        return slips, rng.normal(0, HUMAN, (LONGEST, PLACES))

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, purpose)

    def steps(self, low: int, high: int) -> list[int]:
        """The steps of the scale whose pitches lie from ``low`` to ``high`` in both modes."""
        return [step for step in range(STEPS) if low <= self._in("minor", step) and self._in("major", step) <= high]

    def _in(self, mode: str, step: int) -> int:
        octave, degree = divmod(step, SCALE)
        return self.tonic + 12 * octave + MODES[mode][degree]


def _lowest(piece: Piece, player: Player, rng: np.random.Generator) -> int:
    """The lowest step of a part that, like the same part an octave higher, lies within the player's range."""
    within = piece.steps(player.instrument.low, player.instrument.high - 12)
    return within[round(rng.beta(1.4, 1.4) * (len(within) - 1 - REACH))]


def _melody(piece: Piece, player: Player, rng: np.random.Generator) -> Iterator[Written]:
    """Phrases of two bars in a form, each a rhythm and a walk over the pentatonic scale."""
    low = _lowest(piece, player, rng)
    ladder = [step for step in range(low, low + REACH + 1) if step % SCALE in PENTATONIC]
    phrases = {letter: _phrase(ladder, rng) for letter in sorted(set(FORM))}
    for bar in range(piece.bars):
        phrase = phrases[FORM[bar // PHRASE % len(FORM)]]
        yield from (Written(bar, *note) for note in phrase[bar % PHRASE])


def _phrase(ladder: Sequence[int], rng: np.random.Generator) -> list[list[tuple[float, float, int]]]:
    """Bars of (beat, length, step)."""
    place, bars = int(rng.integers(len(ladder))), []
    for _ in range(PHRASE):
        bar = []
        for _, beat, length in cells(MELODIES[rng.integers(len(MELODIES))], BAR):
            bar.append((beat, length, ladder[place]))
            place = int(np.clip(place + rng.choice((-2, -1, 1, 2)), 0, len(ladder) - 1))
        bars.append(bar)
    return bars


def _chords(piece: Piece, player: Player, rng: np.random.Generator) -> Iterator[Written]:
    """Triads in close position, in one rhythm throughout."""
    low, pattern = _lowest(piece, player, rng), CHORDS[rng.integers(len(CHORDS))]
    for bar in range(piece.bars):
        for _, beat, length in cells(pattern, BAR):
            tones = {(piece.root(bar, beat) + third) % SCALE for third in (0, 2, 4)}
            rungs = [step for step in range(low, low + REACH + 1) if step % SCALE in tones]
            first = rungs.index(nearest(low + 2, rungs[:-2]))
            yield from (Written(bar, beat, length, step) for step in rungs[first : first + 3])


def _bass(piece: Piece, player: Player, rng: np.random.Generator) -> Iterator[Written]:
    """The root of the chord and its fifth, within the lowest tones of the instrument."""
    low = piece.steps(player.instrument.low, player.instrument.high)[0]
    pattern = BASSES[rng.integers(len(BASSES))]
    for bar in range(piece.bars):
        for symbol, beat, length in cells(pattern, BAR):
            step = low + (piece.root(bar, beat) - low) % SCALE
            yield Written(bar, beat, length, step + (4 if symbol == "5" else 0))


def _drums(piece: Piece, player: Player, rng: np.random.Generator) -> Iterator[Written]:  # noqa: ARG001 - as the others
    keys = {name: int(rng.choice(KIT[name])) for name in ("kick", "snare", "stick", "hat")}
    groove: Mapping[str, str] = GROOVES[piece.settings["pattern"]]
    for bar in range(piece.bars):
        for name, pattern in groove.items():
            for symbol, beat, _ in cells(pattern, BAR):
                yield Written(bar, beat, STROKE_LENGTH, keys[name], STROKES[symbol])


_WRITERS = {"melody": _melody, "chords": _chords, "bass": _bass, "drums": _drums}
