"""What lies inside the network, one click deeper than the reasons: the single concepts of a layer."""

import streamlit as st

from app.explain import explanations, panels, usual
from app.frame import atlases
from app.frame.choices import layer_choice
from app.frame.hearing import model
from app.frame.shell import sentences
from app.frame.view import View
from core.explanation.playback import Passage
from core.inference import Prediction

INSIDE = "inside"  # keys of what is opened
USUAL = "usual"
ALL = "all-concepts"
FURTHER_HEIGHT = 420  # pixels; the further concepts scroll


def single_concepts(view: View, passage: Passage, label: str, prediction: Prediction, opened: bool) -> None:
    """The channels of a layer that carried the evidence; nothing of it is computed before it is opened.

    Args:
        opened: Whether it is open at first. It also is if the view names a concept, or a layer that is not the default.
    """
    asked = view.concept is not None or view.layer != model(passage.model).network.concept_layers[-1]
    # From then on the user decides: closing a concept closes no more.
    st.session_state.setdefault(INSIDE, opened or asked)
    inside = st.expander(
        "Inside the network: single concepts",
        key=INSIDE,
        icon=":material/account_tree:",
        on_change="rerun",
    )
    with inside:
        if not inside.open:
            return
        layer = layer_choice(view)
        explanation = explanations.explanation(passage, label, layer)
        st.markdown(
            "**Concepts that carried it**",
            help="A concept is one channel of the layer: a pattern that the network learned to notice. Its share is "
            "the part of the evidence that passed through it. Open a concept to see and hear that part.",
        )
        panels.concepts(passage, label, layer, view.concept)
        if view.concept is not None:
            usual.flow_panel(passage, label, layer, view.concept)
        with st.container(border=True, key="silencing"):
            st.markdown(
                "**What if the network could not notice them?**",
                help="Silencing a concept sets it to zero inside the network. The numbers are those of the concepts "
                "above. Faint bars: before. Full bars: after.",
            )
            panels.silencing(view, passage, prediction, explanation)
        count = len(explanation.shares)
        if st.toggle(f"Show all {count} concepts of the layer", key=ALL, persist_state="session"):
            with st.container(height=FURTHER_HEIGHT):
                panels.further_concepts(passage, label, layer, view.concept)


def usual_concepts(passage: Passage, label: str, prediction: Prediction) -> None:
    """Whether the network recognises the label as it usually does; computed once it is opened."""
    part = st.expander("Is it recognised as usual?", key=USUAL, icon=":material/balance:", on_change="rerun")
    with part, sentences():
        if part.open:
            usual.usual_panel(passage, prediction, label)


def without_reasons(passage: Passage) -> None:
    """Says why there are no reasons, and what explains the answer instead."""
    with sentences():
        if atlases.reasons(passage.model) is None:
            st.caption(
                f"The reasons of this model have not been found yet: `timbrescope atlas reasons --model "
                f"{passage.model}` finds them. Its single concepts explain it meanwhile."
            )
