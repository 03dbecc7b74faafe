"""Layer-wise relevance propagation by the default rules: the sum of the maps of all concepts of a layer."""

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Propagation
from core.explanation.rules import DEFAULT_RULES

EXPLAINERS.register("crp")(Propagation(DEFAULT_RULES))
