"""Where the sound of a corpus item comes from: a file, a composed clip, or nowhere, if only its log-mel is stored."""

from dataclasses import dataclass
from pathlib import Path

from core import audio
from core.audio import Audio
from core.corpora.mels import MelTable
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.frontends.frontend import Matrix
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


@dataclass(frozen=True, slots=True)
class StoredMel:
    """A recording of which a table of precomputed features holds the log-mel, and not the sound.

    Attributes:
        table: The table.
        name: The recording's name in it.
    """

    table: MelTable
    name: str

    def mel_power(self) -> Matrix:
        """Power in each mel band ``(bands, kept frames)``, in the scale and on the grid of the table's frontend."""
        return self.table.mel_power(self.name)

    def descriptors(self) -> dict[str, float]:
        """The descriptors of the whole recording by name; none if the table has none."""
        return self.table.descriptors(self.name)

    def load(self, sample_rate: int | None = None) -> Audio:
        """There is no sound.

        Raises:
            InputError: always.
        """
        raise InputError(
            f"{self.table.folder} holds log-mels only and no sound of {self.name}; give a folder of sound files."
        )


SoundRef = SoundFile | ComposedClip | StoredMel

SOUND_SUFFIXES = frozenset({".wav", ".au", ".mp3", ".ogg", ".flac", ".m4a", ".aif", ".aiff", ".opus", ".wma", ".aac"})
"""Suffixes of the files that are taken for sounds where a folder holds other files too."""
