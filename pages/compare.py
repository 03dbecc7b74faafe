"""Compare: several models on the same sound, their answers, their evidence, and how far they agree."""

import streamlit as st

from app import comparing, compute
from app.colors import title
from app.shell import page
from app.sounds import Sound
from app.view import View


def body(view: View, sound: Sound) -> None:
    left, right = st.columns([2, 1])
    with left:
        models = comparing.models_choice(view)
    predictions = [compute.prediction(sound, name) for name in models]
    with right:
        label = comparing.instrument_choice(view, predictions)
    passages = comparing.passages(view, sound, models, label)
    comparing.maps(passages, label)
    for name in set(models) - {passage.model for passage in passages}:
        st.caption(f"{name} does not know the instrument {title(label).lower()}.")
    with st.container(border=True):
        st.subheader("What each hears", help="Probability of each instrument in the whole sound.")
        comparing.prediction_bars(predictions)
    with st.container(border=True):
        st.subheader(
            "How far they agree",
            help="Instruments heard by both among those heard by either; correlation of the two maps.",
        )
        agreement = comparing.agreement(predictions, passages, label)
        comparing.agreement_table(agreement)
        comparing.export(predictions, passages, label, agreement)


page(
    "Compare",
    "Two or more networks on the same sound: what each hears, and which part of the sound each points at.",
    body,
)
