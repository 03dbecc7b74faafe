"""Fills the page Explain."""

import streamlit as st

from app.explain import network_panels as network
from app.explain import panels as explaining
from app.explain import reason_panels as reasoning
from app.explain import reasons, whole_song
from app.explain.places import Places
from app.explain.trust import trust_panel
from app.frame.choices import model_choice
from app.frame.hearing import prediction
from app.frame.passages import passage_of
from app.frame.shell import sentences
from app.frame.sounds import Sound
from app.frame.strip import song_strip
from app.frame.view import View


def body(view: View, sound: Sound, places: Places) -> None:
    """Why the view's model gives its answer about the view's sound."""
    with places.strip:
        heard = prediction(sound, view.model)
        song_strip(view, sound, heard)
    label = explaining.instrument(view, heard)
    passage = passage_of(sound, view.model, label, view.start)
    with places.choices:
        explaining.instrument_choice(view, heard, passage)
    with places.why:
        parts = reasons.reasons(passage, label)
        if parts:
            st.subheader("The reasons", help=reasoning.REASONS_HELP)
            reasoning.cards(view, passage, label)
            reasoning.without_panel(view, passage, label, heard)
        else:
            network.without_reasons(passage)
    with places.stage:
        shown = explaining.shown_map(view, passage, label)
        with st.container(horizontal=True):
            mixed = bool(parts) and reasoning.mix_toggle()
            filled = not mixed and explaining.fill_toggle(passage, shown)
        explaining.map_player(passage, shown, heard, mixed, filled)
        if filled:
            st.caption(explaining.filled_sentence(label))
        if shown.reason:
            st.caption(reasoning.reason_sentence(passage, label, shown.reason))
    with places.trust, st.container(border=True, key="trust"), sentences():
        trust_panel(passage, label)
    with places.stage:
        explaining.export(view, passage, shown)
        whole_song.panel(view, sound, label)
    with places.why:
        with st.container(border=True):
            st.subheader(
                "Is the explanation right?",
                help="The app composed the music, so it can check where the evidence lies.",
            )
            explaining.grade_panel(passage, shown)
        network.single_concepts(view, passage, label, heard, opened=not parts)
        network.usual_concepts(passage, label, heard)
        model_choice(view)
