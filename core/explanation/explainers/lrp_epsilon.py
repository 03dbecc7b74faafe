"""LRP-ε (Bach et al. 2015): each input gets its share in the output; close to gradient × input."""

from zennit.rules import Epsilon

from core.explanation.explainer import EXPLAINERS
from core.explanation.propagation import Textbook

EXPLAINERS.register("lrp_epsilon")(Textbook(lambda: Epsilon(epsilon=1e-6)))
