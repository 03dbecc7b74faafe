"""What the pages show, computed once and kept: every function is cached by the names of what it depends on.

Results are shared between sessions and never changed. The caches are bounded: a cached explanation is about 1 MB, a
trace some 30 MB.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from app.figures.colors import title
from app.figures.thumbnails import SMALL, thumbnail
from app.frame.sounds import Sound
from core.comparison import place
from core.comparison.observe import layer_cells
from core.explanation import playback
from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS
from core.explanation.intervention import silence
from core.explanation.playback import Passage, Split, evidence
from core.explanation.relevance import Explanation, Relevance, as_input, rank, trace_of
from core.frontends.frontend import Matrix, Spectrogram, frontend
from core.grading.sanity import Step, cascade
from core.grading.truth import Truth, grade
from core.inference import Prediction, likeliest_start, recognise
from core.models.store import TrainedModel, load_model
from core.pictures import Axis, relevance_picture
from core.resynthesis import MaskSettings
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import modified, recipe

SANITY_SEED = 1
REST_DB = round(-20 * math.log10(MaskSettings().rest))  # by how much what no evidence lies on is turned down
PASSAGE_CELLS = (8, 8)  # bands and frames of the grid on which the layers of two models are compared


def model(name: str) -> TrainedModel:
    return load_model(name)


@st.cache_resource(max_entries=4, show_spinner=False)  # that of ten minutes takes 200 MB
def _spectrogram(key: str, settings: str, _sound: Sound, _model: str) -> Spectrogram:
    return model(_model).frontend.analyse(_sound)


def spectrogram(sound: Sound, model_name: str) -> Spectrogram:
    """The whole sound as the model's frontend sees it."""
    return _spectrogram(sound.key, repr(model(model_name).card.frontend), sound, model_name)


@st.cache_resource(max_entries=64, show_spinner="Listening …")
def _prediction(key: str, model_name: str, _sound: Sound) -> Prediction:
    return recognise(model(model_name), spectrogram(_sound, model_name))


def prediction(sound: Sound, model_name: str) -> Prediction:
    """What the model hears in the sound."""
    return _prediction(sound.key, model_name, sound)


def on_screen(values: Matrix, sound: Spectrogram) -> Matrix:
    """The frames ``(bands, frames)`` that lie within a sound; the first and last of an STFT reach over its ends."""
    hop, first = sound.config.hop, -frontend(sound.config).first_frame
    return values[:, first : first + max(1, round(len(sound.samples) / hop))]


def passage_of(sound: Sound, model_name: str, label: str, start: float | None) -> Passage:
    """The passage that a view asks for, by default the one in which the label is likeliest."""
    if start is None:
        start = likeliest_start(prediction(sound, model_name), label)
    return playback.passage(sound.key, sound, model_name, start, sound.stems)


@st.cache_resource(max_entries=32, show_spinner=False)
def _analysed(key: str, _passage: Passage) -> Spectrogram:
    return model(_passage.model).frontend.analyse(_passage.audio)


def analysed(passage: Passage) -> Spectrogram:
    """The passage as the model's frontend sees it."""
    return _analysed(passage.key, passage)


@st.cache_resource(max_entries=4, show_spinner=False)
def _trace(key: str, _passage: Passage) -> Trace:
    return trace_of(model(_passage.model), analysed(_passage).features)


def trace(passage: Passage) -> Trace:
    """The passage's way through the model: what all maps of its labels and concepts have in common."""
    return _trace(passage.key, passage)


@st.cache_resource(max_entries=64, show_spinner="Explaining …")
def _explanation(key: str, label: str, layer: str, _passage: Passage) -> Explanation:
    return playback.explain(model(_passage.model), analysed(_passage), label, layer, trace=trace(_passage))


def explanation(passage: Passage, label: str, layer: str) -> Explanation:
    """Why the model gave the label its logit in this passage."""
    return _explanation(passage.key, label, layer, passage)


