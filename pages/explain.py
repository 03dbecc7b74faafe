"""Explain: where in the sound the evidence for an instrument lies, which concepts carried it, and how they sound."""

import streamlit as st

from app.explain import explanations, usual, whole_song
from app.explain import panels as explaining
from app.frame.hearing import prediction
from app.frame.passages import passage_of
from app.frame.shell import layer_choice, model_choice, page, sentences
from app.frame.sounds import Sound
from app.frame.strip import song_strip
from app.frame.view import View

FURTHER_HEIGHT = 420  # pixels; the further concepts scroll


def body(view: View, sound: Sound) -> None:
    """Why the view's model gives its answer about the view's sound."""
    heard = prediction(sound, view.model)
    song_strip(view, sound, heard)
    who, where, network = st.columns([1.4, 1, 1.2])
    with who:
        label = explaining.instrument_choice(view, heard)
    with where:
        layer = layer_choice(view)
    with network:
        model_choice(view)
    passage = passage_of(sound, view.model, label, view.start)
    explanation = explanations.explanation(passage, label, layer)
    shown = explanation.relevance
    if view.concept is not None:
        shown = explanations.concept_relevance(passage, label, layer, view.concept)
    picture, grade = st.columns([2.2, 1], gap="medium")
    with picture:
        explaining.map_player(passage, shown)
        explaining.export(passage, explanation, shown)
        whole_song.panel(view, sound, label)
    st.subheader(
        "Concepts that carried it",
        help="A concept is one channel of the layer: a pattern that the network learned to notice. Its share is the "
        "part of the evidence that passed through it. Open a concept to see that part, and to hear it stand out.",
    )
    explaining.concepts(passage, label, layer, view.concept)
    with grade, st.container(border=True):
        st.subheader(
            "Is the explanation right?", help="The app composed the music, so it can check where the evidence lies."
        )
        explaining.grade_panel(passage, shown)
    if view.concept is not None:
        usual.flow_panel(passage, label, layer, view.concept)
    further = st.container(height=FURTHER_HEIGHT)
    with st.container(border=True), sentences():
        usual.usual_panel(passage, heard, label)
    with st.container(border=True, key="silencing"):
        st.subheader(
            "What if the network could not notice them?",
            help="Silencing a concept sets it to zero inside the network. The numbers are those of the concepts "
            "above. Faint bars: before. Full bars: after.",
        )
        explaining.silencing(passage, heard, explanation)
    with further:  # comes last because it takes a few seconds
        explaining.further_concepts(passage, label, layer, view.concept)


page(
    "Explain",
    "See which part of the sound speaks for an instrument (warm) or against it (cool), and hear it: “Only this” turns "
    f"the rest down by {explaining.REST_DB} dB.",
    body,
)
