"""A small picture of a clip that plays the whole clip, or only the patch in the frame.

For tests in a browser, the root element (class ``example``) has the attributes ``data-state`` (``ready``, ``playing``
or ``error``), ``data-playing`` (``patch``, ``whole`` or empty) and ``data-position`` (seconds of what plays); its
buttons are found by ``data-action``: ``patch`` and ``whole``.
"""

from dataclasses import asdict, dataclass

import streamlit as st

from app.components.files import source
from app.components.player import SOUNDING, encoding
from core.audio import Audio, common_gain
from core.concepts.patches import Frame


@dataclass(frozen=True, eq=False)
class Example:
    """A clip in which a concept, or a whole label, is active.

    Attributes:
        picture: JPEG of the clip, in warm colours where it is active.
        whole: The clip.
        patch: The sound of the patch alone; None if there is no patch.
        frame: Where the patch lies in the picture.
        heard: First and last second of the patch's sound.
    """

    picture: bytes
    whole: Audio
    patch: Audio | None = None
    frame: Frame | None = None
    heard: tuple[float, float] = (0.0, 0.0)


_mount = st.components.v2.component(
    "timbrescope_example",
    html=source(__file__, "card.html"),
    css=source(__file__, "card.css"),
    js=SOUNDING + source(__file__, "card.js"),
)


def example_card(*, key: str, example: Example, caption: str, detail: str = "") -> None:
    """Shows an example.

    Args:
        key: Identifies this card over reruns.
        caption: One short line below the picture.
        detail: A fainter one.
    """
    sounds = {"whole": example.whole} | ({} if example.patch is None else {"patch": example.patch})
    _mount(
        key=key,
        data={
            "picture": encoding.publish(example.picture, "image/jpeg", f"{key}/picture"),
            "caption": caption,
            "detail": detail,
            "frame": example.frame and asdict(example.frame),
            # The part of the picture's width that the cursor moves over.
            "walks": {"whole": [0, 1], "patch": [second / example.whole.duration for second in example.heard]},
            "sounds": {
                name: encoding.publish(_unclipped(sound), "audio/wav", f"{key}/{name}")
                for name, sound in sounds.items()
            },
        },
    )


def _unclipped(sound: Audio) -> bytes:
    """A sound as a WAV file, turned down where it would clip."""
    return encoding.wav(sound, len(sound.samples), common_gain(sound.samples))
