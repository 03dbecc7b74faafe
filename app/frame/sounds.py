"""The sound that a view is about: a composed clip, made again from its name, or an upload kept for the session."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from core.audio import Audio, decode
from core.errors import InputError
from core.models.store import highest_rate
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import split_clip_name

UPLOAD = "upload"
_UPLOADS = "uploads"
_KEPT_UPLOADS = 4  # of at most 10 minutes each, a session


@dataclass(frozen=True, eq=False, kw_only=True)
class Sound(Audio):
    """A sound to listen to and explain.

    Attributes:
        key: What tells it from others; caches go by it.
        clip: What is known about it if it was composed.
    """

    key: str
    clip: Clip | None = None

    @property
    def stems(self) -> dict[str, Audio]:
        """What each instrument contributes; nothing where that is not known."""
        return self.clip.stem_audio if self.clip else {}


@st.cache_resource(max_entries=16, show_spinner="Composing …")
def _composed(name: str) -> Clip:
    return compose(name)


def open_sound(clip: str) -> Sound:
    """The sound that a view names.

    Raises:
        InputError: the clip's name is not one, or the upload is not in this session; the message says what to do.
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
    uploads: dict[str, Sound] = st.session_state.setdefault(_UPLOADS, {})
    if digest not in uploads:
        decoded = decode(data, name, highest_rate())
        uploads[digest] = Sound(decoded.samples, decoded.sample_rate, name, key=digest)
        while len(uploads) > _KEPT_UPLOADS:
            del uploads[next(iter(uploads))]
    return f"{UPLOAD}:{digest}:{name}"


def is_upload(clip: str) -> bool:
    return clip.startswith(f"{UPLOAD}:")


def _uploaded(clip: str) -> Sound:
    _, _, rest = clip.partition(":")
    digest, _, name = rest.partition(":")
    uploads: dict[str, Sound] = st.session_state.get(_UPLOADS, {})
    if digest not in uploads:
        raise InputError(f"This link is about the file “{name}”, which stays on its owner's computer: upload it again.")
    return uploads[digest]
