"""Batches for training from a built data set that stays on disk."""

from typing import Any

import lightning as L
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from core.corpora.read import BuiltDataset
from core.errors import InputError

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


class ClipDataModule(L.LightningDataModule):
    """The first clips of a data set to train on, and those after them held out for validation.

    Every clip has a seed of its own, so nothing heard in training comes back in validation. Lightning divides both
    among its devices; where the held-out clips cannot be divided evenly, a few count twice.

    Args:
        targets: What the network should answer for each clip ``(clips, labels)``.
        validation: How many clips are held out.
        devices: How many train at once, each on batches of its own.
        readers: Processes that read ahead. Without any, batches are read between the steps, which on a CPU takes
            a negligible share of the time (``timbrescope bench`` measures it).
        clips: How many clips to train on; all but the held-out ones if not given.

    Raises:
        InputError: the data set has too few clips for that.
    """

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
        super().__init__()
        split = clips or len(source) - validation
        if split < batch_size * devices:
            raise InputError(
                f"{source.folder} holds {len(source)} clips, too few to hold out {validation} for validation and to "
                f"train on batches of {batch_size * devices}; compose more with `timbrescope dataset`."
            )
        self.batch_size = batch_size
        self.readers = readers
        wanted = torch.from_numpy(targets)
        self.training = ClipDataset(source, wanted, range(split))
        self.validation = ClipDataset(source, wanted, range(split, split + validation))

    def train_dataloader(self) -> DataLoader[Batch]:
        return self._loader(self.training, learning=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._loader(self.validation, learning=False)

    def _loader(self, clips: ClipDataset, learning: bool) -> DataLoader[Batch]:
        return DataLoader(
            clips,
            self.batch_size,
            shuffle=learning,
            drop_last=learning,
            collate_fn=_as_it_is,
            num_workers=self.readers,
            persistent_workers=self.readers > 0,
        )


def _as_it_is(batch: Any) -> Any:
    return batch
