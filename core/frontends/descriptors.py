"""Descriptors of a window in a musician's words, with statistics of its log-mel beside them where they are wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from core.audio import SAMPLE_RATE, Audio
from core.descriptors import DESCRIPTORS, MUSICAL, TABLE, Descriptor, Measured, describe
from core.frontends.frontend import FRONTENDS, Matrix, Spectrogram
from core.frontends.statistics import SETS, Described, StatisticsConfig, kept

NAMED_SETS: Mapping[str, tuple[str, ...]] = {
    "table": TABLE,
    "timbre": tuple(name for name in TABLE if not name.startswith(("harmony", "perceptr"))),
    "musical": MUSICAL,
}


@dataclass(frozen=True)
class DescriptorsConfig(StatisticsConfig):
    """Settings of the statistics, and further sets that need the sound itself.

    Attributes:
        sets: Those of the statistics, or ``table`` (the 57 of :data:`core.descriptors.TABLE`), ``timbre`` (the same
            without the four that need tones and beats parted, which takes most of the time) and ``musical`` (tempo, key
            and loudness). What the sets name twice is seen once.
    """

    name: str = field(default="descriptors", init=False)
    sets: tuple[str, ...] = ("table",)

    ALL_SETS: ClassVar[tuple[str, ...]] = (*SETS, *NAMED_SETS)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("sample_rate", self.sample_rate == SAMPLE_RATE, f"{SAMPLE_RATE}")

    @property
    def named(self) -> tuple[str, ...]:
        """Names of the descriptors that need the sound."""
        return tuple(dict.fromkeys(name for each in self.sets for name in NAMED_SETS.get(each, ())))

    @property
    def rows(self) -> int:
        return super().rows + len(self.named)


@dataclass(frozen=True)
class Heard(Spectrogram):
    """A spectrogram beside which its sound is measured once, however many windows are asked about."""

    @cached_property
    def measured(self) -> Measured:
        """What is measured in the frames of the whole sound."""
        return Measured(self.audio)


@FRONTENDS.register("descriptors")
class Descriptors(Described):
    """Descriptors ``(rows, 1)`` of a window, those that need the sound first.

    What librosa measures in frames is measured in the whole sound, and averaged over the window.
    """

    config: DescriptorsConfig
    config_type: ClassVar[type[DescriptorsConfig]] = DescriptorsConfig

    def analyse(self, audio: Audio) -> Spectrogram:
        found = super().analyse(audio)
        return Heard(found.samples, found.mel_power, found.config)

    @cached_property
    def descriptors(self) -> tuple[Descriptor, ...]:
        named = tuple(DESCRIPTORS[name] for name in self.config.named)
        return (*named, *(each for name in self.config.sets for each in self._descriptors.get(name, ())))

    def features(self, spectrogram: Spectrogram, quietest_peak: float = 0.0) -> Matrix:
        named = self._named(spectrogram)
        return np.concatenate([named, self.statistics(kept(spectrogram), quietest_peak)])

    def _named(self, spectrogram: Spectrogram) -> Matrix:
        whole = spectrogram.whole or spectrogram
        measured = whole.measured if isinstance(whole, Heard) else Measured(whole.audio)
        start = max((spectrogram.first + self.first_frame) * self.config.hop, 0) if spectrogram.whole else 0
        stop = start + len(spectrogram.samples)
        found = describe(measured, start, stop, self.config.named)
        return np.array(list(found.values()), np.float32)[:, None]
