"""Evidence: whether explanations show what really sounded, and what the network really uses."""

import streamlit as st

from app.evidence import panels as evidence
from app.evidence import rules as evidence_rules
from app.frame.shell import model_choice, page_without_sound, sentences
from app.frame.view import View

OTHER_HELP = (
    "Rules and masks were chosen on clips of the kind above. These are of another kind, which tells whether what was "
    "found holds beyond: they may be played with a soundfont that was heard neither then nor in training."
)


def body(view: View) -> None:
    model_choice(view)
    with sentences():
        if found := evidence.grades(view.model):
            graded(view, found)
        else:
            evidence.nothing_graded(view.model)
    with st.container(border=True):
        st.subheader("Why these rules")
        with sentences():
            evidence_rules.why()


def graded(view: View, found: evidence.Grades) -> None:
    """How good the explanations of a model are."""
    st.markdown(evidence.verdict(found))
    with st.container(border=True):
        st.subheader("All measures")
        st.caption(evidence.clips(found))
        evidence.measures(found)
    for other in evidence.elsewhere(view.model):
        with st.container(border=True):
            st.subheader("On other clips", help=OTHER_HELP)
            st.markdown(evidence.verdict(other))
            st.caption(evidence.clips(other))
            evidence.table(other, evidence.CONTESTS)
    with st.container(border=True):
        st.subheader("The main ones, drawn")
        evidence.drawn(found, evidence.grouping(view))
    closer(view, found)


def closer(view: View, found: evidence.Grades) -> None:
    """One explainer more closely."""
    explainer = evidence.explainer_choice(view, found)
    with st.container(border=True):
        st.subheader("Cross-talk: on whose sound the relevance lies")
        evidence.cross_talk(found, explainer)
    with st.container(border=True):
        st.subheader("Sanity check: what the network knows must matter")
        with sentences():
            evidence.sanity(found, view.model, explainer)


page_without_sound(
    "Evidence",
    "How well explanations fit the truth: composed clips are known note by note, so every map can be marked.",
    body,
)
