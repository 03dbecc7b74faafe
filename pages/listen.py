"""Listen: choose a sound, hear it, see which instruments a network hears in it and when."""

from collections.abc import Callable

from app.frame.shell import page
from app.listen.places import laid_out


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.listen.page import body

    return body


page(
    "Listen",
    "Drop in a song or let the app compose one, and see which instruments a neural network hears.",
    laid_out,
    loaded,
    tells=False,
)
