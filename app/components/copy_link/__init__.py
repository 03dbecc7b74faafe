"""A button that copies the address of the view, and says so.

For tests in a browser, the button (class ``copy-link``) has the attribute ``data-state``: ``ready``, ``copied`` or
``failed``.
"""

import streamlit as st

from app.components.files import source

_mount = st.components.v2.component(
    "timbrescope_copy_link",
    html=source(__file__, "copy_link.html"),
    css=source(__file__, "copy_link.css"),
    js=source(__file__, "copy_link.js"),
)


def copy_link(hint: str) -> None:
    """Shows the button; ``hint`` is its tooltip."""
    _mount(key="copy-link", data={"hint": hint}, width="content", height="content")
