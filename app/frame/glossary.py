"""The glossary: the terms of the app, each with one short entry; the same as in the guide."""

import re
from functools import cache

import streamlit as st

from core.paths import ROOT

SOURCE = ROOT / "docs/glossary.md"
HEIGHT = 420  # pixels, whatever is found, so that the window keeps its size
_ENTRY = re.compile(r"^\*\*(.+?)\*\*\n: (.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


@cache
def entries() -> dict[str, str]:
    """What each term means, as Markdown, in the order of the alphabet."""
    found = _ENTRY.findall(SOURCE.read_text(encoding="utf-8"))
    return {term: " ".join(meaning.split()) for term, meaning in found}


def matching(words: str) -> dict[str, str]:
    """The entries that hold all words, those first in whose term they are.

    >>> next(iter(matching("stem")))
    'Stem'
    """
    wanted = words.lower().split()
    found = {
        term: meaning
        for term, meaning in entries().items()
        if all(word in f"{term} {meaning}".lower() for word in wanted)
    }
    return dict(sorted(found.items(), key=lambda entry: not all(word in entry[0].lower() for word in wanted)))


@st.dialog("Glossary", width="medium", icon=":material/menu_book:")
def glossary() -> None:
    """All terms, and a field to search them."""
    words = st.text_input(
        "Search", placeholder="Search, for example: lift", icon=":material/search:", label_visibility="collapsed"
    )
    with st.container(height=HEIGHT, border=False):
        found = matching(words)
        for term, meaning in found.items():
            st.markdown(f"**{term}**  \n{meaning}")
        if not found:
            st.caption("No entry has all of these words; try another one.")