@dataclass(frozen=True)
class Card:
    """A concept as it is shown at a glance: its channel, its signed share, and a JPEG of where it worked."""

    channel: int
    share: float
    picture: bytes


@st.cache_resource(max_entries=64, show_spinner=False)
def _cards(key: str, label: str, layer: str, _passage: Passage) -> tuple[Card, ...]:
    logmel, concepts = analysed(_passage).logmel, explanation(_passage, label, layer).concepts
    return tuple(Card(c.channel, float(c.share), thumbnail(logmel, c.evidence)) for c in concepts)


def cards(passage: Passage, label: str, layer: str) -> tuple[Card, ...]:
    """The concepts that did most."""
    return _cards(passage.key, label, layer, passage)


@st.cache_resource(max_entries=512, show_spinner=False)
def _further_cards(key: str, label: str, layer: str, first: int, count: int, _passage: Passage) -> tuple[Card, ...]:
    trained, sound, known = model(_passage.model), analysed(_passage), explanation(_passage, label, layer)
    channels = rank(known.shares, known.relevance.logit)[first : first + count]
    maps = playback.concept_maps(trained, sound, label, layer, channels, trace(_passage))
    return tuple(
        Card(channel, float(known.shares[channel]), thumbnail(sound.logmel, evidence(map), SMALL))
        for channel, map in zip(channels, maps, strict=True)
    )


def further_cards(passage: Passage, label: str, layer: str, first: int, count: int) -> tuple[Card, ...]:
    """Some of the concepts that did less, from the ``first`` of the ranking on."""
    return _further_cards(passage.key, label, layer, first, count, passage)


@st.cache_resource(max_entries=64, show_spinner="Following the concept …")
def _concept(key: str, label: str, layer: str, channel: int, _passage: Passage) -> Relevance:
    trained, sound = model(_passage.model), analysed(_passage)
    return playback.concept_maps(trained, sound, label, layer, [channel], trace(_passage))[0]


def concept_relevance(passage: Passage, label: str, layer: str, channel: int) -> Relevance:
    """The part of the label's relevance that passes through one concept, also one that is not among the top ones."""
    for concept in explanation(passage, label, layer).concepts:
        if concept.channel == channel:
            return concept.map
    return _concept(passage.key, label, layer, channel, passage)


@st.cache_resource(max_entries=64, show_spinner=False)
def _outline(key: str, label: str, layer: str, _passage: Passage) -> Explanation:
    trained, sound = model(_passage.model), analysed(_passage)
    return playback.explain(trained, sound, label, layer, top=0, trace=trace(_passage))


def shares(passage: Passage, label: str, layer: str) -> Matrix:
    """Shares of all concepts of a layer ``(channels,)`` in a label's relevance."""
    return _outline(passage.key, label, layer, passage).shares


def relevance(passage: Passage, label: str) -> Relevance:
    """The label's relevance alone, without concepts."""
    last = model(passage.model).network.concept_layers[-1]
    return _outline(passage.key, label, last, passage).relevance


@st.cache_resource(max_entries=8, show_spinner=False)
def _mask(key: str, _passage: Passage, _map: Relevance) -> Matrix:
    return playback.mask(model(_passage.model), analysed(_passage), _map, trace(_passage))


def mask(passage: Passage, map: Relevance) -> Matrix:
    """What is heard of a map: of a label's against those of the others, of a concept's all that it points at."""
    return _mask(_key(passage, map), passage, map)


def _key(passage: Passage, map: Relevance) -> str:
    return f"{passage.key}|{map.label}|{map.layer}|{map.channel}"


@st.cache_resource(max_entries=64, show_spinner=False)
def _split(key: str, _passage: Passage, _map: Relevance) -> Split:
    return playback.split(analysed(_passage), mask(_passage, _map))


def split(passage: Passage, map: Relevance) -> Split:
    """The sound of what a map shows."""
    return _split(_key(passage, map), passage, map)


@st.cache_resource(max_entries=64, show_spinner=False)
def _truth(key: str, _passage: Passage, _map: Relevance) -> dict[str, Any]:
    return grade(evidence(_map), _passage.stems, _map.label, model(_passage.model).frontend, mask(_passage, _map))


