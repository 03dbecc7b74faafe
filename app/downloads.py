"""One way to hand out a file."""

from collections.abc import Callable

import streamlit as st


def download(label: str, data: Callable[[], bytes | str], file_name: str) -> None:
    """A button that makes the file when it is asked for, without running the page again."""
    st.download_button(label, data, file_name, on_click="ignore", width="stretch", key=f"download-{label}")
