"""Atlas: all concepts of a network, what they respond to, and how they sound."""

import streamlit as st

from app.concepts import panels as atlas
from app.frame import atlases
from app.frame.shell import layer_choice, model_choice, page_without_sound
from app.frame.view import View


def body(view: View) -> None:
    network, where, _ = st.columns([1.2, 1, 1.2])
    with network:
        model_choice(view)
    with where:
        layer_choice(view)
    found = atlases.atlas(view.model)
    if found is None:
        atlas.no_atlas(view.model)
    elif view.concept is None:
        atlas.overview(view, found)
    else:
        atlas.concept_page(view, found, found.concept(str(view.layer), view.concept))


page_without_sound(
    "Atlas",
    "All that a network learned to notice: what each concept responds to, which instruments need it, how it sounds.",
    body,
)
