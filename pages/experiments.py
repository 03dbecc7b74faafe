"""Experiments: how good each network is where, and whether depth and richer data change how networks work."""

import streamlit as st

from app.experiments import panels as experiments
from app.experiments import questions
from app.frame.shell import page_without_sound
from app.frame.view import View


def body(view: View) -> None:
    measured = experiments.records()
    if not measured:
        experiments.nothing_measured()
    else:
        quality(view, measured)
    questions.answers()


def quality(view: View, measured: experiments.Records) -> None:
    left, right = st.columns([3, 1])
    with left:
        names = experiments.models_choice(view, list(measured))
    with right:
        measure = experiments.measure_choice()
    experiments.legend(names)
    shown = {name: measured[name] for name in names}
    number, level = st.columns(2, gap="medium")
    with number, st.container(border=True):
        st.subheader("The more play at once, the harder")
        st.caption("Clips of exactly so many instruments, richly varied.")
        experiments.by_number(shown, measure)
    with level, st.container(border=True):
        st.subheader("The quieter, the harder")
        st.caption("Share of the instruments found, in clips of 2 to 6.")
        experiments.by_level(shown)
    gap, confused = st.columns(2, gap="medium")
    with gap, st.container(border=True):
        st.subheader("From own clips to real recordings")
        st.caption("What is lost on sound of another origin than trained on.")
        experiments.gaps(shown, measure)
    with confused, st.container(border=True):
        st.subheader("Similar instruments")
        st.caption("How often a network calls an instrument that is not there.")
        experiments.confusion(shown)
    family, solos = st.columns(2, gap="medium")
    with solos, st.container(border=True):
        st.subheader("Real recordings of one instrument")
        st.caption("How often the likeliest answer is right, and what else it is.")
        experiments.real_solos(shown)
    with family, st.container(border=True):
        st.subheader("Families")
        st.caption("Over the instruments of each family, in clips of all.")
        experiments.by_family(shown, measure)
    with st.container(border=True):
        st.subheader("How they learned")
        st.caption("After each epoch, that is each pass over the training clips.")
        experiments.training(names)
    with st.container(border=True):
        st.subheader("What the rich training is made of")
        experiments.ablation(measure)


page_without_sound(
    "Experiments",
    "How good each network is, where it fails, and whether depth and richer training data change how it works.",
    body,
)
