"""Buttons that download a file, or figures as a table."""

from collections.abc import Callable

import pandas as pd
import streamlit as st


def download(label: str, data: Callable[[], bytes | str], file_name: str) -> None:
    """A button that makes the file when it is clicked, without running the page again."""
    st.download_button(label, data, file_name, on_click="ignore", width="stretch", key=f"download-{label}")


def export(name: str, table: pd.DataFrame | None = None, as_json: Callable[[], str] | None = None) -> None:
    """A small button under which figures are downloaded: a table as CSV and JSON, anything else as JSON."""
    with st.popover("Export", icon=":material/download:"):
        file = name.replace(" ", "-")
        if table is not None:
            download(f"{name.capitalize()} (CSV)", lambda: str(table.to_csv(index=False)), f"{file}.csv")
            download(
                f"{name.capitalize()} (JSON)", lambda: str(table.to_json(orient="records", indent=1)), f"{file}.json"
            )
        if as_json is not None:
            download(f"{name.capitalize()} (JSON)", as_json, f"{file}.json")
