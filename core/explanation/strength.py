"""How strongly relevance is coloured: on one scale for all passages and labels, so that a weak map looks weak."""

FULL_SHARE = (
    120.0  # times what a cell has of a logit that is spread evenly; the strongest cells of a sure answer reach it
)
SURE_LOGIT = 4.0  # of an answer that is 98 % sure; what speaks for a less sure one is not coloured more strongly


def full_strength(logit: float, cells: int) -> float:
    """The relevance of a cell that has the full colour: a share of the logit, or of ``SURE_LOGIT`` if that is larger.

    Args:
        logit: That the map explains.
        cells: Of the map.

    >>> full_strength(8.0, 1000), full_strength(-0.5, 1000)
    (0.96, 0.48)
    """
    return FULL_SHARE * max(abs(logit), SURE_LOGIT) / cells
