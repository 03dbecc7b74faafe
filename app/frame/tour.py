"""A tour of thirty seconds: what the pages are for, with a picture each. New visitors are offered it once."""

from dataclasses import dataclass

import streamlit as st

from core.paths import ROOT

_ASKED, _STEP = "tour-asked", "tour-step"
HEIGHT = 510  # pixels, so that the window keeps its size from step to step


@dataclass(frozen=True)
class Step:
    """One step: what to do, in a few words and a sentence or two, and the page to look at."""

    title: str
    text: str
    page: str


STEPS = (
    Step("Choose a sound", "Take an example, let the app compose a mix, upload a song or a MIDI file, or record one. "
         "The network says which instruments it hears, and when.", "listen"),
    Step("Ask why", "The glow shows where in the sound the network found its evidence. Press “Only this” to hear just "
         "that.", "explain"),
    Step("Look inside", "The atlas shows the patterns that the network learned to notice, with sounds that excite each "
         "most.", "atlas"),
    Step("Compare", "Do two networks listen to the same thing? Put their evidence side by side.", "compare"),
    Step("Doubt it", "Where the app played the music itself, it knows the truth. Evidence and Experiments measure how "
         "often explanations are right.", "evidence"),
)  # fmt: skip


def tour_button() -> None:
    """Opens the tour; as long as a visitor was not asked, it says so, and can be turned down for good."""
    asked = st.session_state.get(_ASKED, False)
    opened = st.button(
        "Tour" if asked else "New here? A tour of 30 seconds",
        key="tour",
        icon=":material/help:",
        type="tertiary",
        on_click=_start,
        help="What the pages are for, in five pictures.",
    )
    if not asked:
        st.button("No, thanks", key="no-tour", icon=":material/close:", type="tertiary", on_click=_ask_no_more)
    if opened:
        tour()


def _ask_no_more() -> None:
    st.session_state[_ASKED] = True


def _start() -> None:
    _ask_no_more()
    _go(0)


def _go(step: int) -> None:
    st.session_state[_STEP] = step


@st.dialog("Timbrescope in thirty seconds", width="medium", icon=":material/help:")
def tour() -> None:
    """All steps, one at a time."""
    number = st.session_state.get(_STEP, 0)
    step = STEPS[number]
    with st.container(height=HEIGHT, border=False):
        st.subheader(f"{number + 1}. {step.title}")
        st.markdown(step.text)
        st.image(str(ROOT / f"docs/pictures/{step.page}.png"), width=540, alt=f"The page {step.page.capitalize()}")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button("Back", key="tour-back", disabled=number == 0, on_click=_go, args=(number - 1,))
        if number + 1 < len(STEPS):
            st.button("Next", key="tour-next", type="primary", on_click=_go, args=(number + 1,))
        elif st.button("Done", key="tour-done", type="primary"):
            st.rerun()
