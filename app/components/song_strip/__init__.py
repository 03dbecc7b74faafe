"""The song strip: a whole song at a glance, who plays when in it, where one is, and the passage that is explained.

The playhead follows whichever player of the page is heard. The passage can be dragged, by mouse, finger and keyboard
(arrows half a second, page keys a passage, Home and End); a click beside it puts it there. A click on an instrument's
ribbon asks why it is heard at that moment, a click on its name asks the same at the cursor. A song no longer than a
passage has none to drag; a click on its overview then only goes to that moment.

For tests in a browser, the root element (class ``strip``) has the attributes ``data-start`` (of the passage) and
``data-playhead``, both in seconds; its parts are found by ``data-action``: ``overview`` and ``window``, and each row
(class ``ribbon``) by ``data-label``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.components.files import source
from app.components.player import AXES, SOUNDING, encoding

DIGITS = 3  # of probabilities that are sent


@dataclass(frozen=True)
class Ribbon:
    """When something is heard.

    Attributes:
        label: What it is called in the program.
        name: What people call it.
        color: Any CSS colour.
        values: Probability in each stretch of the song.
        shown: Whether it is the one that is explained.
    """

    label: str
    name: str
    color: str
    values: Sequence[float]
    shown: bool


@dataclass(frozen=True)
class Window:
    """The passage that is explained: where it starts, and how long it is, in seconds."""

    start: float
    seconds: float


_mount = st.components.v2.component(
    "timbrescope_song_strip",
    html=source(__file__, "strip.html"),
    css=source(__file__, "strip.css"),
    js=SOUNDING + AXES + source(__file__, "strip.js"),
)


def strip(
    *,
    key: str,
    picture: bytes,
    duration: float,
    edges: Sequence[float],
    ribbons: Sequence[Ribbon],
    window: Window | None,
    on_move: Callable[[float], None],
    on_why: Callable[[str, float | None], None],
) -> bool:
    """Shows the strip.

    Args:
        key: Identifies the strip over reruns.
        picture: PNG of the whole song.
        duration: Of the song, in seconds.
        edges: Where the stretches of the ribbons begin, and where the last one ends, in seconds.
        ribbons: One for each instrument, the first on top.
        window: The passage; None where the song is no longer than one.
        on_move: Called with the start of the passage when the user has moved it.
        on_why: Called with the label that the user asks about, and with the start of a passage around the moment in
            question; with None where the song is one passage, or where no moment was pointed at.

    Returns:
        Whether the user asked why in this run.
    """
    labels = {ribbon.label for ribbon in ribbons}

    def moved() -> None:
        start = _second(st.session_state[key].moved)
        if start is not None:
            on_move(start)

    def asked() -> None:
        why = st.session_state[key].why
        if why["label"] in labels:
            on_why(why["label"], _second(why["start"]))

    mounted = _mount(
        key=key,
        data={
            "picture": encoding.publish(picture, "image/png", f"{key}/picture"),
            "duration": duration,
            "edges": [round(float(edge), 4) for edge in edges],
            "ribbons": [_data(ribbon) for ribbon in ribbons],
            "passage": window and vars(window),
        },
        on_moved_change=moved,
        on_why_change=asked,
    )
    return getattr(mounted, "why", None) is not None


def _data(ribbon: Ribbon) -> dict[str, Any]:
    return {**vars(ribbon), "values": [round(float(value), DIGITS) for value in ribbon.values]}


def _second(told: Any) -> float | None:
    """A moment that the browser tells; None where it tells none."""
    return float(told) if isinstance(told, int | float) and math.isfinite(told) else None
