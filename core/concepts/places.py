"""From a cell in a layer's plane to the patch of sound that it sees, in seconds and Hz."""

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
    """Maps cells of a network's layers to patches of sounds that have one duration.

    Attributes:
        fields: Receptive field of each layer.
        frontend: The frontend that makes log-mels of the sounds.
        duration: Duration of the sounds, in seconds.
    """

    fields: Mapping[str, ReceptiveField]
    frontend: Frontend
    duration: float

    @classmethod
    def of(cls, network: StagedNetwork, frontend: Frontend, duration: float) -> "Places":
        """The places of all concept layers of a network."""
        return cls({stage.name: stage.field for stage in network.stages}, frontend, duration)

    def patch(self, layer: str, band: int, frame: int) -> Patch:
        """The part of the sound that a cell sees."""
        field, config = self.fields[layer], self.frontend.config
        (lowest, highest), (first, last) = (
            (start + step * cell - size / 2, start + step * cell + size / 2)
            for start, step, size, cell in zip(field.first, field.step, field.size, (band, frame), strict=True)
        )
        edges = np.array([first, last]) + self.frontend.first_frame
        start, end = np.clip(edges * config.hop / config.sample_rate, 0, self.duration)
        # The lowest band begins one step below its centre, and the highest ends one step above its own.
        centres = [config.low_hz, *self.frontend.band_hz, config.high_hz]
        low, high = np.interp([lowest, highest], np.arange(-1, config.bands + 1), centres)
        return Patch(
            *(round(float(x), 4) for x in ((start + end) / 2, end - start)), *np.round([low, high], 1).tolist()
        )
