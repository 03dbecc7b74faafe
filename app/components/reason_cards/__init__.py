"""Reasons as cards: a small map, a name, a share, what the network would say without it; a click opens one.

All cards are one component, because a browser draws it sooner than Streamlit's own elements.

For tests in a browser, a card (class ``reason``) has the attributes ``data-id``, ``data-opened`` and ``data-silent``,
and its buttons are found by ``data-action``: ``open`` (or close), ``silence`` (or not) and ``atlas``.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.components.files import source


@dataclass(frozen=True)
class Card:
    """One reason.

    Attributes:
        id: Names it in every song.
        name: What it responds to.
        hint: More about the name.
        color: That marks it, any CSS colour.
        share: Of the evidence, signed, in [-1, 1].
        without: What the network would say without it, in words.
        picture: JPEG of where it lies.
        opened: Whether its map is shown.
        silent: Whether it is silent in the network.
        in_atlas: Whether it has a page in the atlas.
    """

    id: str
    name: str
    hint: str
    color: str
    share: float
    without: str
    picture: bytes
    opened: bool
    silent: bool
    in_atlas: bool


_mount = st.components.v2.component(
    "timbrescope_reason_cards",
    html=source(__file__, "cards.html"),
    css=source(__file__, "cards.css"),
    js=source(__file__, "cards.js"),
)


def reason_cards(
    *,
    key: str,
    cards: Sequence[Card],
    on_open: Callable[[str | None], None],
    on_silence: Callable[[list[str]], None],
) -> str | None:
    """Shows the cards.

    Args:
        key: Identifies these cards over reruns.
        on_open: Called with the id of the card that was opened, or with None when the open one was closed.
        on_silence: Called with the ids of all that are silent when one was silenced or heard again.

    Returns:
        The id of the reason whose atlas page was clicked for in this run; None if there was no such click.
    """

    def opened() -> None:
        asked = str(st.session_state[key].open)
        on_open(None if any(card.opened and card.id == asked for card in cards) else asked)

    def silenced() -> None:
        asked = str(st.session_state[key].silence)
        on_silence([card.id for card in cards if card.silent != (card.id == asked)])

    mounted = _mount(key=key, data={"cards": [*map(_data, cards)]}, on_open_change=opened, on_silence_change=silenced)
    asked = getattr(mounted, "atlas", None)
    return None if asked is None else str(asked)


def _data(card: Card) -> dict[str, Any]:
    picture = base64.b64encode(card.picture).decode()
    return {**vars(card), "picture": f"data:image/jpeg;base64,{picture}", "percent": _percent(card.share)}


def _percent(share: float) -> str:
    """A share of the evidence in words.

    >>> _percent(0.46), _percent(-0.1), _percent(-0.001)
    ('46 %', '−10 %, against it', 'under 1 %')
    """
    if abs(share) < 0.005:
        return "under 1 %"
    said = f"{abs(share):.0%}".replace("%", " %")
    return said if share >= 0 else f"−{said}, against it"
