"""Fills the page Compare."""

import streamlit as st

from app.compare import panels as comparing
from app.figures.colors import title
from app.frame.hearing import prediction
from app.frame.models import model_title
from app.frame.sounds import Sound
from app.frame.view import View


def body(view: View, sound: Sound) -> None:
    """Several models on the view's sound."""
    left, right = st.columns([2, 1])
    with left:
        models = comparing.models_choice(view)
    predictions = [prediction(sound, name) for name in models]
    with right:
        label = comparing.instrument_choice(view, predictions)
    passages = comparing.passages(view, sound, models, label)
    comparing.maps(passages, label)
    for name in set(models) - {passage.model for passage in passages}:
        st.caption(f"{model_title(name)} does not know the instrument {title(label).lower()}.")
    with st.container(border=True):
        st.subheader("What each hears", help="How probable it is that each instrument plays, over the whole sound.")
        comparing.prediction_bars(predictions)
    with st.container(border=True):
        st.subheader(
            "How far they agree",
            help="1 is full agreement, 0 is agreement by chance. Answers: which instruments are heard in the whole "
            "sound (Cohen's kappa), and their order from the likeliest to the least likely (Spearman). Maps: "
            "correlation of the evidence in the passage (Pearson). Layers: how alike the last layers arrange the "
            "moments and pitches of the passage (CKA).",
        )
        agreement = comparing.agreement(predictions, passages, label)
        comparing.agreement_table(agreement)
        comparing.export(predictions, passages, label, agreement)
    if passages:
        with st.container(border=True):
            st.subheader(
                "Where the evidence lies",
                help="Onsets are the first 60 ms of a note. Low is below 300 Hz, high is above 2 kHz. An instrument's "
                "own sound is where it is the loudest. Grey: how much of the sound's energy lies there.",
            )
            comparing.places(passages, label, sound.clip)
