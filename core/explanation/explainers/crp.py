"""Layer-wise relevance propagation by the rules that conserve it; the sum of all its concepts' maps."""

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Propagation
from core.explanation.rules import DEFAULT_RULES

EXPLAINERS.register("crp")(Propagation(DEFAULT_RULES))
