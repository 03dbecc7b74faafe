"""Parts of the Explain page: choices, the map on the sound, tiles of concepts, silencing, the comparison with truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.components.concept_tiles import Tile, concept_tiles
from app.components.downloads import download, download_sound
from app.components.player import Overlay, player
from app.explain import explanations, reason_panels, reasons
from app.explain.explanations import Preview
from app.explain.trust import trust_in
from app.figures import bars
from app.figures.colors import color, reason_color, title
from app.figures.concept_words import capital, short
from app.frame import atlases, navigation, passages
from app.frame.hearing import model, on_screen
from app.frame.passages import analysed, true_notes
from app.frame.view import View, choose, show
from core.explanation.playback import Passage, Split
from core.explanation.reasons import ReasonPart
from core.explanation.reconstruction import can_reconstruct
from core.explanation.relevance import Explanation, Relevance
from core.inference import Prediction
from core.taxonomy.instruments import LabelSet

AT_ONCE = 24  # further concepts that are computed and shown together
SHOWN_MEASURES = ("rma", "area", "lift", "energy_lift", "si_sdr_improvement", "si_sdr_ceiling")
FILL = "fill-notes"  # key of the toggle that fills in the notes
MOVED = 6  # predictions shown when concepts are silenced


def instrument_choice(view: View, prediction: Prediction, passage: Passage) -> None:
    """Lets the user choose the label to explain, the likeliest first; for those not heard it asks "why not?"."""
    here = dict(zip(prediction.labels, passages.probabilities(passage), strict=True))
    song = dict(zip(prediction.labels, prediction.probabilities, strict=True))

    def named(label: str) -> str:
        heard = "heard" if label in prediction.detected else "why not?"
        return f"{title(label)} · {chances(here[label], song[label], passage.whole)} · {heard}"

    choose(
        st.selectbox,
        "instrument",
        prediction.space.noun.capitalize(),
        instrument(view, prediction),
        options=prediction.ranking,
        format_func=named,
        help="Explain what was heard, or ask why something else was not. “Here” is the explained passage.",
    )


def instrument(view: View, prediction: Prediction) -> str:
    """The label that is explained."""
    return view.instrument or prediction.ranking[0]


def chances(here: float, song: float, whole: bool = False) -> str:
    """The probability in the passage and, unless that is the whole sound, in the song.

    >>> chances(0.05, 0.82), chances(0.82, 0.82, whole=True)
    ('5 % here · 82 % in the song', '82 %')
    """
    said = [f"{share:.0%}".replace("%", " %") for share in (here, song)]
    return said[1] if whole else f"{said[0]} here · {said[1]} in the song"


@dataclass(frozen=True, eq=False)
class Shown:
    """The map that the page shows: that of a label, of one of its reasons, or of one concept.

    Attributes:
        map: Itself.
        reason: If it is that of a reason, the reason.
    """

    map: Relevance
    reason: ReasonPart | None = None

    @property
    def part(self) -> str:
        """What it is a part of the label's map for; empty if it is the label's."""
        if self.reason:
            return f"reason “{self.reason.name}”"
        return "" if self.map.channel is None else f"concept {self.map.channel}"

    @property
    def file_name(self) -> str:
        """As a part of the names of files."""
        if self.reason:
            return f"{self.map.label}-{self.reason.id}"
        return self.map.label if self.map.channel is None else f"{self.map.label}-{self.map.layer}-{self.map.channel}"


def shown_map(view: View, passage: Passage, label: str) -> Shown:
    """What the view asks for; the label's own map where that is not to be had."""
    if view.concept is not None:
        return Shown(explanations.concept_relevance(passage, label, str(view.layer), view.concept))
    part = reasons.opened(passage, label, view.reason)
    return Shown(part.map, part) if part else Shown(passages.relevance(passage, label))


def sounds(passage: Passage, shown: Shown) -> Split:
    """What is heard of the map, and the rest."""
    if shown.reason:
        return reasons.sound(passage, shown.map.label, shown.reason.id)
    return passages.split(passage, shown.map)


def grade(passage: Passage, shown: Shown) -> dict[str, Any]:
    """How well the map fits the true stems of a composed passage."""
    if shown.reason:
        return reasons.truth(passage, shown.map.label, shown.reason.id)
    return passages.truth(passage, shown.map)


def fill_toggle(passage: Passage, shown: Shown) -> bool:
    """Whether the notes that the evidence points at are filled in; for the map of an instrument as a whole."""
    if shown.part or not can_reconstruct(model(passage.model), shown.map.label):
        return False
    return st.toggle(
        "Fill in the notes",
        key=FILL,
        persist_state="session",
        help="Adds “Notes filled in” to the tracks: a reconstruction of the notes that the evidence points at.",
    )


