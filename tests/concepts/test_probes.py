from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import hilbert

from core.audio import SAMPLE_RATE
from core.concepts import probes as module
from core.concepts.probes import DURATION, HARD, HELD, OCTAVES, ONSET, Probe, probes, sound
from core.errors import InputError
from core.taxonomy.instruments import label_set

NAMES = ("general", "wimu12")
STEADY = slice(round((ONSET + 0.1) * SAMPLE_RATE), round((ONSET + HELD - 0.1) * SAMPLE_RATE))


def all_probes(name: str) -> tuple[Probe, ...]:
    return probes(label_set(name), label_set(name).labels)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


@pytest.mark.parametrize("name", NAMES)
def test_all_labels_play_in_both_halves_and_every_probe_is_different(name: str) -> None:
    found = all_probes(name)
    assert len(set(found)) == len(found) < 1500
    for half in (False, True):
        mine = [probe for probe in found if probe.held_out == half]
        assert {probe.label for probe in mine if probe.kind == "note"} == set(label_set(name).labels)
        assert {probe.kind for probe in mine} == {"note", "chord", "tone", "noise", "silence"}
        assert {probe.velocity for probe in mine if probe.label} > {HARD}
        assert {probe.repeated for probe in mine if probe.label} == {False, True}


@pytest.mark.parametrize("name", NAMES)
def test_held_out_probes_are_of_other_soundfonts_and_other_pitches(name: str) -> None:
    for label in label_set(name).labels:
        mine = [probe for probe in all_probes(name) if probe.label == label]
        halves = [[probe for probe in mine if probe.held_out == half] for half in (False, True)]
        for what in ("soundfont", "keys"):
            chosen_by, held_out = ({heard_as(probe)[what] for probe in half} for half in halves)
            assert not chosen_by & held_out, (label, what)


def heard_as(probe: Probe) -> dict[str, object]:
    return {"soundfont": probe.soundfont, "keys": (probe.program, probe.pitches)}


@pytest.mark.parametrize(
    "probe",
    [
        Probe("note", False, "violin", 40, "musescore", (69,)),
        Probe("note", True, "drums", 0, "timgm6mb", (38,), repeated=True),
        Probe("chord", False, "piano", 0, "musescore", (60, 64, 67), vibrato=True),
        Probe("tone", False, hz=440.0, harmonics=True),
        Probe("noise", False, colour=1.0, seed=3),
    ],
)
def test_a_probe_sounds_the_same_every_time_and_only_after_its_onset(probe: Probe) -> None:
    samples = sound(probe)
    assert samples.dtype == np.float32
    assert len(samples) == round(DURATION * SAMPLE_RATE)
    np.testing.assert_array_equal(samples, sound(probe))
    before, after = np.split(samples, [round((ONSET - 0.01) * SAMPLE_RATE)])
    assert not before.any()
    assert level(after) > 1e-3
    assert np.abs(samples).max() < 1


def test_a_tone_has_one_frequency_or_all_harmonics() -> None:
    for harmonics, partials in ((False, [500]), (True, [500, 1000, 1500])):
        steady = sound(Probe("tone", False, hz=500.0, harmonics=harmonics))[STEADY].astype(float)
        spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady))))
        frequencies = np.fft.rfftfreq(len(steady), 1 / SAMPLE_RATE)
        peaks = [float(spectrum[np.abs(frequencies - hz) < 5].max()) for hz in (500, 1000, 1500)]
        assert [hz for hz, peak in zip((500, 1000, 1500), peaks, strict=True) if peak > peaks[0] / 10] == partials


@pytest.mark.parametrize("low", OCTAVES)
def test_a_noise_band_lies_in_its_octave(low: float) -> None:
    steady = sound(Probe("noise", False, hz=low, seed=1))[STEADY].astype(float)
    power = np.abs(np.fft.rfft(steady * np.hanning(len(steady)))) ** 2
    frequencies = np.fft.rfftfreq(len(steady), 1 / SAMPLE_RATE)
    inside = (frequencies > low * 0.95) & (frequencies < low * 2.1)
    assert power[inside].sum() > 0.99 * power.sum()


def test_vibrato_bends_the_pitch_as_far_as_it_says() -> None:
    def cents(probe: Probe) -> np.ndarray:
        phase = np.unwrap(np.angle(hilbert(sound(probe).astype(float))))
        return 1200 * np.log2(np.diff(phase)[STEADY] * SAMPLE_RATE / (2 * np.pi) / probe.hz)

    swung = cents(Probe("tone", False, hz=1000.0, vibrato=True))
    assert np.percentile(swung, [1, 99]) == pytest.approx([-module.VIBRATO_CENTS, module.VIBRATO_CENTS], abs=2)
    assert np.percentile(cents(Probe("tone", False, hz=1000.0)), [1, 99]) == pytest.approx([0, 0], abs=1)


@pytest.mark.parametrize(
    ("spoil", "label"), [(lambda font: False, "piano"), (lambda font: font.name == "recorded", "accordion")]
)
def test_a_missing_soundfont_is_one_clear_sentence(
    spoil: Callable[..., bool], label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [font for font in module.installed_soundfonts() if spoil(font)]
    monkeypatch.setattr(module, "installed_soundfonts", lambda: left)
    with pytest.raises(InputError, match=f"can play {label}"):
        probes(label_set("general"), [label])
