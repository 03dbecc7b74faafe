"""Whisper's encoder: loaded by its library, pooled over what is real, and equal to a plain one of our own."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core import audio
from core.errors import InputError
from core.frontends.frontend import frontend
from core.frontends.whisper import WhisperConfig
from core.models.encoders import whisper
from core.models.encoders.encoder import ENCODERS, load_encoder
from core.models.encoders.whisper import PooledWhisper, read_whisper
from tests.corpora.tiny import PACK, needs_pack
from tests.frontends.test_against_librosa import music

TINY_EN = {
    "vocab_size": 51864, "d_model": 384, "encoder_layers": 4, "decoder_layers": 4, "encoder_attention_heads": 6,
    "decoder_attention_heads": 6, "encoder_ffn_dim": 1536, "decoder_ffn_dim": 1536,
}  # fmt: skip
SMALL = {
    "vocab_size": 60, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 1, "suppress_tokens": None, "begin_suppress_tokens": None,
}  # fmt: skip


def save_whisper(folder: Path, settings: dict[str, Any], encoder: dict[str, Tensor] | None = None) -> Path:
    """A folder as the hub has it, with random weights except those that are given."""
    library = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = library.WhisperModel(library.WhisperConfig(**settings))
    if encoder:
        model.get_encoder().load_state_dict(encoder)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pack_weights() -> dict[str, np.ndarray]:
    """The encoder of tiny.en in the names of CTranslate2."""
    assert PACK
    with np.load(PACK / "nets/whisper_tiny_en_encoder_fp16.npz") as found:
        return {name.removeprefix("encoder."): found[name].astype(np.float32) for name in found.files}


@pytest.fixture(scope="module")
def tiny_en(pack_weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's encoder as the hub's folder would hold it."""
    return save_whisper(
        tmp_path_factory.mktemp("encoders") / whisper.NAME, TINY_EN, in_the_librarys_names(pack_weights)
    )


