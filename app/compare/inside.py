"""What is compared inside models: where their evidence lies in a passage, and their last layers."""

from app.frame.caches import cached
from app.frame.hearing import model
from app.frame.passages import analysed, relevance
from core.comparison import place
from core.comparison.observe import layer_cells
from core.explanation.playback import Passage
from core.explanation.relevance import as_input
from core.frontends.frontend import Matrix
from core.grading.truth import Truth
from core.synthesis.clip import Clip

CELLS = (8, 8)  # bands and frames of the grid on which the layers of two models are compared


@cached("places", key=lambda passage, label, clip: (passage.key, label))
def places(passage: Passage, label: str, clip: Clip | None) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of a label's evidence, and of the sound's energy, at the places of :mod:`core.comparison.place`.

    Args:
        clip: The sound, if it was composed; moments and owners are known only for an instrument that plays in it.
    """
    sound, frontend = analysed(passage), model(passage.model).frontend
    masks = place.bands(frontend, sound.frames)
    if clip and label in clip.stems:
        masks |= place.moments(clip.score.parts[label], frontend, sound.frames, passage.start)
        masks |= place.owners(Truth(passage.stems, frontend).masks, label)
    return place.shares(relevance(passage, label).values, masks), place.shares(sound.mel_power, masks)


@cached("last layers")
def last_layer(passage: Passage) -> Matrix:
    """Activations of the last concept layer, averaged over the cells of a grid ``(cells, channels)``."""
    network = model(passage.model).network
    return layer_cells(network, as_input(analysed(passage).features), CELLS)[network.concept_layers[-1]]
