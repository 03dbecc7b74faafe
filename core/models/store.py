"""Trained models on disk: ``trained_models/<name>/model.safetensors`` beside ``card.json``."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from core.audio import SAMPLE_RATE
from core.errors import InputError
from core.frontends.frontend import Frontend, frontend
from core.models.architecture import Network, build_network
from core.models.card import Card, read_card
from core.paths import TRAINED_MODELS

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network in evaluation mode with its card."""

    card: Card
    network: Network

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.card.labels)

    @property
    def frontend(self) -> Frontend:
        return frontend(self.card.frontend)

    def label_index(self, label: str) -> int:
        """Which output stands for a label.

        Raises:
            InputError: the model does not know the label.
        """
        if label not in self.labels:
            raise InputError(
                f"The model {self.name} knows no instrument {label!r}; choose from: {', '.join(self.labels)}."
            )
        return self.labels.index(label)

    def logits(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Logits ``(windows, labels)`` of the frontend's features ``(windows, rows, frames)``."""
        with torch.inference_mode():
            inputs = torch.from_numpy(np.asarray(features, dtype=np.float32)).unsqueeze(1)
            return np.asarray(self.network(inputs))

    def probabilities(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Calibrated probabilities of logits of any shape."""
        return np.asarray(1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64) / self.card.temperature)), np.float32)

    def detected(self, logits: npt.NDArray[np.floating]) -> list[int]:
        """Numbers of the labels that logits ``(labels,)`` say are heard: their probability reaches the threshold."""
        thresholds = np.array([self.card.thresholds[label] for label in self.labels], np.float32)
        return [int(index) for index in np.flatnonzero(self.probabilities(logits) >= thresholds)]


def model_names(root: Path | None = None) -> list[str]:
    """Names of the trained models on disk, the default first, the others in alphabetical order."""
    root = root or TRAINED_MODELS
    names = sorted(path.parent.name for path in root.glob(f"*/{WEIGHTS}"))
    return sorted(names, key=lambda name: not read_card(root / name).default)


def highest_rate() -> int:
    """The highest sample rate of the models on disk, at which a sound serves them all."""
    return max((card(name).frontend.sample_rate for name in model_names()), default=SAMPLE_RATE)


def default_model() -> str:
    """Name of the model that is used when none is asked for.

    Raises:
        InputError: there is no trained model on disk.
    """
    names = model_names()
    if not names:
        raise InputError("There is no trained model in trained_models/; train one with `timbrescope train`.")
    return names[0]


def model_folder(name: str) -> Path:
    """Where a model's files lie.

    Args:
        name: A trained model's name, or the path of its folder.

    Raises:
        InputError: there is none.
    """
    for folder in (TRAINED_MODELS / name, Path(name)):
        if (folder / WEIGHTS).is_file():
            return folder
    raise InputError(f"There is no trained model {name!r}; choose one of: {', '.join(model_names()) or '(none yet)'}.")


def card(name: str) -> Card:
    """The card of a model on disk.

    Raises:
        InputError: there is no model of this name.
    """
    return read_card(model_folder(name))


@lru_cache(maxsize=8)
def load_model(name: str) -> TrainedModel:
    """The model called ``name``, or in the folder of this path; loaded once in a process.

    Raises:
        InputError: there is none, or its files do not fit together.
    """
    folder = model_folder(name)
    card = read_card(folder)
    network = build_network(card.architecture, card.config, len(card.labels))
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"The weights of the model {name} do not fit its card; train or copy it again.") from error
    network.requires_grad_(False).eval()
    network.to_channels_last()
    return TrainedModel(card, network)


def save_model(network: Network, card: Card, folder: Path) -> None:
    """Writes weights and card into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / WEIGHTS)
    card.write(folder)
