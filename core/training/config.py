"""A model and its training in stages: one TOML file. Those of the shipped models are in ``configs/``.

The top of the file says what the model is; each ``[[stage]]`` says how its weights are trained further, on which clips
and from which weights. A setting at the top holds for every stage that does not set it itself, and a file without any
``[[stage]]`` is a single stage.
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError
from core.frontends.frontend import FrontendConfig, SavedConfig
from core.taxonomy.labels import LABEL_SPACES, LabelSpace

CONFIGS = Path(__file__).parent / "configs"
PREVIOUS = "previous"
MODEL_KEYS = {"name", "title", "description", "task", "label_set", "architecture", "default"}  # the same in all stages

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class TrainingConfig(BaseModel):
    """A model and one stage of its training.

    Attributes:
        task: The question that the model answers.
        label_set: The labels that it may answer with.
        window_s: Seconds of sound that the network is trained on, and asked about at once.
        timeline_window_s: The same for its answer over time.
        config: Settings of the architecture. A stage's ``config`` changes single settings of the one at the top.
        split: The split of a corpus of recordings that is trained on.
        validation_split: The split of it that is held out.
        frontend: What the network sees of a corpus's recordings; a built data set holds features already.
        recipe: Recipe of the data set; any if not given.
        data_seed: Seed of the data set; any if not given.
        clips: Number of clips to train on, counted from the first of the data set; if not given, all but the held-out
            ones.
        validation: Number of the following clips, which are held out to choose the best epoch and to calibrate.
        learning_rate: Peak of a one-cycle schedule (Smith & Topin 2019).
        mask_bands: Up to this many neighbouring bands are silenced at a random place (SpecAugment, Park et al. 2019).
        mask_frames: Up to this many neighbouring frames are silenced in the same way.
        transpose: A clip's frequencies are moved by up to this many semitones (see ``core.training.augment``).
        mix_share: Share of the clips to which another clip of the batch is added.
        mixup: Parameter of the beta distribution from which the shares of two clips of the batch are drawn, whose
            features and targets are averaged (Zhang et al. 2018, arXiv 1710.09412); 0 for none.
        stretch: Passages of recordings are played up to this share faster or slower.
        mix_most: Most labels that two clips may hold together if one is added to the other.
        equaliser_db: Standard deviation of the random curve along which a clip's bands are turned up and down.
        noise_share: Share of the clips that get a noise floor.
        patience: Training ends after so many epochs in which the validation metric did not rise; 0 for never.
        average_decay: Decay per step of the exponential moving average of the weights, which replaces them in the
            trained model (Polyak & Juditsky 1992); 0 for no average.
        starts_from: Weights to start from: ``previous`` (the stage before) or a trained model's name or folder. Its
            layers may be narrower. Random weights if not given.
        start_sha256: Checksum of the file of these weights; other weights are refused. Required to start from another
            model.
        start_share: Share of the starting weights in the result (see ``core.training.blend``).
        label_smoothing: Targets are moved from 0 and 1 towards one half by this much.
        precision: Lightning's option: the number format of the arithmetic.
        devices: Lightning's option: how many devices train at once, each on batches of ``batch_size``.
        strategy: Lightning's option: how the devices work together.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    task: str = "instruments"
    label_set: str
    architecture: str = "convnet"
    config: dict[str, Any] = {}
    default: bool = False
    window_s: float = Field(5.0, gt=0)
    timeline_window_s: float = Field(2.0, gt=0)
    split: str = "train"
    validation_split: str = "valid"
    frontend: SavedConfig = FrontendConfig()
    recipe: str | None = None
    data_seed: int | None = Field(None, ge=0)
    clips: int | None = Field(None, ge=1)
    validation: int = Field(1024, ge=1)
    epochs: int = Field(12, ge=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(4e-3, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    mask_bands: int = Field(8, ge=0)
    mask_frames: int = Field(16, ge=0)
    transpose: float = Field(0.0, ge=0, le=12)
    mix_share: float = Field(0.0, ge=0, le=1)
    mixup: float = Field(0.0, ge=0)
    stretch: float = Field(0.0, ge=0, le=0.5)
    mix_most: int = Field(4, ge=1)
    equaliser_db: float = Field(0.0, ge=0)
    noise_share: float = Field(0.0, ge=0, le=1)
    patience: int = Field(0, ge=0)
    average_decay: float = Field(0.0, ge=0, lt=1)
    starts_from: str | None = None
    start_sha256: Sha256 | None = None
    start_share: float = Field(0.0, ge=0, le=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    weight_seed: int = 0
    precision: str = "bf16-mixed"
    devices: str = "auto"
    strategy: str = "auto"

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        if self.starts_from is None and self.start_share:
            raise ValueError("start_share needs starts_from, the weights to take a share of")
        if self.starts_from is None and self.start_sha256:
            raise ValueError("start_sha256 needs starts_from, the weights that have this checksum")
        if self.starts_from not in (None, PREVIOUS) and not self.start_sha256:
            raise ValueError("starts_from a model needs start_sha256; `sha256sum` of its model.safetensors gives it")
        return self

    @property
    def space(self) -> LabelSpace:
        return LABEL_SPACES.get(self.label_set)

    @property
    def changes_power(self) -> bool:
        """Whether augmentation changes the mel power of clips."""
        return bool(self.transpose or self.mix_share or self.equaliser_db or self.noise_share)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.space.labels


@dataclass(frozen=True)
class TrainingPlan:
    """All stages of a model's training.

    Attributes:
        stages: In the order in which they are trained; their numbers begin with 1.
        weights_sha256: Checksum of the weights file that the last stage led to, where it is known.
    """

    stages: tuple[TrainingConfig, ...]
    weights_sha256: str | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.stages[0].name

    def stage(self, number: int) -> TrainingConfig:
        return self.stages[number - 1]

    def changed(self, number: int, **settings: Any) -> Self:
        """The plan with other settings for one stage; those that are None stay as they are."""
        given = {key: value for key, value in settings.items() if value is not None}
        stages = list(self.stages)
        stages[number - 1] = self.stage(number).model_copy(update=given)
        return replace(self, stages=tuple(stages))


class _File(BaseModel):
    """A TOML file as it is written; what is set at the top for all stages is in ``model_extra``."""

    model_config = ConfigDict(extra="allow")

    stage: list[dict[str, Any]] = Field([{}], min_length=1)
    weights_sha256: Sha256 | None = None


def read_plan(name: str) -> TrainingPlan:
    """The training plan in a TOML file, or the shipped one of this name.

    Raises:
        InputError: there is none, or it is not valid.
    """
    shipped = sorted(path.stem for path in CONFIGS.glob("*.toml"))
    path = CONFIGS / f"{name}.toml" if name in shipped else Path(name)
    if not path.is_file():
        raise InputError(
            f"There is no training configuration {name!r}; give a TOML file or one of: {', '.join(shipped)}."
        )
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a TOML file: {error}.") from error
    try:
        file = _File.model_validate(table)
    except ValidationError as error:
        raise _invalid(path, error) from error
    stages = tuple(_stage(path, file, number) for number in range(1, len(file.stage) + 1))
    if stages[0].starts_from == PREVIOUS:
        raise InputError(f"{path} is not a training configuration: no stage comes before the first to start from.")
    return TrainingPlan(stages, file.weights_sha256)


def _stage(path: Path, file: _File, number: int) -> TrainingConfig:
    """One stage of a file, with what the top says for all of them."""
    top, own = file.model_extra or {}, file.stage[number - 1]
    place = f"stage {number}: " if len(file.stage) > 1 else ""
    for key in own:
        if key in MODEL_KEYS:
            raise InputError(f"{path} is not a training configuration: {place}{key} belongs at the top of the file.")
    merged = {**top, **own}
    if isinstance(top.get("config"), dict) and isinstance(own.get("config"), dict):
        merged["config"] = top["config"] | own["config"]
    try:
        return TrainingConfig.model_validate(merged)
    except ValidationError as error:
        raise _invalid(path, error, place) from error


def _invalid(path: Path, error: ValidationError, place: str = "") -> InputError:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    reason = first["msg"].removeprefix("Value error, ")
    return InputError(f"{path} is not a training configuration: {place}{f'{key}: ' if key else ''}{reason}.")
