"""Effects do what their settings say, and the mix stays the sum of its stems."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from core.audio import SAMPLE_RATE
from core.synthesis.clip import compose
from core.synthesis.effects import (
    AMPLIFIERS,
    EFFECTS,
    EQUALISER_HZ,
    Effects,
    draw_live,
    draw_varied,
    in_the_air,
    in_the_room,
    played,
    recorded,
)
from core.synthesis.render import render_stem
from core.synthesis.score import Note
from core.taxonomy.instruments import INSTRUMENTS

LABELS = ("piano", "violin", "drums")


def tone(hz: float, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10((samples.astype(np.float64) ** 2).mean() + 1e-12))


def middle(samples: np.ndarray) -> np.ndarray:
    return samples[len(samples) // 4 : -len(samples) // 4]


def test_no_effects_change_nothing() -> None:
    stem = tone(440)
    notes = (Note(0.0, 1.0, 60, 90),)
    assert in_the_air(stem, Effects()) is stem
    assert in_the_room(stem, Effects()) is stem
    assert recorded(stem, 0.1, Effects()) is stem
    assert played(notes, Effects()) is notes


@pytest.mark.parametrize("knot", range(len(EQUALISER_HZ)))
def test_the_equaliser_changes_the_band_of_each_frequency(knot: int) -> None:
    gains = [0.0] * len(EQUALISER_HZ)
    gains[knot] = -12.0
    for other, hz in enumerate(EQUALISER_HZ):
        change = level_db(middle(in_the_room(tone(hz), Effects(equaliser=tuple(gains))))) - level_db(middle(tone(hz)))
        assert change == pytest.approx(gains[other], abs=0.2)


def test_a_band_keeps_what_lies_in_it() -> None:
    effects = Effects(band=(200.0, 4000.0))
    for hz, kept in ((50, False), (1000, True), (9000, False)):
        change = level_db(middle(in_the_room(tone(hz), effects))) - level_db(middle(tone(hz)))
        assert change == pytest.approx(0, abs=0.3) if kept else change < -30


def test_a_room_decays_in_its_reverberation_time() -> None:
    click = np.zeros(3 * SAMPLE_RATE, dtype=np.float32)
    click[0] = 1
    echo = in_the_room(click, Effects(reverb=1.0, reverb_level=-3.0, seed=3))
    assert echo[0] == pytest.approx(1, abs=1e-4)
    early, late = (level_db(echo[round(t * SAMPLE_RATE) :][: SAMPLE_RATE // 10]) for t in (0.2, 0.6))
    assert early - late == pytest.approx(60 * 0.4, abs=3)
    assert 10 * np.log10((echo[1:].astype(np.float64) ** 2).sum()) == pytest.approx(-3, abs=0.5)


def test_a_gap_is_silent_and_the_rest_is_not_touched() -> None:
    stem = tone(300)
    silenced = in_the_room(stem, Effects(gap=(0.5, 1.0)))
    at = lambda t: round(t * SAMPLE_RATE)  # noqa: E731
    assert np.abs(silenced[at(0.53) : at(0.97)]).max() == 0
    assert np.array_equal(silenced[: at(0.49)], stem[: at(0.49)])
    assert np.array_equal(silenced[at(1.01) :], stem[at(1.01) :])


def test_a_gap_never_silences_a_stem_altogether() -> None:
    stem = tone(300, 0.4)
    assert np.array_equal(in_the_room(stem, Effects(gap=(0.0, 0.4))), stem)


@pytest.mark.parametrize("tilt", [0.0, 6.0])
def test_noise_has_its_level_and_tilt(tilt: float) -> None:
    silence = np.zeros(4 * SAMPLE_RATE, dtype=np.float32)
    noise = recorded(silence, 0.1, Effects(noise=-40.0, noise_tilt=tilt))
    assert level_db(noise) == pytest.approx(-60, abs=0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    low, high = (10 * np.log10(power[(hz > f) & (hz < f * 1.2)].mean()) for f in (500, 2000))
    assert low - high == pytest.approx(2 * tilt, abs=1)


def test_a_codec_keeps_length_time_and_level() -> None:
    stem = tone(440) * np.float32(0.2)
    decoded = recorded(stem, 0.1, Effects(codec=0.9))
    assert decoded.shape == stem.shape
    assert level_db(decoded) == pytest.approx(level_db(stem), abs=0.5)
    assert np.corrcoef(stem, decoded)[0, 1] > 0.98
    assert not np.array_equal(stem, decoded)


@pytest.mark.parametrize(
    ("field", "value"), [("cutoff", -2400.0), ("vibrato", 50.0), ("release", 1800.0), ("detune", 0.5)]
)
def test_fluidsynth_applies_the_settings_of_the_voices(field: str, value: float) -> None:
    def play(effects: Effects) -> np.ndarray:
        notes = (Note(0.0, 1.0, 69, 100),)
        return render_stem(notes, INSTRUMENTS["violin"], 40, 1.5, "timgm6mb", effects.detune, effects.generators)

    plain, changed = play(Effects()), play(Effects(**{field: value}))
    assert not np.allclose(plain, changed, atol=1e-3)
    assert np.array_equal(play(Effects()), plain), "later stems do not change"


def test_softer_notes_are_softer() -> None:
    assert [note.velocity for note in played((Note(0, 1, 60, 100), Note(1, 1, 60, 2)), Effects(velocity=0.3))] == [
        30,
        1,
    ]


def test_effects_are_drawn_within_their_limits() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_varied(LABELS, 5.0, rng) for _ in range(400)]
    stems = [effects for clip in drawn for effects in clip.values()]
    assert all(abs(stem.level) <= 6 for stem in stems)
    assert all(0 <= stem.gap[0] <= stem.gap[1] <= 5 for stem in stems)
    assert all(len({stem.band for stem in clip.values()}) == 1 for clip in drawn), "one recording, one band"
    assert all(len({stem.codec for stem in clip.values()}) == 1 for clip in drawn)
    for share, field in ((0.6, "reverb"), (0.5, "noise"), (0.8, "equaliser"), (0.4, "vibrato")):
        assert np.mean([bool(getattr(stem, field)) for stem in stems]) == pytest.approx(share, abs=0.06)
    assert len({stem.seed for stem in stems}) == len(stems)


def test_breath_comes_and_goes_with_the_tone() -> None:
    stem = np.concatenate([tone(440), np.zeros(2 * SAMPLE_RATE, np.float32)])
    breath = in_the_air(stem, Effects(breath=-20.0, seed=1)) - stem
    sounding, silent = breath[SAMPLE_RATE // 2 : SAMPLE_RATE], breath[3 * SAMPLE_RATE :]
    assert level_db(sounding) == pytest.approx(level_db(tone(440)) - 20, abs=0.5)
    assert not silent.any()
    spectrum = np.abs(np.fft.rfft(sounding)) ** 2
    assert np.exp(np.log(spectrum[1:]).mean()) / spectrum.mean() > 0.02, "it is noise, not a tone"


def test_live_adds_amplifiers_and_breath_where_they_belong() -> None:
    labels = tuple(INSTRUMENTS)
    drawn = [draw_live(labels, 5.0, np.random.default_rng(seed)) for seed in range(60)]
    varied = [draw_varied(labels, 5.0, np.random.default_rng(seed)) for seed in range(60)]
    stems = [(label, effects) for clip in drawn for label, effects in clip.items()]
    assert {label for label, effects in stems if effects.drive is not None} == set(AMPLIFIERS)
    assert {INSTRUMENTS[label].family for label, effects in stems if effects.breath} == {
        "brass",
        "reeds",
        "flutes",
        "voice",
    }
    replaced = {(label, effects.program) for label, effects in stems if effects.program is not None}
    assert replaced == {("distorted_guitar", program) for program in INSTRUMENTS["electric_guitar"].programs}
    plain = [
        {label: replace(effects, program=None, drive=None, breath=0.0) for label, effects in clip.items()}
        for clip in drawn
    ]
    assert plain == varied


def test_a_clean_guitar_plays_what_the_amplifier_distorts() -> None:
    names = (f"rich;instruments=distorted_guitar;effects=live;duration=1@{seed}" for seed in range(9))
    clip = next(clip for clip in map(compose, names) if clip.effects["distorted_guitar"].program)
    assert clip.programs["distorted_guitar"] in INSTRUMENTS["electric_guitar"].programs
    assert clip.labels == ("distorted_guitar",)


def test_all_effects_draw_for_each_label() -> None:
    for draw in EFFECTS.values():
        assert tuple(draw(LABELS, 5.0, np.random.default_rng(1))) == LABELS


@pytest.mark.parametrize("seed", range(3))
def test_a_mix_with_effects_is_the_sum_of_its_stems(seed: int) -> None:
    clip = compose(f"unheard-soundfont;duration=3@{seed}")
    assert np.array_equal(clip.mix, reduce(np.add, clip.stems.values()))
    assert np.isfinite(clip.mix).all()
    assert any(effects != Effects() for effects in clip.effects.values())
