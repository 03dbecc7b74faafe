"""The sound that a view is about: a composed clip, made again from its name, or an upload kept for the session."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from app.frame.caches import MB, UPLOADS_EACH_MB, UPLOADS_MB, cached
from app.frame.shelves import Shelf, Shelves
from app.frame.turns import TURNS
from core.audio import Audio, decode
from core.errors import InputError
from core.models.store import highest_rate
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import split_clip_name

UPLOAD = "upload"
_SHELF = "uploads"


@dataclass(frozen=True, eq=False, kw_only=True)
class Sound(Audio):
    """A sound to listen to and explain.

    Attributes:
        key: Different for every sound; caches use it.
        clip: The score and stems, if the sound was composed.
    """

    key: str
    clip: Clip | None = None

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
    """Decodes an uploaded file, keeps it for the session, and returns the clip that names it in a view.

    Raises:
        InputError: the file cannot be used.
    """
    digest = hashlib.sha256(data).hexdigest()[:16]
    if UPLOADS.find(_shelf(), digest) is None:
        with TURNS.turn():
            decoded = decode(data, name, highest_rate())
            sound = Sound(decoded.samples, decoded.sample_rate, name, key=digest)
            UPLOADS.put(_shelf(), digest, sound)
    return f"{UPLOAD}:{digest}:{name}"


def is_upload(clip: str) -> bool:
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
