"""What visitors choose on several pages: the model, with its card, and the layer."""

import streamlit as st

from app.frame.hearing import model
from app.frame.models import about, model_title
from app.frame.view import View, choose
from core.models.store import card, model_names


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
