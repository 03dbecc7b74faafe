"""A page with linked players and one on its own, for test_linked.py: tones of different loudness, drawn by hand."""

import numpy as np
import streamlit as st

from app.components.player import Overlay, Track, player
from core.audio import Audio

RATE = 8000
SECONDS = 6.0
LATER = 2.0  # second of the song at which the players begin
LOUDNESS = {"First": 0.4, "Second": 0.2, "Third": 0.1, "Alone": 0.3}


def main() -> None:
    st.set_page_config(layout="wide")
    times = np.arange(round(SECONDS * RATE)) / RATE
    tone = np.sin(2 * np.pi * 440 * times).astype(np.float32)
    picture = np.tile(np.linspace(0, 1, 120), (24, 1))
    third = st.toggle("A third one")
    for name, loudness in LOUDNESS.items():
        if name == "Third" and not third:
            continue
        player(
            key=name,
            title=name,
            tracks=[
                Track("Mix", Audio(tone * np.float32(loudness), RATE), "#e5e7eb"),
                Track("Only this", Audio(tone * np.float32(loudness / 2), RATE), "#e69f00"),
            ],
            spectrogram=picture,
            duration=SECONDS,
            offset=LATER,
            band_hz=np.geomspace(60.0, 3500.0, len(picture)),
            overlay=Overlay("Relevance", picture - 0.5),
            height=100,
            group="" if name == "Alone" else "models",
        )


if __name__ == "__main__":  # as Streamlit runs it
    main()
