"""What the Explain page shows of a passage: its concepts, what feeds them, and how usual they are."""

from dataclasses import dataclass

import numpy as np

from app.components.example_card import Example
from app.figures.thumbnails import COOL, SIZE, SMALL, WARM, thumbnail
from app.frame import atlases, passages
from app.frame.caches import cached
from app.frame.hearing import model, on_screen
from app.frame.passages import analysed, trace
from app.frame.sounds import open_sound
from core.concepts.prototypes import Typicality, typicality
from core.explanation import playback
from core.explanation.flow import Node, flow
from core.explanation.intervention import silence
from core.explanation.playback import Passage
from core.explanation.relevance import Explanation, Relevance, as_input, rank
from core.explanation.strength import full_strength
from core.frontends.frontend import Matrix

WIDTHS = (4, 2)  # how many feeding concepts are shown, layer by layer downwards


@dataclass(frozen=True)
class Preview:
    """A concept at a glance: its channel, its signed share, and a JPEG of where it worked."""

    channel: int
    share: float
    picture: bytes


@cached("explanations", "Explaining …")
def explanation(passage: Passage, label: str, layer: str) -> Explanation:
    """Why the model gave the label its logit in this passage."""
    return playback.explain(model(passage.model), analysed(passage), label, layer, trace=trace(passage))


@cached("previews")
def previews(passage: Passage, label: str, layer: str) -> tuple[Preview, ...]:
    """The most important concepts."""
    logmel, concepts = analysed(passage).logmel, explanation(passage, label, layer).concepts
    return tuple(Preview(c.channel, float(c.share), _picture(logmel, c.map)) for c in concepts)


@cached("further previews")
def further_previews(passage: Passage, label: str, layer: str, first: int, count: int) -> tuple[Preview, ...]:
    """Concepts further down the ranking, from number ``first`` on."""
    sound, known = analysed(passage), explanation(passage, label, layer)
    channels = rank(known.shares, known.relevance.logit)[first : first + count]
    maps = playback.concept_maps(model(passage.model), sound, label, layer, channels, trace(passage))
    return tuple(
        Preview(channel, float(known.shares[channel]), _picture(sound.logmel, map, SMALL))
        for channel, map in zip(channels, maps, strict=True)
    )


def _picture(logmel: Matrix, map: Relevance, size: tuple[int, int] = SIZE) -> bytes:
    """All on one scale, cool where the concept speaks against the label."""
    shade = COOL if map.values.sum() < 0 else WARM
    return thumbnail(logmel, map.evidence, size, full_strength(map.logit, map.values.size), shade)


def concept_relevance(passage: Passage, label: str, layer: str, channel: int) -> Relevance:
    """The part of the label's relevance that passes through any one concept."""
    for concept in explanation(passage, label, layer).concepts:
        if concept.channel == channel:
            return concept.map
    return _further_relevance(passage, label, layer, channel)


@cached("concept maps", "Following the concept …")
def _further_relevance(passage: Passage, label: str, layer: str, channel: int) -> Relevance:
    trained, sound = model(passage.model), analysed(passage)
    return playback.concept_maps(trained, sound, label, layer, [channel], trace(passage))[0]


def probabilities_without(passage: Passage, layer: str, channels: list[int]) -> np.ndarray:
    """Probabilities of all labels ``(labels,)`` in the passage with some concepts silent."""
    trained = model(passage.model)
    logits = silence(trained.network, as_input(analysed(passage).features), layer, channels)
    return trained.probabilities(logits[0].numpy())


@cached("flows", "Following the relevance …")
def feeding(passage: Passage, label: str, layer: str, channel: int) -> Node:
    """A concept and the concepts of the two layers below that feed it in this passage, as a tree."""
    return flow(model(passage.model), analysed(passage).features, label, layer, channel, WIDTHS, trace(passage))


def usual(passage: Passage, label: str) -> Typicality | None:
    """How usual it is that these concepts explain the label; None if the atlas does not know."""
    found = atlases.atlas(passage.model)
    if found is None or label not in found.prototypes:
        return None
    return typicality(found, label, passages.shares(passage, label, found.prototypes[label].layer))


@cached("label examples", "Composing …")
def label_example(model_name: str, label: str, clip_name: str) -> Example:
    """The passage of a clip in which a label is likeliest, and where in it the evidence lies."""
    passage = passages.passage_of(open_sound(clip_name), model_name, label, None)
    sound, values = analysed(passage), passages.relevance(passage, label).values
    picture = thumbnail(on_screen(sound.logmel, sound), on_screen(values, sound))
    return Example(picture, passage.audio)
