"""The log-mel: what most networks see, and the picture of a sound."""

from core.frontends.compression import compress
from core.frontends.frontend import FRONTENDS, Frontend, Matrix, Spectrogram


@FRONTENDS.register("logmel")
class LogMel(Frontend):
    """Levels of the mel bands ``(bands, frames)`` in [0, 1], where 0 is silence and 1 the loudest cell."""

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        return compress(spectrogram.mel_power, self.config, quietest_peak) if quietest_peak else spectrogram.logmel

    def features_of_mel(self, mel_power: Matrix, quietest_peak: float = 0.0) -> Matrix:
        return compress(mel_power, self.config, quietest_peak)

    def relevance_to_cells(self, relevance: Matrix, spectrogram: Spectrogram) -> Matrix:
        """The map itself: the features are the cells."""
        return relevance
