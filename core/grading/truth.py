"""Grades one explanation of a clip whose stems are known."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.audio import Audio
from core.errors import InputError
from core.explanation.playback import label_mask
from core.frontends.frontend import Frontend, Matrix, Samples, Spectrogram
from core.grading import measures
from core.grading.measures import Mask
from core.resynthesis import apply_mask


@dataclass(frozen=True)
class Truth:
    """What really sounded in a clip: its stems, whose sum is the mix.

    Attributes:
        stems: Each label's stem, all of one length and sample rate.
        frontend: The frontend that the explained spectrogram came from.
    """

    stems: Mapping[str, Audio]
    frontend: Frontend

    @cached_property
    def mix(self) -> Spectrogram:
        stems = list(self.stems.values())
        return self.frontend.analyse(Audio(np.sum([stem.samples for stem in stems], axis=0), stems[0].sample_rate))

    @cached_property
    def spectrograms(self) -> dict[str, Spectrogram]:
        return {label: self.frontend.analyse(stem) for label, stem in self.stems.items()}

    @cached_property
    def masks(self) -> dict[str, Mask]:
        """Truth mask ``(bands, frames)`` of each stem."""
        return measures.truth_masks({label: stem.mel_power for label, stem in self.spectrograms.items()})

    def ceiling(self, label: str) -> Samples:
        """The best that a mask on the mix can do for a stem: the sound of the ideal ratio mask."""
        stem = self.spectrograms[label]
        return apply_mask(self.mix, measures.ideal_ratio_mask(stem.stft, self.mix.stft - stem.stft))

    @cached_property
    def floor(self) -> Samples:
        """The sound of the mix under the mask of its own energy, a map that does not depend on the label."""
        return self.masked(self.mix.mel_power)

    def masked(self, relevance: Matrix, rivals: Sequence[Matrix] = ()) -> Samples:
        """The sound of the mix under the mask of a map ``(bands, frames)`` and of its rivals'."""
        return apply_mask(self.mix, label_mask(relevance, self.frontend, rivals))

    def improvement(self, label: str, sound: Samples) -> float:
        """By how many dB of SI-SDR a sound ``(samples,)`` is closer to the label's stem than the mix."""
        return measures.si_sdr_improvement(sound, self.mix.samples, self.spectrograms[label].samples)


@dataclass(frozen=True)
class Grade:
    """How well a map of a label fits the truth, by :mod:`core.grading.measures`; ``None`` where one is undefined.

    Attributes:
        share_per_stem: Share of the positive relevance on each stem's truth mask.
        area: Share of the spectrogram where the label's stem is the loudest.
        rma: Relevance mass accuracy.
        lift: ``rma / area``.
        rra: Relevance rank accuracy.
        pointing: Whether the most relevant cell is right.
        energy_rma: ``rma`` of the mix's own power as the map, for comparison.
        energy_lift: ``lift`` of the same map.
        si_sdr_mix: SI-SDR of the mix against the label's stem, in dB.
        si_sdr_masked: The same for the masked mix.
        si_sdr_improvement: ``si_sdr_masked - si_sdr_mix``.
        si_sdr_ceiling: Improvement of the ideal ratio mask.
        si_sdr_floor: Improvement of the energy mask.
    """

    share_per_stem: dict[str, float]
    area: float | None = None
    rma: float | None = None
    lift: float | None = None
    rra: float | None = None
    pointing: float | None = None
    energy_rma: float | None = None
    energy_lift: float | None = None
    si_sdr_mix: float | None = None
    si_sdr_masked: float | None = None
    si_sdr_improvement: float | None = None
    si_sdr_ceiling: float | None = None
    si_sdr_floor: float | None = None


def grade(
    relevance: Matrix,
    stems: Mapping[str, Audio],
    label: str,
    frontend: Frontend,
    mask: Matrix | None = None,
    reconstruction: Matrix | None = None,
) -> dict[str, Any]:
    """Grades a map ``(bands, frames)`` of ``label`` against the clip's true stems, ready for JSON.

    The keys are those of :class:`Grade`. A label without a stem does not sound, so it only has ``share_per_stem``.

    Args:
        mask: The mask ``(bins, frames)`` whose sound is graded; the one of ``relevance`` alone if not given.
        reconstruction: The mask of a reconstruction whose sound is graded too, as ``si_sdr_reconstruction``, a key that
            is missing without it.

    Raises:
        InputError: there are no stems, or they differ in length or rate from each other, or in length from the map.
    """
    truth = Truth(checked(stems, relevance.shape[1], frontend), frontend)
    return grade_by(truth, relevance, label, mask, reconstruction)


def grade_by(
    truth: Truth, relevance: Matrix, label: str, mask: Matrix | None = None, reconstruction: Matrix | None = None
) -> dict[str, Any]:
    """:func:`grade` by a truth that is known already, for several maps of one clip."""
    shares = measures.relevance_shares(relevance, truth.masks)
    if label not in truth.stems:
        return asdict(Grade(shares))
    masked = truth.masked(relevance) if mask is None else apply_mask(truth.mix, mask)
    truth_mask, energy, stem = truth.masks[label], truth.mix.mel_power, truth.spectrograms[label].samples
    result = Grade(
        share_per_stem=shares,
        area=measures.area(truth_mask),
        energy_rma=measures.rma(energy, truth_mask),
        energy_lift=measures.lift(energy, truth_mask),
        si_sdr_mix=measures.si_sdr(truth.mix.samples, stem),
        si_sdr_masked=measures.si_sdr(masked, stem),
        **fit(relevance, truth_mask),
        **listening(truth, label, masked),
    )
    found = asdict(result)
    if reconstruction is not None:
        found["si_sdr_reconstruction"] = truth.improvement(label, apply_mask(truth.mix, reconstruction))
    return {name: _finite(value) for name, value in found.items()}


def fit(relevance: Matrix, truth: Mask) -> dict[str, float]:
    """How well a map fits the true cells."""
    return {
        "rma": measures.rma(relevance, truth),
        "lift": measures.lift(relevance, truth),
        "rra": measures.rra(relevance, truth),
        "pointing": measures.pointing(relevance, truth),
    }


def listening(truth: Truth, label: str, masked: Samples) -> dict[str, float]:
    """SI-SDR improvement of a masked mix ``(samples,)`` for a label's stem, with its floor and ceiling, in dB."""
    return {
        "si_sdr_improvement": truth.improvement(label, masked),
        "si_sdr_floor": truth.improvement(label, truth.floor),
        "si_sdr_ceiling": truth.improvement(label, truth.ceiling(label)),
    }


def checked(stems: Mapping[str, Audio], frames: int, frontend: Frontend) -> Mapping[str, Audio]:
    """The stems, if they fit a spectrogram of this many frames.

    Raises:
        InputError: there are none, or they differ in length or rate from each other, or in length from the spectrogram.
    """
    if len({(len(stem.samples), stem.sample_rate) for stem in stems.values()}) != 1:
        raise InputError("There must be at least one stem, and all stems must have the same length and sample rate.")
    stem = next(iter(stems.values()))
    if frontend.frames(len(stem.at(frontend.config.sample_rate).samples)) != frames:
        raise InputError(f"The stems last {stem.duration:.2f} s, which is not the length of the explained sound.")
    return stems


def _finite(value: Any) -> Any:
    # JSON has neither nan nor infinity.
    return None if isinstance(value, float) and not np.isfinite(value) else value
