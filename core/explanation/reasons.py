"""Reasons: the relevance of a target in a passage, broken into a few parts that differ from each other and sum to it.

The channels of a layer are many, and many of them work together. A *dictionary* says which: its patterns are learned
from the positive relevance of reference clips by non-negative matrix factorisation (Lee & Seung 1999),
``R⁺ ≈ P S`` with ``R⁺`` ``(channels, cells)``, patterns ``P`` ``(channels, reasons)`` and strengths ``S``
``(reasons, cells)``. The patterns are the same for all sounds and labels, so that a reason is the same thing in every
song; only its strengths are found anew.

The relevance of every unit, positive or negative, is shared out among all reasons in proportion to what each of them
explains there, ``P_ck S_kx / Σ_j P_cj S_jx``, as a Wiener filter shares out a spectrogram among sound sources. The few
reasons that carry most relevance are shown, as many as look different, and all others together as *everything else*.
Nothing is lost, so the maps sum to that of the target; and what is shown of a reason does not depend on which others
are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from core.explanation.engine import Trace
from core.explanation.intervention import silence_shares
from core.explanation.relevance import Relevance, as_input, target_of, trace_of
from core.explanation.targets import Target
from core.frontends.frontend import Matrix
from core.models.store import TrainedModel

COUNT = 5  # parts of an explanation at most, one of which is everything else
FEWEST = 3
DISTINCT = 0.8  # share of the parts that the maps are worth, below which fewer are shown
EVERYTHING_ELSE = "everything else"
UPDATES = 40  # of the strengths
LEAST = 1e-9  # keeps divisions defined, far below the mean of what is factorised

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The reasons that a model can have.

    Attributes:
        layer: The concept layer at which relevance is broken up.
        patterns: Share of each channel in a reason's relevance ``(channels, reasons)``.
        names: What each reason responds to; all names differ.
        aucs: How surely the name tells what the reason responds to: area under the ROC curve, on probes that were not
            used to choose the name.
    """

    layer: str
    patterns: Matrix
    names: tuple[str, ...]
    aucs: tuple[float, ...]

    def number_of(self, id: str) -> int | None:
        """The number of the reason with this id; None for everything else, and where it is none of these."""
        return next((number for number in range(len(self.names)) if reason_id(self.layer, number) == id), None)


@dataclass(frozen=True, eq=False)
class ReasonPart:
    """What one reason contributes to an explanation, or all that are not shown together.

    Attributes:
        number: Of the reason, in its dictionary; None for everything else.
        name: What it responds to.
        auc: How surely, see :class:`Dictionary`; None for everything else.
        relevance: Its part in the target's value, signed; those of all reasons sum to the value.
        share: ``relevance / Σ|relevance of all reasons|``, in [-1, 1].
        fall: By how much the value falls if the reason's share in every unit of the layer is silenced.
        map: Where in the spectrogram the relevance comes from.
    """

    number: int | None
    name: str
    auc: float | None
    relevance: float
    share: float
    fall: float
    map: Relevance

    @property
    def id(self) -> str:
        """Names the reason in every song, as long as the model keeps its dictionary."""
        return reason_id(str(self.map.layer), self.number)

    @property
    def evidence(self) -> Matrix:
        """The map turned so that what it shows is positive, also where the reason speaks against the target."""
        return -self.map.values if self.relevance < 0 else self.map.values


def reason_id(layer: str, number: int | None) -> str:
    """The id of a reason, or of everything else.

    >>> reason_id("conv7", 3), reason_id("conv7", None)
    ('conv7-reason3', 'conv7-rest')
    """
    return f"{layer}-rest" if number is None else f"{layer}-reason{number}"


