"""The atlas of each model, for all pages that name concepts."""

from app.frame.caches import cached
from app.frame.models import model_title
from core.concepts.atlas import Atlas, Concept
from core.concepts.store import ATLAS, load_atlas
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
