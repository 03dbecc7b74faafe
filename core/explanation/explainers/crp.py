"""Layer-wise relevance propagation by the rules that conserve it; the sum of all its concepts' maps."""

from torch import Tensor

from core.explanation.engine import Trace
from core.explanation.explainer import EXPLAINERS
from core.models.architecture import Network


@EXPLAINERS.register("crp")
def explain(network: Network, inputs: Tensor, label: int) -> Tensor:
    return Trace(network, inputs).relevance(label)[0]
