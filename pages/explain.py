"""Explain: where in the sound the evidence for an instrument lies, for which reasons, and how they sound."""

import streamlit as st

from app.explain import network_panels as network
from app.explain import panels as explaining
from app.explain import reason_panels as reasoning
from app.explain import reasons, whole_song
from app.explain.trust import trust_panel
from app.frame.hearing import prediction
from app.frame.passages import passage_of
from app.frame.shell import model_choice, page, sentences
from app.frame.sounds import Sound
from app.frame.strip import song_strip
from app.frame.view import View

# On a wide screen the sound stays in view while the page beside it scrolls. On a phone, where all stands in one column,
# it comes before the choices: the columns' frames are taken away, so that what is in them can be ordered. The sentence
# about trust comes late, and nothing moves when it does.
STYLE = """
<style>
.st-key-trust {min-height: 3.6rem}
@media (max-width: 640px) {
  .st-key-trust {min-height: 6.7rem}
  [data-testid="stLayoutWrapper"]:has(> * > [data-testid="stColumn"] .st-key-stage),
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-stage) {display: contents}
  [data-testid="stLayoutWrapper"]:has(> .st-key-choices, > .st-key-trust) {order: 1}
  [data-testid="stColumn"]:has(> div .st-key-stage) {width: 100%}
  [data-testid="stColumn"]:has(> div .st-key-stage) + [data-testid="stColumn"] {order: 2; width: 100%}
}
@media (min-width: 900px) {
  [data-testid="stColumn"]:has(> div .st-key-stage) {position: sticky; top: 3.75rem; align-self: flex-start}
}
</style>
"""


def body(view: View, sound: Sound) -> None:
    """Why the view's model gives its answer about the view's sound."""
    st.html(STYLE)
    heard = prediction(sound, view.model)
    song_strip(view, sound, heard)
    label = explaining.instrument(view, heard)
    passage = passage_of(sound, view.model, label, view.start)
    with st.container(key="choices"):
        who, which = st.columns([1.5, 1])
    with who:
        explaining.instrument_choice(view, heard, passage)
    with which:
        model_choice(view)
    trust = st.container(border=True, key="trust")
    left, why = st.columns([1.45, 1], gap="medium")
    with left:
        stage = st.container(key="stage")
    parts = reasons.reasons(passage, label)
    with why:
        if parts:
            st.subheader("The reasons", help=reasoning.REASONS_HELP)
            reasoning.cards(view, passage, label)
            reasoning.without_panel(view, passage, label, heard)
        else:
            network.without_reasons(passage)
    shown = explaining.shown_map(view, passage, label)
    with stage:
        with st.container(horizontal=True):
            mixed = bool(parts) and reasoning.mix_toggle()
            filled = not mixed and explaining.fill_toggle(passage, shown)
        explaining.map_player(passage, shown, heard, mixed, filled)
        if filled:
            st.caption(explaining.filled_sentence(label))
        if shown.reason:
            st.caption(reasoning.reason_sentence(passage, label, shown.reason))
    with trust, sentences():
        trust_panel(passage, label)
    with stage:
        explaining.export(view, passage, shown)
        whole_song.panel(view, sound, label)
    with why:
        with st.container(border=True):
            st.subheader(
                "Is the explanation right?",
                help="The app composed the music, so it can check where the evidence lies.",
            )
            explaining.grade_panel(passage, shown)
        network.single_concepts(view, passage, label, heard, opened=not parts)
        network.usual_concepts(passage, label, heard)


page(
    "Explain",
    "See which part of the sound speaks for an instrument (warm) or against it (cool), and hear it: “Only this” turns "
    f"the rest down by {explaining.REST_DB} dB.",
    body,
)
