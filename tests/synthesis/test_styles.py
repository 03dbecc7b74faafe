"""Every style composes playable scores; those of the style ``musical`` follow the rules of tonal music."""

from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest

from core.errors import InputError
from core.synthesis.composition import melody, patterns
from core.synthesis.composition.casting import Voice, cast
from core.synthesis.composition.plan import METERS, MODE_WEIGHTS, PROGRESSIONS, draw_plan
from core.synthesis.composition.theory import MODES, chord
from core.synthesis.midi import score_to_midi
from core.synthesis.playable import playable
from core.synthesis.score import STYLES, Note, Score, ScoreRequest
from core.taxonomy.instruments import INSTRUMENTS, Instrument

DRUMS = INSTRUMENTS["drums"]
PITCHED = tuple(instrument for instrument in INSTRUMENTS.values() if not instrument.is_drums)
SEVEN_NOTE_SCALES = [{(tonic + step) % 12 for step in MODES["major"]} for tonic in range(12)] + [
    {(tonic + step) % 12 for step in (0, 2, 3, 5, 7, 8, 11)} for tonic in range(12)
]


def some(*labels: str) -> tuple[Instrument, ...]:
    return tuple(INSTRUMENTS[label] for label in labels)


def play(
    style: str, instruments: tuple[Instrument, ...], duration: float, seed: int, folder: Path | None = None
) -> Score:
    request = ScoreRequest(instruments, duration, str(folder) if folder else None)
    return STYLES.get(style)(request, np.random.default_rng(seed))


