"""What every page asks of the browser itself: an address to share, and a step back for each step that the user took.

Streamlit adds an entry to the browser's history for every change of the address. Here the user decides what a step is:
changes that follow one another without a click or a key between them are one, and what the address leaves open is
filled in without a step.
"""

from collections.abc import Mapping

import streamlit as st

from app.components.files import source

_mount = st.components.v2.component("timbrescope_browser", js=source(__file__, "browser.js"))


def browser(*, given: Mapping[str, str | None], address: Mapping[str, str | None]) -> None:
    """Completes the page's address.

    Args:
        given: The parts of the address that this run of the page was asked for, None for what it left open.
        address: The same parts as they should be.
    """
    with st.container(key="browser", height=1, border=False):
        _mount(key="browser-asked", data={"given": dict(given), "address": dict(address)})
