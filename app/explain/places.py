"""Where the parts of the page Explain stand; on a phone one below the other, in the same order."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.frame.places import place

# On a wide screen the sound stays in view while the page beside it scrolls. The sentence about trust comes late, and
# nothing moves when it does.
STYLE = """
<style>
.st-key-trust {min-height: 5.6rem}
@media (max-width: 1150px) {.st-key-trust {min-height: 6.8rem}}
@media (min-width: 900px) {
  [data-testid="stColumn"]:has(.st-key-place-stage) {position: sticky; top: 3.75rem; align-self: flex-start}
}
</style>
"""


@dataclass(frozen=True)
class Places:
    """The places of the page.

    Attributes:
        strip: The whole song.
        stage: The sound and the map over it.
        choices: The instrument.
        trust: Whether to believe the explanation.
        why: The reasons, and what is known beyond them.
    """

    strip: DeltaGenerator
    stage: DeltaGenerator
    choices: DeltaGenerator
    trust: DeltaGenerator
    why: DeltaGenerator


def laid_out() -> Places:
    """The places, still empty."""
    st.html(STYLE)
    strip = place("strip", 131)
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        stage = place("stage", 480, 640)
    with right:
        return Places(strip, stage, place("choices", 68), place("trust", 90, 109), place("why", 600))
