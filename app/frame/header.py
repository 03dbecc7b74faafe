"""The top of every page: the name of the program, the heading, the tour, the glossary, the link to the view."""

import streamlit as st

from app.components.copy_link import copy_link
from app.figures.colors import inks
from app.frame.glossary import glossary
from app.frame.tour import tour_button
from core.paths import ROOT


def header(heading: str, sentence: str) -> None:
    """The top of a page, with one sentence that says what it is for."""
    st.logo((ROOT / "app/wordmark.svg").read_text(encoding="utf-8").replace("currentColor", inks().text), size="large")
    with st.container(horizontal=True, vertical_alignment="bottom", key="page-header"):
        st.title(heading, width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="page-tools"):
            tour_button()
            if st.button(
                "Glossary", key="glossary", icon=":material/menu_book:", type="tertiary", help="The words of this app."
            ):
                glossary()
            copy_link("Copies the address of what you see. A sound that you uploaded or recorded is not in it.")
    st.caption(sentence)
