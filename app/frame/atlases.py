"""The atlas of each model, for all pages that name concepts."""

import streamlit as st

from app.frame.caches import cached
from app.frame.models import model_title
from app.frame.view import show
from core.concepts.atlas import Atlas, Concept, Reasons
from core.concepts.store import ATLAS, REASONS, load_atlas, load_reasons
from core.errors import InputError
from core.models.store import model_folder


def atlas(model_name: str) -> Atlas | None:
    """The atlas of a model, or None if there is none yet.

    Raises:
        InputError: it is damaged.
    """
    path = model_folder(model_name) / ATLAS
    return _atlas(model_name, path.stat().st_mtime_ns) if path.is_file() else None


@cached("atlases", "Opening the atlas …")
def _atlas(model_name: str, modified_ns: int) -> Atlas:  # noqa: ARG001 - tells an atlas from one that lay there before
    return load_atlas(model_name)


def reasons(model_name: str) -> Reasons | None:
    """The reasons that a model can have, or None if they have not been found yet.

    Raises:
        InputError: their file is damaged.
    """
    path = model_folder(model_name) / REASONS
    return _reasons(model_name, path.stat().st_mtime_ns) if path.is_file() else None


@cached("reason dictionaries")
def _reasons(model_name: str, modified_ns: int) -> Reasons:  # noqa: ARG001 - tells them from those that lay there before
    return load_reasons(model_name)


def has_atlas(model_name: str) -> bool:
    """Whether a model has an atlas."""
    return (model_folder(model_name) / ATLAS).is_file()


def how_to_make(model_name: str) -> str:
    """The sentence that says how to make a model's atlas."""
    how = f"`timbrescope atlas build --model {model_name}` makes it."
    return f"The model “{model_title(model_name)}” has no atlas yet: {how}"


def concept(model_name: str, layer: str, channel: int) -> Concept | None:
    """What the atlas of a model knows about a concept; None if there is no readable atlas."""
    try:
        found = atlas(model_name)
        return found.concept(layer, channel) if found else None
    except InputError:
        return None


def concept_link(concept: Concept, text: str, place: str = "open") -> None:
    """A line of text that opens a concept."""
    st.button(
        text,
        key=f"{place}-{concept.layer}-{concept.channel}",
        type="tertiary",
        on_click=show,  # before the page is computed, which would otherwise be once for nothing
        kwargs={"layer": concept.layer, "concept": concept.channel, "reason": None},
    )
