"""LRP-α2β1 (Bach et al. 2015): what speaks for an output counts twice, what speaks against it is subtracted once."""

from zennit.rules import AlphaBeta

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Textbook

EXPLAINERS.register("lrp_alpha2_beta1")(Textbook(lambda: AlphaBeta(alpha=2, beta=1)))
