"""Trained models on disk: ``trained_models/<name>/model.safetensors`` beside ``card.json``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from core.audio import SAMPLE_RATE
from core.errors import InputError
from core.frontends.frontend import Frontend, frontend
from core.models.architecture import build_network, tried_shape
from core.models.card import CARD, REMEDY, Card, read_card
from core.models.network import StagedNetwork, to_channels_last
from core.paths import TRAINED_MODELS
from core.records import write_whole
from core.tasks.task import TASKS, Task
from core.taxonomy.labels import LABEL_SPACES, LabelSpace

WEIGHTS = "model.safetensors"
DEFAULT_TASK = "instruments"
LEAST = 1e-7  # probability that a fusion sees
TRIED_FRAMES = 8  # length of the silence that a network is tried on


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network in evaluation mode with its card.

    Attributes:
        module: From features ``(windows, 1, rows, frames)`` to logits ``(windows, labels)``.
    """

    card: Card
    module: nn.Module

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def staged(self) -> bool:
        """Whether it is a chain of convolution stages, in whose channels concepts can be found."""
        return isinstance(self.module, StagedNetwork)

    @property
    def network(self) -> StagedNetwork:
        """The network as a chain of convolution stages.

        Raises:
            InputError: it is another kind of network.
        """
        if not isinstance(self.module, StagedNetwork):
            raise InputError(
                f"The model {self.name} is no chain of convolutions, so there are no concepts to be found inside it; "
                "choose a convolutional model for this."
            )
        return self.module

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose channels are concepts, from the input upwards; none if it is not staged."""
        return self.module.concept_layers if isinstance(self.module, StagedNetwork) else ()

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the models whose answers it fuses; none if it listens itself."""
        return tuple(self.card.config.get("members", ()))

    @property
    def task(self) -> Task:
        """The question that the model answers."""
        return TASKS.get(self.card.task)

    @property
    def space(self) -> LabelSpace:
        """The label space that its labels come from."""
        return LABEL_SPACES.get(self.card.label_set)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.card.labels)

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        """Probability from which each label counts as detected ``(labels,)``; empty where the task has none."""
        found = self.card.thresholds
        return np.array([found[label] for label in self.labels if label in found], np.float32)

    @property
    def frontend(self) -> Frontend:
        return frontend(self.card.frontend)

    def label_index(self, label: str) -> int:
        """Index of the output that stands for a label.

        Raises:
            InputError: the model does not know the label.
        """
        if label not in self.labels:
            raise InputError(
                f"The model {self.name} knows no {self.space.noun} {label!r}; choose from: {', '.join(self.labels)}."
            )
        return self.labels.index(label)

    def outputs(self, features: npt.NDArray[np.floating]) -> dict[str, npt.NDArray[np.float32]]:
        """The network's outputs for features ``(windows, rows, frames)``, by head: ``logits (windows, labels)``."""
        with torch.inference_mode():
            inputs = torch.from_numpy(np.asarray(features, dtype=np.float32)).unsqueeze(1)
            return {"logits": np.asarray(self.module(inputs))}

    def logits(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Logits ``(windows, labels)`` of features ``(windows, rows, frames)``."""
        return self.outputs(features)["logits"]

    def probabilities(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Calibrated probabilities of logits ``(..., labels)``."""
        return self.task.probabilities(logits, self.card.temperature)

    def fuse(self, answers: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Logits ``(..., labels)`` from the probabilities of each member ``(..., labels)``, in this model's order.

        Where no member hears anything, the logits are minus infinity.
        """
        probabilities = np.stack(answers, axis=-2)  # (..., members, labels)
        logs = np.log(np.maximum(probabilities, LEAST)).astype(np.float32)
        flat = logs.reshape(-1, *logs.shape[-2:])
        logits = self.logits(flat).reshape(*logs.shape[:-2], -1)
        silent = ~probabilities.any(axis=(-2, -1))
        logits[silent] = -np.inf
        return logits

    def decide(self, probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Which labels are the answer, from probabilities ``(..., labels)``."""
        return self.task.decide(probabilities, self.thresholds)

    def detected(self, logits: npt.NDArray[np.floating]) -> list[int]:
        """Indices of the labels that are the answer, from logits ``(labels,)``."""
        return [int(index) for index in np.flatnonzero(self.decide(self.probabilities(logits)))]


def model_names(root: Path | None = None, task: str | None = None) -> list[str]:
    """Names of the trained models on disk: those for the default task first, of each task the default model first.

    Args:
        root: Where they lie; ``trained_models/`` if not given.
        task: Only the models for this task.
    """
    root = root or TRAINED_MODELS
    cards = {path.parent.name: read_card(path.parent) for path in sorted(root.glob(f"*/{WEIGHTS}"))}
    chosen = [name for name, card in cards.items() if task in (None, card.task)]

    def place(name: str) -> tuple[bool, str, bool]:
        card = cards[name]
        return card.task != DEFAULT_TASK, card.task, not card.default

    return sorted(chosen, key=place)


def highest_rate() -> int:
    """The highest sample rate of the models on disk; a sound at this rate suits all of them."""
    return max((card(name).frontend.sample_rate for name in model_names()), default=SAMPLE_RATE)


def default_model(task: str | None = None) -> str:
    """Name of the model that is used where none is named.

    Args:
        task: The task that it is for; if not given, the first of :func:`model_names`.

    Raises:
        InputError: there is no trained model on disk, or none for the task.
    """
    names = model_names(task=task)
    if not names:
        wanted = f" for the task {task}" if task else ""
        raise InputError(f"There is no trained model{wanted} in trained_models/; train one with `timbrescope train`.")
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
    """The model of this name, or in the folder of this path; loaded once in a process.

    Raises:
        InputError: there is none, or its files are damaged or do not fit together.
    """
    folder = model_folder(name)
    card, weights = read_card(folder), _read_weights(folder / WEIGHTS)
    if _shapes_by(card, folder) != {key: tuple(values.shape) for key, values in weights.items()}:
        raise InputError(f"The weights of the model {card.name} do not fit its card; {REMEDY}.")
    network = build_network(card.architecture, card.config, len(card.labels))
    network.load_state_dict(weights)
    network.requires_grad_(False).eval()
    to_channels_last(network)
    _try(network, card, folder)
    return TrainedModel(card, network)


def _read_weights(path: Path) -> dict[str, Tensor]:
    """The weights in a file by name.

    Raises:
        InputError: the file cannot be read, holds no weights, or holds some that are not finite.
    """
    try:
        weights = load_file(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    except SafetensorError as error:
        raise InputError(f"{path} is damaged and holds no weights; {REMEDY}.") from error
    if not all(values.isfinite().all() for values in weights.values()):
        raise InputError(f"{path} is damaged: some of its weights are not finite; {REMEDY}.")
    return weights


def _shapes_by(card: Card, folder: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights that a card describes, by name, found without taking memory for the weights.

    Raises:
        InputError: the card describes no possible network.
    """
    with _as_described(folder), torch.device("meta"):  # on which tensors have shapes, but no values
        network = build_network(card.architecture, card.config, len(card.labels))
    return {key: tuple(values.shape) for key, values in network.state_dict().items()}


def _try(network: nn.Module, card: Card, folder: Path) -> None:
    """Runs a network once, on silence.

    Raises:
        InputError: the network does not have an output for each label, or cannot be run.
    """
    with _as_described(folder), torch.inference_mode():
        shape = tried_shape(card.architecture, card.config, len(card.labels))
        outputs = network(torch.zeros(1, 1, *(shape or (card.frontend.rows, TRIED_FRAMES))))
        if outputs.shape != (1, len(card.labels)):
            raise ValueError(f"outputs {tuple(outputs.shape)}")


@contextmanager
def _as_described(folder: Path) -> Iterator[None]:
    """Turns an error that a network raises into an error about the card that describes the network."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise InputError(f"{folder / CARD} describes a network that does not work; {REMEDY}.") from error


def save_model(network: nn.Module, card: Card, folder: Path) -> None:
    """Writes weights and card into a folder, which is created if it is missing.

    Raises:
        InputError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({key: value.contiguous() for key, value in network.state_dict().items()})
    write_whole(folder / WEIGHTS, lambda file: file.write(weights))
    card.write(folder / CARD)