def save(folder: Path, name: str, score: Score) -> None:
    programs = {label: INSTRUMENTS[label].programs[0] for label in score.parts}
    score_to_midi(score, programs).save(folder / name)


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ensemble, a band with drums, a short melody alone, and a broken file."""
    folder = tmp_path_factory.mktemp("songs")
    (folder / "deeper").mkdir()
    save(folder, "ensemble.mid", play("musical", some("violin", "cello", "flute", "piano"), 20.0, 1))
    save(folder, "deeper/band.mid", play("musical", some("drums", "electric_bass", "organ", "saxophone"), 30.0, 2))
    save(folder, "tune.midi", play("musical", some("clarinet"), 6.0, 3))
    (folder / "broken.mid").write_bytes(b"MThd, but nothing that follows")
    return folder


def random_request(seed: int) -> tuple[tuple[Instrument, ...], float]:
    """Instruments and a duration; 29 consecutive seeds cover all instruments."""
    rng = np.random.default_rng(seed)
    everyone = list(INSTRUMENTS.values())
    order = [everyone[seed % 29], *(everyone[index] for index in rng.permutation(29) if index != seed % 29)]
    return tuple(order[: rng.integers(1, 9)]), float(rng.choice((1.0, 2.5, 5.0, 5.0, 30.0)))


def sounding(notes: tuple[Note, ...], times: np.ndarray) -> np.ndarray:
    """Which note sounds when: booleans (notes, times)."""
    onsets, ends = np.array([(note.onset, note.end) for note in notes]).T[:, :, None]
    return (onsets <= times) & (times < ends)


def check_part(notes: tuple[Note, ...], instrument: Instrument, duration: float) -> None:
    assert list(notes) == sorted(notes, key=lambda note: note.onset)
    for note in notes:
        assert 0 <= note.onset < note.end <= duration
        assert instrument.low <= note.pitch <= instrument.high
        assert 1 <= note.velocity <= 127
        assert all(type(value) is int for value in (note.pitch, note.velocity))
    at_onsets = sounding(notes, np.array([note.onset for note in notes]))
    assert at_onsets.sum(axis=0).max() <= instrument.polyphony
    pitches = np.array([note.pitch for note in notes])
    same = pitches[:, None] == pitches[None, :]
    assert (at_onsets & same).sum(axis=0).max() == 1, "a pitch is struck while it sounds"


def check_heard(notes: tuple[Note, ...], instrument: Instrument, duration: float) -> None:
    assert notes[0].onset <= 0.4 * duration
    assert max(note.velocity for note in notes) >= 50
    if instrument.is_drums:
        assert len(notes) >= max(1, int(0.6 * duration))
    else:
        times = np.linspace(0, duration, 1000)
        assert sounding(notes, times).any(axis=0).mean() >= 0.2


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", range(29))
def test_contract(style: str, seed: int, songs: Path) -> None:
    instruments, duration = random_request(seed)
    score = play(style, instruments, duration, seed, songs)
    assert score.duration == duration
    assert score.tempo > 0
    assert list(score.parts) == [instrument.label for instrument in instruments]
    for instrument in instruments:
        check_part(score.parts[instrument.label], instrument, duration)
        if style != "sparse":  # which leaves silence on purpose
            check_heard(score.parts[instrument.label], instrument, duration)


@pytest.mark.parametrize("style", STYLES)
def test_same_seed_same_score(style: str, songs: Path) -> None:
    instruments = some("piano", "drums", "trumpet")
    assert play(style, instruments, 5.0, 7, songs) == play(style, instruments, 5.0, 7, songs)
    assert play(style, instruments, 5.0, 7, songs) != play(style, instruments, 5.0, 8, songs)


@pytest.mark.parametrize(("style", "missed"), [("random", 0), ("musical", 5)])
def test_every_register_is_used(style: str, missed: int) -> None:
    """Over many seeds the parts reach both ends of the range, give or take ``missed`` semitones."""
    for instrument in some("piano", "violin", "tuba"):
        parts = [play(style, (instrument,), 5.0, seed).parts[instrument.label] for seed in range(400)]
        pitches = {note.pitch for part in parts for note in part}
        assert min(pitches) <= instrument.low + missed
        assert max(pitches) >= instrument.high - missed


def test_random_uses_chords_and_loudness() -> None:
    notes = [note for seed in range(50) for note in play("random", some("piano"), 5.0, seed).parts["piano"]]
    onsets = [note.onset for note in notes]
    assert len(set(onsets)) < len(onsets)
    assert min(note.velocity for note in notes) < 60 < 120 < max(note.velocity for note in notes)


# --- musical -----------------------------------------------------------------------------------------------------


def test_music_keeps_to_a_scale() -> None:
    shares = []
    for seed in range(60):
        score = play("musical", some("piano", "violin", "electric_bass"), 8.0, seed)
        classes = [note.pitch % 12 for part in score.parts.values() for note in part]
        shares.append(max(np.mean([pitch in scale for pitch in classes]) for scale in SEVEN_NOTE_SCALES))
    assert np.mean(np.array(shares) >= 0.85) >= 0.95
    assert np.mean(shares) >= 0.95


def test_bass_lies_below_melody() -> None:
    for seed in range(40):
        score = play("musical", some("electric_bass", "flute", "piano"), 8.0, seed)
        bass, flute = (np.mean([note.pitch for note in score.parts[label]]) for label in ("electric_bass", "flute"))
        assert bass < flute - 7


def test_melody_has_chord_tones_on_strong_beats_and_moves_by_step() -> None:
    voice = Voice(INSTRUMENTS["violin"], "lead", 60, 77)
    strong, intervals = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        plan = draw_plan(20.0, rng)
        notes = melody.lead(plan, voice, rng)
        strong += [
            note.pitch % 12 in plan.span_at(note.beat).chord.tones for note in notes if plan.accent(note.beat) >= 0.6
        ]
        intervals += np.abs(np.diff([note.pitch for note in notes])).tolist()
    assert np.mean(strong) > 0.95
    assert np.mean(np.array(intervals) <= 4) > 0.7


def test_melody_repeats_its_rhythm() -> None:
    """Phrases of the same form share their rhythm, which makes them recognisable."""
    rng = np.random.default_rng(4)
    plan = draw_plan(30.0, rng)
    notes = melody.lead(plan, Voice(INSTRUMENTS["flute"], "lead", 65, 82), rng)
    length = plan.phrase * plan.meter.bar
    first, second = ([note.beat % length for note in notes if note.beat // length == phrase] for phrase in (0, 1))
    assert first == second


def test_harmony_keeps_its_voices_close() -> None:
    """Voice leading: from chord to chord a sustained voice moves by a third or less on average."""
    moves = []
    for seed in range(40):
        notes = play("musical", some("synth_pad"), 12.0, seed).parts["synth_pad"]
        chords = {}
        for note in notes:
            chords.setdefault(round(note.onset * 2), []).append(note.pitch)
        stacks = [sorted(chord) for _, chord in sorted(chords.items())]
        moves += [np.mean(np.abs(np.subtract(a, b))) for a, b in pairwise(stacks) if len(a) == len(b)]
    assert np.mean(moves) < 4


def test_solo_piano_plays_melody_and_harmony() -> None:
    low_and_high = 0
    for seed in range(20):
        pitches = [note.pitch for note in play("musical", some("piano"), 8.0, seed).parts["piano"]]
        low_and_high += max(pitches) - min(pitches) > 18
    assert low_and_high >= 15


@pytest.mark.parametrize("seed", range(20))
def test_cast_has_one_lead_and_a_bass_that_can_play_it(seed: int) -> None:
    instruments, _ = random_request(seed)
    roles = [voice.role for voice in cast(instruments, np.random.default_rng(seed))]
    assert sum(role in ("lead", "solo") for role in roles) <= 1
    if not {"lead", "solo"} & set(roles):
        assert not set(roles) & {"thirds", "answer", "counter"}
    for instrument, role in zip(instruments, roles, strict=True):
        assert (role == "drums") == instrument.is_drums
        assert role != "bass" or "bass" in instrument.roles


def test_tables_are_complete() -> None:
    assert set(MODE_WEIGHTS) == set(PROGRESSIONS) == set(MODES)
    assert sum(MODE_WEIGHTS.values()) == pytest.approx(1)
    for mode, progressions in PROGRESSIONS.items():
        for progression in progressions:
            for numeral in progression.replace("|", " ").split():
                assert len(chord(numeral, 0, mode).scale) == 7, (mode, numeral)
    for meter in METERS:
        tables = (patterns.RHYTHMS, patterns.CADENCES, patterns.BASSES, patterns.BLOCKS, patterns.ARPEGGIOS)
        rows = [row for table in (*tables, patterns.STRUMS, patterns.FILLS) for row in table[meter.name]]
        rows += [row for groove in patterns.GROOVES[meter.name] for row in groove.values()]
        assert all(len(row) % (meter.bar * 2 if meter.bar == 3 else 4) == 0 for row in rows), meter.name
        assert all(set(groove) <= set(patterns.KIT) for groove in patterns.GROOVES[meter.name])
    keys = {key for keys in patterns.KIT.values() for key in keys} | set(patterns.COLOURS)
    assert all(DRUMS.low <= key <= DRUMS.high for key in keys)


# --- playable ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_playable_makes_any_notes_playable(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instrument = INSTRUMENTS[str(rng.choice(("trumpet", "violin", "piano", "drums")))]
    chaos = [
        Note(float(rng.uniform(-1, 6)), float(rng.exponential(1)), int(rng.integers(0, 128)), int(rng.integers(1, 128)))
        for _ in range(200)
    ]
    check_part(playable(chaos, instrument, 5.0), instrument, 5.0)


def test_playable_leaves_playable_notes_alone() -> None:
    notes = (Note(0.0, 1.0, 60, 90), Note(1.5, 1.0, 60, 80), Note(2.5, 2.0, 72, 1))
    assert playable(notes, INSTRUMENTS["trumpet"], 5.0) == notes


# --- midi --------------------------------------------------------------------------------------------------------


def write_notes(path: Path, tracks: dict[int, list[int]], channel: int = 0) -> None:
    """A MIDI file at 120 beats per minute: for each program a track with its pitches, a quarter each."""
    file = mido.MidiFile(ticks_per_beat=480)
    for offset, (program, pitches) in enumerate(tracks.items()):
        track = mido.MidiTrack([mido.Message("program_change", channel=channel + offset, program=program)])
        for pitch in pitches:
            track.append(mido.Message("note_on", channel=channel + offset, note=pitch, velocity=70))
            track.append(mido.Message("note_off", channel=channel + offset, note=pitch, time=480))
        file.tracks.append(track)
    file.save(path)


def test_midi_gives_parts_to_their_instruments(tmp_path: Path) -> None:
    """Programs decide; pitches keep their class, and only octaves move them into range."""
    write_notes(tmp_path / "duo.mid", {73: [60, 62] * 20, 32: [29, 36] * 20})
    for seed in range(10):
        score = play("midi", some("double_bass", "flute"), 5.0, seed, tmp_path)
        assert {note.pitch % 12 for note in score.parts["flute"]} == {0, 2}
        assert {note.pitch % 12 for note in score.parts["double_bass"]} == {5, 0}
        assert score.tempo == 120


def test_midi_matches_the_group_of_programs(tmp_path: Path) -> None:
    write_notes(tmp_path / "duo.mid", {56: [61, 63] * 20, 40: [60, 62] * 20})
    score = play("midi", some("cello"), 5.0, 0, tmp_path)
    assert {note.pitch % 12 for note in score.parts["cello"]} == {0, 2}


def test_midi_spreads_one_melody_over_many_instruments(tmp_path: Path) -> None:
    """A tune shorter than the clip is repeated, and every instrument plays from it."""
    write_notes(tmp_path / "tune.mid", {0: [60, 62, 64, 65, 67, 69]})
    score = play("midi", some("oboe", "tuba", "violin", "harp", "drums"), 20.0, 3, tmp_path)
    for label in ("oboe", "tuba", "violin", "harp"):
        assert {note.pitch % 12 for note in score.parts[label]} == {0, 2, 4, 5, 7, 9}
        assert score.parts[label][-1].end > 18
    assert len(score.parts["drums"]) > 12


def test_midi_takes_drums_from_the_file(tmp_path: Path) -> None:
    write_notes(tmp_path / "beat.mid", {0: [36, 38, 42] * 20}, channel=9)
    score = play("midi", some("drums"), 5.0, 0, tmp_path)
    assert {note.pitch for note in score.parts["drums"]} == {36, 38, 42}
    with pytest.raises(InputError, match="notes for these instruments"):
        play("midi", some("flute"), 5.0, 0, tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "no folder"),
        ({}, "has no MIDI files"),
        ({"notes.txt": b"C D E"}, "has no MIDI files"),
        ({"a.mid": b"", "b.mid": b"RIFF....WAVE"}, "can be read"),
        (
            {"silent.mid": b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"},
            "has notes",
        ),
    ],
)
def test_bad_folders(tmp_path: Path, files: dict[str, bytes] | None, message: str) -> None:
    folder = tmp_path / "songs"
    if files is not None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        play("midi", some("flute"), 5.0, 0, folder)


def test_links_to_nowhere_and_folders_are_no_midi_files(tmp_path: Path) -> None:
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nowhere.mid")
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(InputError, match="has no MIDI files"):
        play("midi", some("flute"), 5.0, 0, tmp_path)


def test_midi_without_folder() -> None:
    with pytest.raises(InputError, match="needs a folder"):
        play("midi", some("flute"), 5.0, 0)
