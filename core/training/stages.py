"""The stages of a training: which one comes next, its data, the weights that it starts from, and those that it writes.

The weights after each stage are kept in ``OUT/training/stage-N.safetensors``. The card in ``OUT`` says which stages led
to its model and gives the checksum of each stage's weights, so that a stage cannot start from other weights.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import nn

from core.corpora.corpus import Corpus, read_corpus
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.models.architecture import build_network
from core.models.card import Training, read_card
from core.models.store import WEIGHTS, card, load_model, model_folder
from core.records import write_whole
from core.training.config import PREVIOUS, TrainingConfig, TrainingPlan


@dataclass(frozen=True, eq=False)
class Start:
    """What a stage starts from.

    Attributes:
        network: A network with the weights.
        sha256: Checksum of their file.
        training: How they were trained.
        labels: What the outputs stand for.
    """

    network: nn.Module
    sha256: str
    training: Training
    labels: tuple[str, ...]


def training_folder(out: Path) -> Path:
    """Where checkpoints, logs and the weights after each stage lie."""
    return out / "training"


def checkpoint_folder(plan: TrainingPlan, number: int, out: Path) -> Path:
    """Where the checkpoints and the log of one stage lie."""
    folder = training_folder(out)
    return folder / f"stage-{number}" if len(plan.stages) > 1 else folder


def choose_stage(plan: TrainingPlan, out: Path, wanted: int | None) -> int:
    """The stage to train: the wanted one, or the only one, or the first that has not been trained in ``out``.

    Raises:
        InputError: there is no such stage, or all have been trained.
    """
    count = len(plan.stages)
    if wanted is not None:
        if not 1 <= wanted <= count:
            raise InputError(f"{plan.name} has no stage {wanted}; choose one from 1 to {count}.")
        return wanted
    trained = _stages_trained(plan, out)
    if 1 < count <= trained:
        raise InputError(f"All {count} stages of {plan.name} are trained in {out}; repeat one with --stage.")
    return min(trained + 1, count)


def _stages_trained(plan: TrainingPlan, out: Path) -> int:
    """Number of the last stage that was trained in a folder."""
    if not (out / "card.json").is_file():
        return 0
    last = read_card(out)
    return last.training.stage or 0 if last.name == plan.name else 0


def dataset_command(config: TrainingConfig) -> str:
    """The command that composes a stage's data; empty if the stage takes any.

    >>> from core.training.config import read_plan
    >>> dataset_command(read_plan("general-deep-simple").stage(1))
    'timbrescope dataset "simple" --clips 21504 --seed 21 --out DIR'
    """
    if config.recipe is None or config.data_seed is None or config.clips is None:
        return ""
    clips = config.clips + config.validation
    return f'timbrescope dataset "{config.recipe}" --clips {clips} --seed {config.data_seed} --out DIR'


def stage_data(config: TrainingConfig, folder: Path) -> BuiltDataset | Corpus:
    """The data set or corpus in a folder, once it is clear that it holds the clips that a stage asks for.

    Raises:
        InputError: the folder holds other clips or no data set; the message says how to compose the right ones.
    """
    command = dataset_command(config)
    remedy = f"compose the data of this stage with `{command}`" if command else "make one with `timbrescope dataset`"
    if not BuiltDataset.lies_in(folder):
        if command or not folder.is_dir():
            raise InputError(f"{folder} holds no finished data set; {remedy}.")
        return read_corpus(folder)
    source = BuiltDataset(folder)
    if not _holds(source, config):
        raise InputError(
            f"{folder} holds {len(source)} clips of {source.recipe!r} with seed {source.seed}, but this stage of "
            f"{config.name} is trained on {_named_data(config)}; {remedy}."
        )
    return source


def _holds(source: BuiltDataset, config: TrainingConfig) -> bool:
    """Whether a data set holds the clips that a stage asks for."""
    return (
        (config.recipe is None or source.is_of_recipe(config.recipe))
        and config.data_seed in (None, source.seed)
        and (config.clips is None or len(source) >= config.clips + config.validation)
    )


def _named_data(config: TrainingConfig) -> str:
    """The data that a stage asks for, in words."""
    return " ".join(
        (
            "clips" if config.clips is None else f"{config.clips + config.validation} clips",
            *([f"of {config.recipe!r}"] if config.recipe is not None else []),
            *([f"with seed {config.data_seed}"] if config.data_seed is not None else []),
        )
    )


def starting_point(plan: TrainingPlan, number: int, out: Path) -> Start | None:
    """What a stage starts from; None for random weights.

    Raises:
        InputError: there are no such weights, or their checksum is not the one in the plan.
    """
    config = plan.stage(number)
    if config.starts_from is None:
        return None
    start = _after_stage(plan, number - 1, out) if config.starts_from == PREVIOUS else _model(config.starts_from)
    if config.start_sha256 not in (None, start.sha256):
        raise InputError(
            f"Stage {number} of {plan.name} starts from weights with the checksum {config.start_sha256}, but those of "
            f"{_described(config, number)} have {start.sha256}; use the right weights, or change start_sha256 in a "
            "configuration of your own."
        )
    return start


def _described(config: TrainingConfig, number: int) -> str:
    return f"stage {number - 1}" if config.starts_from == PREVIOUS else f"the model {config.starts_from}"


def _model(name: str) -> Start:
    return Start(
        load_model(name).module, _sha256(model_folder(name) / WEIGHTS), card(name).training, tuple(card(name).labels)
    )


def _after_stage(plan: TrainingPlan, number: int, out: Path) -> Start:
    """The weights that a stage wrote into a folder."""
    path = weights_file(out, number)
    history = read_card(out).training.history if (out / "card.json").is_file() else ()
    training = next((training for training in history if training.stage == number), None)
    if training is None or not path.is_file():
        raise InputError(f"{out} holds no weights of stage {number} of {plan.name}; train that stage first.")
    found = _sha256(path)
    if found != training.weights_sha256:
        raise InputError(f"{path} is not the file that stage {number} of {plan.name} wrote; train that stage again.")
    config = plan.stage(number)
    network = build_network(config.architecture, config.config, len(config.labels))
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise InputError(
            f"The weights in {path} do not fit the configuration of stage {number}; train that stage again."
        ) from error
    return Start(network, found, training, config.labels)


def keep_weights(network: nn.Module, out: Path, number: int) -> str:
    """Writes the weights after a stage and returns the checksum of their file.

    Raises:
        InputError: they cannot be written.
    """
    content = serialised({key: value.contiguous() for key, value in network.state_dict().items()})
    write_whole(weights_file(out, number), lambda file: file.write(content))
    return hashlib.sha256(content).hexdigest()


def weights_file(out: Path, number: int) -> Path:
    """Where the weights after a stage are kept."""
    return training_folder(out) / f"stage-{number}.safetensors"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
