"""Fills the page Atlas."""

import streamlit as st

from app.concepts import panels as atlas
from app.concepts import reasons as reasoning
from app.frame import atlases
from app.frame.choices import layer_choice, model_choice
from app.frame.shell import sentences
from app.frame.view import View


def body(view: View) -> None:
    """The atlas of the view's model, or one concept or reason of it."""
    network, where, _ = st.columns([1.2, 1, 1.2])
    with network:
        model_choice(view)
    with where:
        layer_choice(view)
    reasons = None
    with sentences():
        reasons = atlases.reasons(view.model)
    opened = reasons.find(view.reason) if reasons and view.reason and view.concept is None else None
    if reasons and opened:
        reasoning.reason_page(reasons, opened)
        return
    if reasons and view.concept is None:
        reasoning.overview(reasons)
    found = atlases.atlas(view.model)
    if found is None:
        atlas.no_atlas(view.model)
        return
    # Each has a place of its own, and the other's is emptied at once: nothing of it is left between the new parts.
    if view.concept is None:
        place, _ = st.container(), st.empty()
        with place:
            atlas.overview(view, found)
    else:
        _, place = st.empty(), st.container()
        with place:
            atlas.concept_page(found, found.concept(str(view.layer), view.concept))
