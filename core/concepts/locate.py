"""Where a network knows musical concepts, and whether they move its answers.

Pieces are composed with and without each concept (:mod:`core.concepts.twins`). Two thirds of them serve to locate it:
they choose the layer at which a probe tells it best, fit that probe, and give its activation vector with what the
vector predicts for every label. The others serve to test all that: whether the probe is right about them, and by how
much the logits really change where the concept is added.

Whether a vector matters is tested against vectors of random splits of the same clips, two-sided, with Holm's
correction over all concepts and labels. Random splits that were not used for this are tested in the same way, and tell
how often a concept that means nothing is taken for one that does.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from core.concepts.activation_vectors import concept_vector, holm, p_values, random_vectors, steadiness
from core.concepts.musical import FILE, REMEDY, Agreement, LabelEffect, LocatedConcept, LocatedConcepts
from core.concepts.twin_probes import control, cross_validated, probe
from core.concepts.twins import Sensed, sense
from core.models.store import WEIGHTS, TrainedModel, load_model, model_folder
from core.records import Interval
from core.statistics import as_interval, bootstrap
from core.synthesis.recipe import CONTROLLED, RECIPES, Recipe
from core.taxonomy.musical_concepts import MUSICAL_CONCEPTS, MusicalConcept
from core.threads import one_thread

METHOD = 1  # raised when a change of the program changes what it finds
FIRST_SEED = 60_000_000  # far from the seeds of all other clips
RANDOM, NULLS = 100, 20  # random vectors to compare with, and to test
STEADY = 0.8  # least cosine of the vectors of two halves of the pieces
LEVEL = 0.05  # of the tests
LOCATING_SHARE = 0.8  # of the time; testing takes less, as no derivatives are taken
DIGITS = 5

Values = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Study:
    """What is composed to locate concepts.

    Attributes:
        recipe: A controlled recipe.
        locating: How many pieces serve to locate the concepts.
        testing: How many others serve to test what was found.
        concepts: Which concepts.
    """

    recipe: Recipe = RECIPES[CONTROLLED]
    locating: int = 48
    testing: int = 24
    concepts: tuple[MusicalConcept, ...] = tuple(MUSICAL_CONCEPTS.values())

    @property
    def seeds(self) -> tuple[range, range]:
        """Of the pieces that locate, and of those that test."""
        middle = FIRST_SEED + self.locating
        return range(FIRST_SEED, middle), range(middle, middle + self.testing)


def locate(
    model: str, workers: int | None = None, on_progress: Callable[[float], None] = lambda share: None
) -> LocatedConcepts:
    """Locates the musical concepts in a model, and keeps the result beside it; a result that still holds is read again.

    Args:
        model: A trained model's name or folder.
        workers: Number of processes; one per core if not given.
        on_progress: Called with the share of the work that is done.

    Raises:
        InputError: there is no such model, it has no convolution stages, or a soundfont is missing.
    """
    trained, folder, study = load_model(model), model_folder(model), Study()
    kept = LocatedConcepts.find(folder / FILE, REMEDY)
    plan = fingerprint(trained, hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(), study)
    if kept and kept.plan == plan:
        return kept
    found = find_concepts(trained, study, plan, workers, on_progress)
    found.write(folder / FILE)
    return found


def fingerprint(model: TrainedModel, weights: str, study: Study) -> str:
    """A number in hexadecimal digits that changes with all that the result depends on.

    Args:
        weights: Checksum of the network's weights.
    """
    card = model.card.model_dump(mode="json", include={"frontend", "labels", "window_s", "architecture", "config"})
    concepts = [(concept.name, concept.without, concept.having) for concept in study.concepts]
    pieces = study.recipe.name, study.locating, study.testing, FIRST_SEED
    parts = METHOD, weights, card, pieces, concepts
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def find_concepts(
    model: TrainedModel,
    study: Study,
    plan: str = "",
    workers: int | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> LocatedConcepts:
    """Locates musical concepts in a model, and tests them; see :func:`locate`."""
    first, second = study.seeds

    def hear(seeds: Sequence[int], derivatives: bool, start: float, end: float) -> Sensed:
        progress = lambda share: on_progress(start + share * (end - start))  # noqa: E731
        return sense(model, study.recipe, seeds, study.concepts, derivatives, workers, progress)

    fitted = hear(first, True, 0.0, LOCATING_SHARE)
    tested = hear(second, False, LOCATING_SHARE, 1.0)
    with one_thread():
        return _Finding(model.labels, fitted, tested).record(model.name, plan)


@dataclass(frozen=True)
class _Finding:
    """What follows from what a network makes of the pieces.

    Attributes:
        labels: Of the logits.
        fitted: Of the pieces that locate.
        tested: Of the pieces that test.
    """

    labels: tuple[str, ...]
    fitted: Sensed
    tested: Sensed

    def record(self, model: str, plan: str) -> LocatedConcepts:
        p, nulls = self._tests()
        return LocatedConcepts(
            model=model,
            plan=plan,
            locating=len(self.fitted.logits),
            testing=len(self.tested.logits),
            concepts=[self._concept(name, p[name]) for name in self.fitted.concepts],
            null_rejected=round(float(np.mean([holm(family) < LEVEL for family in nulls])), DIGITS),
            null_uncorrected=round(float((nulls < LEVEL).mean()), DIGITS),
            cause_agreement=self._agreement(self._predictions(self.fitted.gradients, self.layers), self.causes),
            relevance_agreement=self._agreement(self._predictions(self.fitted.pulls, self.layers), self.causes),
            repeatability=self._agreement(_causes(self.fitted), self.causes),
            by_layer={layer: self._agreement_at(layer) for layer in self.fitted.layers},
        )

    @cached_property
    def layers(self) -> dict[str, str]:
        """The layer of each concept."""
        return {name: max(scores, key=lambda layer: scores[layer]) for name, scores in self.scores.items()}

    @cached_property
    def scores(self) -> dict[str, dict[str, float]]:
        """What probes reach on the pieces that locate, by concept and layer."""
        return {
            name: {layer: cross_validated(self.fitted.of(values, name)) for layer, values in self.fitted.pooled.items()}
            for name in self.fitted.concepts
        }

    @cached_property
    def causes(self) -> Values:
        """Mean change of each logit in the pieces that test ``(concepts, labels)``."""
        return _causes(self.tested)

    def _concept(self, name: str, p: Values) -> LocatedConcept:
        layer = self.layers[name]
        sides, tested = (part.of(part.pooled[layer], name) for part in (self.fitted, self.tested))
        blank = [part.of(part.untrained[layer], name) for part in (self.fitted, self.tested)]
        found, cosine = concept_vector(sides), steadiness(sides, _rng(name, "halves"))
        span = float(np.linalg.norm(found))
        vector = found / span if span else found
        return LocatedConcept(
            name=name,
            layer=layer,
            probe=probe(sides, tested),
            control=control(sides, tested, _rng(name, "coins")),
            untrained=probe(*blank),
            by_layer={layer: round(score, DIGITS) for layer, score in self.scores[name].items()},
            cosine=round(cosine, DIGITS),
            stable=cosine >= STEADY,
            vector=tuple(vector.astype(float).round(DIGITS).tolist()),
            level=round(float((sides[0] @ vector).mean()), DIGITS),
            span=round(span, DIGITS),
            effects=self._effects(name, layer, p),
        )

    def _effects(self, name: str, layer: str, p: Values) -> dict[str, LabelEffect]:
        effects, relevances = (
            self._predictions(derivatives, {name: layer})[0]
            for derivatives in (self.fitted.gradients, self.fitted.pulls)
        )
        without, having = self.tested.of(self.tested.logits, name)
        changes = having - without
        figures = bootstrap(lambda weights: {"cause": weights @ changes / weights.sum(-1, keepdims=True)}, len(changes))
        return {
            label: LabelEffect(
                effect=round(float(effects[i]), DIGITS),
                relevance=round(float(relevances[i]), DIGITS),
                p=float(f"{p[i]:.3g}"),
                cause=as_interval(figures["cause"][:, i]),
            )
            for i, label in enumerate(self.labels)
        }

    def _predictions(self, derivatives: Mapping[str, Values], layers: Mapping[str, str]) -> Values:
        """What derivatives say about the logits if concepts are added, each at its layer ``(concepts, labels)``."""
        return np.stack(
            [
                derivatives[layer].mean(0) @ concept_vector(self.fitted.of(self.fitted.pooled[layer], name))
                for name, layer in layers.items()
            ]
        )

    def _tests(self) -> tuple[dict[str, Values], Values]:
        """P of every concept and label, corrected, and p of null concepts ``(nulls, concepts · labels)``."""
        found, nulls = [], []
        for name, layer in self.layers.items():
            sides, derivative = self.fitted.of(self.fitted.pooled[layer], name), self.fitted.gradients[layer].mean(0)
            random = random_vectors(sides, RANDOM + NULLS, _rng(name, "splits")) @ derivative.T
            compared, null = random[:RANDOM], random[RANDOM:]
            found.append(p_values(concept_vector(sides) @ derivative.T, compared))
            nulls.append(p_values(null, compared))
        return dict(zip(self.layers, holm(np.stack(found)), strict=True)), np.concatenate(nulls, axis=1)

    def _agreement_at(self, layer: str) -> Agreement:
        layers = dict.fromkeys(self.fitted.concepts, layer)
        effect, relevance = (
            self._agreement(self._predictions(derivatives, layers), self.causes)
            for derivatives in (self.fitted.gradients, self.fitted.pulls)
        )
        return Agreement(effect=effect, relevance=relevance)

    @staticmethod
    def _agreement(predicted: Values, causes: Values) -> Interval:
        """Spearman's rank correlation over concepts and labels, with a bootstrap interval over the concepts."""

        def figures(weights: Values) -> dict[str, Values]:
            rows = np.atleast_2d(weights).round().astype(int)
            drawn = [np.repeat(np.arange(len(causes)), row) for row in rows]
            found = np.array([rank_correlation(predicted[some], causes[some]) for some in drawn])
            return {"spearman": found.reshape(weights.shape[:-1])}

        return as_interval(bootstrap(figures, len(causes))["spearman"])


def rank_correlation(one: Values, other: Values) -> float:
    """Spearman's rank correlation over all cells; NaN if all cells of one are equal.

    >>> rank_correlation(np.array([[1.0, 2.0], [5.0, 9.0]]), np.array([[1.0, 3.0], [4.0, 8.0]]))
    1.0
    """
    ranks = [rankdata(values) - (values.size + 1) / 2 for values in (one.ravel(), other.ravel())]
    scale = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / scale if scale else float("nan")


def _causes(sensed: Sensed) -> Values:
    """Mean change of each logit where a concept is added ``(concepts, labels)``."""
    sides = [sensed.of(sensed.logits, name) for name in sensed.concepts]
    return np.stack([(having - without).mean(0) for without, having in sides])


def _rng(concept: str, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose, which do not depend on what other concepts there are."""
    return np.random.default_rng(list(f"{concept} {purpose}".encode()))
