"""Atlas: all concepts and reasons of a network, what they respond to, and how they sound."""

from collections.abc import Callable

from app.frame.places import in_place, one_place
from app.frame.shell import page_without_sound


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.concepts.page import body

    return in_place(body)


page_without_sound(
    "Atlas",
    "All that a network learned to notice: what each concept responds to, which instruments need it, how it sounds.",
    one_place,
    loaded,
)
