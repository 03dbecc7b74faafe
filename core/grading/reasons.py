"""Grades the reasons of an explanation: whether they differ, are heard apart, and are what the network uses.

Everything else, the reasons that are not shown one by one, counts as one of them, because it is shown like one.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from core.audio import Audio
from core.explanation import playback
from core.explanation.engine import Trace
from core.explanation.reasons import Dictionary, ReasonPart, distinctness
from core.frontends.frontend import Matrix, Samples
from core.grading import measures
from core.grading.measures import Mask, mean_of_known
from core.grading.truth import Truth
from core.models.store import TrainedModel
from core.resynthesis import apply_mask, without_rest

LEAST_SHARE = 0.05  # of the relevance, that a reason carries before its fall is compared with it
FACTOR = 2.0  # by which fall and relevance may differ

Values = npt.NDArray[np.floating]


def measure_reasons(
    model: TrainedModel, truth: Truth, label: str, dictionary: Dictionary, trace: Trace
) -> dict[str, float]:
    """The measures of the reasons for a label in a clip whose truth is known; ``nan`` where one is undefined.

    Args:
        trace: Of the clip.

    Raises:
        InputError: the model has no such label or layer.
    """
    parts = playback.reasons(model, truth.mix, label, dictionary, trace=trace)
    return measure_parts(truth, label, parts, playback.mask_of_label(model, truth.mix, label, trace))


def measure_parts(truth: Truth, label: str, parts: Sequence[ReasonPart], mask: Matrix) -> dict[str, float]:
    """The same measures of reasons that are known already.

    Args:
        parts: With maps on the cells.
        mask: That of the label ``(bins, frames)``.
    """
    values = np.sum([part.map.values for part in parts], axis=0)
    sounds = [apply_mask(truth.mix, own) for own in playback.reason_masks(mask, parts, truth.frontend)]
    return {
        "reason_distinctness": distinctness(np.stack([part.map.values for part in parts])),
        "reason_mix_correlation": mean_of_known(correlation(sound, truth.mix.samples) for sound in sounds),
        "reason_correlation": mean_of_known(correlation(one, other) for one, other in combinations(sounds, 2)),
        **_silencing(parts),
        **_lifts(parts, [part.evidence for part in parts], values, truth.masks[label], "reason_lift"),
        **_lifts(
            parts,
            [_power(truth, sound) for sound in sounds],
            _power(truth, apply_mask(truth.mix, without_rest(mask))),  # as the sounds of its reasons
            truth.masks[label],
            "reason_sound_lift",
        ),
    }


def correlation(one: Samples, other: Samples) -> float:
    """How alike two sounds ``(samples,)`` are: ``|a · b| / (‖a‖ ‖b‖)``; ``nan`` where one of them is silent.

    >>> click = np.array([1.0, 0.0])
    >>> correlation(click, -2 * click), correlation(click, np.array([0.0, 3.0]))
    (1.0, 0.0)
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return abs(float(a @ b)) / lengths if lengths > 0 else float("nan")


def _silencing(parts: Sequence[ReasonPart]) -> dict[str, float]:
    """Whether the label's value falls as the relevance says, if a reason is silenced."""
    relevance, falls = np.array([part.relevance for part in parts]), np.array([part.fall for part in parts])
    large = np.array([part.share >= LEAST_SHARE for part in parts])
    ratios = falls[large] / relevance[large]
    return {
        "reason_silencing": measures.rank_correlation(relevance, falls),
        "reason_silencing_as_promised": mean_of_known((1 / FACTOR <= ratio <= FACTOR) for ratio in ratios),
    }


def _lifts(
    parts: Sequence[ReasonPart], shown: Sequence[Values], whole: Values, truth: Mask, name: str
) -> dict[str, float]:
    """The lift of what is shown of the reasons that speak for a label, and what it has over that of the whole label.

    A reason counts by its relevance.

    Args:
        shown: Of each reason ``(bands, frames)``: its map, or the power of its sound.
        whole: The same of the label.
        truth: The label's true cells.
    """
    found = [(part.relevance, measures.lift(values, truth)) for part, values in zip(parts, shown, strict=True)]
    known = np.array([pair for pair in found if pair[0] > 0 and np.isfinite(pair[1])]).reshape(-1, 2)
    mean = float(np.average(known[:, 1], weights=known[:, 0])) if len(known) else float("nan")
    return {name: mean, f"{name}_over_label": mean - measures.lift(whole, truth)}


def _power(truth: Truth, sound: Samples) -> Values:
    """Power of a masked mix on the cells ``(bands, frames)``."""
    return truth.frontend.analyse(Audio(sound, truth.frontend.config.sample_rate)).mel_power
