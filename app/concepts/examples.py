"""The reference clips of a concept, composed again: a picture, the whole sound, and the patch that excites it."""

from app.components.example_card import Example
from app.figures.thumbnails import thumbnail
from app.frame.caches import cached
from app.frame.hearing import model, on_screen, spectrogram
from app.frame.sounds import open_sound
from core.audio import Audio
from core.concepts.atlas import Concept, Reference
from core.concepts.patches import frame, patch_sound, span, working


@cached(
    "concept examples",
    "Composing …",
    key=lambda model_name, concept, place: (model_name, concept.layer, concept.channel, place),
)
def example(model_name: str, concept: Concept, place: Reference) -> Example:
    """A reference clip of a concept."""
    clip = open_sound(place.clip)
    sound, trained = spectrogram(clip, model_name), model(model_name)
    values = working(trained, sound.features, concept.layer, concept.channel, place.label)
    return Example(
        thumbnail(on_screen(sound.logmel, sound), on_screen(values, sound)),
        clip,
        Audio(patch_sound(sound, values, place), sound.config.sample_rate),
        frame(place, trained.frontend, sound.duration),
        span(place, sound.duration),
    )
