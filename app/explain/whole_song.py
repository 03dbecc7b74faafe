"""“Only this” over the whole song: computed passage by passage while the page can be used, then played and exported."""

from dataclasses import dataclass

import streamlit as st

from app.components.downloads import download_sound
from app.components.player import Track, player
from app.figures.colors import NEUTRAL, REST, color, title
from app.frame.hearing import model, on_screen, spectrogram
from app.frame.sounds import Sound
from app.frame.turns import TURNS
from app.frame.view import View, show
from core.explanation.whole_song import SongSplit, label_masking
from core.inference import WINDOW_S

PAUSE_S = 0.1  # between two passages, for what else is asked of the page
_KEPT = "whole-song"  # one song for each visitor


@dataclass(frozen=True)
class _Parting:
    """A song that is being parted, and what it was asked for."""

    asked: tuple[str, str, str]
    split: SongSplit


def panel(view: View, sound: Sound, label: str) -> None:
    """Offers to hear the label over the whole song; shows how far that is, and then its player."""
    if sound.duration <= WINDOW_S:
        return
    if not view.whole:
        st.button(
            f"Only {title(label).lower()}, over the whole song",
            key="whole-song-start",
            icon=":material/graphic_eq:",
            on_click=show,
            kwargs={"whole": True},
            help=f"Explains one passage of {WINDOW_S:g} seconds after the other and fades each into the next. "
            "You can go on using the page meanwhile.",
        )
        return
    split = _split(sound, view.model, label)
    if split.finished:
        _player(sound, view.model, label, split)
    else:
        _next_passage(split)


def _split(sound: Sound, model_name: str, label: str) -> SongSplit:
    """What is kept of this visitor's song so far; a new one where another is asked for."""
    asked = (sound.key, model_name, label)
    kept: _Parting | None = st.session_state.get(_KEPT)
    if kept is None or kept.asked != asked:
        kept = _Parting(asked, SongSplit(model(model_name), sound, label_masking(label)))
        st.session_state[_KEPT] = kept
    return kept.split


@st.fragment(run_every=PAUSE_S)
def _next_passage(split: SongSplit) -> None:
    """One passage a run, so that whatever the visitor does comes in between."""
    progress, stop = st.columns([4, 1], vertical_alignment="center")
    with stop:
        st.button("Stop", key="whole-song-stop", on_click=show, kwargs={"whole": None})
    with progress:
        st.progress(split.done / split.steps, f"Passage {min(split.done + 1, split.steps)} of {split.steps} …")
        with TURNS.turn():
            split.step()
    if split.finished:
        st.rerun()


def _player(sound: Sound, model_name: str, label: str, split: SongSplit) -> None:
    parts, picture = split.split, spectrogram(sound, model_name)
    name = title(label)
    player(
        key="whole-song",
        tracks=[
            Track("Only this", parts.kept, color(label)),
            Track("Without it", parts.rest, REST),
            Track("Mix", split.song, NEUTRAL),
        ],
        spectrogram=on_screen(picture.logmel, picture),
        duration=sound.duration,
        band_hz=model(model_name).frontend.band_hz,
        height=110,
        title=f"Evidence for {name.lower()}, over the whole song",
    )
    with st.container(horizontal=True):
        with st.popover("Export the whole song", icon=":material/download:"):
            download_sound("Only this, whole song", lambda: parts.kept, f"{label}-whole-song")
            download_sound("Without it, whole song", lambda: parts.rest, f"without-{label}-whole-song")
        st.button("Close", key="whole-song-close", on_click=show, kwargs={"whole": None})
