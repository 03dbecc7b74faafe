"""Parts of the Explain page: choices, the map on the sound, tiles of concepts, silencing, the comparison with truth."""

import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.components.concept_tiles import Tile, concept_tiles
from app.components.downloads import download, download_sound
from app.components.player import Overlay, Track, player
from app.explain import explanations
from app.explain.explanations import Preview
from app.figures import bars
from app.figures.colors import NEUTRAL, color, title
from app.figures.concept_words import capital, short
from app.frame import atlases, navigation
from app.frame.hearing import model, on_screen
from app.frame.passages import analysed, picture, split, truth
from app.frame.sounds import Sound
from app.frame.view import View, choose, show
from core.explanation.playback import Passage
from core.explanation.relevance import Explanation, Relevance
from core.inference import WINDOW_S, Prediction
from core.resynthesis import MaskSettings
from core.taxonomy.instruments import LabelSet

REST_DB = round(-20 * math.log10(MaskSettings().rest))  # how far sound without evidence is turned down
AT_ONCE = 24  # further concepts that are computed and shown together
SHOWN_MEASURES = ("rma", "area", "lift", "energy_lift", "si_sdr_improvement", "si_sdr_ceiling")
MOVED = 6  # predictions shown when concepts are silenced


def instrument_choice(view: View, prediction: Prediction) -> str:
    """Lets the user choose the label to explain, the likeliest first; for those not heard it asks "why not?"."""
    instrument = view.instrument or prediction.ranking[0]
    probabilities = dict(zip(prediction.labels, prediction.probabilities, strict=True))

    def named(label: str) -> str:
        heard = "heard" if label in prediction.detected else "why not?"
        return f"{title(label)} · {probabilities[label]:.0%} · {heard}"

    return choose(
        st.selectbox,
        "instrument",
        prediction.space.noun.capitalize(),
        instrument,
        options=prediction.ranking,
        format_func=named,
        help="Explain what was heard, or ask why something else was not.",
    )


def passage_choice(sound: Sound, passage: Passage) -> None:
    """Lets the user choose which seconds of a longer sound are explained."""
    if passage.whole:
        return
    choose(
        st.slider,
        "start",
        f"Start of the explained passage ({WINDOW_S:g} s long)",
        float(passage.start),
        min_value=0.0,
        max_value=max(round(sound.duration - WINDOW_S, 2), 0.1),
        step=0.01,
        format="%.2f s",
        help="At first the passage in which the network is surest.",
    )


def map_player(passage: Passage, shown: Relevance) -> None:
    """The passage with a map over its spectrogram, and the sound of what the map points at."""
    sound, parts = analysed(passage), split(passage, shown)
    name = title(shown.label)
    what = f"evidence for {name.lower()}" if shown.channel is None else f"concept {shown.channel}"
    known = None if shown.channel is None else atlases.concept(passage.model, str(shown.layer), shown.channel)
    tracks = [
        Track("Mix", sound.audio, NEUTRAL),
        Track("Only this", parts.kept, color(shown.label)),
        Track("Without it", parts.rest, "#c9d1d9"),
    ]
    stem = passage.stems.get(shown.label)
    if stem is not None:
        tracks.append(Track("True stem", stem.at(parts.kept.sample_rate), color(shown.label)))
    player(
        key="explain",
        tracks=tracks,
        spectrogram=on_screen(sound.logmel, sound),
        duration=sound.duration,
        band_hz=model(passage.model).frontend.band_hz,
        overlay=Overlay(what, on_screen(shown.values, sound)),
        title=f"{what.capitalize()}{f' · {known.name}' if known else ''}, "
        f"{passage.start:.1f}–{passage.start + sound.duration:.1f} s",
    )


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
        show(layer=layer, concept=asked)
        st.switch_page(navigation.page("atlas"))


def _tile(model_name: str, layer: str, preview: Preview, opened: bool) -> Tile:
    known = atlases.concept(model_name, layer, preview.channel)
    name = capital(known.name) if known else ""
    return Tile(preview.channel, name, _share(preview.share), preview.picture, opened, in_atlas=known is not None)


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0 else f"−{-share:.1%}, against it"


def _open(channel: int | None) -> None:
    show(concept=channel)


