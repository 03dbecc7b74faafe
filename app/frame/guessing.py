"""Whether the visitor guesses first: then no page tells what plays before they have guessed, or have given up."""

import streamlit as st

from app.frame import navigation
from app.frame.hearing import model
from app.frame.sounds import Sound
from app.frame.view import View
from core.taxonomy.instruments import LabelSet

TOGGLE = "guess-first"
_GUESSES = "guesses"


def is_on(view: View, sound: Sound) -> bool:
    """Whether the visitor guesses; for that the truth must be known, and the model must hear instruments."""
    return bool(st.session_state.get(TOGGLE) and sound.clip and isinstance(model(view.model).space, LabelSet))


def guess_of(sound: Sound) -> tuple[str, ...] | None:
    """What the visitor said plays in this sound; empty if they gave up, None if they have not guessed yet."""
    return _guesses().get(sound.key)


def keep(sound: Sound, guess: tuple[str, ...]) -> None:
    """Keeps the guess, or an empty one of a visitor who gives up."""
    _guesses()[sound.key] = guess


def hides(view: View, sound: Sound) -> bool:
    """Whether the visitor has yet to guess what plays in this sound."""
    return is_on(view, sound) and guess_of(sound) is None


def hidden(sound: Sound) -> None:
    """Stands where a page would tell the answer: the way back to the guess, and the way on without one."""
    st.info("You are guessing which instruments play, and this page would tell.", icon=":material/visibility_off:")
    with st.container(horizontal=True):
        if st.button("Back to my guess", key="guess-back", type="primary", icon=":material/arrow_back:"):
            st.switch_page(navigation.page("listen"))
        st.button(
            "I give up, show me",
            key="guess-give-up",
            icon=":material/visibility:",
            on_click=keep,
            args=(sound, ()),
            help="This mix then does not count in your score.",
        )


def _guesses() -> dict[str, tuple[str, ...]]:
    guesses: dict[str, tuple[str, ...]] = st.session_state.setdefault(_GUESSES, {})
    return guesses
