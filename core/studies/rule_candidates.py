"""Ways to propagate and to read relevance, as data: the candidates of :mod:`core.studies.rule_search`."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.explanation.crp import attribute
from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS
from core.explanation.relevance import as_input
from core.explanation.rules import (
    DEFAULT_RULES,
    RULE_SETS,
    TINY,
    Z_PLUS,
    Modifier,
    Rule,
    RuleSet,
    gamma,
    positive,
)
from core.frontends import compression
from core.frontends.frontend import FrontendConfig, Matrix, Spectrogram
from core.models.architecture import Network

DEFAULT = RULE_SETS[DEFAULT_RULES]


class SharingPool(nn.MaxPool2d):
    """Max pooling whose gradient is shared out among a window in proportion to its values, which are not negative."""

    def forward(self, values: Tensor) -> Tensor:
        fixed = values.detach() + TINY
        shared = self._sums(fixed * values) / self._sums(fixed)
        return super().forward(values).detach() + (shared - shared.detach())

    def _sums(self, values: Tensor) -> Tensor:
        """Of each window."""
        return F.avg_pool2d(
            values, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode, divisor_override=1
        )


def with_sharing_pools(network: Network) -> Network:
    """A copy of a network, with the same outputs, whose max pools share relevance out."""
    twin = copy.deepcopy(network)
    for name, pool in network.named_children():
        if isinstance(pool, nn.MaxPool2d):
            setattr(twin, name, SharingPool(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode))
    return twin


@dataclass(frozen=True)
class Candidate:
    """One way to make a label's map; all that is not said is as it is by default.

    Attributes:
        part: What it varies; candidates of one part stand together.
        title: A short name.
        words: The same for who does not know the name.
        rules: By which relevance is propagated.
        sharing_pools: Whether max pools share relevance out in proportion, instead of giving all to the winner.
        by_amplitude: Whether the map is multiplied by the mix's amplitude, which undoes the log-compression.
        explainer: The explainer that makes the map instead of rules.
    """

    part: str
    title: str
    words: str
    rules: RuleSet = DEFAULT
    sharing_pools: bool = False
    by_amplitude: bool = False
    explainer: str | None = None

    @property
    def is_default(self) -> bool:
        return self == Candidate(self.part, self.title, self.words)

    def maps(self, network: Network, mix: Spectrogram, labels: Sequence[int]) -> list[Matrix]:
        """The map ``(bands, frames)`` of each label, given by its number."""
        return self._weighed(self._relevance(network, as_input(mix.features), labels), mix)

    def contested(self, network: Network, mix: Spectrogram, labels: Sequence[int]) -> list[Matrix]:
        """The same to listen to: contested by the labels, if the candidate can do so."""
        if self.explainer or self.sharing_pools:
            return self.maps(network, mix, labels)
        return self._weighed(Trace(network, as_input(mix.features), self.rules).contested(labels), mix)

    def _weighed(self, maps: Iterable[Tensor], mix: Spectrogram) -> list[Matrix]:
        weights = np.sqrt(mix.mel_power / mix.mel_power.max()) if self.by_amplitude else np.float32(1)
        return [weights * values.numpy() for values in maps]

    def _relevance(self, network: Network, inputs: Tensor, labels: Sequence[int]) -> list[Tensor]:
        if self.explainer:
            explain = EXPLAINERS.get(self.explainer)
            return [explain(network, inputs, label) for label in labels]
        if self.sharing_pools:  # which only the slow twin of the engine can do
            twin = with_sharing_pools(network)
            return [attribute(twin, inputs, label, rules=self.rules).relevance for label in labels]
        trace = Trace(network, inputs, self.rules)
        return [trace.relevance(label)[0] for label in labels]


def level(exponent: float) -> Modifier:
    """A log-mel of the usual range → a power of the mel power that it was made from: 1 is power, ½ amplitude.

    >>> level(0.5)(torch.tensor([0.0, 1.0])).round(decimals=3).tolist()
    [0.0, 1.0]
    """
    depth = compression.depth(FrontendConfig().range_db)
    return lambda logmel: compression.to_power(logmel, depth) ** exponent + TINY


def first(inputs: Modifier, weights: Modifier) -> RuleSet:
    """The default rules with another one for the first convolution."""
    return replace(DEFAULT, first=Rule(inputs, weights))


ALIKE, HALVES = "All layers alike", "Upper half apart"
INPUT, POOLS, READING, NOTHING = "First layer", "Pooling", "Log-compression", "To compare"

CANDIDATES: dict[str, Candidate] = {
    "plus": Candidate(ALIKE, "z⁺", "only what speaks for an output takes a share", RULE_SETS["plus"]),
    "sharp": Candidate(ALIKE, "sharp z⁺", "the strongest of what speaks for an output takes most", RULE_SETS["sharp"]),
    "gamma-0": Candidate(ALIKE, "γ = 0", "what speaks for and against an output counts alike", RuleSet((gamma(0),))),
    "gamma-quarter": Candidate(ALIKE, "γ = ¼", "what speaks for an output counts 1¼ times", RuleSet((gamma(0.25),))),
    "gamma-1": Candidate(ALIKE, "γ = 1", "what speaks for an output counts twice", RuleSet((gamma(1),))),
    "alpha2-beta1": Candidate(
        ALIKE, "α2β1", "twice what speaks for an output, less once what speaks against", explainer="lrp_alpha2_beta1"
    ),
    "signed": Candidate(
        HALVES,
        "γ = 0 over z⁺",
        "upper layers: what speaks for and against; lower: only what speaks for",
        RULE_SETS["signed"],
    ),
    "signed-over-sharp": Candidate(
        HALVES,
        "γ = 0 over sharp z⁺",
        "upper layers: for and against; lower: the strongest for",
        RULE_SETS["signed_sharp"],
    ),
    "signed-over-quarter": Candidate(
        HALVES,
        "γ = 0 over γ = ¼",
        "upper layers: for and against; lower: for counts 1¼ times",
        RuleSet((gamma(0.25), gamma(0))),
    ),
    "signed-over-1": Candidate(
        HALVES,
        "γ = 0 over γ = 1",
        "upper layers: for and against; lower: for counts twice",
        RuleSet((gamma(1), gamma(0))),
    ),
    "quarter-over-plus": Candidate(
        HALVES, "γ = ¼ over z⁺", "upper layers: for counts 1¼ times; lower: only for", RuleSet((Z_PLUS, gamma(0.25)))
    ),
    "first-flat": Candidate(
        INPUT, "flat", "each cell that an output reads takes the same share", first(torch.ones_like, torch.ones_like)
    ),
    "first-squares": Candidate(INPUT, "w²", "shares by the weights alone", first(torch.ones_like, torch.square)),
    "first-gamma-0": Candidate(
        INPUT, "γ = 0", "what speaks for and against counts alike here, too", replace(DEFAULT, first=gamma(0))
    ),
    "first-values": Candidate(
        INPUT, "by log-mel", "shares by the log-mel values alone", first(positive(1), torch.ones_like)
    ),
    "first-amplitude": Candidate(
        INPUT, "by amplitude", "shares by the amplitude of the sound alone", first(level(0.5), torch.ones_like)
    ),
    "first-power": Candidate(
        INPUT, "by power", "shares by the power of the sound alone", first(level(1), torch.ones_like)
    ),
    "first-amplitude-plus": Candidate(
        INPUT, "z⁺ by amplitude", "as z⁺, with amplitude in the place of log-mel values", first(level(0.5), positive(1))
    ),
    "sharing-pools": Candidate(
        POOLS,
        "in proportion",
        "a pool shares out among its cells, instead of giving all to the largest; labels do not contest their concepts",
        sharing_pools=True,
    ),
    "by-amplitude": Candidate(
        READING, "map × amplitude", "the map counts most where the mix is loud", by_amplitude=True
    ),
    "energy": Candidate(NOTHING, "energy of the mix", "knows neither network nor label", explainer="energy"),
}
"""By name, in the order of the table; the default is one of them, and those that vary another part start from it."""
