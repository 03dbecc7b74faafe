"""The atlas of each model and what its pages draw and play of it, computed once and kept."""

from dataclasses import dataclass

import streamlit as st

from app.figures.thumbnails import thumbnail
from app.frame import compute
from app.frame.compute import Passage
from app.frame.sounds import open_sound
from core.audio import Audio
from core.concepts.atlas import Atlas, Concept, Reference
from core.concepts.patches import Frame, frame, patch_sound, span, working
from core.concepts.prototypes import Typicality, typicality
from core.concepts.store import ATLAS, load_atlas
from core.errors import InputError
from core.explanation.flow import Node, flow
from core.models.store import model_folder

WIDTHS = (4, 2)  # concepts that are shown to feed one, layer by layer downwards


@st.cache_resource(max_entries=4, show_spinner="Opening the atlas …")
def _atlas(model_name: str, stamp: int) -> Atlas:
    return load_atlas(model_name)


def atlas(model_name: str) -> Atlas | None:
    """The atlas of a model, or None where there is none yet.

    Raises:
        InputError: it is damaged.
    """
    path = model_folder(model_name) / ATLAS
    return _atlas(model_name, path.stat().st_mtime_ns) if path.is_file() else None


def has_atlas(model_name: str) -> bool:
    return (model_folder(model_name) / ATLAS).is_file()


def how_to_make(model_name: str) -> str:
    return f"The model {model_name} has no atlas yet: `timbrescope atlas build --model {model_name}` makes it."


def concept(model_name: str, layer: str, channel: int) -> Concept | None:
    """What the atlas of a model knows about a concept; nothing where there is no atlas that can be read."""
    try:
        found = atlas(model_name)
        return found.concept(layer, channel) if found else None
    except InputError:
        return None


@dataclass(frozen=True, eq=False)
class Example:
    """A clip in which a concept, or a whole label, is at work.

    Attributes:
        picture: JPEG of the clip, in warm colours where it works.
        whole: The clip.
        patch: The sound of the patch alone; None where no patch is meant.
        frame: Where the patch lies in the picture.
        heard: First and last second of the patch's sound.
    """

    picture: bytes
    whole: Audio
    patch: Audio | None = None
    frame: Frame | None = None
    heard: tuple[float, float] = (0.0, 0.0)


@st.cache_resource(max_entries=96, show_spinner="Composing …")
def _example(key: str, _model: str, _layer: str, _channel: int, _place: Reference) -> Example:
    clip = open_sound(_place.clip)
    sound, trained = compute.spectrogram(clip, _model), compute.model(_model)
    values = working(trained, sound.features, _layer, _channel, _place.label)
    return Example(
        thumbnail(compute.on_screen(sound.logmel, sound), compute.on_screen(values, sound)),
        clip,
        Audio(patch_sound(sound, values, _place), sound.config.sample_rate),
        frame(_place, trained.frontend, sound.duration),
        span(_place, sound.duration),
    )


def example(model_name: str, concept: Concept, place: Reference) -> Example:
    """A reference clip of a concept; about half a megabyte."""
    key = f"{model_name}|{concept.layer}|{concept.channel}|{place}"
    return _example(key, model_name, concept.layer, concept.channel, place)


@st.cache_resource(max_entries=64, show_spinner="Composing …")
def label_example(model_name: str, label: str, clip_name: str) -> Example:
    """A clip and where in it the evidence for a label lies, in the passage that is explained."""
    clip = open_sound(clip_name)
    passage = compute.passage_of(clip, model_name, label, None)
    sound, values = compute.analysed(passage), compute.relevance(passage, label).values
    picture = thumbnail(compute.on_screen(sound.logmel, sound), compute.on_screen(values, sound))
    return Example(picture, passage.audio)


def usual(passage: Passage, label: str) -> Typicality | None:
    """How usual the concepts are by which a label is explained in a passage; None where that is not known."""
    found = atlas(passage.model)
    if found is None or label not in found.prototypes:
        return None
    layer = found.prototypes[label].layer
    return typicality(found, label, compute.shares(passage, label, layer))


@st.cache_resource(max_entries=64, show_spinner="Following the relevance …")
def _flow(key: str, label: str, layer: str, channel: int, _passage: Passage) -> Node:
    features, trace = compute.analysed(_passage).features, compute.trace(_passage)
    return flow(compute.model(_passage.model), features, label, layer, channel, WIDTHS, trace)


def feeding(passage: Passage, label: str, layer: str, channel: int) -> Node:
    """A concept of a passage and what feeds it in the two layers below, as a tree."""
    return _flow(passage.key, label, layer, channel, passage)