def in_the_librarys_names(weights: dict[str, np.ndarray]) -> dict[str, Tensor]:
    found = {name: weights[name] for name in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias")}
    found["embed_positions.weight"] = weights["position_encodings.encodings"]
    norms = {"layer_norm": "layer_norm"}
    for n in range(4):
        theirs, ours = f"layer_{n}", f"layers.{n}"
        norms |= {f"{theirs}.self_attention.layer_norm": f"{ours}.self_attn_layer_norm"}
        norms |= {f"{theirs}.ffn.layer_norm": f"{ours}.final_layer_norm"}
        for part in ("weight", "bias"):
            all_three = weights[f"{theirs}.self_attention.linear_0.{part}"]
            for each, values in zip("qkv", np.split(all_three, 3), strict=True):
                found[f"{ours}.self_attn.{each}_proj.{part}"] = values
            found[f"{ours}.self_attn.out_proj.{part}"] = weights[f"{theirs}.self_attention.linear_1.{part}"]
            for number in (0, 1):
                found[f"{ours}.fc{number + 1}.{part}"] = weights[f"{theirs}.ffn.linear_{number}.{part}"]
        assert not found.pop(f"{ours}.self_attn.k_proj.bias").any()
    for theirs, ours in norms.items():
        found |= {f"{ours}.weight": weights[f"{theirs}.gamma"], f"{ours}.bias": weights[f"{theirs}.beta"]}
    return {name: torch.from_numpy(values) for name, values in found.items()}


def plain_encoder(weights: dict[str, np.ndarray], logmel: Tensor) -> Tensor:
    """The encoder ``(1, 80, 3000)`` → ``(1, 1500, 384)`` by the formulas (Vaswani et al. 2017, pre-normalised)."""
    w = {name: torch.from_numpy(values) for name, values in weights.items() if name != "num_heads"}

    def norm(values: Tensor, name: str) -> Tensor:
        return F.layer_norm(values, (384,), w[f"{name}.gamma"], w[f"{name}.beta"])

    def linear(values: Tensor, name: str) -> Tensor:
        return values @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    values = F.gelu(F.conv1d(logmel, w["conv1.weight"], w["conv1.bias"], padding=1))
    values = F.gelu(F.conv1d(values, w["conv2.weight"], w["conv2.bias"], stride=2, padding=1)).transpose(1, 2)
    values = values + w["position_encodings.encodings"]
    for n in range(4):
        name = f"layer_{n}.self_attention"
        q, k, v = linear(norm(values, f"{name}.layer_norm"), f"{name}.linear_0").unflatten(2, (3, 6, 64)).unbind(2)
        weighted = torch.einsum("bqhd,bkhd->bhqk", q, k).div(8).softmax(3)
        heads = torch.einsum("bhqk,bkhd->bqhd", weighted, v).flatten(2)
        values = values + linear(heads, f"{name}.linear_1")
        name = f"layer_{n}.ffn"
        hidden = F.gelu(linear(norm(values, f"{name}.layer_norm"), f"{name}.linear_0"))
        values = values + linear(hidden, f"{name}.linear_1")
    return norm(values, "layer_norm")


@needs_pack
def test_the_librarys_encoder_is_the_plain_one(pack_weights: dict[str, np.ndarray], tiny_en: Path) -> None:
    assert PACK
    sound = audio.load(PACK / "gtzan/audio/classical.00001.ogg")
    features = torch.from_numpy(frontend(WhisperConfig()).analyse(sound).features)[None, None]
    network, _ = read_whisper(tiny_en)
    with torch.no_grad():
        ours = network.encoder(features[:, 0, :-1]).last_hidden_state
        wanted = plain_encoder(pack_weights, features[:, 0, :-1])
        pooled = network(features)
    assert float((ours - wanted).abs().max() / wanted.abs().max()) < 1e-4
    real = int(np.ceil(sound.duration * 50))
    assert real == pytest.approx(866, abs=2)
    np.testing.assert_allclose(pooled, wanted[:, :real].mean(1), atol=1e-3)


@needs_pack
def test_the_packs_weights_have_the_checksum(
    pack_weights: dict[str, np.ndarray], tiny_en: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "ENCODER_FOLDERS", tiny_en.parent)
    load_encoder.cache_clear()
    assert isinstance(load_encoder("whisper_tiny_en"), PooledWhisper)
    load_encoder.cache_clear()


def test_padding_is_left_out_of_the_mean(tmp_path: Path) -> None:
    network, weights = read_whisper(save_whisper(tmp_path / "small", SMALL))
    features = torch.from_numpy(frontend(WhisperConfig()).analyse(music(4.0, 16000)).features)[None, None]
    with torch.no_grad():
        frames = network.encoder(features[:, 0, :-1]).last_hidden_state
        pooled = network(features)
    assert frames.shape == (1, 1500, 16)
    np.testing.assert_allclose(pooled, frames[:, :200].mean(1), rtol=1e-4, atol=1e-5)
    assert not np.allclose(pooled, frames.mean(1), atol=1e-3)
    assert whisper.POSITIONS not in weights
    assert "layers.0.fc1.weight" in weights


def test_other_weights_than_those_of_the_heads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_whisper(tmp_path / whisper.NAME, SMALL)
    monkeypatch.setattr(whisper, "ENCODER_FOLDERS", tmp_path)
    load_encoder.cache_clear()
    with pytest.raises(InputError, match="their checksum differs"):
        load_encoder("whisper_tiny_en")


def test_a_folder_that_holds_no_whisper_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    (tmp_path / whisper.NAME).mkdir()
    monkeypatch.setattr(whisper, "ENCODER_FOLDERS", tmp_path)
    with pytest.raises(InputError, match=rf"is not in .*{whisper.NAME}; put the folder") as error:
        ENCODERS.get("whisper_tiny_en").load()
    assert "\n" not in str(error.value)


def test_the_hub_is_asked_where_no_folder_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = save_whisper(tmp_path / "small", SMALL)
    asked = []

    def answer(source: str, local: bool = True) -> Any:
        asked.append((source, local))
        if local:
            raise InputError("not in the cache")
        return read_whisper(small)

    with monkeypatch.context() as patched:
        patched.setattr(whisper, "ENCODER_FOLDERS", tmp_path / "none")
        patched.setattr(whisper, "read_whisper", answer)
        network, _ = ENCODERS.get("whisper_tiny_en").load()
    assert isinstance(network, PooledWhisper)
    assert asked == [("openai/whisper-tiny.en", True), ("openai/whisper-tiny.en", False)]


def test_without_the_library_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"a library is missing; install it with .*transformers") as error:
        read_whisper("anything")
    assert "\n" not in str(error.value)
