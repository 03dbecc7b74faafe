"""What a training run needs to know, as a TOML file; those of the shipped models are in ``configs/``."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from core.errors import InputError
from core.taxonomy.instruments import label_set

CONFIGS = Path(__file__).parent / "configs"


class TrainingConfig(BaseModel):
    """A model and how to train it.

    Attributes:
        config: Settings of the architecture.
        validation: How many clips at the end of the data set are held out to choose and calibrate by.
        learning_rate: The highest of a one-cycle schedule (Smith & Topin 2019).
        mask_bands: Up to this many neighbouring bands are silenced at a random place (SpecAugment, Park et al. 2019).
        mask_frames: The same for frames.
        transpose: Up to this many semitones the frequencies of a clip are moved (see ``core.training.augment``).
        mix_share: Share of the clips to which another clip of the batch is added.
        mix_most: Most labels that a clip made so may hold.
        equaliser_db: Standard deviation of the random curve along which a clip's bands are turned up and down.
        noise_share: Share of the clips that are put above a noise floor.
        average_decay: Decay a step of the exponential moving average over the weights that is kept as the result
            (Polyak & Juditsky 1992); 0 keeps the weights themselves.
        start_from: A trained model whose weights are the starting point; it may have narrower layers.
        start_share: Share of the starting point's weights in the result (see ``core.training.blend``).
        label_smoothing: Targets are moved from 0 and 1 towards one half by this much.
        precision: Lightning's name for it.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    label_set: str
    architecture: str = "convnet"
    config: dict[str, Any] = {}
    default: bool = False
    epochs: int = Field(12, ge=1)
    batch_size: int = Field(64, ge=2)
    validation: int = Field(1024, ge=1)
    learning_rate: float = Field(4e-3, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    mask_bands: int = Field(8, ge=0)
    mask_frames: int = Field(16, ge=0)
    transpose: float = Field(0.0, ge=0, le=12)
    mix_share: float = Field(0.0, ge=0, le=1)
    mix_most: int = Field(4, ge=1)
    equaliser_db: float = Field(0.0, ge=0)
    noise_share: float = Field(0.0, ge=0, le=1)
    average_decay: float = Field(0.0, ge=0, lt=1)
    start_from: str | None = None
    start_share: float = Field(0.0, ge=0, le=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    weight_seed: int = 0
    precision: str = "bf16-mixed"

    @field_validator("start_share")
    @classmethod
    def _starts_somewhere(cls, share: float, config: ValidationInfo) -> float:
        if share and not config.data.get("start_from"):
            raise ValueError("there is no start_from to take a share of")
        return share

    @property
    def changes_power(self) -> bool:
        """Whether clips are changed in training as sounds are, by way of their mel power."""
        return bool(self.transpose or self.mix_share or self.equaliser_db or self.noise_share)

    @property
    def labels(self) -> tuple[str, ...]:
        return label_set(self.label_set).labels


def read_config(name: str) -> TrainingConfig:
    """The configuration in a TOML file, or the shipped one of this name.

    Raises:
        InputError: there is none, or it is not a valid configuration.
    """
    shipped = sorted(path.stem for path in CONFIGS.glob("*.toml"))
    path = CONFIGS / f"{name}.toml" if name in shipped else Path(name)
    if not path.is_file():
        raise InputError(
            f"There is no training configuration {name!r}; give a TOML file or one of: {', '.join(shipped)}."
        )
    try:
        return TrainingConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a TOML file: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} is not a training configuration: {place}: {first['msg']}.") from error
