"""The encoder of Whisper tiny.en, a speech recogniser by OpenAI (MIT licence), read by the library transformers.

Its folder may lie in ``encoders/`` (``hf download openai/whisper-tiny.en --local-dir encoders/whisper-tiny.en``); else
transformers looks in its own cache, and fetches it into that from the hub.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from core.errors import InputError
from core.frontends.whisper import WhisperConfig
from core.models.encoders.encoder import ENCODERS, Encoder
from core.paths import ENCODER_FOLDERS

if TYPE_CHECKING:
    pass

NAME = "whisper-tiny.en"
HUB = f"openai/{NAME}"
SIZE = 384
STRIDE = 2  # frames of the log-mel to one of the encoder
SHA256 = "a5888a57b5564c07eba5d2592b6b53a5209d4a0e231b8f9a13e247511caf167e"
POSITIONS = "embed_positions.weight"  # computed, not learned; how they are rounded differs between files
REMEDY = (
    f"put the folder of {HUB} into {ENCODER_FOLDERS.name}/{NAME}, or connect to the network so that it can be fetched"
)
NO_LIBRARY = "install it with `pip install 'transformers>=5,<6'`"


class PooledWhisper(nn.Module):
    """The mean of what the encoder says about the frames that are real.

    From features ``(windows, 1, 80 + 1, 3000)`` as :mod:`core.frontends.whisper` makes them, to ``(windows, size)``.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, features: Tensor) -> Tensor:
        logmel, real = features[:, 0, :-1], features[:, 0, -1]
        frames = self.encoder(logmel).last_hidden_state  # (windows, frames, size)
        weights = real[:, ::STRIDE, None]
        pooled: Tensor = (frames * weights).sum(1) / weights.sum(1).clamp_min(1)
        return pooled


def read_whisper(source: Path | str, local: bool = True) -> tuple[PooledWhisper, Mapping[str, npt.NDArray[np.generic]]]:
    """The encoder in a folder or of a name on the hub, with its weights by name.

    Args:
        source: Folder, or name on the hub.
        local: Whether only files on this computer count.

    Raises:
        InputError: transformers is not installed, or there is no such model.
    """
    try:
        from transformers import WhisperModel
    except ImportError as error:
        raise InputError(
            f"This model hears sound through Whisper's encoder, for which a library is missing; {NO_LIBRARY}."
        ) from error
    try:
        with _quietly():
            model: WhisperModel = WhisperModel.from_pretrained(source, local_files_only=local)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"Whisper's encoder, through which this model hears sound, is not in {source}; {REMEDY}."
        ) from error
    encoder = model.get_encoder().float()
    weights = {name: values.numpy() for name, values in encoder.state_dict().items() if name != POSITIONS}
    return PooledWhisper(encoder), weights


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps transformers from writing progress bars and advice between our own lines."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()


def _load() -> tuple[PooledWhisper, Mapping[str, npt.NDArray[np.generic]]]:
    """From the project's folder if it is there, else from the cache of transformers, else from the hub."""
    folder = ENCODER_FOLDERS / NAME
    if folder.is_dir():
        return read_whisper(folder)
    try:
        return read_whisper(HUB)
    except InputError:
        return read_whisper(HUB, local=False)


ENCODERS.register("whisper_tiny_en")(
    Encoder("the encoder of Whisper tiny.en (OpenAI)", SIZE, WhisperConfig(), SHA256, REMEDY, _load)
)
