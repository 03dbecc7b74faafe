"""Batches for training: clips of a built data set that stays on disk, or random passages of a corpus's recordings."""

from collections.abc import Sequence
from typing import Any

import lightning as L
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.frontends.frontend import Matrix

Batch = tuple[torch.Tensor, torch.Tensor]

GPU_READERS = 4  # processes: a GPU finishes a batch sooner than one process reads the next


class ClipDataset(Dataset[Batch]):
    """Some clips of a built data set; a whole batch is read at once, which is fastest with memory-mapped files."""

    def __init__(self, source: BuiltDataset, targets: torch.Tensor, indices: range) -> None:
        self.source = source
        self.indices = indices
        self.targets = targets

    def __len__(self) -> int:
        return len(self.indices)

    def __getitems__(self, items: list[int]) -> Batch:
        """Log-mels ``(batch, 1, bands, frames)`` and targets ``(batch, labels)``."""
        chosen = [self.indices[item] for item in sorted(items)]
        features = torch.from_numpy(self.source.features(chosen).astype(np.float32)).unsqueeze(1)
        return features.contiguous(memory_format=torch.channels_last), self.targets[chosen]


class PassageDataset(Dataset[Batch]):
    """A passage at a random place of each recording.

    Args:
        recordings: Features ``(rows, frames)`` of each.
        targets: ``(recordings, labels)``.
        frames: Length of a passage; shorter recordings are repeated.
        stretch: A passage is played up to this share faster or slower.
    """

    def __init__(self, recordings: Sequence[Matrix], targets: torch.Tensor, frames: int, stretch: float = 0.0) -> None:
        self.recordings = [repeated(each, frames) for each in recordings]
        self.targets = targets
        self.frames = frames
        self.stretch = stretch

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitems__(self, items: list[int]) -> Batch:
        """Features ``(batch, 1, rows, frames)`` and targets ``(batch, labels)``."""
        return torch.stack([self._passage(item) for item in items]).unsqueeze(1), self.targets[items]

    def _passage(self, item: int) -> torch.Tensor:
        recording = self.recordings[item]
        factor = 1 + self.stretch * (2 * torch.rand(()).item() - 1)
        length = min(round(self.frames * factor), recording.shape[1])
        start = int(torch.randint(recording.shape[1] - length + 1, ()))
        passage = torch.from_numpy(np.asarray(recording[:, start : start + length], np.float32))
        if length == self.frames:
            return passage
        return torch.nn.functional.interpolate(passage[None], self.frames, mode="linear", align_corners=False)[0]


class WindowsDataset(Dataset[Batch]):
    """All of each recording, as windows of one length at even distances.

    Args:
        recordings: Features ``(rows, frames)`` of each.
        targets: ``(recordings, labels)``.
        frames: Length of a window; shorter recordings are repeated.
        count: Windows of a recording.
    """

    def __init__(self, recordings: Sequence[Matrix], targets: torch.Tensor, frames: int, count: int) -> None:
        self.recordings = [repeated(each, frames) for each in recordings]
        self.targets = targets
        self.frames = frames
        self.count = count

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitems__(self, items: list[int]) -> Batch:
        """Features ``(batch, windows, 1, rows, frames)`` and targets ``(batch, labels)``."""
        return torch.stack([self._windows(item) for item in items]).unsqueeze(2), self.targets[items]

    def _windows(self, item: int) -> torch.Tensor:
        recording = self.recordings[item]
        starts = np.linspace(0, recording.shape[1] - self.frames, self.count).astype(int)
        return torch.stack(
            [torch.from_numpy(np.asarray(recording[:, start : start + self.frames], np.float32)) for start in starts]
        )


def repeated(features: Matrix, frames: int) -> Matrix:
    """Features ``(rows, n)`` repeated until they have at least ``frames`` columns.

    >>> repeated(np.ones((2, 3), np.float32), 4).shape, repeated(np.ones((2, 5), np.float32), 4).shape
    ((2, 6), (2, 5))
    """
    return features if features.shape[1] >= frames else np.tile(features, (1, -(-frames // features.shape[1])))


class DataModule(L.LightningDataModule):
    """What is trained on, and what is held out for validation.

    Args:
        readers: Processes that read ahead. Without any, batches are read between the steps, which on a CPU takes
            a negligible share of the time (``timbrescope bench`` measures it).
    """

    def __init__(self, training: Dataset[Batch], validation: Dataset[Batch], batch_size: int, readers: int = 0) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.readers = readers
        self.training = training
        self.validation = validation

    def train_dataloader(self) -> DataLoader[Batch]:
        return self._loader(self.training, learning=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._loader(self.validation, learning=False)

    def _loader(self, clips: Dataset[Batch], learning: bool) -> DataLoader[Batch]:
        return DataLoader(
            clips,
            self.batch_size,
            shuffle=learning,
            drop_last=learning,
            collate_fn=_as_it_is,
            num_workers=self.readers,
            persistent_workers=self.readers > 0,
        )


class ClipDataModule(DataModule):
    """The first clips of a data set to train on, and those after them held out for validation.

    Every clip has a seed of its own, so nothing heard in training comes back in validation. Lightning divides both
    among its devices; where the held-out clips cannot be divided evenly, a few count twice.

    Args:
        targets: What the network should answer for each clip ``(clips, labels)``.
        validation: How many clips are held out.
        devices: How many train at once, each on batches of its own.
        readers: As in :class:`DataModule`.
        clips: How many clips to train on; all but the held-out ones if not given.

    Raises:
        InputError: the data set has too few clips for that.
    """

    training: ClipDataset
    validation: ClipDataset

    def __init__(
        self,
        source: BuiltDataset,
        targets: npt.NDArray[np.float32],
        batch_size: int,
        validation: int,
        devices: int = 1,
        readers: int = 0,
        clips: int | None = None,
    ) -> None:
        split = clips or len(source) - validation
        if split < batch_size * devices:
            raise InputError(
                f"{source.folder} holds {len(source)} clips, too few to hold out {validation} for validation and to "
                f"train on batches of {batch_size * devices}; compose more with `timbrescope dataset`."
            )
        wanted = torch.from_numpy(targets)
        super().__init__(
            ClipDataset(source, wanted, range(split)),
            ClipDataset(source, wanted, range(split, split + validation)),
            batch_size,
            readers,
        )


def _as_it_is(batch: Any) -> Any:
    return batch
