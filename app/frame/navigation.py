"""The pages of the app."""

from typing import Any

import streamlit as st

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
