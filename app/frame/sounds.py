"""The sound that a view is about: a composed clip, made again from its name, or an upload kept for the session."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.frame.caches import MB, UPLOADS_EACH_MB, UPLOADS_MB, cached
from app.frame.shelves import Shelf, Shelves
from app.frame.turns import TURNS
from core.audio import Audio, decode
from core.errors import InputError
from core.models.store import highest_rate
from core.synthesis.clip import Clip, compose
from core.synthesis.midi_song import is_midi, play_midi
from core.synthesis.recipe import split_clip_name

UPLOAD = "upload"
SILENT = 1e-4  # peak below which a recording holds nothing: -80 dB
_SHELF = "uploads"


@dataclass(frozen=True, eq=False, kw_only=True)
class Sound(Audio):
    """A sound to listen to and explain.

    Attributes:
        key: Different for every sound; caches use it.
        clip: The score and stems, if the app played the sound itself.
        remark: What of an uploaded file is not heard, for people.
    """

    key: str
    clip: Clip | None = None
    remark: str = ""

    @property
    def composed(self) -> bool:
        """Whether the app composed it, so that its name is enough to make it again."""
        return self.clip is not None and self.key == self.clip.name

    @property
    def stems(self) -> dict[str, Audio]:
        """What each instrument contributes; nothing where that is not known."""
        return self.clip.stem_audio if self.clip else {}


UPLOADS: Shelves[Sound] = Shelves(each=UPLOADS_EACH_MB * MB, together=UPLOADS_MB * MB)


@cached("composed clips", "Composing …")
def _composed(name: str) -> Clip:
    return compose(name)


def open_sound(clip: str) -> Sound:
    """The sound that a view names.

    Raises:
        InputError: there is no such clip, or the upload is not in this session; the message says what to do.
    """
    if clip.startswith(f"{UPLOAD}:"):
        return _uploaded(clip)
    if split_clip_name(clip)[0].midi:
        raise InputError("Clips made from a folder of MIDI files can be opened from the command line only.")
    composed = _composed(clip)
    return Sound(composed.mix, composed.sample_rate, composed.name, key=composed.name, clip=composed)


def keep_upload(data: bytes, name: str) -> str:
    """Decodes or, if it is MIDI, plays an uploaded file, keeps it for the session, and returns the clip that names it.

    Raises:
        InputError: the file cannot be used.
    """
    return _keep(data, name, _played if is_midi(data, name) else _decoded)


def keep_recording(data: bytes, name: str) -> str:
    """The same for what the browser recorded.

    Raises:
        InputError: nothing was recorded, or it cannot be used.
    """
    return _keep(data, name, _recorded)


def _keep(data: bytes, name: str, opened: Callable[[bytes, str, str], Sound]) -> str:
    digest = hashlib.sha256(data).hexdigest()[:16]
    if UPLOADS.find(_shelf(), digest) is None:
        with TURNS.turn():
            UPLOADS.put(_shelf(), digest, opened(data, name, digest))
    return f"{UPLOAD}:{digest}:{name}"


def _decoded(data: bytes, name: str, key: str) -> Sound:
    decoded = decode(data, name, highest_rate())
    return Sound(decoded.samples, decoded.sample_rate, name, key=key)


def _played(data: bytes, name: str, key: str) -> Sound:
    song = play_midi(data, name)
    return Sound(song.clip.mix, song.clip.sample_rate, name, key=key, clip=song.clip, remark=song.remark)


def _recorded(data: bytes, name: str, key: str) -> Sound:
    sound = _decoded(data, name, key)
    if np.abs(sound.samples).max() < SILENT:
        raise InputError(
            "Nothing was recorded, as the microphone gave silence; see that it is on and that the browser may use it, "
            "and record again."
        )
    return sound


def is_upload(clip: str) -> bool:
    """Whether a view's sound is an uploaded file."""
    return clip.startswith(f"{UPLOAD}:")


def _uploaded(clip: str) -> Sound:
    _, _, rest = clip.partition(":")
    digest, _, name = rest.partition(":")
    sound = UPLOADS.find(_shelf(), digest)
    if sound is None:
        raise InputError(f"The file “{name}” is not on this server, or is no longer: upload it again.")
    return sound


def _shelf() -> Shelf[Sound]:
    """The uploads of this visitor."""
    shelf: Shelf[Sound] = st.session_state.setdefault(_SHELF, Shelf())
    return shelf
