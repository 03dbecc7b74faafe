"""LRP-γ (Montavon et al. 2019) with γ = ¼: like LRP-ε, but what speaks for an output counts more."""

from zennit.rules import Gamma

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Textbook

EXPLAINERS.register("lrp_gamma")(Textbook(lambda: Gamma(gamma=0.25)))