def truth(passage: Passage, map: Relevance) -> dict[str, Any]:
    """How well a map fits the true stems of a composed passage (see :class:`core.grading.truth.Grade`)."""
    return _truth(_key(passage, map), passage, map)


@st.cache_resource(max_entries=64, show_spinner=False)
def _places(key: str, label: str, _passage: Passage, _clip: Clip | None) -> tuple[dict[str, float], dict[str, float]]:
    sound, frontend = analysed(_passage), model(_passage.model).frontend
    masks = place.bands(frontend, sound.frames)
    if _clip and label in _clip.stems:
        masks |= place.moments(_clip.score.parts[label], frontend, sound.frames, _passage.start)
        masks |= place.owners(Truth(_passage.stems, frontend).masks, label)
    return place.shares(relevance(_passage, label).values, masks), place.shares(sound.mel_power, masks)


def places(passage: Passage, label: str, clip: Clip | None) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of a label's evidence, and of the sound's energy, at the places of :mod:`core.comparison.place`.

    Args:
        clip: The sound, if it was composed; moments and owners are known only for an instrument that plays in it.
    """
    return _places(passage.key, label, passage, clip)


@st.cache_resource(max_entries=32, show_spinner=False)
def _last_layer(key: str, _passage: Passage) -> Matrix:
    network = model(_passage.model).network
    return layer_cells(network, as_input(analysed(_passage).features), PASSAGE_CELLS)[network.concept_layers[-1]]


def last_layer(passage: Passage) -> Matrix:
    """Activations of the last concept layer, averaged over the cells of a grid ``(cells, channels)``."""
    return _last_layer(passage.key, passage)


def picture(passage: Passage, map: Relevance) -> bytes:
    """A PNG of the passage's spectrogram and of a map over it, with axes."""
    sound, frontend = analysed(passage), model(passage.model).frontend
    axis = Axis(frontend.frame_times(sound.frames) + passage.start, frontend.band_hz)
    what = title(map.label) if map.channel is None else f"{title(map.label)}, concept {map.channel}"
    return relevance_picture(sound.logmel, map.values, axis, what)


def probabilities_without(passage: Passage, layer: str, channels: list[int]) -> np.ndarray:
    """Probabilities of all labels ``(labels,)`` in the passage with some concepts silent."""
    trained = model(passage.model)
    logits = silence(trained.network, as_input(analysed(passage).features), layer, channels)
    return trained.probabilities(logits[0].numpy())


@dataclass(frozen=True)
class SanityCheck:
    """The maps of one instrument of a clip, from the trained network to one that knows nothing.

    Attributes:
        clip: What plays.
        label: The instrument that is explained.
        logmel: What the network sees ``(bands, frames)``.
        steps: One for the trained network, and one for each layer that is randomised.
    """

    clip: Clip
    label: str
    logmel: Matrix
    steps: tuple[Step, ...]


@st.cache_resource(max_entries=24, show_spinner="Randomising layer by layer …")
def sanity_check(model_name: str, explainer: str) -> SanityCheck:
    """An explainer's maps of the surest instrument of a small clip while the network forgets.

    Raises:
        InputError: there is no such explainer.
    """
    trained = model(model_name)
    kind = modified(recipe(trained.card.label_set), count=(2,), duration=3.0, soundfont=("fluidr3",))
    clip = compose(kind.clip_name(SANITY_SEED))
    sound = trained.frontend.analyse(clip.audio)
    logits = trained.logits(sound.features[None])[0]
    label = max(clip.labels, key=lambda name: logits[trained.label_index(name)])
    steps = cascade(
        EXPLAINERS.get(explainer), trained.network, as_input(sound.features), trained.label_index(label), SANITY_SEED
    )
    shown = (replace(step, map=trained.frontend.relevance_to_cells(step.map, sound)) for step in steps)
    return SanityCheck(clip, label, sound.logmel, tuple(shown))
