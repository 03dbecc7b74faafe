"""What every page has in common: the view, the sound it is about, and one place where errors become sentences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from app.components import alerts
from app.figures.colors import inks
from app.frame import visitors
from app.frame.header import header
from app.frame.hearing import model
from app.frame.models import about, model_title
from app.frame.sounds import Sound, is_upload, open_sound
from app.frame.uploader import uploader
from app.frame.view import View, choose, complaint, restore, show_clip
from core.errors import InputError
from core.models.store import card, model_names

STYLE = """
<style>
.block-container {padding-top: 3.6rem; padding-bottom: 2rem; max-width: 1240px}
h1 {font-size: 1.7rem !important; padding-bottom: 0 !important}
h3 {font-size: 1.05rem !important}
[data-testid="stMetricValue"] {font-size: 1.35rem}
[data-testid="stBaseButton-tertiary"] {min-height: 1.9rem; padding: 0; justify-content: flex-start; text-align: left}
.st-key-way-in button {padding-inline: .4rem}  /* all ways in side by side */
[class*="st-key-silent-"] button {max-width: 100%}
@media (max-width: 640px) {  /* two cards side by side, and figures in a row, where Streamlit would stack them */
  [class*="st-key-cards-"] [data-testid="stColumn"] {min-width: calc(50% - 1rem); flex: 1 1 calc(50% - 1rem)}
  .st-key-page-header, .st-key-page-tools {gap: 0 1rem}
  .st-key-metrics [data-testid="stColumn"] {min-width: 0; flex: 1 1 0}
}
</style>
"""


@contextmanager
def sentences() -> Iterator[None]:
    """Shows a mistake that the user can fix as one sentence; the rest of the page goes on."""
    try:
        yield
    except InputError as error:
        alerts.error(str(error))


def page(heading: str, sentence: str, body: Callable[[View, Sound], None]) -> None:
    """A page: its heading, one sentence that says what it is for, and its body for the current view and sound."""

    def with_sound(view: View) -> None:
        with st.container():  # also where there is nothing to say, as the page would shift: the browser would show its
            if wrong := complaint():  # old state a second time, faded, below the new one until all is computed
                alerts.error(wrong)
        sound = _sound(view)
        if sound:
            body(view, sound)

    page_without_sound(heading, sentence, with_sound)


def page_without_sound(heading: str, sentence: str, body: Callable[[View], None]) -> None:
    """A page that is about no sound."""
    visitors.watch()
    st.html(f"{STYLE}<style>:root {{--ground: {inks().ground}; --best: {inks().best}}}</style>")
    header(heading, sentence)
    with sentences():
        with st.container():
            view = restore()
        body(view)


def _sound(view: View) -> Sound | None:
    """The view's sound; where there is none, the page says what to do instead."""
    try:
        return open_sound(view.clip)
    except InputError as error:
        alerts.warning(str(error), icon=":material/upload:")
        if is_upload(view.clip):
            uploader("Upload the file again")
        if st.button("Open an example instead"):
            show_clip("")
            st.rerun()
        return None


def model_choice(view: View) -> str:
    """Lets the user change the model, and read its card."""
    name = choose(
        st.selectbox,
        "model",
        "Model",
        view.model,
        options=model_names(),
        format_func=model_title,
        help="The trained network that listens. Its card says what it was trained on and how good it is.",
    )
    with st.popover("About this model", icon=":material/info:", type="tertiary"):
        about(card(name))
    return name


def layer_choice(view: View) -> str:
    """Lets the user change the layer whose channels are the concepts."""
    layers = model(view.model).network.concept_layers
    return choose(
        st.selectbox,
        "layer",
        "Layer",
        view.layer or layers[-1],
        options=layers,
        format_func=lambda layer: f"{layer} ({_depth(layers.index(layer), len(layers))})",
        help="A layer is one stage of the network. The first layers respond to small details, such as an onset or a "
        "hum, the last ones to whole sounds. Each channel of a layer is a concept: a pattern that the network learned "
        "to notice.",
    )


def _depth(index: int, layers: int) -> str:
    return "small details" if index == 0 else "whole sounds" if index == layers - 1 else "patterns"
