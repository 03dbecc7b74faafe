"""LRP-z⁺ (Montavon et al. 2017) in all convolutions: only what speaks for an output gets a share, biases get none."""

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Propagation

EXPLAINERS.register("lrp_z_plus")(Propagation("plus"))
