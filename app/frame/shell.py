"""What every page has in common: its frame, which stands at once, and one place where errors become sentences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from app.components import alerts
from app.figures.colors import DARK, LIGHT
from app.frame import places
from app.frame.header import header
from core.errors import InputError

if TYPE_CHECKING:  # slow to import, and the frame of a page does not wait for them
    from app.frame.sounds import Sound
    from app.frame.view import View

Places = TypeVar("Places")

STYLE = """
<style>
.block-container {padding-top: 3.6rem; padding-bottom: 2rem; max-width: 1240px}
h1 {font-size: 1.7rem !important; padding-bottom: 0 !important}
h3 {font-size: 1.05rem !important}
[data-testid="stMetricValue"] {font-size: 1.35rem}
[data-testid="stBaseButton-tertiary"] {min-height: 1.9rem; padding: 0; justify-content: flex-start; text-align: left}
[data-testid="stBaseButton-primary"] *, [data-testid="stMultiSelect"] [data-tag] * {
  color: var(--ground) !important;  /* white on it would be too faint in the dark */
}
[data-testid="stCaptionContainer"] {opacity: .82}  /* fainter words cannot be read by all */
.st-key-way-in button {padding-inline: .4rem}  /* all ways in side by side */
@media (min-width: 641px) and (max-width: 1150px) {.st-key-way-in button {padding-inline: .15rem; font-size: .8rem}}
.st-key-reasons [data-testid="stBaseButton-tertiary"] * {white-space: normal}
[class*="st-key-silent-"] button {max-width: 100%}
@media (max-width: 640px) {  /* two cards side by side, and figures in a row, where Streamlit would stack them */
  [class*="st-key-cards-"] [data-testid="stColumn"] {min-width: calc(50% - 1rem); flex: 1 1 calc(50% - 1rem)}
  .st-key-page-header, .st-key-page-tools {gap: 0 1rem}
  .st-key-metrics [data-testid="stColumn"] {min-width: 0; flex: 1 1 0}
}
/* Above the page stands what is wrong, if anything is; else it takes no room. */
[data-testid="stLayoutWrapper"]:has(> .st-key-top):not(:has([data-testid="stAlert"])) {position: absolute; width: 1px}
/* What is being computed is said below in the window, where it moves nothing. */
[data-testid="stElementContainer"]:has(> [data-testid="stSpinner"]) {
  position: fixed; bottom: 1.25rem; left: 50%; transform: translateX(-50%); z-index: 100; width: max-content;
  max-width: 90vw; padding: .4rem 1rem; border-radius: 2rem; background: var(--ground);
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent);
}
</style>
"""
# They follow the browser's theme at once, without the server.
INKS = f"""<style>:root {{
  --ground: light-dark({LIGHT.ground}, {DARK.ground}); --best: light-dark({LIGHT.best}, {DARK.best})}}</style>"""


@contextmanager
def sentences() -> Iterator[None]:
    """Shows a mistake that the user can fix as one sentence; the rest of the page goes on."""
    try:
        yield
    except InputError as error:
        alerts.error(str(error))


def page(
    heading: str,
    sentence: str,
    laid_out: Callable[[], Places],
    body: Callable[[], "Callable[[View, Sound, Places], None]"],
    tells: bool = True,
) -> None:
    """A page about the current sound: its frame, and then what is slow to import and to compute.

    Args:
        heading: Its name.
        sentence: What it is for.
        laid_out: Makes the places of its parts.
        body: Imports what puts the parts into their places.
        tells: Whether the parts say what plays, so that they have to wait for the guess of a visitor who guesses first.
    """

    def loaded() -> "tuple[Callable[[], tuple[View, Sound] | None], Callable[[View, Sound, Places], None]]":
        from app.frame.opening import view_and_sound

        return partial(view_and_sound, tells), body()

    _page(heading, sentence, laid_out, loaded)


def page_without_sound(
    heading: str, sentence: str, laid_out: Callable[[], Places], body: Callable[[], "Callable[[View, Places], None]"]
) -> None:
    """A page that is about no sound, see :func:`page`."""

    def loaded() -> "tuple[Callable[[], tuple[View]], Callable[[View, Places], None]]":
        from app.frame.opening import view_alone

        return view_alone, body()

    _page(heading, sentence, laid_out, loaded)


def _page(
    heading: str,
    sentence: str,
    laid_out: Callable[[], Places],
    loaded: Callable[[], tuple[Callable[[], tuple[Any, ...] | None], Callable[..., None]]],
) -> None:
    st.html(f"{STYLE}{places.STYLE}{INKS}")
    header(heading, sentence)
    top = st.container(key="top")
    made = laid_out()
    with top, st.spinner("Starting …"):
        opened, body = loaded()
    with sentences():
        with top:
            about = opened()
        if about:
            body(*about, made)
    st.html(places.STANDS)
