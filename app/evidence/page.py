"""Fills the page Evidence."""

import streamlit as st

from app.evidence import groupings as evidence_groupings
from app.evidence import panels as evidence
from app.evidence import rules as evidence_rules
from app.frame.choices import model_choice
from app.frame.shell import sentences
from app.frame.view import View

OTHER_HELP = (
    "Rules and masks were chosen with clips of the kind above. These are of another kind, played with a soundfont that "
    "was not used for that choice, for example; they show whether the result holds for other sounds too."
)


def body(view: View) -> None:
    """The grades of the view's model."""
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
    with st.container(border=True):
        st.subheader("Why these reasons")
        with sentences():
            evidence_groupings.why()


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
            evidence.table(other, evidence.JUDGED)
    with st.container(border=True):
        st.subheader("The main measures, drawn")
        evidence.drawn(found, evidence.grouping(view))
    closer(view, found)


def closer(view: View, found: evidence.Grades) -> None:
    """A closer look at one explainer."""
    explainer = evidence.explainer_choice(view, found)
    with st.container(border=True):
        st.subheader("Cross-talk: on whose sound the relevance lies")
        evidence.cross_talk(found, explainer)
    with st.container(border=True):
        st.subheader("Sanity check: does the map depend on what the network learned?")
        with sentences():
            evidence.sanity(found, view.model, explainer)
