"""The places of a page's parts: they stand, as grey blocks, before anything that takes time.

Each is at least as high as the part that comes into it, so that nothing below it moves. What is slow to import is not
imported here, nor by the ``places`` of a page.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# A block is there in every run, so that no run sends it anew; it is seen as long as nothing else is in its place, but
# for a spinner. What has not come when the page stands is not coming.
STYLE = """
<style>
[class*="st-key-place-"] {position: relative}
[class*="st-key-place-"] > :first-child {position: absolute; inset: 0; pointer-events: none}
[class*="st-key-place-"] > :first-child * {height: 100%}
[class*="st-key-place-"]:has(> :nth-child(n + 2) > :not([data-testid="stSpinner"])) > :first-child {display: none}
.block {border-radius: 8px; background: color-mix(in srgb, currentColor 7%, transparent)}
</style>
"""
STANDS = """
<style>
[class*="st-key-place-"]:not(:has(> :nth-child(n + 2))) {display: none}
</style>
"""


def place(name: str, height: int, on_a_phone: int | None = None) -> DeltaGenerator:
    """A place on the page.

    Args:
        height: Pixels, at least.
        on_a_phone: The same, where all stands in one column.
    """
    key = f"place-{name}"
    narrow = f"@media (max-width: 640px) {{.st-key-{key} {{min-height: {on_a_phone}px}}}}" if on_a_phone else ""
    made = st.container(key=key)
    made.html(f'<style>.st-key-{key} {{min-height: {height}px}} {narrow}</style><div class="block"></div>')
    return made


def in_place(body: Callable[..., None]) -> Callable[..., None]:
    """What fills the only place of a page: it is given that as well, as the last argument."""

    def fill(*given: Any) -> None:
        *about, made = given
        with made:
            body(*about)

    return fill


def one_place() -> DeltaGenerator:
    """The only place of a page whose parts come one after the other."""
    return place("page", 600)
