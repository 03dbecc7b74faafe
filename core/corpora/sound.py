"""Where the sound of a corpus item comes from: a file, or a composed clip, whose features may be stored."""

from dataclasses import dataclass
from pathlib import Path

from core import audio
from core.audio import Audio
from core.corpora.read import BuiltDataset
from core.synthesis.clip import compose


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A recording on disk."""

    path: Path

    def load(self, sample_rate: int | None = None) -> Audio:
        """The decoded sound, at its own sample rate if no other is given.

        Raises:
            InputError: the file is missing or cannot be decoded.
        """
        return audio.load(self.path, sample_rate)


@dataclass(frozen=True, slots=True)
class ComposedClip:
    """A clip that is composed whenever it is needed; its name is ``recipe@seed``."""

    name: str

    def load(self, sample_rate: int | None = None) -> Audio:
        """The mix of the clip, at its own sample rate if no other is given.

        Raises:
            InputError: the name is not that of a clip, or a soundfont is missing.
        """
        mix = compose(self.name).audio
        return mix.at(sample_rate or mix.sample_rate)


@dataclass(frozen=True, slots=True)
class StoredClip(ComposedClip):
    """A composed clip whose features lie in a built data set.

    Attributes:
        dataset: The data set.
        row: The clip's row in its manifest.
    """

    dataset: BuiltDataset
    row: int


SoundRef = SoundFile | ComposedClip
