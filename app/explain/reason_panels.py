"""Parts of the Explain page about reasons: their cards, what the network says without them, and how they sound."""

import math
from dataclasses import replace

import numpy as np
import streamlit as st

from app.components.player import Track
from app.components.reason_cards import Card, reason_cards
from app.explain import reasons
from app.figures import bars
from app.figures.colors import NEUTRAL, REST, color, reason_color, title
from app.figures.concept_words import capital
from app.frame import atlases, navigation
from app.frame.hearing import model
from app.frame.passages import analysed
from app.frame.view import View, show
from core.audio import Audio
from core.explanation import playback
from core.explanation.playback import Passage, Split
from core.explanation.reasons import ReasonPart
from core.inference import Prediction

REASONS_HELP = (
    "A reason is a pattern in the sound that many channels of the network notice together. It is the same in every "
    "song. The percentage is its share of the evidence for and against. The maps are all on one scale: what weighs "
    "little looks faint. Open a reason to see and hear it; the switch silences it inside the network."
)
MIX = "mix-reasons"  # key of the toggle that plays the reasons together
MOVED = 5  # labels whose probabilities are shown when reasons are silent


def cards(view: View, passage: Passage, label: str) -> None:
    """The reasons, each with its share and a small map."""
    parts, silent = reasons.reasons(passage, label), silent_reasons(view, passage, label)
    without = reasons.answers_without_each(passage, label)
    pictures = reasons.pictures(passage, label)
    shown = [
        Card(
            id=part.id,
            name=capital(part.name),
            hint=_hint(part),
            color=reason_color(part.number),
            share=part.share,
            without="silent in the network" if part.id in silent else f"without it: {_percent(probability)}",
            picture=picture,
            opened=part.id == view.reason,
            silent=part.id in silent,
            in_atlas=part.number is not None,
        )
        for part, probability, picture in zip(parts, without, pictures, strict=True)
    ]
    elsewhere = [id for id in (view.silent or "").split(",") if id not in {part.id for part in parts}]

    def silence(ids: list[str]) -> None:
        show(silent=",".join(filter(None, [*elsewhere, *ids])))

    asked = reason_cards(key="reasons", cards=shown, on_open=_open, on_silence=silence)
    if asked is not None:
        show(reason=asked, concept=None)
        st.switch_page(navigation.page("atlas"))
    if view.reason and not any(part.id == view.reason for part in parts):
        _absent(passage, view.reason)


def _hint(part: ReasonPart) -> str:
    if part.auc is None:
        return "All other reasons together"
    return (
        f"Responds to {part.name}: AUC {part.auc:.2f}, which is how often a test sound of this kind excites it more "
        "than another one does"
    )


def _absent(passage: Passage, id: str) -> None:
    known = atlases.reasons(passage.model)
    named = known.find(id) if known else None
    if named:
        st.caption(f"“{capital(named.name)}” weighs too little here to be shown by itself; it is in everything else.")
    else:
        st.caption("The reason in this link is not one of this model's.")


def _open(id: str | None) -> None:
    show(reason=id, concept=None)


def silent_reasons(view: View, passage: Passage, label: str) -> list[str]:
    """The ids of the reasons that the view silences, as far as they are among those of this passage."""
    asked = (view.silent or "").split(",")
    return [part.id for part in reasons.reasons(passage, label) if part.id in asked]


def without_panel(view: View, passage: Passage, label: str, prediction: Prediction) -> None:
    """What the network says with the silent reasons, if there are any."""
    silent = silent_reasons(view, passage, label)
    if not silent:
        return
    before, after = reasons.answer_without(passage, label, silent)
    index = model(passage.model).label_index(label)
    names = [part.name for part in reasons.reasons(passage, label) if part.id in silent]
    with st.container(border=True, key="without"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f"Without {_listed(names)} in the network: {title(label).lower()} "
                f"**{_percent(before[index])} → {_percent(after[index])}**"
            )
            st.button(
                "Let it notice all again", key="unsilence", type="tertiary", on_click=show, kwargs={"silent": None}
            )
        moved = np.argsort(-np.abs(after - before), kind="stable")
        shown = list(dict.fromkeys([index, *moved.tolist()]))[:MOVED]
        st.html(bars.change_bars([prediction.labels[i] for i in shown], before[shown], after[shown]))


def _listed(names: list[str]) -> str:
    """Names as they stand in a sentence.

    >>> _listed(["drums"]), _listed(["drums", "flute", "voice"])
    ('“drums”', '“drums”, “flute” and “voice”')
    """
    *first, last = [f"“{name}”" for name in names]
    return f"{', '.join(first)} and {last}" if first else last


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def mix_toggle() -> bool:
    """Whether the reasons are played together, each with mute and solo."""
    return st.toggle(
        "Mix the reasons",
        key=MIX,
        persist_state="session",
        help="Plays all reasons together, each with M to mute it and S to hear it alone. With the rest of the mix they "
        "are the mix itself.",
    )


def compared(passage: Passage, label: str, parts: Split, shade: str, filled: Audio | None = None) -> list[Track]:
    """The mix, a part of it, the mix without it and, where that is known, what the instrument really played.

    They can be heard equally loud, so that one compares sounds and not levels.

    Args:
        shade: The part's colour.
        filled: The part with its notes filled in, if that is to be heard too.
    """
    tracks = [
        Track("Mix", analysed(passage).audio, NEUTRAL),
        Track("Only this", parts.kept, shade),
        Track("Without it", parts.rest, REST),
    ]
    if filled is not None:
        tracks.insert(2, Track("Notes filled in", filled, shade))
    stem = passage.stems.get(label)
    if stem is not None:
        tracks.append(Track("True stem", stem.at(parts.kept.sample_rate), color(label)))
    first, *others = (track.sound for track in tracks)
    whole, gains = playback.matched_gains(first, others)
    return [replace(track, gain_db=20 * math.log10(gain)) for track, gain in zip(tracks, [whole, *gains], strict=True)]


def mixer_tracks(passage: Passage, label: str) -> list[Track]:
    """A track for each reason and one for what no reason holds; they sum to the mix."""
    found = reasons.mixable(passage, label)
    tracks = [
        Track(capital(part.name), found.parts[part.id], reason_color(part.number))
        for part in reasons.reasons(passage, label)
    ]
    return [*tracks, Track("Rest of the mix", found.rest, REST)]


def reason_sentence(passage: Passage, label: str, part: ReasonPart) -> str:
    """How much of the sound an opened reason holds, and where its evidence lies."""
    holds = reasons.held(passage, reasons.sound(passage, label, part.id).kept)
    side = "speaks for" if part.relevance >= 0 else "speaks against"
    said = f"“{capital(part.name)}” {side} {title(label).lower()} and holds {_percent(holds)} of the sound's energy"
    on_it = reasons.truth(passage, label, part.id)["rma"] if passage.stems else None
    if on_it is None or part.relevance < 0:
        return f"{said}."
    return f"{said}; {_percent(on_it)} of its evidence lies on the real {title(label).lower()}."
