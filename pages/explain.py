"""Explain: where in the sound the evidence for an instrument lies, for which reasons, and how they sound."""

from collections.abc import Callable

from app.explain.places import laid_out
from app.frame.shell import page


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.explain.page import body

    return body


page(
    "Explain",
    "See which part of the sound speaks for an instrument (warm) or against it (cool), and hear it: “Only this” leaves "
    "the rest faint.",
    laid_out,
    loaded,
)
