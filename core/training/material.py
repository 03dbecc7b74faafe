"""What a stage is trained on: the clips of a built data set, or the recordings of a corpus."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from core.corpora.corpus import Corpus, split_hash
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.tasks.task import Task
from core.training.config import TrainingConfig
from core.training.data import ClipDataModule, DataModule, PassageDataset, WindowsDataset

WINDOWS = 6  # of each held-out recording


@dataclass(frozen=True, eq=False)
class Material:
    """What a stage is trained on.

    Attributes:
        frontend: What the features are.
        passages: Whether the clips are passages of longer recordings.
        record: What the card says about it.
        batches: Makes the batches for a number of devices and of processes that read ahead.
    """

    frontend: FrontendConfig
    passages: bool
    record: dict[str, Any]
    batches: Callable[[int, int], DataModule]


def material(source: BuiltDataset | Corpus, config: TrainingConfig, task: Task) -> Material:
    """What a stage is trained on, from the data set or corpus that it asks for.

    Raises:
        InputError: it holds too few clips, or clips without an answer that the task allows.
    """
    return _composed(source, config, task) if isinstance(source, BuiltDataset) else _recorded(source, config, task)


def _composed(source: BuiltDataset, config: TrainingConfig, task: Task) -> Material:
    targets = task.targets(source.held, config.labels)
    clips = config.clips or max(0, len(source) - config.validation)
    record = {
        "recipe": source.recipe,
        "data_seed": source.seed,
        "clips": clips,
        "split_hash": split_hash(source.manifest["clip"][:clips]),
        "validation_seed": source.seed,
        "validation_clips": config.validation,
    }

    def batches(devices: int, readers: int) -> DataModule:
        return ClipDataModule(source, targets, config.batch_size, config.validation, devices, readers, config.clips)

    return Material(source.frontend, False, record, batches)


def _recorded(corpus: Corpus, config: TrainingConfig, task: Task) -> Material:
    training, held_out = (_of_task(corpus.of_split(each), config) for each in (config.split, config.validation_split))
    if len(training) < config.batch_size:
        raise InputError(
            f"The split {config.split} holds {len(training)} recordings, too few for batches of {config.batch_size}; "
            "choose a smaller batch_size."
        )
    frames = _frames(config)
    record = {
        "recipe": str(corpus.description["source"]),
        "clips": len(training),
        "split": config.split,
        "split_hash": corpus.split_hash(config.split),
        "validation_split": config.validation_split,
        "validation_clips": len(held_out),
    }

    from core.corpora.features import corpus_features

    def features_and_targets(part: Corpus) -> tuple[Any, torch.Tensor]:
        held = [[label for word in item.labels for label in part.groups[word]] for item in part.items]
        return corpus_features(part, config.frontend), torch.from_numpy(task.targets(held, config.labels))

    def batches(_: int, readers: int) -> DataModule:
        return DataModule(
            PassageDataset(*features_and_targets(training), frames, config.stretch),
            WindowsDataset(*features_and_targets(held_out), frames, WINDOWS),
            config.batch_size,
            readers,
        )

    return Material(config.frontend, True, record, batches)


def _of_task(corpus: Corpus, config: TrainingConfig) -> Corpus:
    """The items with a label that the model can answer with."""
    known = set(config.labels)
    rows = [row for row, item in enumerate(corpus.items) if known & {e for w in item.labels for e in corpus.groups[w]}]
    return corpus.rows(rows)


def _frames(config: TrainingConfig) -> int:
    """Columns of the features of a window."""
    ears = frontend(config.frontend)
    return ears.columns(ears.frames(round(config.window_s * config.frontend.sample_rate)))
