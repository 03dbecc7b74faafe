"""Listen: choose a sound, hear it, see which instruments a network hears in it and when."""

import streamlit as st

from app.frame import navigation
from app.frame.hearing import prediction
from app.frame.shell import model_choice, page, sentences
from app.frame.sounds import Sound
from app.frame.strip import song_strip
from app.frame.view import View
from app.listen import guess
from app.listen import panels as listening
from app.listen.inputs import ways_in

# On a phone, where all stands in one column, the choices come after the sound and what is heard in it, and before the
# charts: the frame of the column beside them is taken away, so that what is in it can be ordered.
STYLE = """
<style>
@media (max-width: 640px) {
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-choices) {flex-direction: column; gap: 1rem}
  [data-testid="stColumn"]:has(.st-key-choices) {order: 1; width: 100%}
  [data-testid="stColumn"]:has(> div .st-key-listen),
  [data-testid="stColumn"]:has(> div .st-key-listen) > [data-testid="stVerticalBlock"] {display: contents}
  [data-testid="stLayoutWrapper"]:has(> * > [data-testid="stColumn"] .st-key-bars) {order: 2}
}
</style>
"""


def body(view: View, sound: Sound) -> None:
    """The choice of a sound, and what the view's model hears in it; to be guessed first, if the visitor wants that."""
    st.html(STYLE)
    choices, hearing = st.columns([1.15, 2.6], gap="medium")
    with choices, st.container(border=True, key="choices"):
        ways_in(view)
        guess.toggle(view, sound)
    guessing = guess.is_on(view, sound)
    if guessing and not guess.is_answered(sound):
        with hearing:
            listening.sound_player(view, sound, revealed=False)
            guess.panel(sound, None)
        return
    with hearing:
        heard = prediction(sound, view.model)
        revealed = listening.is_revealed(sound)
        if guessing:  # nothing moves when the answer appears: the player and the guess stay where they are
            listening.sound_player(view, sound, revealed)
            guess.panel(sound, heard)
        if song_strip(view, sound, heard):
            st.switch_page(navigation.page("explain"))
        if not guessing:
            listening.sound_player(view, sound, revealed)
        with st.container(horizontal=True, vertical_alignment="center"):
            listening.detected_sentence(heard)
            listening.reveal_toggle(sound)
            listening.export(sound, heard)
        with sentences():
            listening.evidence(view, sound, heard)
        which, when = st.columns(2, gap="medium")
    with which:
        st.subheader(heard.task.question(heard.space), help=heard.task.rule)
        listening.bars(heard, sound, revealed)
        model_choice(view)
    with when:
        st.subheader(
            heard.task.when,
            help="The network listens to two seconds at a time: the higher the ribbon, the surer it is.",
        )
        listening.ribbons(heard, sound, revealed)
        if revealed and sound.clip:
            listening.truth_panel(sound.clip)


page("Listen", "Drop in a song or let the app compose one, and see which instruments a neural network hears.", body)
