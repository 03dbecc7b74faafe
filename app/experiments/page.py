"""Fills the page Experiments."""

import streamlit as st

from app.experiments import contrasts
from app.experiments import panels as experiments
from app.frame.view import View


def body(view: View) -> None:
    """What was measured of all models."""
    measured = experiments.records()
    if not measured:
        experiments.nothing_measured()
    else:
        quality(view, measured)
    contrasts.contrasts()


def quality(view: View, measured: experiments.Records) -> None:
    """How good the models are, and where."""
    left, right = st.columns([3, 1])
    with left:
        names = experiments.models_choice(view, list(measured))
    with right:
        measure = experiments.measure_choice()
    experiments.legend(names)
    shown = {name: measured[name] for name in names}
    number, level = st.columns(2, gap="medium")
    with number, st.container(border=True):
        st.subheader("How many play at once")
        st.caption("In richly varied clips of one to six instruments.")
        experiments.by_number(shown, measure)
    with level, st.container(border=True):
        st.subheader("How loud an instrument is in its mix")
        st.caption("Share of the instruments that are found, in clips of two to six.")
        experiments.by_level(shown)
    gap, confused = st.columns(2, gap="medium")
    with gap, st.container(border=True):
        st.subheader("From composed clips to real recordings")
        st.caption("Clips like those of the training, a soundfont that was not in it, and real music.")
        experiments.gaps(shown, measure)
    with confused, st.container(border=True):
        st.subheader("Similar instruments")
        st.caption("How often an instrument is detected that does not play.")
        experiments.confusion(shown)
    family, solos = st.columns(2, gap="medium")
    with solos, st.container(border=True):
        st.subheader("Real recordings of one instrument")
        st.caption("How often the likeliest answer is right, and what the instrument is taken for otherwise.")
        experiments.real_solos(shown)
    with family, st.container(border=True):
        st.subheader("Families")
        st.caption("Means over the instruments of a family, in clips with all families.")
        experiments.by_family(shown, measure)
    with st.container(border=True):
        st.subheader("How they learned")
        st.caption("After each epoch: each pass over the training clips.")
        experiments.training(names)
    with st.container(border=True):
        st.subheader("What each ingredient of the rich training is worth")
        experiments.ablation(measure)