def reasons(
    model: TrainedModel,
    features: Matrix,
    target: str | Target,
    dictionary: Dictionary,
    count: int = COUNT,
    trace: Trace | None = None,
    distinct: float = DISTINCT,
    always: int | None = None,
) -> tuple[ReasonPart, ...]:
    """The reasons for a target's value and everything else, those that contribute most to its sign first.

    Args:
        features: The network's input ``(bands, frames)``.
        target: A label, or any other target.
        count: How many parts at most; a dictionary of no more reasons can be shown whole, without everything else.
        trace: The input's trace, if there already is one.
        distinct: How different the maps have to be, see :func:`distinctness`. Where they are not, the weakest reasons
            join everything else until they are, or only ``FEWEST`` parts are left; with 0 they never do.
        always: Number of a reason that is a part by itself also where it weighs little; the other parts, but for
            everything else, are the same with it and without.

    Raises:
        InputError: the model has no such label, or its network no such layer.
    """
    target, layer = target_of(model, target), model.network.stage(dictionary.layer).name
    trace = trace or trace_of(model, features)
    passed = trace.passed_up(target, layer).numpy()
    chosen, found = share_out(dictionary.patterns, passed, count)
    maps = trace.parts(target, layer, torch.from_numpy(found)).numpy()
    shown = told_apart(maps, distinct)
    if shown < len(maps):
        chosen, found, maps = chosen[: shown - 1], _joined(found, shown), _joined(maps, shown)
    if always is not None and always not in chosen:
        own = shares(dictionary.patterns, passed)[[always]]
        chosen, found = [*chosen, always], _parted(found, own)
        maps = _parted(maps, trace.parts(target, layer, torch.from_numpy(own)).numpy())
    without = silence_shares(model.network, as_input(features), layer, torch.from_numpy(found))
    falls = trace.value(target) - target.value(without).numpy()
    whole = Relevance(maps.sum(0), target.title(model.labels), trace.value(target), layer)
    return as_parts(dictionary, chosen, maps, falls, whole)


def as_parts(
    dictionary: Dictionary,
    chosen: Sequence[int],
    maps: Array,
    falls: npt.NDArray[np.floating],
    whole: Relevance,
) -> tuple[ReasonPart, ...]:
    """Reasons with all that is known of them, those that contribute most to the value's sign first.

    Args:
        chosen: Numbers of the reasons.
        maps: One for each of them, and one for everything else if there is anything ``(parts, bands, frames)``.
        falls: By how much the value falls without each part ``(parts,)``.
        whole: That of the target.
    """
    parts = maps.sum((1, 2), dtype=np.float64)
    total = max(float(np.abs(parts).sum()), float(np.finfo(np.float32).tiny))
    numbers: list[int | None] = [*chosen, *[None] * (len(maps) - len(chosen))]
    return tuple(
        ReasonPart(
            number=(number := numbers[i]),
            name=EVERYTHING_ELSE if number is None else dictionary.names[number],
            auc=None if number is None else dictionary.aucs[number],
            relevance=float(parts[i]),
            share=float(parts[i]) / total,
            fall=float(falls[i]),
            map=replace(whole, values=maps[i]),
        )
        for i in np.argsort(parts if whole.logit < 0 else -parts, kind="stable")
    )


def share_out(patterns: Matrix, relevance: Array, count: int) -> tuple[list[int], Array]:
    """Shares the relevance of a layer's units out among the few reasons that carry most of it, and everything else.

    Args:
        patterns: Of all reasons ``(channels, reasons)``.
        relevance: Signed ``(channels, rows, columns)``.
        count: How many parts, at most.

    Returns:
        Numbers of the chosen reasons, those that carry most relevance of either sign first, and the parts' shares in
        each unit ``(parts, channels, rows, columns)``, which sum to one. The last part is everything else, unless all
        reasons are chosen.

    >>> patterns = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    >>> chosen, shares = share_out(patterns, np.array([[[3.0]], [[0.5]], [[-2.0]]], np.float32), count=2)
    >>> chosen, shares[:, :, 0, 0].round(2)
    ([0], array([[1.  , 0.  , 0.33],
           [0.  , 1.  , 0.67]], dtype=float32))
    """
    everyone = shares(patterns, relevance)
    ranked = np.argsort(-np.abs((everyone * relevance).sum((1, 2, 3))), kind="stable")
    chosen, others = (ranked, ranked[:0]) if len(ranked) <= count else (ranked[: count - 1], ranked[count - 1 :])
    parts = [everyone[chosen], everyone[others].sum(0, keepdims=True)]
    return chosen.tolist(), np.concatenate(parts if len(others) else parts[:1])