def silencing(passage: Passage, prediction: Prediction, explanation: Explanation) -> None:
    """Lets the user silence concepts, and shows how the predictions move."""
    layer = explanation.layer

    def named(channel: int) -> str:
        known = atlases.concept(passage.model, layer, channel)
        return f"{channel} · {short(known.name)}" if known and known.name else f"Concept {channel}"

    silent = st.pills(
        "Silence concepts",
        [concept.channel for concept in explanation.concepts],
        selection_mode="multi",
        key=f"silent-{layer}-{explanation.relevance.label}",
        format_func=named,
        label_visibility="collapsed",
    )
    before = explanations.probabilities_without(passage, layer, [])
    after = explanations.probabilities_without(passage, layer, list(silent))
    moved = np.argsort(-np.abs(after - before), kind="stable") if silent else np.argsort(-before, kind="stable")
    shown = list(dict.fromkeys([prediction.labels.index(explanation.relevance.label), *moved.tolist()]))[:MOVED]
    labels = [prediction.labels[index] for index in shown]
    st.html(bars.change_bars(labels, before[shown], after[shown]))


def grade_panel(passage: Passage, shown: Relevance) -> None:
    """How well the map fits the true stems, if they are known."""
    if not passage.stems:
        st.caption("Only clips that the app composed can be checked: for a recording the true stems are not known.")
        return
    grade = truth(passage, shown)
    if any(grade[measure] is None for measure in SHOWN_MEASURES):
        st.markdown(f"**{title(shown.label)}** {_ungraded(passage, shown.label)}. The map points at:")
    else:
        with st.container(key="metrics"):
            first, second, third = st.columns(3)
        first.metric(
            "On target",
            f"{grade['rma']:.0%}",
            help=(
                "Relevance mass accuracy: the share of the evidence that lies where this instrument is truly the "
                f"loudest. That is {grade['area']:.0%} of the picture."
            ),
        )
        second.metric(
            "Lift",
            f"{grade['lift']:.1f}×",
            help=(
                "Lift: how many times more of the evidence is on target than for a random map. "
                f"A map of the loudness of the mix reaches {grade['energy_lift']:.1f}×."
            ),
        )
        third.metric(
            "Purer by",
            f"{grade['si_sdr_improvement']:+.1f} dB".replace("-", "−"),
            help=(
                "SI-SDR improvement: how much closer “Only this” is to the true stem than the mix is. "
                "Sound that speaks for several of the instruments that are heard is divided among them. "
                f"The best possible mask reaches {grade['si_sdr_ceiling']:+.1f} dB."
            ),
        )
        st.caption("The evidence lies on the sound of:")
    st.html(bars.share_bars(grade["share_per_stem"]))


def _ungraded(passage: Passage, label: str) -> str:
    """Why evidence for a label cannot be graded in a composed passage."""
    if not isinstance(model(passage.model).space, LabelSet):
        return "has no true stem of its own, so evidence for it cannot be graded"
    plays = label in passage.stems and np.any(passage.stems[label].samples)
    return "cannot be heard here" if plays else "does not play here, so no evidence for it can be right"


def export(passage: Passage, explanation: Explanation, shown: Relevance) -> None:
    """Everything on the page as files."""
    parts = split(passage, shown)
    name = shown.label if shown.channel is None else f"{shown.label}-{shown.layer}-{shown.channel}"
    with st.popover("Export", icon=":material/download:"):
        download("Picture (PNG)", lambda: picture(passage, shown), f"{name}.png")
        download_sound("Only this", lambda: parts.kept, name)
        download_sound("Without it", lambda: parts.rest, f"without-{name}")
        download("Report (JSON)", lambda: json.dumps(_report(passage, explanation), indent=2), f"{name}.json")
        download("Map (CSV)", lambda: _csv(shown.values), f"{name}.csv")


def _csv(values: np.ndarray) -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, values, fmt="%.6g", delimiter=",")
    return buffer.getvalue()


def _report(passage: Passage, explanation: Explanation) -> dict[str, Any]:
    relevance = explanation.relevance
    return {
        "sound": passage.sound.name,
        "model": passage.model,
        "start_s": passage.start,
        "label": relevance.label,
        "logit": relevance.logit,
        "layer": explanation.layer,
        "conservation_error": explanation.conservation_error,
        "concepts": [{"channel": c.channel, "share": c.share} for c in explanation.concepts],
        "truth": truth(passage, relevance) if passage.stems else None,
    }
