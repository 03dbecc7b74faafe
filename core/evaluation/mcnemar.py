"""McNemar's exact test: whether two models that answered about the same clips differ in how often they are right.

Clips that both get right, or both wrong, say nothing. Of the others, each model should be right in one half if they
were equally good: the p-value is the two-sided binomial probability of a split at least as uneven (McNemar 1947;
Dietterich 1998, "Approximate statistical tests for comparing supervised classification learning algorithms").
"""

from collections.abc import Sequence

from core.errors import InputError
from core.evaluation.errors import ClipAnswer
from core.records import Part


class McNemar(Part):
    """A comparison of two models.

    Attributes:
        against: Name of the other model.
        clips: Number of clips that both were asked about.
        both_right: Clips for which both answers are right.
        only_this: Clips for which only this model's is.
        only_other: Clips for which only the other model's is.
        both_wrong: Clips for which neither is.
        p: Probability of a difference at least as large between models that are equally good.
    """

    against: str
    clips: int
    both_right: int
    only_this: int
    only_other: int
    both_wrong: int
    p: float


def mcnemar(this: Sequence[ClipAnswer], other: Sequence[ClipAnswer], against: str) -> McNemar:
    """Compares a model with another one, by their answers for the clips that both were asked about.

    Args:
        against: Name of the other model.

    Raises:
        InputError: there is no such clip.
    """
    from scipy.stats import binomtest  # slow to import

    theirs = {each.id: each.right for each in other}
    pairs = [(each.right, theirs[each.id]) for each in this if each.id in theirs]
    if not pairs:
        raise InputError(f"The model {against} was not asked about any of these clips, so the two cannot be compared.")
    counts = {outcome: pairs.count(outcome) for outcome in ((True, True), (True, False), (False, True), (False, False))}
    differing = counts[True, False] + counts[False, True]
    return McNemar(
        against=against,
        clips=len(pairs),
        both_right=counts[True, True],
        only_this=counts[True, False],
        only_other=counts[False, True],
        both_wrong=counts[False, False],
        p=float(binomtest(counts[True, False], differing).pvalue) if differing else 1.0,
    )