def told_apart(maps: Array, distinct: float) -> int:
    """How many parts to show of maps ``(parts, bands, frames)``, if the last of them are shown as one.

    The most that are distinct enough, but no fewer than ``FEWEST``; where none are, those that are the most distinct.

    >>> maps = np.eye(4, dtype=np.float32)[[0, 1, 2, 2]].reshape(4, 2, 2)
    >>> told_apart(maps, 0.8), told_apart(maps, 0.6)
    (3, 4)
    """
    numbers = range(len(maps), min(FEWEST, len(maps)) - 1, -1)
    found = {number: distinctness(_joined(maps, number)) for number in numbers}
    enough = (number for number in numbers if not found[number] < distinct)
    return next(enough, max(numbers, key=found.__getitem__))


def _joined(parts: Array, number: int) -> Array:
    """As many parts, the last of which is the sum of all the others."""
    return np.concatenate([parts[: number - 1], parts[number - 1 :].sum(0, keepdims=True)])


def _parted(parts: Array, own: Array) -> Array:
    """One part more, which is taken out of the last."""
    return np.concatenate([parts[:-1], own, parts[-1:] - own])


def distinctness(maps: Array) -> float:
    """The effective number of different maps ``(maps, bands, frames)``, as a share of all.

    It is the participation ratio of the squared singular values of the maps, each scaled to length one,
    ``(Σ s²)² / Σ s⁴``: all where no two overlap, one where all are alike; ``nan`` where all are empty.

    >>> distinctness(np.eye(4).reshape(4, 2, 2)), distinctness(np.ones((4, 2, 2)))
    (1.0, 0.25)
    """
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    gram = flat @ flat.T
    known = np.diag(gram) > 0
    lengths = np.sqrt(np.diag(gram)[known])
    if not known.any():
        return float("nan")
    cosines = gram[np.ix_(known, known)] / np.outer(lengths, lengths)
    return round(len(lengths) ** 2 / float((cosines**2).sum()) / len(maps), 9)


def shares(patterns: Matrix, relevance: Array) -> Array:
    """Each reason's share in the relevance of each unit ``(reasons, channels, rows, columns)``, in the patterns' order.

    The shares of a unit sum to one; they are equal where no pattern explains anything.
    """
    found = strengths(patterns, np.maximum(relevance, 0).reshape(len(relevance), -1))
    explained = patterns.T[:, :, None] * found[:, None] + LEAST**2
    return np.asarray(explained / explained.sum(0), np.float32).reshape(-1, *relevance.shape)


def strengths(patterns: Matrix, relevance: Array, start: Array | None = None, updates: int = UPDATES) -> Array:
    """The strengths ``(reasons, cells)`` with which patterns explain relevance ``(channels, cells)``, none negative.

    They minimise the Kullback-Leibler divergence from ``P S`` to the relevance, by the multiplicative updates of Lee &
    Seung (2001), theorem 2. The relevance is divided by its mean first, so that its scale does not matter.
    """
    mean = float(relevance.mean())
    wanted = relevance / mean if mean > 0 else relevance
    found = np.ones((patterns.shape[1], wanted.shape[1]), np.float32) if start is None else start.copy()
    sums = patterns.sum(0)[:, None] + LEAST
    for _ in range(updates):
        found *= (patterns.T @ (wanted / (patterns @ found + LEAST))) / sums
    return found
