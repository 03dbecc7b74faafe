"""The reasons of a model in the Atlas: all of them, and a view of each with clips in which it is strongest."""

from html import escape

import streamlit as st

from app.components.example_card import Example, example_card
from app.concepts.panels import COLUMNS, EXAMPLES_HELP, SCORES_HELP, STRONGEST, captions
from app.figures import bars
from app.figures.colors import reason_color, title
from app.figures.concept_words import capital, measured, strongest
from app.figures.thumbnails import thumbnail
from app.frame import navigation
from app.frame.caches import cached
from app.frame.hearing import model, on_screen, spectrogram
from app.frame.models import model_title
from app.frame.sounds import open_sound
from app.frame.view import show
from core.audio import Audio
from core.concepts.atlas import Reason, Reasons, Reference
from core.concepts.naming import EVIDENCE
from core.concepts.patches import frame, patch_sound, span
from core.explanation.reasons import reason_id, reasons
from core.frontends.frontend import Matrix, Spectrogram, frontend

REASONS_HELP = (
    "A reason is a pattern in the sound that many channels of the network notice together. The page Explain breaks "
    "each answer into a few of them; they are the same in every song."
)
USAGE_HELP = "How much of each instrument's evidence passes through this reason. The mark is an even share."
CLIPS = 4  # that are shown


def overview(found: Reasons) -> None:
    """All reasons of a model, each with what it serves most."""
    with st.container(border=True, key="reasons"):
        st.subheader("Reasons", help=REASONS_HELP)
        columns = st.columns(COLUMNS)
        for number, reason in enumerate(found.reasons):
            with columns[number % COLUMNS]:
                _link(found, reason)


def _link(found: Reasons, reason: Reason) -> None:
    served = sorted(reason.usage, key=lambda label: -reason.usage[label])[:2]
    text = f"**{capital(reason.name)}** :gray[· {', '.join(title(label).lower() for label in served)}]"
    st.button(
        text,
        key=f"reason-{reason.number}",
        type="tertiary",
        on_click=show,
        kwargs={"reason": reason_id(found.layer, reason.number), "concept": None},
    )


def reason_page(found: Reasons, reason: Reason) -> None:
    """One reason: what it responds to, which instruments it serves, and clips to hear in which it is strongest."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.button(
            "All reasons and concepts",
            icon=":material/arrow_back:",
            key="back",
            on_click=show,
            kwargs={"reason": None, "concept": None},
        )
        if st.button(
            "Try it on my clip", icon=":material/troubleshoot:", type="primary", key="try",
            help="Shows and plays where this reason lies in your sound.",
        ):  # fmt: skip
            show(reason=reason_id(found.layer, reason.number), concept=None)
            st.switch_page(navigation.page("explain"))
    st.html(
        f"<h2 style='margin:0;padding:0;font-size:1.35rem'><span style='color:{reason_color(reason.number)}'>●</span> "
        f"{escape(capital(reason.name))}</h2><small style='opacity:.7'>One of {len(found.reasons)} reasons · "
        f"AUC {reason.auc:.2f} · channels of {escape(found.layer)} · {escape(model_title(found.model))}</small>"
    )
    answers, use = st.columns([1.2, 1], gap="medium")
    with answers, st.container(border=True, height="stretch"):
        st.subheader("What it responds to", help=SCORES_HELP)
        st.html(bars.score_bars(measured(strongest(reason)[:STRONGEST]), EVIDENCE))
    with use, st.container(border=True, height="stretch"):
        st.subheader("Which instruments it serves", help=USAGE_HELP)
        shares = sorted(reason.usage.items(), key=lambda item: -item[1])[:STRONGEST]
        st.html(bars.usage_bars(dict(shares), 1 / len(found.reasons)))
    st.subheader("Hear it", help=EXAMPLES_HELP)
    with st.container(key="cards-examples-0"):
        columns = st.columns(COLUMNS)
    for number, (column, place) in enumerate(zip(columns, reason.relmax[:CLIPS], strict=False)):
        with column, st.container(border=True):
            example_card(key=f"example-{number}", example=example(found, reason, place), **captions(place))
    st.caption(f"Found on {found.clips} composed clips of `{found.recipe}`; the names come from test sounds.")


@cached(
    "reason examples",
    "Composing …",
    key=lambda found, reason, place: (found.model, found.layer, reason.number, reason.name, place),
)
def example(found: Reasons, reason: Reason, place: Reference) -> Example:
    """A clip in which a reason is strong."""
    clip, trained = open_sound(place.clip), model(found.model)
    sound = spectrogram(clip, found.model)
    values = _values(found, reason, place, sound)
    return Example(
        thumbnail(on_screen(sound.logmel, sound), on_screen(values, sound)),
        clip,
        Audio(patch_sound(sound, values, place), sound.config.sample_rate),
        frame(place, trained.frontend, sound.duration),
        span(place, sound.duration),
    )


def _values(found: Reasons, reason: Reason, place: Reference, sound: Spectrogram) -> Matrix:
    """Where a reason lies in a clip, among all reasons there are, ``(bands, frames)``."""
    everyone = reasons(
        model(found.model), sound.features, str(place.label), found.dictionary, len(found.reasons), distinct=0
    )
    values = next(part.evidence for part in everyone if part.number == reason.number)
    return frontend(sound.config).relevance_to_cells(values, sound)
