"""A page with three players, one of them a mixer, and a card, for test_player.py: two tones, drawn by hand."""

import numpy as np
import streamlit as st

from app.components.example_card import Example, example_card
from app.components.player import Note, Overlay, Track, player
from app.figures.thumbnails import thumbnail
from core.audio import Audio

RATE = 22050
SECONDS = 8.0
BANDS, FRAMES = 64, 200
BAND_HZ = np.geomspace(60.0, 11000.0, BANDS)
LATER = 3.0  # second at which the passage of the song begins that a switch shows


def main() -> None:
    st.set_page_config(layout="wide")
    times = np.arange(round(SECONDS * RATE)) / RATE
    low = (0.2 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)
    high = (0.3 * np.sin(2 * np.pi * 2000 * times)).astype(np.float32)
    spectrogram = np.full((BANDS, FRAMES), 0.1)
    spectrogram[np.abs(np.log2(BAND_HZ / 220)) < 0.15] = 0.8
    spectrogram[np.abs(np.log2(BAND_HZ / 2000)) < 0.15] = 1.0

    st.title("Player")
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    st.text(f"runs: {runs}")
    flipped = st.toggle("Flip the evidence")
    quieter = st.toggle("Another concept")
    shown = st.toggle("Show the player", value=True)
    later = st.toggle("A later passage")

    evidence = np.where(spectrogram > 0.9, 1.0, np.where(spectrogram > 0.7, -0.5, 0.0))
    tracks = [
        Track("Mix", Audio(low + high, RATE), "#e5e7eb"),
        Track("Only this", Audio(high * np.float32(0.25 if quieter else 1.0), RATE), "#e69f00"),
        Track("Without it", Audio(low, RATE), "#56b4e9"),
    ]
    if shown:
        player(
            key="switch",
            title="One at a time",
            tracks=tracks,
            spectrogram=spectrogram,
            duration=SECONDS,
            band_hz=BAND_HZ,
            offset=LATER if later else 0.0,
            overlay=Overlay("Relevance", -evidence if flipped else evidence),
            notes=[Note(2.0, 6.0, 2000.0, "#00ff00")],
        )
    player(
        key="mixer",
        tracks=[Track("Low", Audio(low, RATE), "#56b4e9"), Track("High", Audio(high, RATE), "#e69f00")],
        spectrogram=spectrogram,
        duration=SECONDS,
        band_hz=BAND_HZ,
        mode="mixer",
        height=160,
        label="Both tones",
    )
    player(
        key="levels",
        tracks=[
            Track("Loud", Audio(low + high, RATE), "#e5e7eb"),
            Track("Soft", Audio(low * np.float32(0.1), RATE), "#56b4e9", gain_db=20.0),
        ],
        spectrogram=spectrogram,
        duration=SECONDS,
        band_hz=BAND_HZ,
        height=120,
        label="Levels",
    )
    example_card(
        key="card",
        example=Example(thumbnail(spectrogram, evidence), Audio(low + high, RATE), Audio(high[: 2 * RATE], RATE)),
        caption="A card",
    )


if __name__ == "__main__":  # as Streamlit runs it
    main()
