"""What every channel responds to, measured with probes.

Each question compares a channel's response to probes with one value ("plucked") with its response to probes with any
other value, by the area under the ROC curve: the probability that the channel answers more strongly to a probe with
this value than to one without. Only similar probes are compared, which form a *stratum*: instruments in the same
register, registers of the same instrument, notes of the same instrument with and without vibrato.

One half of the probes serves to choose the value, the other half to measure the scores.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import rankdata
from torch import Tensor

from core.audio import SAMPLE_RATE, Audio
from core.concepts.atlas import Factor
from core.concepts.probes import DURATION, OCTAVES, ONSET, Probe, probes, sound
from core.concepts.questions import QUESTIONS, Heard, Question
from core.frontends.frontend import Frontend, Matrix
from core.models.network import StagedNetwork
from core.models.store import TrainedModel
from core.taxonomy.instruments import label_set

Values = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

BATCH = 32
# Moments of a held probe, in seconds. A frame covers a whole window, so it hears the onset half a window early.
ATTACK = (ONSET - 0.05, ONSET + 0.1)
SUSTAIN = (ONSET + 0.6, ONSET + 0.75)
MOMENTS = {"whole": (0.0, DURATION), "onset": ATTACK, "sustain": SUSTAIN}
HOLDING = ("note", "tone", "noise")
DECAY_DB = 12.0  # a sound that decays by more has no sustain to compare with its onset
DIGITS_OF_ANSWERS = 6  # smaller differences are rounding errors, which depend on the machine
COVERED = 0.5  # least share, by weight, of what a channel responds to that a question must cover
DIGITS_OF_SCORES = 3


def tunings(
    model: TrainedModel, on_progress: Callable[[float], None] = lambda share: None
) -> dict[tuple[str, int], list[Factor]]:
    """What every channel of every concept layer responds to.

    Args:
        model: A trained model; the probes play its labels.
        on_progress: Called with the share of the probes that have been played, up to 1.

    Returns:
        By layer and channel: the best value of each factor, the strongest first. Then, for tuning curves and search,
        all other single values of instrument, family and register in their order.

    Raises:
        InputError: FluidSynth or the soundfonts are missing.
    """
    heard, answers = _listen_to_all(model, on_progress)
    return {
        (layer, channel): factors
        for layer, values in answers.items()
        for channel, factors in enumerate(measure(heard, values))
    }


def mixture_tunings(
    model: TrainedModel,
    layer: str,
    weights: Values,
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[list[Factor]]:
    """What mixtures of a layer's channels respond to, each as in :func:`tunings`.

    Args:
        model: A trained model; the probes play its labels.
        layer: Of the channels.
        weights: How much each channel counts in each mixture ``(channels, mixtures)``.
        on_progress: Called with the share of the probes that have been played, up to 1.

    Raises:
        InputError: FluidSynth or the soundfonts are missing.
    """
    heard, answers = _listen_to_all(model, on_progress)
    return measure(heard, answers[layer] @ weights)


def _listen_to_all(model: TrainedModel, on_progress: Callable[[float], None]) -> tuple[list[Heard], dict[str, Values]]:
    played = probes(label_set(model.card.label_set), model.labels)
    return listen(model.network, model.frontend, played, on_progress)


def listen(
    network: StagedNetwork,
    frontend: Frontend,
    played: Sequence[Probe],
    on_progress: Callable[[float], None] = lambda share: None,
) -> tuple[list[Heard], dict[str, Values]]:
    """Plays probes to a network.

    A channel's answer is its activation minus its activation in silence, averaged over bands and over the moment. The
    difference removes what comes from the edges of the input alone.

    Args:
        network: In evaluation mode.
        frontend: Makes the network's input.
        played: The probes.
        on_progress: Called with the share of the probes that have been played.

    Returns:
        What was heard, probe by probe and moment by moment, and the answers of every layer ``(heard, channels)``.
    """
    heard: list[Heard] = []
    answers: dict[str, list[Values]] = {layer: [] for layer in network.concept_layers}
    for start in range(0, len(played), BATCH):
        batch = played[start : start + BATCH]
        logmels = np.stack([_logmel(probe, frontend) for probe in batch])
        moments = [_moments(probe, logmel, frontend) for probe, logmel in zip(batch, logmels, strict=True)]
        heard += [one for several in moments for one in several]
        for layer, found in _answers(network, logmels, frontend).items():
            answers[layer] += [found[one.moment][i] for i, several in enumerate(moments) for one in several]
        on_progress((start + len(batch)) / len(played))
    return heard, {layer: np.stack(rows) for layer, rows in answers.items()}


def _logmel(probe: Probe, frontend: Frontend) -> Matrix:
    heard = frontend.analyse(Audio(sound(probe), SAMPLE_RATE))
    return frontend.features(heard, heard.peak_power * 10 ** (probe.below_db / 10))


def _moments(probe: Probe, logmel: Matrix, frontend: Frontend) -> list[Heard]:
    """The whole of a probe, and its onset and sustain if it is held and does not decay."""
    loudest = frontend.band_hz[logmel.mean(1).argmax()]
    octave = int(np.clip(np.searchsorted(OCTAVES, loudest, side="right") - 1, 0, None))
    moments = ["whole"]
    if probe.kind in HOLDING and not (probe.repeated or probe.vibrato or probe.below_db):
        times = frontend.frame_times(logmel.shape[1])
        attack, sustain = (logmel[:, (times >= low) & (times < high)].max() for low, high in (ATTACK, SUSTAIN))
        if attack - sustain < DECAY_DB / frontend.config.range_db:
            moments += ["onset", "sustain"]
    return [Heard(probe, octave, moment) for moment in moments]


@torch.inference_mode()
def _answers(network: StagedNetwork, logmels: Matrix, frontend: Frontend) -> dict[str, dict[str, Values]]:
    """Answers ``(probes, channels)`` by layer and moment, to log-mels ``(probes, bands, frames)``."""
    found = {}
    inputs = torch.from_numpy(np.concatenate([np.zeros_like(logmels[:1]), logmels])).unsqueeze(1)
    for layer, values in network.activations(inputs).items():
        means = values.mean(2)  # (1 + probes, channels, columns)
        columns = _columns(means.shape[2], network.stage(layer).step[1], frontend)
        answers = ((means[1:] - means[0]) @ columns).numpy().round(DIGITS_OF_ANSWERS)
        found[layer] = {moment: answers[..., index] for index, moment in enumerate(MOMENTS)}
    return found


def _columns(count: int, step: int, frontend: Frontend) -> Tensor:
    """Share of each moment in each column of a layer ``(columns, moments)``; a column spans ``step`` frames."""
    hop = frontend.config.hop / frontend.config.sample_rate
    begin = (np.arange(count)[:, None] * step + frontend.first_frame - 0.5) * hop
    low, high = np.array(list(MOMENTS.values())).T
    overlap = np.clip(np.minimum(begin + step * hop, high) - np.maximum(begin, low), 0, None)
    return torch.from_numpy((overlap / overlap.sum(0)).astype(np.float32))


def measure(heard: Sequence[Heard], answers: Values, questions: Sequence[Question] = QUESTIONS) -> list[list[Factor]]:
    """The factors of each channel, given the answers ``(heard, channels)``; for their order see :func:`tunings`."""
    best: list[list[Factor]] = [[] for _ in answers.T]
    curves: list[list[Factor]] = [[] for _ in answers.T]
    for question in questions:
        names, chosen, scores = _ask(question, heard, answers)
        singles = [index for index, name in enumerate(names) if name not in question.unions]
        for channel, (choice, row) in enumerate(zip(chosen, scores.T, strict=True)):
            factors = [_factor(question, name, score) for name, score in zip(names, row, strict=True)]
            best[channel] += [factors[choice]] if choice >= 0 and np.isfinite(row[choice]) else []
            if len(singles) > 2:
                curves[channel] += [factors[i] for i in singles if i != choice and np.isfinite(row[i])]
    return [sorted(first, key=lambda factor: -factor.score) + rest for first, rest in zip(best, curves, strict=True)]


def _factor(question: Question, value: str, score: float) -> Factor:
    return Factor(question.factor, value, round(float(score), DIGITS_OF_SCORES), "AUC")


def _ask(question: Question, heard: Sequence[Heard], answers: Values) -> tuple[list[str], Indices, Values]:
    """Names of the values, the index of that chosen for each channel, and the held-out scores ``(values, channels)``.

    The index is -1 if the channel hardly responds to the sounds that the question is about.
    """
    values = [question.value(one) for one in heard]
    sets = {**{name: {name} for name in dict.fromkeys(values) if name}, **question.unions}
    members = np.array([[value in found for value in values] for found in sets.values()])
    strata = np.unique([question.stratum(one) for one in heard], return_inverse=True)[1]
    asked = np.array([value is not None for value in values])
    held_out = np.array([one.probe.held_out for one in heard])
    first, second = asked & ~held_out, asked & held_out

    weights: dict[int, Values] | None = None
    coverage: Values = np.ones((len(sets), answers.shape[1]))
    if question.where_it_answers:
        weights = _weights(answers[first], strata[first])
        coverage = _coverage(members[:, first], strata[first], weights)
    choosing = auc(answers[first], members[:, first], strata[first], weights)
    advantage = np.nan_to_num(choosing - 0.5, nan=-1.0) * coverage
    chosen = advantage.argmax(0)
    covered = np.take_along_axis(coverage, chosen[None], axis=0)[0] >= COVERED
    return (
        list(sets),
        np.where(covered, chosen, -1),
        auc(answers[second], members[:, second], strata[second], weights),
    )


def _weights(answers: Values, strata: Indices) -> dict[int, Values]:
    """For each stratum, by how much a channel's mean answer exceeds the median over the strata ``(channels,)``."""
    means = {int(stratum): answers[strata == stratum].mean(0) for stratum in np.unique(strata)}
    middle = np.median(list(means.values()), axis=0)
    return {stratum: np.maximum(mean - middle, 0) for stratum, mean in means.items()}


