"""Concepts as tiles: a small map, a name and a share each; a click opens one.

All tiles are one component, because a browser needs seconds for hundreds of Streamlit's own elements.

For tests in a browser, a tile (class ``tile``) has the attributes ``data-channel`` and ``data-opened``, and its buttons
are found by ``data-action``: ``open`` (or close) and ``atlas``.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.components.files import source


@dataclass(frozen=True)
class Tile:
    """One concept: ``name`` may be empty, ``picture`` is a JPEG, ``in_atlas`` says whether the atlas has it."""

    channel: int
    name: str
    share: str
    picture: bytes
    opened: bool
    in_atlas: bool


_mount = st.components.v2.component(
    "timbrescope_concept_tiles",
    html=source(__file__, "tiles.html"),
    css=source(__file__, "tiles.css"),
    js=source(__file__, "tiles.js"),
)


def concept_tiles(
    *, key: str, tiles: Sequence[Tile], on_open: Callable[[int | None], None], large: bool = False
) -> int | None:
    """Shows the tiles.

    Args:
        key: Identifies these tiles over reruns.
        on_open: Called with the channel of the tile that was opened, or with None when the open one was closed.
        large: Few large tiles with buttons, or many small ones close together.

    Returns:
        The channel whose atlas page was clicked for in this run; None if there was no such click.
    """

    def opened() -> None:
        channel = int(st.session_state[key].open)
        on_open(None if any(tile.opened and tile.channel == channel for tile in tiles) else channel)

    mounted = _mount(key=key, data={"large": large, "tiles": [*map(_data, tiles)]}, on_open_change=opened)
    asked = getattr(mounted, "atlas", None)
    return None if asked is None else int(asked)


def _data(tile: Tile) -> dict[str, Any]:
    picture = base64.b64encode(tile.picture).decode()
    return {**vars(tile), "picture": f"data:image/jpeg;base64,{picture}"}
