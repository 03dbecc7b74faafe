"""Evidence: whether explanations show what really sounded, and what the network really uses."""

from collections.abc import Callable

from app.frame.places import in_place, one_place
from app.frame.shell import page_without_sound


def loaded() -> Callable[..., None]:
    """What fills the page."""
    from app.evidence.page import body

    return in_place(body)


page_without_sound(
    "Evidence",
    "How well explanations fit the truth: every note of a composed clip is known, so every map can be graded.",
    one_place,
    loaded,
)
