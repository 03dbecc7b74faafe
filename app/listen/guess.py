"""Guess first: the network's answer stays hidden until the visitor has said which instruments play."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce

import streamlit as st

from app.figures.colors import named, title
from app.frame.guessing import TOGGLE, guess_of, is_on, keep
from app.frame.sounds import Sound
from app.frame.view import View, show_clip
from core.inference import Prediction
from core.synthesis.recipe import RECIPES, modified
from core.taxonomy.instruments import LABEL_SETS

_ROUNDS = "guessed-rounds"
MAX_SEED = 10**6
LABELS = LABEL_SETS["general"].labels
# The name of a mix does not say who plays: that is drawn, too. FluidR3 loads fastest.
MIX = modified(RECIPES["general"], count=(2, 4), style=("musical",), soundfont=("fluidr3",), duration=8.0)


@dataclass(frozen=True)
class Outcome:
    """How a guess, or several, went.

    Attributes:
        right: Instruments that were named and play; in the order of the taxonomy.
        missed: Those that play and were not named.
        wrong: Those that were named and do not play.
    """

    right: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.right + other.right, self.missed + other.missed, self.wrong + other.wrong)

    @property
    def words(self) -> str:
        """The numbers.

        >>> outcome(["piano", "flute"], ["flute", "oboe"]).words
        '1 right, 1 missed, 1 wrong'
        """
        return f"{len(self.right)} right, {len(self.missed)} missed, {len(self.wrong)} wrong"


def outcome(truth: Collection[str], named: Collection[str]) -> Outcome:
    """How well the named instruments match those that play.

    >>> outcome(["piano", "flute"], ["flute", "oboe"])
    Outcome(right=('flute',), missed=('piano',), wrong=('oboe',))
    """
    return Outcome(
        tuple(label for label in LABELS if label in truth and label in named),
        tuple(label for label in LABELS if label in truth and label not in named),
        tuple(label for label in LABELS if label not in truth and label in named),
    )


def toggle(view: View, sound: Sound) -> None:
    """Turns guessing on, with a new mix, or off."""

    def turned() -> None:
        if st.session_state[TOGGLE]:
            next_mix()

    st.toggle(
        "Guess first",
        key=TOGGLE,
        persist_state="session",
        on_change=turned,
        help="The app composes a mix and hides what the network hears in it until you have said who plays.",
    )
    if st.session_state[TOGGLE] and not is_on(view, sound):
        st.caption(
            "There is nothing to guess here, as nobody knows what really plays; take an example or compose a mix."
        )


def next_mix() -> None:
    """Turns to a new mix of instruments that nobody knows yet."""
    show_clip(MIX.clip_name(random.randint(0, MAX_SEED)))


def panel(sound: Sound, heard: Prediction | None) -> None:
    """The question; once it is answered, how the guess went.

    Args:
        heard: What the network hears, once the visitor has guessed.
    """
    key, guess, answered = f"guess-{sound.key}", guess_of(sound), heard is not None
    st.subheader(
        "Which instruments do you hear?", help="Choose all that you hear, then check. There are at most a few."
    )
    if guess is not None:
        st.session_state[key] = list(guess)
    chosen = st.pills(
        "Instruments",
        LABELS,
        selection_mode="multi",
        key=key,
        format_func=title,
        disabled=answered,
        label_visibility="collapsed",
        wrap=True,
    )
    with st.container(horizontal=True, vertical_alignment="center"):  # the same two buttons before and after
        st.button(
            "Check my guess",
            key="guess-check",
            type="secondary" if answered else "primary",
            icon=":material/done:",
            disabled=answered or not chosen,
            on_click=lambda: keep(sound, tuple(chosen)),
        )
        st.button(
            "Next mix" if answered else "Another mix",
            key="guess-next",
            type="primary" if answered else "secondary",
            icon=":material/skip_next:",
            on_click=next_mix,
        )
    if heard is not None:
        _result(sound, guess or (), heard)


def _result(sound: Sound, guess: Sequence[str], heard: Prediction) -> None:
    """How the visitor and the network did here, and in all mixes so far; who gave up is told the truth instead."""
    truth = sound.clip.labels if sound.clip else ()
    if not guess:
        said = f"You gave this one up, so it does not count. Really playing: {named(truth)}."
        st.markdown(said, unsafe_allow_html=True)
        return
    mine, its = outcome(truth, guess), outcome(truth, heard.detected)
    rounds: dict[str, tuple[Outcome, Outcome]] = st.session_state.setdefault(_ROUNDS, {})
    rounds.setdefault(sound.key, (mine, its))
    st.markdown(
        " ".join(
            [
                *(f":green-badge[:material/check: {title(label)}]" for label in mine.right),
                *(f":orange-badge[:material/hearing_disabled: {title(label)}, missed]" for label in mine.missed),
                *(f":red-badge[:material/close: {title(label)}, not there]" for label in mine.wrong),
            ]
        )
    )
    st.markdown(f"**You:** {mine.words}. **The network:** {its.words}.")
    if len(rounds) > 1:
        yours, theirs = (reduce(Outcome.__add__, (each[side] for each in rounds.values())) for side in (0, 1))
        st.caption(f"Over {len(rounds)} mixes: you {yours.words} · the network {theirs.words}.")
