"""What is played: the same passage, masks and sounds on the page, from the command line and in the grades."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from app.frame import passages
from app.frame.sounds import open_sound
from core.audio import Audio
from core.cli import app
from core.errors import InputError
from core.explanation import playback, relevance
from core.explanation.explainer import EXPLAINERS
from core.explanation.playback import Passage
from core.explanation.reasons import Dictionary, reasons
from core.explanation.relevance import Relevance
from core.frontends.frontend import Spectrogram
from core.grading.marks import Scene
from core.grading.truth import Truth, grade
from core.loudness import MOST_DB, loudness
from core.models.store import TrainedModel, load_model
from core.resynthesis import without_rest
from core.synthesis.clip import compose
from tests.frontends.members import ContourConfig

CLIP = "general;instruments=flute,piano;duration=6;soundfont=timgm6mb@3"
RATE = 100  # of sounds that are only cut
PATTERNS = np.random.default_rng(0).dirichlet(np.ones(8), 4).T.astype(np.float32)
DICTIONARY = Dictionary("conv2", PATTERNS, ("low", "high", "attacks", "noise"), (0.9,) * 4)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


@pytest.fixture(scope="module")
def passage(tiny_model: Path) -> Passage:
    sound = open_sound(CLIP)
    return playback.passage(sound.key, sound, str(tiny_model), 0.7, sound.stems)


@pytest.fixture(scope="module")
def spectrogram(model: TrainedModel, passage: Passage) -> Spectrogram:
    return model.frontend.analyse(passage.audio)


@pytest.mark.parametrize(
    ("seconds", "asked", "start", "end"), [(12, 3.0, 3, 8), (12, 11.0, 7, 12), (12, -4.0, 0, 5), (2, 0.5, 0, 2)]
)
def test_a_passage_is_moved_back_where_it_would_end_too_late(
    seconds: int, asked: float, start: float, end: float
) -> None:
    sound = Audio(np.arange(seconds * RATE, dtype=np.float32), RATE)
    passage = playback.passage("song", sound, "model", asked, {"flute": Audio(-sound.samples, RATE)})
    assert passage.start == start
    assert passage.whole == (seconds <= 5)
    assert np.array_equal(passage.audio.samples, sound.samples[round(start * RATE) : round(end * RATE)])
    assert np.array_equal(passage.stems["flute"].samples, -passage.audio.samples)


def test_passages_of_other_sounds_models_and_starts_have_other_keys() -> None:
    sound = Audio(np.zeros(12 * RATE, np.float32), RATE)
    passages = [
        playback.passage(source, sound, model, start)
        for source, model, start in (("a", "m", 0.0), ("b", "m", 0.0), ("a", "n", 0.0), ("a", "m", 1.0))
    ]
    assert len({passage.key for passage in passages}) == 4


def test_a_mask_parts_the_sound_in_two_that_add_up_to_it(model: TrainedModel, spectrogram: Spectrogram) -> None:
    parts = playback.split(spectrogram, np.random.default_rng(0).random(spectrogram.stft.shape, np.float32))
    assert parts.kept.sample_rate == parts.rest.sample_rate == model.frontend.config.sample_rate
    np.testing.assert_allclose(parts.kept.samples + parts.rest.samples, spectrogram.samples, atol=1e-5)


def test_a_concept_that_speaks_against_is_heard_where_it_does(model: TrainedModel, spectrogram: Spectrogram) -> None:
    values = -np.random.default_rng(0).random(spectrogram.mel_power.shape, np.float32)
    against = Relevance(values, "flute", 1.0, "conv1", 0)
    assert np.array_equal(against.evidence, -values)
    assert playback.concept_mask(against, model.frontend).max() > 0.5
    label = Relevance(values, "flute", 1.0)
    assert np.array_equal(label.evidence, values)


def test_reasons_share_out_what_speaks_for_the_label_and_what_speaks_against_it_is_heard_apart(
    model: TrainedModel, spectrogram: Spectrogram
) -> None:
    parts = playback.reasons(model, spectrogram, "flute", DICTIONARY, count=3)
    whole = playback.mask(model, spectrogram, Relevance(spectrogram.mel_power, "flute", 1.0))
    supporting = [replace(part, relevance=1.0) for part in parts]
    masks = playback.reason_masks(whole, supporting, model.frontend)
    np.testing.assert_allclose(np.sum(masks, axis=0), without_rest(whole), atol=1e-5)

    against = replace(parts[0], relevance=-1.0, map=replace(parts[0].map, values=-np.abs(parts[0].map.values)))
    alone, *others = playback.reason_masks(whole, [against, *supporting[1:]], model.frontend)
    np.testing.assert_allclose(np.sum(others, axis=0), without_rest(whole), atol=1e-5)
    assert alone.max() > 0.5
    assert all(mask.min() >= 0 and mask.max() <= 1 for mask in (*masks, alone))


def test_parts_are_compared_at_one_loudness_and_keep_their_true_level(
    model: TrainedModel, passage: Passage, spectrogram: Spectrogram
) -> None:
    parts = playback.reasons(model, spectrogram, "flute", DICTIONARY, count=3)
    label_mask = playback.mask(model, spectrogram, playback.explain(model, spectrogram, "flute").relevance)
    masks = playback.reason_masks(label_mask, parts, model.frontend)
    sounds = [playback.masked(spectrogram, mask) for mask in masks]
    mix = Audio(spectrogram.samples, spectrogram.config.sample_rate)
    levels = [loudness(sound) for sound in sounds]
    assert min(levels) < loudness(mix) - 10  # by themselves they are not equally loud
    whole, gains = playback.matched_gains(mix, sounds)
    matched = [
        Audio(np.float32(gain) * sound.samples, mix.sample_rate) for gain, sound in zip(gains, sounds, strict=True)
    ]
    for sound, level in zip(matched, levels, strict=True):
        raised = min(loudness(mix) - level, MOST_DB) + 20 * np.log10(whole)
        assert loudness(sound) == pytest.approx(level + raised, abs=0.2)
        assert np.abs(sound.samples).max() <= 0.991
    assert [loudness(sound) for sound in sounds] == levels


def test_reasons_of_a_passage_lie_on_its_cells(model: TrainedModel, spectrogram: Spectrogram) -> None:
    seen = reasons(model, spectrogram.features, "piano", DICTIONARY, count=3)
    shown = playback.reasons(model, spectrogram, "piano", DICTIONARY, count=3)
    for before, after in zip(seen, shown, strict=True):
        assert (after.id, after.share) == (before.id, before.share)
        assert np.array_equal(after.map.values, before.map.values)


def test_page_command_line_and_grade_play_the_same(
    tiny_model: Path, model: TrainedModel, passage: Passage, spectrogram: Spectrogram, tmp_path: Path
) -> None:
    map = passages.relevance(passage, "flute")
    mask = passages.mask(passage, map)
    parts = passages.split(passage, map)
    graded = passages.truth(passage, map)

    scene = Scene(model, EXPLAINERS.get("crp"), Truth(passage.stems, model.frontend), seed=0)
    mark = scene.mark("clip", "flute", thorough=False)
    assert mark.measures["si_sdr_improvement"] == pytest.approx(graded["si_sdr_improvement"], abs=1e-3)
    assert graded == grade(map.values, passage.stems, "flute", model.frontend, mask)

    soundfile.write(tmp_path / "clip.wav", passage.sound.samples, passage.sound.sample_rate, subtype="FLOAT")
    why = tmp_path / "why"
    arguments = f"--instrument flute --model {tiny_model} --start 0.7 --top 2 --out {why}".split()
    result = CliRunner().invoke(app, ["explain", str(tmp_path / "clip.wav"), *arguments])
    assert result.exit_code == 0, result.output
    written = {path.stem: soundfile.read(path)[0] for path in why.rglob("*.wav")}
    layer = model.network.concept_layers[-1]
    shown = playback.explain(model, spectrogram, "flute", layer, top=2)
    sounds = {"masked": parts.kept.samples, "complement": parts.rest.samples} | {
        f"{layer}-{concept.channel}": passages.split(passage, concept.map).kept.samples for concept in shown.concepts
    }
    sounds["reconstruction"] = passages.reconstruction(passage, "flute").samples
    gain = min(1.0, 0.99 / max(np.abs(samples).max() for samples in sounds.values()))
    assert written.keys() == sounds.keys()
    for name, samples in sounds.items():
        np.testing.assert_allclose(written[name], gain * samples, atol=1 / 32768)


def test_maps_of_a_log_mel_are_those_of_its_features(model: TrainedModel, spectrogram: Spectrogram) -> None:
    layer = model.network.concept_layers[0]
    seen = relevance.explain(model, spectrogram.features, "piano", layer, top=3)
    shown = playback.explain(model, spectrogram, "piano", layer, top=3)
    assert np.array_equal(shown.relevance.values, seen.relevance.values)
    maps = playback.concept_maps(model, spectrogram, "piano", layer, [c.channel for c in seen.concepts])
    for before, after, again in zip(seen.concepts, shown.concepts, maps, strict=True):
        assert np.array_equal(after.map.values, before.map.values)
        np.testing.assert_allclose(again.values, before.map.values, atol=1e-6)


def test_what_cannot_go_back_to_the_sound_is_not_shown(model: TrainedModel) -> None:
    card = model.card.model_copy(update={"frontend": ContourConfig()})
    contour = TrainedModel(card, model.network)
    sound = contour.frontend.analyse(compose("general;instruments=flute;duration=1;soundfont=timgm6mb@3").audio)
    assert contour.logits(sound.features[None]).shape == (1, 29)
    with pytest.raises(InputError, match="neither drawn nor played"):
        playback.explain(contour, sound, "flute")
