"""The thinned log-mel: which frames are kept, and that relevance goes back to the frames they stand for."""

import numpy as np
import pytest

from core.audio import Audio
from core.frontends.compression import compress
from core.frontends.frontend import FrontendConfig, frontend, frontend_config
from core.frontends.thinned import ThinnedConfig, kept_frames


@pytest.fixture(scope="module")
def noise() -> Audio:
    return Audio(np.random.default_rng(0).normal(size=3 * 22050).astype(np.float32) / 10, 22050)


def test_features_are_frames_of_the_full_log_mel(noise: Audio) -> None:
    thinned, full = frontend(ThinnedConfig()), frontend(FrontendConfig(low_hz=0.0))
    kept = kept_frames(full.analyse(noise).frames, ThinnedConfig().keep_every)
    expected = compress(full.analyse(noise).mel_power[:, kept], FrontendConfig())
    np.testing.assert_array_equal(thinned.analyse(noise).features, expected)


def test_relevance_lies_around_the_kept_frames_and_its_sum_stays(noise: Audio) -> None:
    thinned = frontend(ThinnedConfig())
    spectrogram = thinned.analyse(noise)
    kept = kept_frames(spectrogram.frames, ThinnedConfig().keep_every)
    relevance = np.zeros(spectrogram.features.shape, np.float32)
    relevance[7, 5] = 2.0
    cells = thinned.relevance_to_cells(relevance, spectrogram)
    assert cells.sum() == pytest.approx(2.0)
    assert cells[7, kept[5]] > 0
    assert not cells[7, kept[[4, 6]]].any()
    assert not np.delete(cells, 7, axis=0).any()


def test_a_clip_of_thirty_seconds_has_as_many_columns_as_a_picture_of_gtzan() -> None:
    assert len(kept_frames(1293, ThinnedConfig().keep_every)) == 387


def test_settings_come_back_from_a_card() -> None:
    assert frontend_config({"name": "thinned_logmel", "keep_every": 4.0}) == ThinnedConfig(keep_every=4.0)
