"""Experiments: how good each network is where, and whether depth and richer data change how networks work."""

from collections.abc import Callable

from app.frame.places import in_place, one_place
from app.frame.shell import page_without_sound


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.experiments.page import body

    return in_place(body)


page_without_sound(
    "Experiments",
    "How good each network is, where it fails, and whether depth and richer training data change how it works.",
    one_place,
    loaded,
)
