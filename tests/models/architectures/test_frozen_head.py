"""Heads on frozen encoders: the encoder is no part of the weights, and is looked for when it is needed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.audio import Audio
from core.errors import InputError
from core.frontends.musicnn import MusicnnConfig
from core.frontends.whisper import WhisperConfig
from core.inference import recognise
from core.models.architecture import build_network
from core.models.architectures import frozen_head
from core.models.architectures.frozen_head import FrozenHead
from core.models.architectures.svm import fit_linear_svm
from core.models.encoders import musicnn
from core.models.encoders.encoder import ENCODERS, load_encoder
from core.models.store import load_model, save_model
from tests.frontends.test_against_librosa import music
from tests.models.architectures.genre_models import statistics_card

GENRES = 10


class Levels(nn.Module):
    """Stands for an encoder: how close the mean level of a window is to each of 0, 10, 20, …"""

    def forward(self, features: Tensor) -> Tensor:
        return torch.exp(-((features[:, 0].mean((1, 2))[:, None] / 10 - torch.arange(200.0)) ** 2))


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the encoders that were asked for."""
    asked: list[str] = []

    def load(name: str) -> nn.Module:
        asked.append(name)
        return Levels()

    monkeypatch.setattr(frozen_head, "load_encoder", load)
    return asked


def inputs(items: int) -> tuple[np.ndarray, np.ndarray]:
    """Features of a level for each label, and targets."""
    labels = np.arange(items) % GENRES
    features = np.random.default_rng(0).normal(size=(items, 96, 30)) + 10.0 * (labels[:, None, None] + 1)
    return features.astype(np.float32), np.eye(GENRES)[labels]


def fitted_head(features: np.ndarray, targets: np.ndarray, C: float) -> FrozenHead:
    """A head on what the encoder says about windows."""
    network = build_network("frozen_head", {"encoder": "msd_musicnn"}, GENRES)
    assert isinstance(network, FrozenHead)
    with torch.no_grad():
        embedded = network.embed(torch.from_numpy(features)[:, None])
    network.head = fit_linear_svm(embedded.double().numpy(), targets, C)
    return network.requires_grad_(False).eval()


def test_a_head_learns_from_what_the_encoder_says(encoder: list[str]) -> None:
    features, targets = inputs(40)
    head = fitted_head(features, targets, C=10.0)
    embedded = head.embed(torch.from_numpy(features)[:, None])
    assert embedded.shape == (40, 200)
    np.testing.assert_allclose(embedded[:, 3], np.exp(-((features.mean((1, 2)) / 10 - 3) ** 2)), rtol=1e-4)
    logits = head(torch.from_numpy(features)[:, None])
    assert logits.argmax(1).tolist() == targets.argmax(1).tolist()
    assert set(encoder) == {"msd_musicnn"}


def test_silence_needs_no_encoder_and_has_the_embedding_zero(encoder: list[str]) -> None:
    network = build_network("frozen_head", {"encoder": "whisper_tiny_en"}, GENRES)
    assert isinstance(network, FrozenHead)
    assert not network.embed(torch.zeros(2, 1, 81, 8)).any()
    assert not encoder
    some = torch.zeros(3, 1, 96, 8)
    some[1] = 2
    embedded = build_network("frozen_head", {"encoder": "mtt_musicnn"}, GENRES).embed(some)
    assert embedded.any(1).tolist() == [False, True, False]
    assert embedded[1, 0] == pytest.approx(np.exp(-0.04))


def test_the_encoder_is_no_part_of_the_weights(tmp_path: Path, encoder: list[str]) -> None:
    features, targets = inputs(40)
    head = fitted_head(features, targets, 1.0)
    card = statistics_card("frozen_head", {"encoder": "msd_musicnn"}, MusicnnConfig(), "small-head")
    save_model(head, card, tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size < 400_000
    model = load_model(str(tmp_path))
    with torch.no_grad():
        wanted = head(torch.from_numpy(features[:3])[:, None]).numpy()
    np.testing.assert_allclose(model.logits(features[:3]), wanted, rtol=1e-5)
    heard = recognise(model, model.frontend.analyse(music(3.0, 16000)))
    assert heard.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_gradients_reach_what_the_encoder_hears(encoder: list[str]) -> None:
    features = torch.rand(2, 1, 96, 8, requires_grad=True)
    build_network("frozen_head", {"encoder": "msd_musicnn"}, GENRES)(features)[:, 3].sum().backward()
    assert features.grad is not None
    assert features.grad.any()


def test_a_model_without_its_encoder_says_what_to_do_when_it_hears_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(musicnn, "find_spec", lambda name: None)
    load_encoder.cache_clear()
    network = build_network("frozen_head", {"encoder": "msd_musicnn"}, GENRES)
    card = statistics_card("frozen_head", {"encoder": "msd_musicnn"}, MusicnnConfig(), "small-head")
    save_model(network, card, tmp_path)
    model = load_model(str(tmp_path))
    silence = Audio(np.zeros(16000, np.float32), 16000)
    assert not recognise(model, model.frontend.analyse(silence)).probabilities.any()
    with pytest.raises(InputError, match="pip install --no-deps musicnn") as error:
        recognise(model, model.frontend.analyse(music(1.0, 16000)))
    assert "\n" not in str(error.value)


def test_encoders_know_what_they_hear_with_and_unknown_ones_are_refused() -> None:
    assert ENCODERS.get("whisper_tiny_en").frontend == WhisperConfig()
    assert {ENCODERS.get(name).frontend for name in ENCODERS if "whisper" not in name} == {MusicnnConfig()}
    with pytest.raises(InputError, match="no frozen encoder 'clap'; choose one of: msd_musicnn"):
        build_network("frozen_head", {"encoder": "clap"}, GENRES)
