"""Fills the page Listen."""

import streamlit as st

from app.frame import guessing, navigation
from app.frame.choices import model_choice
from app.frame.hearing import prediction
from app.frame.shell import sentences
from app.frame.sounds import Sound
from app.frame.strip import song_strip
from app.frame.view import View
from app.listen import guess
from app.listen import panels as listening
from app.listen.inputs import ways_in
from app.listen.places import Places


def body(view: View, sound: Sound, places: Places) -> None:
    """The choice of a sound, and what the view's model hears in it; to be guessed first, if the visitor wants that."""
    with places.choices, st.container(border=True, key="choices"):
        ways_in(view)
        guess.toggle(view, sound)
    guessed, hidden = guessing.is_on(view, sound), guessing.hides(view, sound)
    heard, revealed = None if hidden else prediction(sound, view.model), listening.is_revealed(sound) and not hidden
    if guessed:
        with places.sound:  # nothing moves when the answer appears below
            listening.sound_player(view, sound, revealed)
            guess.panel(sound, heard)
    if heard is None:
        return
    with places.sound if guessed else places.strip:
        if song_strip(view, sound, heard):
            st.switch_page(navigation.page("explain"))
    with places.sound:
        if not guessed:
            listening.sound_player(view, sound, revealed)
        with st.container(horizontal=True, vertical_alignment="center"):
            listening.detected_sentence(heard)
            listening.reveal_toggle(sound)
            listening.export(sound, heard)
        with sentences():
            listening.evidence(view, sound, heard)
    with places.which:
        st.subheader(heard.task.question(heard.space), help=heard.task.rule)
        listening.bars(heard, sound, revealed)
        model_choice(view)
    with places.when:
        st.subheader(
            heard.task.when,
            help="The network listens to two seconds at a time: the higher the ribbon, the surer it is.",
        )
        listening.ribbons(heard, sound, revealed)
        if revealed and sound.clip:
            listening.truth_panel(sound.clip)
