"""Compare: several models on the same sound: their answers, their evidence, and how far they agree."""

from collections.abc import Callable

from app.frame.places import in_place, one_place
from app.frame.shell import page


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.compare.page import body

    return in_place(body)


page(
    "Compare",
    "Several networks on the same sound: what each one hears, and which part of the sound it points at.",
    one_place,
    loaded,
)
