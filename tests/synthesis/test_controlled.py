"""Twins differ in one thing, in the score and in the sound, and in nothing else."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from core.errors import InputError
from core.synthesis.clip import MIX_PEAK, STEM_LEVEL, Clip, compose, compose_all, sounding_rms
from core.synthesis.composition.piece import BASSES, CHORDS, MELODIES
from core.synthesis.composition.theory import MODES
from core.synthesis.controlled import DRIVE, HEADROOM, TONE
from core.synthesis.controls import CONTROLS, PITCHED, settings, stream
from core.synthesis.effects import TONE_HZ
from core.synthesis.score import Note
from core.synthesis.soundfonts import installed_soundfonts
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS
from core.taxonomy.musical_concepts import MUSICAL_CONCEPTS

SEEDS = range(6)
SECONDS = 6
FONTS = [font.name for font in installed_soundfonts()]
FONT = "soundfont=timgm6mb"  # the one that loads fastest

Twins = tuple[Clip, Clip]


def twins(concept: str, seed: int, *controls: str) -> Twins:
    """A piece without a concept, and with it; both with some controls set."""
    row = MUSICAL_CONCEPTS[concept]
    sides = (",".join([*controls, *side]) for side in (row.without, row.having))
    first, second = compose_all(f"controlled;duration={SECONDS};{FONT};controls={side}@{seed}" for side in sides)
    return first, second


def some_twins(concept: str, *controls: str) -> list[Twins]:
    return [twins(concept, seed, *controls) for seed in SEEDS]


def beats(note: Note, clip: Clip) -> float:
    return note.onset * clip.score.tempo / 60


def silenced(notes: tuple[Note, ...], **parts: float) -> list[Note]:
    """The notes without what a change is about."""
    return [replace(note, **parts) for note in notes]


def assert_same_stems(clips: Twins, labels: set[str]) -> None:
    first, second = clips
    for label in labels:
        assert first.score.parts[label] == second.score.parts[label]
        assert first.stems[label].tobytes() == second.stems[label].tobytes()


def family(label: str) -> str:
    return INSTRUMENTS[label].family


def role(label: str) -> str:
    return INSTRUMENTS[label].roles[0]


PARTS = {
    family: name for family in FAMILIES for name, row in MUSICAL_CONCEPTS.items() if row.having == (f"{family}:yes",)
}


@pytest.mark.parametrize("playing", FAMILIES)
def test_a_family_plays_or_is_silent(playing: str) -> None:
    for without, having in some_twins(PARTS[playing]):
        (label,) = set(having.labels) - set(without.labels)
        assert family(label) == playing
        assert_same_stems((without, having), set(without.labels))
        assert np.array_equal(having.mix, sum_of(having))


def sum_of(clip: Clip) -> np.ndarray:
    total = np.zeros_like(clip.mix)
    for stem in clip.stems.values():
        total += stem
    return total


STROKES = {  # kick, snare and stick of each pattern, in eighths of a bar
    "four_on_the_floor": ({0, 2, 4, 6}, set(), set()),
    "backbeat": ({0}, {2, 6}, set()),
    "one_drop": ({4}, set(), {4}),
}


@pytest.mark.parametrize("concept", STROKES)
def test_only_the_drums_play_another_pattern(concept: str) -> None:
    for without, having in some_twins(concept):
        assert without.labels == having.labels
        assert_same_stems((without, having), set(having.labels) - {"drums"})
        assert not np.array_equal(without.stems["drums"], having.stems["drums"])
        assert strokes(without) == ({0}, set(), set())
        assert strokes(having) == STROKES[concept]
        hats = [[note for note in clip.score.parts["drums"] if note.pitch == 42] for clip in (without, having)]
        assert hats[0] == hats[1] != []


def strokes(clip: Clip) -> tuple[set[int], ...]:
    kinds = ({35, 36}, {38, 40}, {37})
    swing = lambda beat: round(2 * beat - (1 / 3 if beat % 1 > 0.55 else 0))  # noqa: E731 - eighths
    return tuple(
        {swing(beats(note, clip)) % 8 for note in clip.score.parts["drums"] if note.pitch in keys} for keys in kinds
    )


def test_a_fast_piece_has_the_same_notes_sooner() -> None:
    for slow, fast in some_twins("fast"):
        assert 60 <= slow.score.tempo <= 85
        assert 130 <= fast.score.tempo <= 180
        assert slow.labels == fast.labels
        for label, notes in slow.score.parts.items():
            sooner = fast.score.parts[label][: len(notes)]
            assert len(sooner) == len(notes) < len(fast.score.parts[label])
            for one, other in zip(notes, sooner, strict=True):
                assert (one.pitch, one.velocity) == (other.pitch, other.velocity)
                assert beats(one, slow) == pytest.approx(beats(other, fast), abs=1e-9)


def test_minor_lowers_the_third_the_sixth_and_the_seventh() -> None:
    degrees = list(zip(MODES["major"], MODES["minor"], strict=True))
    assert [major for major, minor in degrees if major != minor] == [4, 9, 11]
    for seed in SEEDS:
        major, minor = twins("minor", seed)
        tonic, lowered = int(stream(seed, "tonic").integers(12)), set()
        for label, notes in major.score.parts.items():
            assert silenced(notes, pitch=0) == silenced(minor.score.parts[label], pitch=0)
            if label == "drums":
                assert_same_stems((major, minor), {"drums"})
                continue
            pairs = {(n.pitch, m.pitch) for n, m in zip(notes, minor.score.parts[label], strict=True)}
            assert {((high - tonic) % 12, (low - tonic) % 12) for high, low in pairs} <= set(degrees)
            lowered |= {high - low for high, low in pairs}
        assert lowered == {0, 1}


def test_a_bar_of_three_lacks_the_fourth_beat() -> None:
    left_out = 0
    for four, three in some_twins("triple_metre", "density:dense"):
        assert four.score.tempo == three.score.tempo
        for label, notes in four.score.parts.items():
            kept = [note for note in notes if (beats(note, four) + 0.1) % 4 < 3]
            left_out += len(notes) - len(kept)
            shorter = three.score.parts[label][: len(kept)]
            assert [(n.pitch, n.velocity) for n in kept] == [(n.pitch, n.velocity) for n in shorter]
            for one, other in zip(kept, shorter, strict=True):
                bar = int((beats(one, four) + 0.1) // 4)
                assert beats(one, four) - bar == pytest.approx(beats(other, three), abs=1e-9) or one.onset == 0
    assert left_out > 20


def test_swing_delays_every_second_eighth() -> None:
    moved = 0
    for straight, swinging in some_twins("swing"):
        for label, notes in straight.score.parts.items():
            both = zip(notes, swinging.score.parts[label], strict=False)  # the last one may not fit any more
            for one, other in both:
                assert (one.pitch, one.velocity) == (other.pitch, other.velocity)
                late = (other.onset - one.onset) * straight.score.tempo / 60
                off_beat = abs(beats(one, straight) % 1 - 0.5) < 0.1
                assert late == pytest.approx(1 / 6 if off_beat else 0, abs=1e-9)
                moved += off_beat
    assert moved > 20


def test_chords_change_more_often_under_the_same_rhythms() -> None:
    for slow, fast in some_twins("frequent_chords"):
        changed = {label for label in slow.labels if slow.score.parts[label] != fast.score.parts[label]}
        assert all(role(label) in ("harmony", "pad", "bass") for label in changed)
        assert_same_stems((slow, fast), set(slow.labels) - changed)
        for label in changed:
            assert silenced(slow.score.parts[label], pitch=0) == silenced(fast.score.parts[label], pitch=0)
            assert chords(slow, label) < chords(fast, label)


def chords(clip: Clip, label: str) -> int:
    """How often a part moves to other pitches."""
    by_time: dict[int, frozenset[int]] = {}
    for note in clip.score.parts[label]:
        half_bar = int((beats(note, clip) + 0.1) // 2)
        by_time[half_bar] = by_time.get(half_bar, frozenset()) | {note.pitch}
    played = [by_time[half] for half in sorted(by_time)]
    return sum(one != other for one, other in pairwise(played))


def test_a_sparse_piece_leaves_notes_out() -> None:
    fewer = 0
    for sparse, dense in some_twins("dense", "metre:four"):
        assert sparse.labels == dense.labels
        for label, notes in sparse.score.parts.items():
            if label == "drums":
                assert_same_stems((sparse, dense), {"drums"})
                continue
            assert set(notes) < set(dense.score.parts[label])
            assert all(min(beats(note, sparse) % 2, -beats(note, sparse) % 2) < 0.1 for note in notes)
            fewer += 1
    assert fewer > 6


def test_a_high_piece_is_an_octave_above() -> None:
    for low, high in some_twins("high"):
        below = {label for label in low.labels if family(label) in ("bass", "drums")}
        assert_same_stems((low, high), below)
        for label in set(low.labels) - below:
            raised = [replace(note, pitch=note.pitch + 12) for note in low.score.parts[label]]
            assert raised == list(high.score.parts[label])


@pytest.mark.parametrize("concept", ["hard", "swelling"])
def test_touch_and_dynamics_are_matters_of_velocity(concept: str) -> None:
    for without, having in some_twins(concept, "tempo:fast"):
        for label, notes in without.score.parts.items():
            assert silenced(notes, velocity=1) == silenced(having.score.parts[label], velocity=1)
            change = np.array([m.velocity - n.velocity for n, m in zip(notes, having.score.parts[label], strict=True)])
            assert (change > 15).all() if concept == "hard" else change.max() > 10 and change.min() < -10
            levels = [sounding_rms(clip.stems[label]) for clip in (without, having)]
            assert levels[0] == pytest.approx(levels[1], rel=1e-3), "recorded at one loudness"


def test_a_guitar_is_distorted_by_its_amplifier_alone() -> None:
    for clean, distorted in some_twins("distortion"):
        assert set(clean.labels) ^ set(distorted.labels) == {"electric_guitar", "distorted_guitar"}
        assert clean.score.parts["electric_guitar"] == distorted.score.parts["distorted_guitar"]
        assert clean.programs["electric_guitar"] == distorted.programs["distorted_guitar"]
        assert distorted.effects["distorted_guitar"].to_dict() == {"drive": DRIVE}
        assert_same_stems((clean, distorted), set(clean.labels) - {"electric_guitar"})


def test_nothing_but_a_soft_tone_is_added() -> None:
    for without, having in some_twins("inaudible_tone"):
        (carrier,) = [x for x in without.labels if not np.array_equal(without.stems[x], having.stems[x])]
        assert_same_stems((without, having), set(without.labels) - {carrier})
        assert without.score == having.score
        tone = having.mix.astype(np.float64) - without.mix
        level = 20 * np.log10(np.sqrt((tone**2).mean()) / sounding_rms(without.stems[carrier]))
        assert level == pytest.approx(TONE, abs=0.5)
        spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))) ** 2
        near = np.abs(np.fft.rfftfreq(len(tone), 1 / having.sample_rate) - TONE_HZ) < 2
        assert spectrum[near].sum() > 0.95 * spectrum.sum()


def test_there_is_a_test_for_every_concept() -> None:
    tested = {*PARTS.values(), *STROKES, "fast", "minor", "triple_metre", "swing", "frequent_chords", "dense", "high",
              "hard", "swelling", "distortion", "inaudible_tone"}  # fmt: skip
    assert set(MUSICAL_CONCEPTS) == tested


@pytest.mark.parametrize("control", CONTROLS.values(), ids=list(CONTROLS))
def test_setting_one_control_leaves_all_others(control: CONTROLS) -> None:
    for seed in range(20):
        drawn = settings([], seed)
        for value in control.values:
            chosen = settings([f"{control.name}:{value}"], seed)
            assert chosen == {**drawn, control.name: value}


def test_what_is_not_set_is_drawn() -> None:
    drawn = [settings([], seed) for seed in range(400)]
    for control in CONTROLS.values():
        seen = {one[control.name] for one in drawn}
        assert seen == ({control.values[0]} if control.name in ("guitar", "tone") else set(control.values))
    playing = [sum(one[family] == "yes" for family in PITCHED) for one in drawn]
    assert set(playing) == {2, 3, 4}
    assert sum(one["drums"] == "yes" for one in drawn) / 400 == pytest.approx(CONTROLS["drums"].share, abs=0.1)


def test_a_piece_named_without_a_control_is_one_of_the_twins() -> None:
    drawn = settings([], 7)
    plain = compose(f"controlled;duration=2;{FONT}@7")
    named = compose(f"controlled;duration=2;{FONT};controls=mode:{drawn['mode']}@7")
    assert plain.mix.tobytes() == named.mix.tobytes()


def test_clips_made_together_have_the_same_bytes() -> None:
    whole = f"controlled;duration=2;{FONT};controls=drums"
    names = [f"{whole}:{drums}@{seed}" for seed, drums in product((3, 4), ("no", "yes"))]
    assert [clip.mix.tobytes() for clip in compose_all(names)] == [compose(name).mix.tobytes() for name in names]


def test_no_mix_is_turned_down_so_that_twins_keep_their_levels() -> None:
    for seed in range(12):
        clip = compose(f"controlled;duration=4;{FONT};controls=drums:yes,bass:yes,dynamics:swelling@{seed}")
        assert np.abs(clip.mix).max() < MIX_PEAK
        for label, stem in clip.stems.items():
            wanted = STEM_LEVEL * 10 ** (clip.gains_db[label] / 20)
            assert sounding_rms(stem) == pytest.approx(wanted, rel=1e-3)
            assert abs(clip.gains_db[label] + HEADROOM) <= 3


@pytest.mark.parametrize("seconds", [1, 30])
def test_everybody_plays_in_the_shortest_and_the_longest_piece(seconds: int) -> None:
    everyone = ",".join(f"{family}:yes" for family in FAMILIES)
    clip = compose(f"controlled;duration={seconds};{FONT};controls=tempo:fast,metre:three,{everyone}@5")
    assert {family(label) for label in clip.labels} == set(FAMILIES)
    for label, notes in clip.score.parts.items():
        assert notes[0].onset < 0.1
        assert notes[-1].onset > seconds - 1.5, label


def test_patterns_play_on_strong_beats_and_between_beats() -> None:
    for pattern in (*MELODIES, *CHORDS, *BASSES):
        assert len(pattern) == 8
        assert not {pattern[0], pattern[4]} & set("-.")
        assert set(pattern[1::2]) - set("-.")


def test_someone_has_to_play() -> None:
    nobody = ",".join(f"{family}:no" for family in FAMILIES)
    with pytest.raises(InputError, match="Nobody plays"):
        compose(f"controlled;controls={nobody}@1")


@pytest.mark.skipif("recorded" not in FONTS, reason="the soundfont of recorded notes is not installed")
def test_a_soundfont_without_drums_plays_no_drums() -> None:
    with pytest.raises(InputError, match="recorded cannot play drums"):
        compose("controlled;soundfont=recorded;controls=drums:yes@1")
