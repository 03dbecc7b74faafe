"""The pages of the app, and links from one place to another."""

from typing import Any

import streamlit as st

from app.frame.view import show
from core.concepts.atlas import Concept
from core.paths import ROOT

_PAGES = {
    "listen": ("Listen", ":material/hearing:"),
    "explain": ("Explain", ":material/troubleshoot:"),
    "atlas": ("Atlas", ":material/map:"),
    "compare": ("Compare", ":material/compare:"),
    "evidence": ("Evidence", ":material/fact_check:"),
    "experiments": ("Experiments", ":material/science:"),
}


def page(name: str) -> Any:
    """A page, for the navigation and for links to it."""
    title, icon = _PAGES[name]
    return st.Page(ROOT / f"pages/{name}.py", title=title, icon=icon, default=name == next(iter(_PAGES)))


def pages() -> list[Any]:
    """All pages in order; visitors arrive at the first one."""
    return [page(name) for name in _PAGES]


def concept_link(concept: Concept, text: str, place: str = "open") -> None:
    """A line of text that opens a concept."""
    st.button(
        text,
        key=f"{place}-{concept.layer}-{concept.channel}",
        type="tertiary",
        on_click=show,  # before the page is computed, which would otherwise be once for nothing
        kwargs={"layer": concept.layer, "concept": concept.channel, "reason": None},
    )
