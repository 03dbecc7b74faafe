"""Buttons that download a file, or figures as a table."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.audio import Audio, can_write_mp3, mp3_bytes, wav_bytes


def download(label: str, data: Callable[[], bytes | str], file_name: str) -> None:
    """A button that makes the file when it is clicked, without running the page again."""
    st.download_button(label, data, file_name, on_click="ignore", width="stretch", key=f"download-{label}")


def download_sound(label: str, sound: Callable[[], Audio], name: str) -> None:
    """Buttons that download a sound, as WAV and, where it can be written, as MP3."""
    download(f"{label} (WAV)", lambda: wav_bytes(sound()), f"{name}.wav")
    if can_write_mp3():
        download(f"{label} (MP3)", lambda: mp3_bytes(sound()), f"{name}.mp3")


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
