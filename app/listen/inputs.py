"""The ways in: take an example from the shelf, compose a mix, upload a file, record from the microphone."""

import random
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.figures.colors import title
from app.frame.examples import EXAMPLES
from app.frame.sounds import keep_recording
from app.frame.uploader import take, uploader
from app.frame.view import View, complain, show_clip
from core.errors import InputError
from core.synthesis.recipe import COUNTS, DURATIONS, RECIPES, Recipe, modified, split_clip_name
from core.synthesis.score import STYLES
from core.synthesis.soundfonts import installed_soundfonts
from core.taxonomy.instruments import LABEL_SETS, check_labels

WAYS = {"examples": "Examples", "compose": "Compose", "upload": "Upload", "record": "Record"}
MAX_SEED = 10**6
RECORDED_RATE = 44100  # Hz
SURPRISING = (2, 5)  # instruments in a mix that is drawn
FIELDS = ("instruments", "count", "style", "font", "duration", "seed")  # of the form, and of its widgets' keys


def ways_in(view: View) -> None:
    """Lets the user choose what to listen to."""
    way = st.segmented_control(
        "Choose a sound",
        list(WAYS),
        default="examples",
        required=True,
        format_func=WAYS.__getitem__,
        key="way-in",
        persist_state="session",
        label_visibility="collapsed",
        width="stretch",
        wrap=False,
    )
    {"examples": _shelf, "compose": _composer, "upload": _upload, "record": _recorder}[way or "examples"](view)


def _shelf(view: View) -> None:
    st.caption("Mixes that the app composed, so it knows which instruments really play.")
    for name, clip in EXAMPLES.items():
        st.button(
            name,
            key=f"example-{name}",
            type="primary" if clip == view.clip else "secondary",
            width="stretch",
            on_click=show_clip,
            args=(clip,),
        )


def _upload(view: View) -> None:  # noqa: ARG001 - called like the other ways in
    uploader("Drop a song here (WAV, MP3, FLAC, OGG, M4A … or MIDI)")
    st.caption("The app plays MIDI files itself, so it knows which instruments really play in them.")


def _recorder(view: View) -> None:  # noqa: ARG001 - called like the other ways in
    recording = st.audio_input(
        "Record something here",
        sample_rate=RECORDED_RATE,
        key="recording",
        help="Up to 10 minutes. The recording goes to the computer that runs this app, which keeps it only while the "
        "page is open and shows it to nobody else.",
    )
    st.caption("Play or sing, or hold the microphone to a loudspeaker; a second or two is enough.")
    if isinstance(recording, UploadedFile):  # which it no longer is once its content was let go
        recording.name = "recording.wav"
        take(recording, "Decoding …", keep_recording)


def _composer(view: View) -> None:
    start = _composed_recipe(view)
    st.caption("Let the app write and play a mix. The same choices and seed always give the same music.")
    chosen = st.multiselect(
        "Instruments",
        LABEL_SETS["general"].labels,
        default=start.instruments,
        format_func=title,
        max_selections=COUNTS[1],
        placeholder="any",
        key="compose-instruments",
        persist_state="session",
    )
    st.slider(
        "Number of instruments, if you choose none",
        *COUNTS,
        3,
        key="compose-count",
        persist_state="session",
        disabled=bool(chosen),
    )
    left, right = st.columns(2)
    styles = [style for style in STYLES.names() if style != "midi"]
    left.selectbox(
        "Style", styles, key="compose-style", persist_state="session", format_func=str.capitalize,
        help="Musical: harmony, melody, bass and rhythm. Random: any note at any time, so that only the sound itself "
        "gives an instrument away.",
    )  # fmt: skip
    fonts = {font.name: font.title for font in installed_soundfonts()}
    right.selectbox(
        "Soundfont", list(fonts), key="compose-font", persist_state="session", format_func=fonts.__getitem__,
        help="The set of recorded instruments that plays the music.",
    )  # fmt: skip
    left, right = st.columns(2)
    left.slider("Seconds", int(DURATIONS[0]), int(DURATIONS[1]), 8, key="compose-duration", persist_state="session")
    right.number_input("Seed", 0, MAX_SEED, 7, key="compose-seed", persist_state="session")
    compose, surprise = st.columns(2)
    compose.button("Compose", type="primary", icon=":material/music_note:", width="stretch", on_click=_compose)
    surprise.button(
        "Surprise me", icon=":material/casino:", width="stretch", on_click=_surprise, args=(styles,),
        help="Picks instruments, style and seed at random, and shows what it picked in these fields.",
    )  # fmt: skip


def _compose() -> None:
    """Shows the mix that the form asks for as it is now, whatever of it has just been changed."""
    form = {field: st.session_state[f"compose-{field}"] for field in FIELDS}
    ask = {"style": (form["style"],), "soundfont": (form["font"],), "duration": float(form["duration"])}
    # Whoever names the instruments has given their number.
    names = tuple(form["instruments"])
    who = {"instruments": names} if names else {"count": (form["count"],)}
    try:
        show_clip(modified(RECIPES["general"], **ask, **who).clip_name(int(form["seed"])))
    except InputError as error:
        complain(str(error))


def _surprise(styles: Sequence[str]) -> None:
    """Composes a mix of random instruments, and fills the form in so that it makes the same mix again."""
    names = random.sample(LABEL_SETS["general"].labels, random.randint(*SURPRISING))
    instruments = check_labels(names, LABEL_SETS["general"].labels)
    drawn = {"instruments": list(instruments), "style": random.choice(styles), "seed": random.randint(0, MAX_SEED)}
    st.session_state.update({f"compose-{field}": value for field, value in drawn.items()})
    _compose()


def _composed_recipe(view: View) -> Recipe:
    """The recipe of the clip that is shown, so that it is easy to change one thing; the plain recipe for an upload."""
    try:
        return split_clip_name(view.clip)[0]
    except InputError:
        return RECIPES["general"]
