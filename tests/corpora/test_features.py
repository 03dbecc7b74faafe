"""The features of a corpus are those of its frontend, and what cannot be read is left out."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from core.corpora.corpus import read_corpus
from core.corpora.features import corpus_features, mel_cache, spectrogram_of
from core.corpora.sound import StoredMel
from core.errors import InputError
from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram, frontend
from core.frontends.thinned import ThinnedConfig
from tests.corpora import tiny


@dataclass(frozen=True)
class LoudnessConfig(FrontendConfig):
    """Settings of a frontend that reads the samples."""

    name: str = field(default="test_loudness", init=False)


@FRONTENDS.register("test_loudness")
class Loudness(Frontend):
    """The loudest sample, which does not follow from the mel spectrogram."""

    config_type = LoudnessConfig

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        return np.full((1, spectrogram.frames), np.abs(spectrogram.samples).max(), np.float32)


CONFIGS = (FrontendConfig(), ThinnedConfig(), ThinnedConfig(range_db=60.0), LoudnessConfig())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.name}-{config.range_db:g}")
def test_features_of_sound_files_are_those_of_the_frontend(config: FrontendConfig, tmp_path: Path) -> None:
    tiny.gtzan(tmp_path, ["blues.00000", "blues.00012", "pop.00001"])
    corpus = read_corpus(tmp_path)
    calls: list[tuple[int, int]] = []
    for _ in range(2):  # the second time from what is kept
        features = corpus_features(corpus, config, lambda done, all: calls.append((done, all)))
        assert len(features) == 3
        for item, found in zip(features.corpus.items, features, strict=True):
            np.testing.assert_allclose(found, frontend(config).analyse(item.sound.load()).features, atol=1e-6)
            assert found.dtype == np.float32
    assert calls == [(1, 3), (2, 3), (3, 3)] * 2
    assert [each.shape for each in features[:2]] == [features[0].shape] * 2


def test_frontends_that_read_mel_power_share_what_is_kept() -> None:
    thin, other = ThinnedConfig(), ThinnedConfig(range_db=60.0, keep_every=2.0)
    assert mel_cache(thin).folder == mel_cache(other).folder == mel_cache(FrontendConfig(low_hz=0.0)).folder
    assert mel_cache(thin).folder != mel_cache(FrontendConfig()).folder


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    tiny.gtzan(tmp_path)
    (tmp_path / "genres/jazz/jazz.00054.wav").write_bytes(b"RIFF no sound")
    features = corpus_features(read_corpus(tmp_path), ThinnedConfig())
    assert [item.id for item in features.corpus.items] == [id for id in tiny.TRACKS if id != "jazz.00054"]
    assert list(features.skipped) == ["jazz.00054"]
    assert "jazz.00054.wav" in features.skipped["jazz.00054"]
    assert len(features) == 4
    assert features[3].shape == features[0].shape
    for track in tiny.TRACKS:
        (tmp_path / f"genres/{track[:-6]}/{track}.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"blues\.00000\.wav"):
        corpus_features(read_corpus(tmp_path), ThinnedConfig())


def test_stored_log_mels_are_served_directly(tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    features = corpus_features(read_corpus(tmp_path), ThinnedConfig())
    assert features.skipped == {}
    for item, found in zip(features.corpus.items, features, strict=True):
        assert isinstance(item.sound, StoredMel)
        wanted = frontend(ThinnedConfig()).features_of_mel(item.sound.mel_power())
        assert found.shape == (128, tiny.COLUMNS)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(spectrogram_of(item.sound, ThinnedConfig()).features, wanted)


@pytest.mark.parametrize("config", [FrontendConfig(), LoudnessConfig(), ThinnedConfig(low_hz=30.0)])
def test_a_frontend_that_needs_the_sound_says_so(config: FrontendConfig, tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    with pytest.raises(InputError, match=r"holds log-mels only and no sound; .* needs the sound") as error:
        corpus_features(read_corpus(tmp_path), config)
    assert "\n" not in str(error.value)
