"""The taggers of musicnn: small weights written as its checkpoints are, and the package's own where it is installed."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.errors import InputError
from core.models.encoders import musicnn
from core.models.encoders.encoder import ENCODERS, load_encoder, weights_sha256
from core.models.encoders.musicnn import PATCH, Musicnn, Vgg, read_tagger
from tests.models.encoders.bundles import write_bundle

needs_package = pytest.mark.skipif(find_spec("musicnn") is None, reason="the package musicnn is not installed")

# The first five logits of two patches of which `reference` makes, by the package's own program with TensorFlow 2.15.
REFERENCE = {
    "MSD_musicnn": [[-2.6302, -4.0489, -3.5809, -7.1298, -2.9676], [-8.9094, -5.2437, -7.5485, -6.9824, 0.5199]],
    "MSD_vgg": [[-2.7209, -3.5696, -3.2317, -3.0248, -0.3806], [-3.6691, -4.0286, -4.2086, -2.9650, 0.4456]],
    "MTT_musicnn": [[-8.4845, -5.1176, -6.4899, -1.6359, -3.8887], [-5.5068, -3.0647, -3.8833, 0.5142, -5.7812]],
    "MTT_vgg": [[-2.2224, -0.4249, -4.1452, -0.1167, -0.1085], [-3.9174, -2.0245, -3.6244, -2.1244, -2.7897]],
}


def reference() -> torch.Tensor:
    """Noise, and a pattern that swings over time, as patches ``(2, 1, bands, frames)``."""
    patches = np.random.default_rng(0).uniform(0, 3, (2, PATCH, 96)).astype(np.float32)
    patches[1] = np.linspace(0, 3, 96)[None] * (1 + np.sin(np.arange(PATCH) / 5))[:, None] / 2
    return torch.from_numpy(patches).transpose(1, 2)[:, None]


def drawn_weights(name: str) -> dict[str, np.ndarray]:
    """Random weights of the shapes and names of a checkpoint, and an optimiser's beside them."""
    draw = np.random.default_rng(1)
    if name.endswith("vgg"):
        kernels = {f"{n}CNN": (3, 3, 1 if n == 1 else 128, 128) for n in range(1, 6)}
        norms, dense = [1, 128, 128, 128, 128, 128], {"dense": (256, 50)}
    else:
        shapes = [(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51)]
        shapes += [(7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64)]
        kernels = {f"conv2d_{n}" if n else "conv2d": shape for n, shape in enumerate(shapes)}
        norms, dense = [1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200], {"dense": (1506, 200), "dense_1": (200, 50)}
    found: dict[str, np.ndarray] = {"beta1_power": np.zeros((), np.float32)}
    for layer, shape in {**kernels, **dense}.items():
        found[f"{layer}/kernel"] = (draw.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
        found[f"{layer}/bias"] = draw.normal(size=shape[-1:]).astype(np.float32)
        found[f"{layer}/kernel/Adam"] = np.zeros(shape, np.float32)
    for n, size in enumerate(norms):
        layer = f"batch_normalization_{n}" if n else "batch_normalization"
        for part in ("gamma", "beta", "moving_mean"):
            found[f"{layer}/{part}"] = draw.normal(size=size).astype(np.float32)
        found[f"{layer}/moving_variance"] = draw.uniform(0.5, 2, size).astype(np.float32)
    return found


def plain_tags(weights: dict[str, np.ndarray], patches: torch.Tensor) -> np.ndarray:
    """musicnn's ``models.py``, line by line, on ``(patches, frames, bands)`` and with the channels last."""

    def norm(values: np.ndarray, number: int) -> np.ndarray:
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        mean, variance, gamma, beta = (
            weights[f"{layer}/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return (values - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def conv(values: np.ndarray, number: int, before: int, after: int) -> np.ndarray:
        layer = f"conv2d_{number}" if number else "conv2d"
        kernel = torch.from_numpy(weights[f"{layer}/kernel"]).permute(3, 2, 0, 1)
        padded = F.pad(torch.from_numpy(values).permute(0, 3, 1, 2), (0, 0, before, after))
        found = F.conv2d(padded, kernel, torch.from_numpy(weights[f"{layer}/bias"])).relu()
        return found.permute(0, 2, 3, 1).numpy()

    inputs = norm(patches[:, 0].transpose(1, 2)[..., None].numpy(), 0)
    pads = [(3, 3), (3, 3), (63, 64), (31, 32), (15, 16)]
    front = [norm(conv(inputs, n, *pad), n + 1).max(2) for n, pad in enumerate(pads)]
    layers = [np.concatenate(front, 2)[..., None]]
    for n in range(3):
        values = norm(conv(layers[-1], 5 + n, 3, 3), 6 + n).transpose(0, 1, 3, 2)
        layers.append(values + layers[-1] if n else values)
    features = np.concatenate(layers, 2)
    pooled = np.concatenate([features.max(1), features.mean(1)], 2).reshape(len(features), -1)
    hidden = np.maximum(norm(pooled, 9) @ weights["dense/kernel"] + weights["dense/bias"], 0)
    return norm(hidden, 10) @ weights["dense_1/kernel"] + weights["dense_1/bias"]


def test_the_network_is_the_one_of_the_package(tmp_path: Path) -> None:
    weights = drawn_weights("MSD_musicnn")
    write_bundle(tmp_path, weights)
    network, found = read_tagger("MSD_musicnn", tmp_path)
    assert isinstance(network, Musicnn)
    assert found.keys() == {name for name in weights if "Adam" not in name and "power" not in name}
    with torch.no_grad():
        tags = network.eval().tags(reference()).numpy()
    np.testing.assert_allclose(tags, plain_tags(weights, reference()), rtol=1e-3, atol=1e-3)


def test_a_window_is_heard_patch_by_patch(tmp_path: Path) -> None:
    write_bundle(tmp_path, drawn_weights("MTT_vgg"))
    network, _ = read_tagger("MTT_vgg", tmp_path)
    assert isinstance(network, Vgg)
    patches = reference()
    with torch.no_grad():
        window = torch.cat([*patches, patches[0][..., :40]], 2)[None]  # what follows the second patch is too short
        np.testing.assert_allclose(network.eval()(window), network.embed(patches).mean(0, keepdim=True), atol=1e-5)
        short = network(patches[:1, :, :, :100])
        np.testing.assert_allclose(short, network.embed(F.pad(patches[:1, :, :, :100], (0, PATCH - 100))), atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path, drawn_weights("MTT_vgg"))
    with pytest.raises(InputError, match=r"does not hold the network MTT_musicnn; install .*musicnn==0\.1\.0"):
        read_tagger("MTT_musicnn", tmp_path)


def test_without_the_package_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicnn, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"hears sound through .*; install its weights with `pip install --no-deps"):
        ENCODERS.get("msd_musicnn").load()


def test_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(tmp_path / "MTT_vgg", drawn_weights("MTT_vgg"))
    monkeypatch.setattr(musicnn, "package_folder", lambda: tmp_path)
    load_encoder.cache_clear()
    with pytest.raises(InputError, match="their checksum differs"):
        load_encoder("mtt_vgg")


@needs_package
@pytest.mark.parametrize("name", REFERENCE)
def test_the_packages_weights_answer_as_its_own_program_does(name: str) -> None:
    network, weights = read_tagger(name, musicnn.package_folder() / name)
    with torch.no_grad():
        tags = network.eval().tags(reference())
    np.testing.assert_allclose(tags[:, :5].numpy(), REFERENCE[name], atol=1e-4)
    assert weights_sha256(weights) == ENCODERS.get(name.lower()).sha256
    assert load_encoder(name.lower())(reference()).shape == (2, ENCODERS.get(name.lower()).size)
