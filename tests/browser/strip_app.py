"""A song of 20 seconds with its strip and the player of a passage, for test_strip.py: tones, drawn by hand."""

import numpy as np
import streamlit as st

from app.components.player import Track, player
from app.components.player.encoding import spectrogram_png
from app.components.song_strip import Ribbon, Window, strip
from core.audio import Audio

RATE = 8000
SECONDS, PASSAGE = 20.0, 5.0
EDGES = np.arange(0, SECONDS + 1, 1.0)


def main() -> None:
    st.set_page_config(layout="wide")
    asked = st.session_state.setdefault("asked", {"start": 6.0, "label": "low"})
    short = st.toggle("A short song")
    seconds = PASSAGE if short else SECONDS
    start = 0.0 if short else asked["start"]

    def why(label: str, start: float | None) -> None:
        asked["label"] = label
        if start is not None:
            asked["start"] = start

    picture = np.tile(np.linspace(0, 1, 100), (16, 1))
    ramp = np.linspace(0, 1, round(seconds))
    colors = {"low": "#56b4e9", "high": "#e69f00"}
    pressed = strip(
        key="strip",
        picture=spectrogram_png(picture),
        duration=seconds,
        edges=EDGES[: round(seconds) + 1],
        ribbons=[
            Ribbon(label, f"{label.title()} tone", color, values, shown=label == asked["label"])
            for (label, color), values in zip(colors.items(), (ramp, ramp[::-1]), strict=True)
        ],
        window=None if short else Window(start, PASSAGE),
        on_move=lambda start: asked.update(start=start),
        on_why=why,
    )
    st.text(f"asked: {asked['label']} {start:g} {pressed}")
    times = np.arange(round(PASSAGE * RATE)) / RATE
    tone = (0.2 * np.sin(2 * np.pi * (200 + 20 * start) * times)).astype(np.float32)
    player(
        key="player",
        title="Passage",
        tracks=[Track("Mix", Audio(tone, RATE), "#e5e7eb")],
        spectrogram=picture,
        duration=PASSAGE,
        offset=start,
        band_hz=np.geomspace(60.0, 3900.0, 16),
        height=120,
    )


if __name__ == "__main__":  # as Streamlit runs it
    main()