def filled_sentence(label: str) -> str:
    """What is heard with the notes filled in, and what without."""
    return (
        "“Only this” is the plain mask of the evidence. “Notes filled in” is a reconstruction: the notes that the "
        f"evidence points at, completed from what notes of this instrument ({title(label).lower()}) look like. It is "
        "more than the network used."
    )


def map_player(passage: Passage, shown: Shown, prediction: Prediction, mixed: bool, filled: bool) -> None:
    """The passage with a map over its spectrogram, and the sound of what the map points at.

    Args:
        mixed: Whether the reasons are played together instead.
        filled: Whether the notes filled in are among the tracks.
    """
    sound, label = analysed(passage), shown.map.label
    if mixed:
        tracks = reason_panels.mixer_tracks(passage, label)
    else:
        shade = reason_color(shown.reason.number) if shown.reason else color(label)
        whole = passages.reconstruction(passage, label) if filled else None
        tracks = reason_panels.compared(passage, label, sounds(passage, shown), shade, whole)
    index, name = prediction.labels.index(label), title(label)
    here, song = passages.probabilities(passage)[index], prediction.probabilities[index]
    what = f"{name}: {_words(passage, shown)}" if shown.part else f"Evidence for {name.lower()}"
    when = f"{passage.start:.1f}–{passage.start + sound.duration:.1f} s"
    player(
        key="explain",
        tracks=tracks,
        spectrogram=on_screen(sound.logmel, sound),
        duration=sound.duration,
        offset=passage.start,
        band_hz=model(passage.model).frontend.band_hz,
        overlay=Overlay(shown.part or "all evidence", on_screen(shown.map.values, sound), reasons.strength(shown.map)),
        notes=true_notes(passage),
        mode="mixer" if mixed else "switch",
        title=f"{what}, {when} · {chances(here, song, passage.whole)}",
        label=f"{what}, {when}",
    )


def _words(passage: Passage, shown: Shown) -> str:
    if shown.reason:
        return shown.reason.name
    known = atlases.concept(passage.model, str(shown.map.layer), int(shown.map.channel or 0))
    return f"{shown.part} · {known.name}" if known else shown.part


def concepts(passage: Passage, label: str, layer: str, opened: int | None) -> None:
    """The most important concepts, each with its share and a small map."""
    _tiles("concepts", passage.model, layer, explanations.previews(passage, label, layer), opened, large=True)


def further_concepts(passage: Passage, label: str, layer: str, opened: int | None) -> None:
    """All other concepts in falling order, as smaller tiles that appear one group after the other."""
    shares = explanations.explanation(passage, label, layer).shares
    shown = len(explanations.previews(passage, label, layer))
    for first in range(shown, len(shares), AT_ONCE):
        previews = explanations.further_previews(passage, label, layer, first, AT_ONCE)
        _tiles(f"concepts-{first}", passage.model, layer, previews, opened)


def _tiles(
    key: str, model_name: str, layer: str, previews: Sequence[Preview], opened: int | None, large: bool = False
) -> None:
    tiles = [_tile(model_name, layer, preview, preview.channel == opened) for preview in previews]
    asked = concept_tiles(key=key, tiles=tiles, on_open=_open, large=large)
    if asked is not None:
        show(layer=layer, concept=asked, reason=None)
        st.switch_page(navigation.page("atlas"))


def _tile(model_name: str, layer: str, preview: Preview, opened: bool) -> Tile:
    known = atlases.concept(model_name, layer, preview.channel)
    name = capital(known.name) if known else ""
    return Tile(preview.channel, name, _share(preview.share), preview.picture, opened, in_atlas=known is not None)


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0 else f"−{-share:.1%}, against it"


def _open(channel: int | None) -> None:
    show(concept=channel, reason=None)


def silencing(view: View, passage: Passage, prediction: Prediction, explanation: Explanation) -> None:
    """Lets the user silence concepts, and shows how the predictions move."""
    layer = explanation.layer
    key = f"silent-{layer}-{explanation.relevance.label}"
    asked, channels = (view.silent or "").split(","), [concept.channel for concept in explanation.concepts]
    st.session_state[key] = [channel for channel in channels if f"{layer}-{channel}" in asked]

    def named(channel: int) -> str:
        known = atlases.concept(passage.model, layer, channel)
        return f"{channel} · {short(known.name)}" if known and known.name else f"Concept {channel}"

    def changed() -> None:
        others = [id for id in asked if id and id not in {f"{layer}-{channel}" for channel in channels}]
        show(silent=",".join([*others, *(f"{layer}-{channel}" for channel in st.session_state[key])]))

    silent = st.pills(
        "Silence concepts",
        channels,
        selection_mode="multi",
        key=key,
        format_func=named,
        on_change=changed,
        label_visibility="collapsed",
    )
    before = explanations.probabilities_without(passage, layer, [])
    after = explanations.probabilities_without(passage, layer, list(silent))
    moved = np.argsort(-np.abs(after - before), kind="stable") if silent else np.argsort(-before, kind="stable")
    shown = list(dict.fromkeys([prediction.labels.index(explanation.relevance.label), *moved.tolist()]))[:MOVED]
    labels = [prediction.labels[index] for index in shown]
    st.html(bars.change_bars(labels, before[shown], after[shown]))


