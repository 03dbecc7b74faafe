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

GPU_READERS = 4  # processes: a GPU is done with a batch sooner than one process has read the next


class ClipDataset(Dataset[Batch]):
    """Some clips of a built data set; a whole batch is read at once, which memory-mapped files like best."""

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
    """Training clips, and the last ``validation`` clips of the data set held out.

    Every clip has a seed of its own, so nothing that is heard in training comes back in validation. Lightning shares
    the clips of both out among its devices; where these do not divide the held-out clips, a few count twice.

    Args:
        targets: What the network should answer for each clip ``(clips, labels)``.
        devices: How many train at once, each on batches of its own.
        readers: Processes that read ahead; without any, batches are read in between the steps, which on a processor
            costs nothing worth mentioning (``timbrescope bench`` measures it).

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
    ) -> None:
        super().__init__()
        split = len(source) - validation
        if split < batch_size * devices:
            raise InputError(
                f"{source.folder} holds {len(source)} clips, too few for {validation} to validate with and a batch of "
                f"{batch_size * devices} to train on; compose more with `timbrescope dataset`."
            )
        self.batch_size = batch_size
        self.readers = readers
        wanted = torch.from_numpy(targets)
        self.training = ClipDataset(source, wanted, range(split))
        self.validation = ClipDataset(source, wanted, range(split, len(source)))

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
