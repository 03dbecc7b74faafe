"""Where the parts of the page Listen stand; on a phone one below the other, in the same order."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.frame.places import place


@dataclass(frozen=True)
class Places:
    """The places of the page.

    Attributes:
        strip: The whole song.
        sound: The player, and what is heard in it; or what is to be guessed.
        choices: The ways in.
        which: How sure the network is of each instrument.
        when: The same over time.
    """

    strip: DeltaGenerator
    sound: DeltaGenerator
    choices: DeltaGenerator
    which: DeltaGenerator
    when: DeltaGenerator


def laid_out() -> Places:
    """The places, still empty."""
    left, right = st.columns([2.4, 1.15], gap="medium")
    with left:
        strip, sound = place("strip", 131), place("sound", 500)
    with right:
        choices = place("choices", 480)
    left, right = st.columns(2, gap="medium")
    with left:
        which = place("which", 360)
    with right:
        return Places(strip, sound, choices, which, place("when", 360))