def _coverage(members: Mask, strata: Indices, weights: Mapping[int, Values]) -> Values:
    """Share of the weights that belongs to strata where a set can be compared with the rest ``(sets, channels)``."""
    inside = [members[:, strata == stratum] for stratum in weights]
    compared = np.stack([here.any(1) & ~here.all(1) for here in inside], axis=1)
    weight = np.stack(list(weights.values()))
    return np.asarray(compared @ weight / np.maximum(weight.sum(0), np.finfo(float).tiny))


def auc(answers: Values, members: Mask, strata: Indices, weights: Mapping[int, Values] | None = None) -> Values:
    """Area under the ROC curve of each set against the rest, comparing only within strata.

    By the Mann-Whitney statistic: for the ``n`` members of a set in a stratum, ``U = Σ ranks − n(n + 1)/2`` counts the
    pairs in which the member's answer is larger, ties counting half; ``AUC = Σ U / Σ pairs`` over the strata.

    Args:
        answers: ``(probes, channels)``.
        members: Whether each probe belongs to each set ``(sets, probes)``.
        strata: The stratum of each probe ``(probes,)``.
        weights: Weight of each stratum for each channel ``(channels,)``; all equal if not given.

    Returns:
        ``(sets, channels)``, NaN where nothing can be compared.

    >>> auc(np.array([[3.0], [1.0], [2.0], [0.0]]), np.array([[True, True, False, False]]), np.zeros(4, int))
    array([[0.75]])
    """
    wins, pairs = np.zeros((2, len(members), answers.shape[1]))
    for stratum in np.unique(strata):
        here = strata == stratum
        weight = 1.0 if weights is None else weights.get(int(stratum), 0.0)
        ranks, ours = rankdata(answers[here], axis=0), members[:, here]
        count = ours.sum(1, keepdims=True)
        wins += weight * (ours @ ranks - count * (count + 1) / 2)
        pairs += weight * count * (here.sum() - count)
    return np.divide(wins, pairs, out=np.full_like(wins, np.nan), where=pairs > 0)
