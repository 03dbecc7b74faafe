"""Ways to propagate relevance and to make maps of it, as data: the candidates of :mod:`core.studies.rule_search`."""

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
from core.explanation.targets import LogitContrast, Target
from core.frontends import compression
from core.frontends.frontend import FrontendConfig, Matrix, Spectrogram
from core.grading.sanity import forgetting
from core.models.network import StagedNetwork

DEFAULT = RULE_SETS[DEFAULT_RULES]
RANDOM_SEED = 2**31  # above the seeds of clips, so that no network of a sanity check has the same random weights


class SharingPool(nn.MaxPool2d):
    """Max pooling of non-negative values whose gradient is divided among a window in proportion to the values."""

    @classmethod
    def like(cls, pool: nn.MaxPool2d) -> "SharingPool":
        """A sharing pool with the windows of another pool."""
        return cls(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode)

    def forward(self, values: Tensor) -> Tensor:
        fixed = values.detach() + TINY
        shared = self._sums(fixed * values) / self._sums(fixed)
        return super().forward(values).detach() + (shared - shared.detach())

    def _sums(self, values: Tensor) -> Tensor:
        """Sum over each window."""
        return F.avg_pool2d(
            values, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode, divisor_override=1
        )


@dataclass(frozen=True)
class Candidate:
    """One way to make a label's map, which differs from the default in one part.

    Attributes:
        part: What it varies; candidates that vary the same part are shown together.
        title: A short name.
        words: What it does, in plain words.
        rules: The rules of propagation.
        sharing_pools: Whether max pools divide relevance in proportion, instead of giving it all to the largest cell.
        by_amplitude: Whether the map is multiplied by the amplitude of the mix, which undoes the log-compression.
        contrast: Whether the mean of the maps of all other labels is subtracted; only what is above it remains.
        less_random: Whether the map of a network with random weights is subtracted, each map divided by its positive
            sum; only what is above it remains.
        explainer: An explainer that replaces the rules.
    """

    part: str
    title: str
    words: str
    rules: RuleSet = DEFAULT
    sharing_pools: bool = False
    by_amplitude: bool = False
    contrast: bool = False
    less_random: bool = False
    explainer: str | None = None

    @property
    def is_default(self) -> bool:
        return self == Candidate(self.part, self.title, self.words)

    @property
    def contests(self) -> bool:
        """Whether it can make maps that the targets contest; others are heard by their maps as they are."""
        return not (self.explainer or self.sharing_pools or self.contrast or self.less_random)

    def maps(self, network: StagedNetwork, mix: Spectrogram, targets: Sequence[Target]) -> list[Matrix]:
        """The map ``(bands, frames)`` of each target."""
        return self._weighted(self._relevance(network, as_input(mix.features), targets), mix)

    def contested(self, network: StagedNetwork, mix: Spectrogram, targets: Sequence[Target]) -> list[Matrix]:
        """The maps to listen to, contested by the targets; for a candidate that :attr:`contests`."""
        return self._weighted(Trace(network, as_input(mix.features), self.rules).contested(targets), mix)

    def _weighted(self, maps: Iterable[Tensor], mix: Spectrogram) -> list[Matrix]:
        weights = np.sqrt(mix.mel_power / mix.mel_power.max()) if self.by_amplitude else np.float32(1)
        return [weights * values.numpy() for values in maps]

    def _relevance(self, network: StagedNetwork, inputs: Tensor, targets: Sequence[Target]) -> list[Tensor]:
        if self.explainer:
            explain = EXPLAINERS.get(self.explainer)
            return [explain(network, inputs, target) for target in targets]
        if self.sharing_pools:  # not possible with a Trace
            sharing = network.with_pools(SharingPool.like)
            return [attribute(sharing, inputs, target, rules=self.rules).relevance for target in targets]
        trace = Trace(network, inputs, self.rules)
        if self.contrast:  # propagation is linear in what it starts from
            return [trace.relevance(LogitContrast(target.key))[0].clamp(min=0) for target in targets]
        maps = [trace.relevance(target)[0] for target in targets]
        if not self.less_random:
            return maps
        *_, (_, forgetful) = forgetting(network, RANDOM_SEED)
        random = Trace(forgetful, inputs, self.rules)
        others = [random.relevance(target)[0] for target in targets]
        return [(_shares(map) - _shares(other)).clamp(min=0) for map, other in zip(maps, others, strict=True)]


def _shares(map: Tensor) -> Tensor:
    """What is positive of a map, in shares of its sum."""
    kept = map.clamp(min=0)
    return kept / kept.sum().clamp(min=torch.finfo(kept.dtype).tiny)


def level(exponent: float) -> Modifier:
    """A modifier that turns log-mel of the default range into mel power to an exponent: 1 is power, ½ is amplitude.

    >>> level(0.5)(torch.tensor([0.0, 1.0])).round(decimals=3).tolist()
    [0.0, 1.0]
    """
    depth = compression.depth(FrontendConfig().range_db)
    return lambda logmel: compression.to_power(logmel, depth) ** exponent + TINY


def first(inputs: Modifier, weights: Modifier) -> RuleSet:
    """The default rules with another rule for the first convolution."""
    return replace(DEFAULT, first=Rule(inputs, weights))


ALIKE, HALVES = "All layers alike", "Upper half apart"
INPUT, POOLS, READING, LEARNED = "First layer", "Pooling", "Log-compression", "What was learned alone"
OTHERS = "Other explainers"

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
    "contrast": Candidate(
        LEARNED,
        "less other labels",
        "what of the map exceeds the mean of the maps of all other labels; what all labels share is gone",
        contrast=True,
    ),
    "contrast-gamma-quarter": Candidate(
        LEARNED, "less other labels, γ = ¼", "the same with γ = ¼ in all layers", RuleSet((gamma(0.25),)), contrast=True
    ),
    "less-random": Candidate(
        LEARNED,
        "less a random network",
        "what of the map exceeds that of a network with random weights; what the sound alone makes is gone",
        less_random=True,
    ),
    "gradient_x_input": Candidate(
        OTHERS,
        "gradient × input",
        "how much a little more of a cell would change the logit",
        explainer="gradient_x_input",
    ),
    "integrated_gradients": Candidate(
        OTHERS,
        "integrated gradients",
        "the same along the way from silence to the mix",
        explainer="integrated_gradients",
    ),
    "grad_cam": Candidate(
        OTHERS, "Grad-CAM", "where the last layer is active, weighted by its gradients", explainer="grad_cam"
    ),
    "lrp_epsilon": Candidate(OTHERS, "LRP-ε", "as γ = 0, but biases keep their share", explainer="lrp_epsilon"),
    "lrp_gamma": Candidate(OTHERS, "LRP-γ", "as γ = ¼, but biases keep their share", explainer="lrp_gamma"),
    "occlusion": Candidate(OTHERS, "occlusion", "by how much the logit falls without a patch", explainer="occlusion"),
    "energy": Candidate(OTHERS, "energy of the mix", "knows neither network nor label", explainer="energy"),
}
"""By name, in the order of the table. One of them is the default, from which the others differ."""
