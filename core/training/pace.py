"""How fast training is with batches read from disk, and how fast with a batch that stays in memory."""

import logging
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader, IterableDataset

from core.training.data import Batch
from core.training.module import RecognitionModule


@dataclass(frozen=True)
class Pace:
    """Seconds that training steps took, each from the end of the step before.

    Attributes:
        stored: Steps whose batch was read from disk.
        in_memory: The steps between them, whose batch stayed in memory.
        waiting: The part of each stored step that was spent waiting for its batch.
    """

    stored: list[float]
    in_memory: list[float]
    waiting: list[float]


def pace(module: RecognitionModule, loader: DataLoader[Batch], turns: int) -> Pace:
    """Trains alternately on a batch of the loader and on one that stays in memory; the first two steps do not count."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    clock = _Clock()
    trainer = L.Trainer(
        devices=1,
        max_epochs=1,
        precision=module.config.precision,  # type: ignore[arg-type]  # pydantic does not know Lightning's literals
        callbacks=[clock],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings(action="ignore"):  # Lightning recommends reading ahead, whose worth is measured here
        trainer.fit(module, DataLoader(_Turns(loader, turns + 1), batch_size=None))
    return Pace(clock.steps[1::2], clock.steps[2::2], clock.waiting[1::2])


class _Turns(IterableDataset[Batch]):
    """Batches of a loader, again and again, with the very first batch repeated after each."""

    def __init__(self, loader: DataLoader[Batch], turns: int) -> None:
        self.loader = loader
        self.turns = turns

    def __len__(self) -> int:  # without it Lightning would fetch a batch ahead
        return 2 * self.turns

    def __iter__(self) -> Iterator[Batch]:
        again = self._again()
        first = next(again)
        yield first
        yield first
        for _ in range(1, self.turns):
            yield next(again)
            yield first

    def _again(self) -> Iterator[Batch]:
        while True:
            yield from self.loader


class _Clock(L.Callback):
    """Times every step but the first, which follows no other."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.waiting: list[float] = []
        self._ended: float | None = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self._ended is not None:
            self.waiting.append(time.perf_counter() - self._ended)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize()  # the step ends when the GPU has finished, not when it was told what to do
        now = time.perf_counter()
        if self._ended is not None:
            self.steps.append(now - self._ended)
        self._ended = now
