"""From a cell of a layer's plane to the patch of sound that it sees: seconds and Hz."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.frontends.frontend import Frontend
from core.models.network import ReceptiveField, StagedNetwork


@dataclass(frozen=True)
class Patch:
    """A part of a sound: its centre and length in seconds, and its edges in Hz."""

    time_s: float
    duration_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True, eq=False)
class Places:
    """Maps the cells of a network's layers to patches of sounds of one length.

    Attributes:
        fields: Receptive field of each layer.
        frontend: How the sounds become log-mels.
        duration: Of the sounds, in seconds.
    """

    fields: Mapping[str, ReceptiveField]
    frontend: Frontend
    duration: float

    @classmethod
    def of(cls, network: StagedNetwork, frontend: Frontend, duration: float) -> "Places":
        """Those of all concept layers of a network."""
        return cls({stage.name: stage.field for stage in network.stages}, frontend, duration)

    def patch(self, layer: str, band: int, frame: int) -> Patch:
        """What a cell of a layer's plane sees, as far as it lies within the sound."""
        field, config = self.fields[layer], self.frontend.config
        (lowest, highest), (first, last) = (
            (start + step * cell - size / 2, start + step * cell + size / 2)
            for start, step, size, cell in zip(field.first, field.step, field.size, (band, frame), strict=True)
        )
        edges = np.array([first, last]) + self.frontend.first_frame
        start, end = np.clip(edges * config.hop / config.sample_rate, 0, self.duration)
        # One step below the lowest band's centre lies its lower edge, and likewise above the highest.
        centres = [config.low_hz, *self.frontend.band_hz, config.high_hz]
        low, high = np.interp([lowest, highest], np.arange(-1, config.bands + 1), centres)
        return Patch(
            *(round(float(x), 4) for x in ((start + end) / 2, end - start)), *np.round([low, high], 1).tolist()
        )
