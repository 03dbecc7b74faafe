"""Notes filled in: they are the instrument's own, they follow the evidence, and with the rest they sum to the mix."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InputError
from core.explanation import playback
from core.explanation.reasons import strengths
from core.explanation.reconstruction import can_reconstruct, reconstruction_mask
from core.explanation.relevance import trace_of
from core.explanation.templates import ABOUT, load_templates, save_templates
from core.frontends.frontend import FrontendConfig
from core.grading.truth import Truth
from core.models.store import default_model, load_model
from core.synthesis.clip import compose

CLIP = "general;instruments=tuba,flute;style=musical;duration=5@4"


@pytest.fixture(scope="module")
def truth():
    clip = compose(CLIP)
    return Truth(clip.stem_audio, load_model(default_model()).frontend)


def test_what_is_filled_in_is_closer_to_the_true_stem_than_what_the_evidence_masks(truth):
    model = load_model(default_model())
    trace = trace_of(model, truth.mix.features)
    for label in truth.stems:
        shown = playback.explain(model, truth.mix, label, trace=trace).relevance
        plain = playback.masked(truth.mix, playback.mask(model, truth.mix, shown, trace)).samples
        filled = playback.masked(truth.mix, reconstruction_mask(model, truth.mix, label, trace)).samples
        assert truth.improvement(label, filled) > truth.improvement(label, plain) + 1


def test_the_mask_is_a_share_and_with_the_rest_gives_the_mix(truth):
    model = load_model(default_model())
    mask = reconstruction_mask(model, truth.mix, "flute")
    assert mask.shape == truth.mix.stft.shape
    assert mask.min() >= 0
    assert mask.max() <= 1
    parts = playback.split(truth.mix, mask)
    assert np.abs(parts.kept.samples + parts.rest.samples - truth.mix.samples).max() < 1e-5


def test_few_updates_keep_a_template_without_evidence_weak():
    rng = np.random.default_rng(0)
    patterns = rng.dirichlet(np.ones(20), 2).T.astype(np.float32)
    heard = (patterns @ np.array([[1.0], [1.0]])).astype(np.float32)
    start = np.array([[1.0], [1e-6]], np.float32)
    few, many = (strengths(patterns, heard, start, updates) for updates in (3, 3000))
    assert few[1] < 0.1 * few[0]
    assert many[1] == pytest.approx(many[0], rel=0.05)


def test_templates_come_back_from_their_file(tmp_path):
    templates = load_templates()
    part = replace(templates, spectra={label: templates.spectra[label] for label in ("flute", "drums")})
    path = tmp_path / "templates.npz"
    save_templates(part, path)
    again = load_templates(path)
    assert (again.sample_rate, again.window, again.soundfonts) == (part.sample_rate, part.window, part.soundfonts)
    for label, spectra in part.spectra.items():
        assert again.spectra[label].sum(0) == pytest.approx(1, rel=1e-4)
        assert np.abs(again.spectra[label] - spectra).max() < 3e-3


def test_damaged_or_missing_templates_end_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="study templates"):
        load_templates(tmp_path / "none.npz")
    for number, content in enumerate((b"", b"PK\x03\x04 rubbish", b"\x93NUMPY")):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            load_templates(path)
    np.savez(tmp_path / "other.npz", **{ABOUT: np.array("{}")})
    with pytest.raises(InputError, match="damaged"):
        load_templates(tmp_path / "other.npz")


def test_labels_without_templates_are_refused(truth):
    model = load_model(default_model())
    few = replace(load_templates(), spectra={"flute": load_templates().spectra["flute"]})
    with pytest.raises(InputError, match="cannot be filled in"):
        reconstruction_mask(model, truth.mix, "tuba", templates=few)
    assert can_reconstruct(model, "tuba")
    assert not load_templates().fit(FrontendConfig(window=1024, bands=32))
