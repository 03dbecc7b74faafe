"""What a network makes of musical concepts: pieces are composed with and without each of them, and heard by it.

The pieces are those of the recipe ``controlled``, one for each seed. Each concept changes one thing in all of them. In
half the concepts one of the two sides is the piece as it is drawn, so it is composed only once for all of them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.audio import Audio
from core.explanation.engine import Trace
from core.explanation.targets import Logit
from core.inference import window_features, window_frames, window_starts
from core.models.architecture import build_network
from core.models.network import StagedNetwork
from core.models.store import TrainedModel
from core.synthesis.clip import compose_all
from core.synthesis.controls import settings
from core.synthesis.recipe import Recipe, modified
from core.taxonomy.musical_concepts import MUSICAL_CONCEPTS, MusicalConcept
from core.threads import one_thread

Values = npt.NDArray[np.floating]
ByLayer = Mapping[str, Values]

BLANK = 1  # seed of the weights of the untrained network


@dataclass(frozen=True, eq=False)
class Sensed:
    """What a network makes of the pieces of some seeds, with and without each concept.

    In all arrays clips are pieces ``(seeds, sides)``: the first side is the piece as it is drawn, which stands for no
    concept, and two sides follow for each concept, without it and with it.

    Attributes:
        concepts: Names of the concepts, in the order of the sides.
        logits: Mean over the windows of a clip ``(seeds, sides, labels)``.
        pooled: By layer, mean activation of each channel over all cells ``(seeds, sides, channels)``.
        untrained: The same in a network of the same form with random weights.
        gradients: By layer, how much each logit of the plain piece rises if a channel does in all cells, per unit
            ``(seeds, labels, channels)``; without layers where this was not asked for.
        pulls: The same by relevance instead of the gradient: how much relevance of the logit there is per unit of
            activation.
    """

    concepts: tuple[str, ...]
    logits: Values
    pooled: ByLayer
    untrained: ByLayer
    gradients: ByLayer
    pulls: ByLayer

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.pooled)

    def of(self, values: Values, concept: str) -> Values:
        """Both sides of a concept ``(2, seeds, ...)``, of values ``(seeds, sides, ...)``: without it, and with it."""
        first = 1 + 2 * self.concepts.index(concept)
        return np.moveaxis(values[:, first : first + 2], 1, 0)


def sense(
    model: TrainedModel,
    recipe: Recipe,
    seeds: Sequence[int],
    concepts: Sequence[MusicalConcept] = tuple(MUSICAL_CONCEPTS.values()),
    derivatives: bool = True,
    workers: int | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Sensed:
    """Composes the twins of all concepts, and has a network hear them.

    Args:
        model: Its network has convolution stages.
        recipe: A controlled recipe.
        seeds: Of the pieces.
        concepts: Which concepts.
        derivatives: Whether to ask for gradients and pulls.
        workers: Number of processes, on which the result does not depend; one per core if not given.
        on_progress: Called with the share of the seeds that are done.

    Raises:
        InputError: the network has no convolution stages, or a soundfont is missing.
    """
    from joblib import Parallel, delayed

    processes = max(1, min(workers or os.cpu_count() or 1, len(seeds)))
    found: dict[int, Sensed] = {}
    jobs = (delayed(_sense)(model, recipe, seed, tuple(concepts), derivatives) for seed in seeds)
    for seed, sensed in Parallel(processes, return_as="generator_unordered")(jobs):
        found[seed] = sensed
        on_progress(len(found) / len(seeds))
    return _joined([found[seed] for seed in seeds])


def side_names(recipe: Recipe, seed: int, concepts: Sequence[MusicalConcept]) -> list[str]:
    """Names of a piece's clips: as it is drawn, then without and with each concept.

    Sides that are the same piece have the same name.

    >>> from core.synthesis.recipe import RECIPES
    >>> plain, major, minor = side_names(RECIPES["controlled"], 7, [MUSICAL_CONCEPTS["minor"]])
    >>> plain in (major, minor), major == minor
    (True, False)
    """
    sides = [(), *(side for concept in concepts for side in (concept.without, concept.having))]
    known: dict[tuple[str, ...], str] = {}
    return [
        known.setdefault(tuple(settings(side, seed).values()), modified(recipe, controls=side).clip_name(seed))
        for side in sides
    ]


def _sense(
    model: TrainedModel, recipe: Recipe, seed: int, concepts: tuple[MusicalConcept, ...], derivatives: bool
) -> tuple[int, Sensed]:
    """What the network makes of one piece."""
    card, network = model.card, model.network
    blank = build_network(card.architecture, card.config, len(card.labels), BLANK).requires_grad_(False).eval()
    assert isinstance(blank, StagedNetwork)  # as the trained network of the same architecture is
    with one_thread():
        names = side_names(recipe, seed, concepts)
        distinct = list(dict.fromkeys(names))
        inputs = [_inputs(model, clip.audio) for clip in compose_all(distinct)]
        heard = {name: _hear(network, blank, windows) for name, windows in zip(distinct, inputs, strict=True)}
        gradients = gradients_of(network, inputs[0]) if derivatives else {}
        pulls = pulls_of(network, inputs[0], len(card.labels)) if derivatives else {}
    logits, pooled, untrained = zip(*(heard[name] for name in names), strict=True)
    return seed, Sensed(
        concepts=tuple(concept.name for concept in concepts),
        logits=np.stack(logits)[None],
        pooled={layer: np.stack([one[layer] for one in pooled])[None] for layer in pooled[0]},
        untrained={layer: np.stack([one[layer] for one in untrained])[None] for layer in untrained[0]},
        gradients={layer: values[None] for layer, values in gradients.items()},
        pulls={layer: values[None] for layer, values in pulls.items()},
    )


def _inputs(model: TrainedModel, audio: Audio) -> Tensor:
    """The windows of a clip, one after the other ``(windows, 1, rows, frames)``."""
    spectrogram = model.frontend.analyse(audio)
    frames = window_frames(spectrogram, model.card.window_s)
    starts = window_starts(spectrogram, frames, model.card.window_s)
    return torch.from_numpy(np.stack([window_features(spectrogram, start, frames) for start in starts])).unsqueeze(1)


@torch.no_grad()
def _hear(network: StagedNetwork, blank: StagedNetwork, windows: Tensor) -> tuple[Values, ByLayer, ByLayer]:
    """Logits ``(labels,)``, and the pooled activations ``(channels,)`` of every layer of both networks."""
    activations = network.activations(windows)
    logits = network.after(network.concept_layers[-1], activations[network.concept_layers[-1]])
    return logits.mean(0).numpy(), _pooled(activations), _pooled(blank.activations(windows))


def _pooled(activations: Mapping[str, Tensor]) -> dict[str, Values]:
    return {layer: values.mean((0, 2, 3)).numpy() for layer, values in activations.items()}


def gradients_of(network: StagedNetwork, windows: Tensor) -> dict[str, Values]:
    """By layer, how much each logit rises if a channel rises in all cells, per unit ``(labels, channels)``.

    These are the directional derivatives of Kim et al. (2018) along each channel, averaged over windows
    ``(windows, 1, rows, frames)``; those along any other direction are sums of them.
    """
    with torch.inference_mode(False), torch.enable_grad():
        activations = network.activations(windows.detach().clone().requires_grad_())
        last = network.concept_layers[-1]
        logits = network.after(last, activations[last]).mean(0)
        rows = [torch.autograd.grad(logit, list(activations.values()), retain_graph=True) for logit in logits]
    return {
        layer: torch.stack([row[place].sum((0, 2, 3)) for row in rows]).numpy()
        for place, layer in enumerate(activations)
    }


def pulls_of(network: StagedNetwork, windows: Tensor, labels: int) -> dict[str, Values]:
    """By layer, relevance of each logit per unit of activation, summed over the cells ``(labels, channels)``.

    It takes the place of the gradient: activation times this context is relevance (Chormai et al. 2022, arXiv
    2212.14855).
    """
    targets = [Logit(label) for label in range(labels)]
    found = [Trace(network, window[None]).contexts(targets) for window in windows]
    return {
        layer: np.mean([one[layer].sum((2, 3)).numpy() for one in found], axis=0) for layer in network.concept_layers
    }


def _joined(parts: Sequence[Sensed]) -> Sensed:
    def by_layer(values: Sequence[ByLayer]) -> ByLayer:
        return {layer: np.concatenate([one[layer] for one in values]) for layer in values[0]}

    return Sensed(
        concepts=parts[0].concepts,
        logits=np.concatenate([part.logits for part in parts]),
        pooled=by_layer([part.pooled for part in parts]),
        untrained=by_layer([part.untrained for part in parts]),
        gradients=by_layer([part.gradients for part in parts]),
        pulls=by_layer([part.pulls for part in parts]),
    )
