"""The thinned log-mel: one frame of the log-mel in every few, so that a network sees a long sound at little cost.

Precomputed features of corpora come in this form: pictures of spectrograms have fewer columns than a clip has frames.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.frontends.compression import compress
from core.frontends.frontend import FRONTENDS, Frontend, FrontendConfig, Matrix, Spectrogram

GTZAN_KEEP_EVERY = 1293 / 387.5  # frames of a clip of 30 s over the columns of its picture


@dataclass(frozen=True)
class ThinnedConfig(FrontendConfig):
    """Settings of the thinned log-mel.

    Attributes:
        keep_every: One frame is kept in so many, which need not be a whole number.
    """

    name: str = field(default="thinned_logmel", init=False)
    low_hz: float = 0.0
    keep_every: float = GTZAN_KEEP_EVERY

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("keep_every", 1 <= self.keep_every <= 100, "from 1 to 100")

    @property
    def column_s(self) -> float:
        """Seconds from one kept frame to the next."""
        return self.keep_every * self.hop / self.sample_rate


def kept_frames(frames: int, keep_every: float) -> npt.NDArray[np.int64]:
    """Which of a sound's frames are kept: those in the middle of equal stretches; the first one if there is no other.

    >>> kept_frames(10, 3.5).tolist(), kept_frames(1, 3.5).tolist()
    ([1, 5, 8], [0])
    """
    columns = max(1, int(np.ceil(frames / keep_every - 0.5)))
    return np.minimum((np.arange(columns) + 0.5) * keep_every, frames - 1).astype(np.int64)


class Thinned(Frontend):
    """A frontend that reads every few frames of the mel spectrogram."""

    config: ThinnedConfig
    config_type = ThinnedConfig

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        kept = kept_frames(spectrogram.frames, self.config.keep_every)
        return self.features_of_mel(spectrogram.mel_power[:, kept], quietest_peak)

    def columns(self, frames: int) -> int:
        return len(kept_frames(frames, self.config.keep_every))

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """Shares the relevance of each kept frame out evenly among the frames that it stands for, the nearest ones."""
        kept = kept_frames(spectrogram.frames, self.config.keep_every)
        nearest = np.abs(np.arange(spectrogram.frames)[:, None] - kept).argmin(1)
        shares = np.bincount(nearest, minlength=len(kept)).astype(np.float32)
        return np.asarray(self.relevance_to_mel(relevance)[:, nearest] / shares[nearest], dtype=np.float32)

    def relevance_to_mel(self, relevance: Matrix) -> Matrix:
        """Moves relevance from the features ``(rows, kept frames)`` to the mel bands ``(bands, kept frames)``."""
        return relevance


@FRONTENDS.register("thinned_logmel")
class ThinnedLogMel(Thinned):
    """Levels of the mel bands ``(bands, kept frames)`` in [0, 1], where 0 is silence and 1 the loudest cell."""

    def features_of_mel(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        return compress(mel_power, self.config, quietest_peak)
