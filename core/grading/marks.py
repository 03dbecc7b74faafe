"""Marks an explainer on one composed clip: how well it explains each instrument that plays, detected or not."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.audio import Audio
from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS, ConceptExplainer, Explainer
from core.explanation.intervention import mean_activations, silence_in_turn
from core.explanation.reasons import Dictionary
from core.explanation.reconstruction import can_reconstruct, reconstruction_mask
from core.explanation.relevance import Relevance, as_input, trace_of
from core.explanation.targets import Logit
from core.frontends.frontend import Matrix, Samples, Spectrogram
from core.grading import measures
from core.grading.reasons import measure_reasons
from core.grading.sanity import forgetting
from core.grading.truth import Truth, fit, listening
from core.models.network import StagedNetwork
from core.models.store import TrainedModel, load_model
from core.resynthesis import apply_mask
from core.synthesis.clip import compose
from core.synthesis.recipe import split_clip_name

QUIETER = np.float32(0.5)


@dataclass(frozen=True)
class Mark:
    """How well one instrument of one clip is explained.

    Attributes:
        clip: The clip's name.
        label: The instrument.
        count: How many instruments play in the clip.
        detected: Whether the model detects this one.
        measures: Values by name of the measure; ``nan`` where it is undefined, absent where it was not taken.
        cross_talk: Share of the positive relevance on the truth mask of each stem.
        sanity: By layer, the similarity to the map of a network in which this layer and all above it are random.
    """

    clip: str
    label: str
    count: int
    detected: bool
    measures: dict[str, float]
    cross_talk: dict[str, float]
    sanity: dict[str, float] = field(default_factory=dict)


def mark_clip(
    model: str, explainer: str, clip: str, thorough: bool = True, dictionary: Dictionary | None = None
) -> list[Mark]:
    """The marks of all instruments in a clip that the model has a label for.

    Args:
        model: A trained model's name or folder.
        explainer: Its name.
        clip: The clip's name.
        thorough: Whether to take the costly measures too: concept flipping, stability and sanity.
        dictionary: The model's reasons, if those of each instrument are to be measured too.

    Raises:
        InputError: one of the names is unknown.
    """
    composed = compose(clip)
    trained = load_model(model)
    seed, truth = split_clip_name(clip)[1], Truth(composed.stem_audio, trained.frontend)
    scene = Scene(trained, EXPLAINERS.get(explainer), truth, seed)
    marks = [scene.mark(clip, label, thorough) for label in composed.labels if label in trained.labels]
    if dictionary is None:
        return marks
    reasons = _reason_marks(trained, clip, truth, dictionary)
    return [replace(mark, measures=mark.measures | of.measures) for mark, of in zip(marks, reasons, strict=True)]


def mark_reasons(model: str, clip: str, dictionary: Dictionary) -> list[Mark]:
    """The marks of all instruments in a clip that the model has a label for, of their reasons alone.

    Raises:
        InputError: one of the names is unknown.
    """
    trained = load_model(model)
    return _reason_marks(trained, clip, Truth(compose(clip).stem_audio, trained.frontend), dictionary)


def _reason_marks(model: TrainedModel, clip: str, truth: Truth, dictionary: Dictionary) -> list[Mark]:
    trace = trace_of(model, truth.mix.features)
    detected = [model.labels[index] for index in model.detected(trace.logits.numpy())]
    return [
        Mark(
            clip=clip,
            label=label,
            count=len(truth.stems),
            detected=label in detected,
            measures=measure_reasons(model, truth, label, dictionary, trace)
            | _measure_reconstruction(model, truth, label, trace),
            cross_talk={},
        )
        for label in truth.stems
        if label in model.labels
    ]


def _measure_reconstruction(model: TrainedModel, truth: Truth, label: str, trace: Trace) -> dict[str, float]:
    if not can_reconstruct(model, label):
        return {}
    sound = apply_mask(truth.mix, reconstruction_mask(model, truth.mix, label, trace))
    return {"reconstruction_si_sdr": truth.improvement(label, sound)}


@dataclass(frozen=True, eq=False)
class Scene:
    """A model, an explainer and a clip whose truth is known.

    Attributes:
        seed: For everything that is drawn at random: the absent label, orders of channels, weights.
    """

    model: TrainedModel
    explainer: Explainer
    truth: Truth
    seed: int

    def mark(self, clip: str, label: str, thorough: bool) -> Mark:
        index = self.model.label_index(label)
        values = self.maps[label].values
        taken = {
            **fit(values, self.truth.masks[label]),
            **self._listening(label),
            "conservation_error": self.maps[label].conservation_error,
            "sparseness": measures.gini(values),
            "intervention": self._intervention(label),
            "absent_leakage": self._absent_leakage(label),
        }
        sanity: dict[str, float] = {}
        if thorough:
            sanity = self._sanity(label)
            taken |= {"sanity_similarity": measures.mean_of_known(sanity.values()), "stability": self._stability(label)}
            taken |= self._concept_flipping(label)
        return Mark(
            clip=clip,
            label=label,
            count=len(self.truth.stems),
            detected=index in self.model.detected(self._logits),
            measures=taken,
            cross_talk=measures.relevance_shares(values, self.truth.masks),
            sanity=sanity,
        )

    def _listening(self, label: str) -> dict[str, float]:
        """What one hears under the mask of the map alone, and under its mask against the maps of the other labels.

        The other labels are those that the model detects. The app plays contested maps in the second way, so for
        explainers that can make them this is the result that counts.
        """
        own, rivals = self._contested(label)
        among_rivals = self.truth.masked(own, rivals)
        plain = not isinstance(self.explainer, ConceptExplainer)
        heard = listening(self.truth, label, self.truth.masked(own) if plain else among_rivals)
        return heard | {"si_sdr_among_rivals": self.truth.improvement(label, among_rivals)}

    def _contested(self, label: str) -> tuple[Matrix, list[Matrix]]:
        """The map of a label and those of the other detected labels, contested if the explainer can do that."""
        own = self.model.label_index(label)
        others = [index for index in self.model.detected(self._logits) if index != own]
        if isinstance(self.explainer, ConceptExplainer):
            inputs, targets = as_input(self.truth.mix.features), [Logit(index) for index in (own, *others)]
            contested = self.explainer.contested(self.model.network, inputs, targets).numpy()
            first, *rest = (self.truth.frontend.relevance_to_cells(values, self.truth.mix) for values in contested)
            return first, rest
        return self.maps[label].values, [self._map(self.model.labels[index]) for index in others]

    def _map(self, label: str) -> Matrix:
        if label not in self._explained:
            self._explained[label] = self._explain(label)
        return self._explained[label]

    @cached_property
    def _explained(self) -> dict[str, Matrix]:
        return {}

    @cached_property
    def maps(self) -> dict[str, Relevance]:
        """The map of each instrument that plays and that the model knows."""
        labels = [label for label in self.truth.stems if label in self.model.labels]
        logits = {label: float(self._logits[self.model.label_index(label)]) for label in labels}
        return {label: Relevance(self._map(label), label, logits[label]) for label in labels}

    def _explain(self, label: str, sound: Spectrogram | None = None, network: StagedNetwork | None = None) -> Matrix:
        """The map of a label on the cells of a sound ``(bands, frames)``, by default of the mix."""
        sound, target = sound or self.truth.mix, Logit(self.model.label_index(label))
        values = self.explainer(network or self.model.network, as_input(sound.features), target).numpy()
        return self.truth.frontend.relevance_to_cells(values, sound)

    @cached_property
    def _logits(self) -> npt.NDArray[np.float32]:
        return self.model.logits(self.truth.mix.features[None])[0]

    def _intervention(self, label: str) -> float:
        """Rank correlation over the stems between the relevance on a stem and the fall of the logit without it.

        Relevance on a stem is the signed sum over its truth mask. A solo has no ranks.
        """
        values, index = self.maps[label].values, self.model.label_index(label)
        on_stems = [values[mask].sum(dtype=np.float64) for mask in self.truth.masks.values()]
        return measures.rank_correlation(np.array(on_stems), self._falls[:, index])

    @cached_property
    def _falls(self) -> npt.NDArray[np.float32]:
        """By how much each logit falls when a stem is left out ``(stems, labels)``.

        The mix is the exact sum of the stems, so nothing has to be rendered again. The rest keeps its level.
        """
        loudest = self.truth.mix.peak_power
        features = [
            self.truth.frontend.features(self._analyse(self.truth.mix.samples - stem.samples), quietest_peak=loudest)
            for stem in self.truth.spectrograms.values()
        ]
        return self._logits - self.model.logits(np.stack(features))

    def _analyse(self, samples: Samples) -> Spectrogram:
        """A sound at the frontend's own rate."""
        return self.truth.frontend.analyse(Audio(samples, self.truth.frontend.config.sample_rate))

    def _absent_leakage(self, label: str) -> float:
        if self._absent_map is None:
            return float("nan")
        return measures.absent_share(self._absent_map, self.maps[label].values)

    @cached_property
    def _absent_map(self) -> Matrix | None:
        """The map of a label drawn from those that do not sound, if there are any."""
        absent = [label for label in self.model.labels if label not in self.truth.stems]
        return self._explain(str(np.random.default_rng(self.seed).choice(absent))) if absent else None

    def _stability(self, label: str) -> float:
        """Similarity between the map and that of the same sound at half the level and one frame later, shifted back."""
        moved = self._explain(label, self._moved)
        return measures.similarity(self.maps[label].values[:, :-1], moved[:, 1:])

    @cached_property
    def _moved(self) -> Spectrogram:
        mix, hop = self.truth.mix.samples, self.truth.frontend.config.hop
        return self._analyse(QUIETER * np.concatenate([np.zeros(hop, mix.dtype), mix[:-hop]]))

    def _sanity(self, label: str) -> dict[str, float]:
        values = self.maps[label].values
        return {
            layer: measures.similarity(values, self._explain(label, network=network))
            for layer, network in forgetting(self.model.network, self.seed)
        }

    def _concept_flipping(self, label: str) -> dict[str, float]:
        """Area over the curve of the logit as channels are silenced by relevance, by activation and at random.

        It is taken in the layer below the last: in the last, a channel's relevance is its effect by construction.
        """
        if not isinstance(self.explainer, ConceptExplainer):
            return {}
        network, inputs = self.model.network, as_input(self.truth.mix.features)
        index = self.model.label_index(label)
        layer = network.concept_layers[-2:][0]
        relevance = self.explainer.channels(network, inputs, Logit(index), layer).numpy()
        orders = {
            "concept_flipping": np.argsort(-relevance),
            "concept_flipping_by_activation": np.argsort(-mean_activations(network, inputs, layer).numpy()),
            "concept_flipping_at_random": np.random.default_rng(self.seed).permutation(len(relevance)),
        }
        return {
            name: measures.area_over_curve(silence_in_turn(network, inputs, layer, order.tolist())[:, index].numpy())
            for name, order in orders.items()
        }