def grade_panel(passage: Passage, shown: Shown) -> None:
    """How well the map fits the true stems, if they are known."""
    if not passage.stems:
        st.caption("Only clips that the app composed can be checked: for a recording the true stems are not known.")
        return
    found, label = grade(passage, shown), shown.map.label
    if any(found[measure] is None for measure in SHOWN_MEASURES):
        st.markdown(f"**{title(label)}** {_ungraded(passage, label)}. The map points at:")
    else:
        with st.container(key="metrics"):
            first, second, third = st.columns(3)
        first.metric(
            "On target",
            f"{found['rma']:.0%}",
            help=(
                "Relevance mass accuracy: the share of the evidence that lies where this instrument is truly the "
                f"loudest. That is {found['area']:.0%} of the picture."
            ),
        )
        second.metric(
            "Lift",
            f"{found['lift']:.1f}×",
            help=(
                "Lift: how many times more of the evidence is on target than for a random map. "
                f"A map of the loudness of the mix reaches {found['energy_lift']:.1f}×."
            ),
        )
        third.metric(
            "Purer by",
            f"{found['si_sdr_improvement']:+.1f} dB".replace("-", "−"),
            help=(
                "SI-SDR improvement: how much closer “Only this” is to the true stem than the mix is. "
                "Sound that speaks for several of the instruments that are heard is divided among them. "
                f"The best possible mask reaches {found['si_sdr_ceiling']:+.1f} dB."
            ),
        )
        st.caption("The evidence lies on the sound of:")
    st.html(bars.share_bars(found["share_per_stem"]))


def _ungraded(passage: Passage, label: str) -> str:
    """Why evidence for a label cannot be graded in a composed passage."""
    if not isinstance(model(passage.model).space, LabelSet):
        return "has no true stem of its own, so evidence for it cannot be graded"
    plays = label in passage.stems and np.any(passage.stems[label].samples)
    return "cannot be heard here" if plays else "does not play here, so no evidence for it can be right"


def export(view: View, passage: Passage, shown: Shown) -> None:
    """Everything that is shown as files."""
    name = shown.file_name
    with st.popover("Export", icon=":material/download:"):
        download("Picture (PNG)", lambda: passages.picture(passage, shown.map, shown.part), f"{name}.png")
        download_sound("Only this", lambda: sounds(passage, shown).kept, name)
        download_sound("Without it", lambda: sounds(passage, shown).rest, f"without-{name}")
        download("Report (JSON)", lambda: json.dumps(report(view, passage, shown), indent=2), f"{name}.json")
        download("Map (CSV)", lambda: map_csv(passage, shown.map), f"{name}.csv")


def map_csv(passage: Passage, map: Relevance) -> str:
    """The map as a table: a row for each band under its centre in Hz, a column for each frame under its time in s."""
    front = model(passage.model).frontend
    times = front.frame_times(map.values.shape[1]) + passage.start
    table = pd.DataFrame(map.values, pd.Index(front.band_hz.round(2), name="Hz \\ s"), times.round(4))
    return str(table.to_csv(float_format="%.6g"))


def report(view: View, passage: Passage, shown: Shown) -> dict[str, Any]:
    """What the page says about the map that it shows."""
    map, layer = shown.map, str(view.layer)
    whole = explanations.explanation(passage, map.label, layer)
    index = model(passage.model).label_index(map.label)
    trusted = trust_in(passage, map.label)
    return {
        "sound": passage.sound.name,
        "model": passage.model,
        "start_s": passage.start,
        "label": map.label,
        "logit": map.logit,
        "probability": float(passages.probabilities(passage)[index]),
        "trust": {"verdict": trusted.verdict.value, "sentence": trusted.sentence},
        "shown": {"reason": view.reason if shown.reason else None, "layer": map.layer, "concept": map.channel},
        "conservation_error": whole.conservation_error,
        "reasons": [
            {"id": part.id, "name": part.name, "auc": part.auc, "share": part.share, "fall": part.fall}
            for part in reasons.reasons(passage, map.label)
        ],
        "layer": layer,
        "concepts": [{"channel": c.channel, "share": float(c.share)} for c in whole.concepts],
        "truth": grade(passage, shown) if passage.stems else None,
    }
