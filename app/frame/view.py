"""What the user looks at, kept in the page's address so that every view has a link that restores it.

What an address that is not whole leaves open is taken from the session, so that it survives a change of page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

import streamlit as st

from app.components import alerts
from app.components.browser import browser
from app.frame.examples import EXAMPLES
from core.errors import InputError
from core.models.store import default_model, load_model, model_names

T = TypeVar("T")
_SESSION = "view"
_COMPLAINT = "complaint"
_WHOLE = {"clip", "model", "layer"}  # what every address has once it is completed
# What is open of an explanation, and the parts of the view that it belongs to; other passages have it, too.
BELONGS_TO = {
    "concept": {"model", "instrument", "layer"},
    "reason": {"model", "instrument"},
    "silent": {"model", "instrument"},
    "whole": {"model", "instrument"},
}


@dataclass(frozen=True)
class View:
    """One view, in the terms of the address.

    Attributes:
        clip: A composed clip's name, or ``upload:<hash>:<file name>``.
        model: A trained model's name.
        instrument: The label that is explained.
        layer: Where its concepts are.
        concept: The channel whose map is shown; None for the whole label.
        reason: The id of the reason whose map is shown; None for the whole label.
        silent: The ids of reasons and concepts that are silent in the network, joined by commas.
        start: Where the explained passage of a longer sound begins, in seconds.
        whole: Whether what speaks for the label is also to be heard over the whole sound; None if not.
        models: The models that are compared, joined by commas.
        shown: The models whose figures are shown, joined by commas.
        explainer: The explainer that is shown in detail.
        by: How the explained instruments are grouped.
        search: Words to search concepts by.
        answers: What the concepts must respond to, as ``factor:value``.
        serves: The label that the concepts must serve.
    """

    clip: str = ""
    model: str = ""
    instrument: str | None = None
    layer: str | None = None
    concept: int | None = None
    reason: str | None = None
    silent: str | None = None
    start: float | None = None
    whole: bool | None = None
    models: str | None = None
    shown: str | None = None
    explainer: str | None = None
    by: str | None = None
    search: str | None = None
    answers: str | None = None
    serves: str | None = None


def restore() -> View:
    """The view of this run; call it once at the top of a page. The page says what could not be restored."""
    names = [field.name for field in fields(View)]
    given = {name: st.query_params[name] for name in names if name in st.query_params}
    # A whole address says everything: what is not in it was left behind, by a step back for example.
    view = _parse(given if given.keys() >= _WHOLE else {**_stored(), **given})
    st.session_state[_SESSION] = address = _address(asdict(view))
    browser(
        given={name: given.get(name) for name in names},
        address={name: address.get(name) for name in names},
    )
    return view


def show(**changes: Any) -> None:
    """Changes the view; None resets a part to its default."""
    st.session_state[_SESSION] = address = _address({**_stored(), **changes})
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)  # all parts at once, which is one step in the browser's history


def _stored() -> dict[str, str]:
    """The address of the view that was shown last in this session."""
    stored: dict[str, str] = st.session_state.setdefault(_SESSION, {})
    return stored


def _address(parts: Mapping[str, Any]) -> dict[str, str]:
    """The parts of an address, without those that are left to their defaults."""
    return {name: str(value) for name, value in parts.items() if value is not None and value != ""}


def turn_to(**changes: Any) -> None:
    """Changes the view; what is open of an explanation is forgotten where it belongs to what is no longer shown."""
    forgotten = {part: None for part, owners in BELONGS_TO.items() if owners & changes.keys()}
    show(**{**forgotten, **changes})


def show_clip(clip: str) -> None:
    """Shows another sound, and forgets what was chosen for the last one and what was wrong with it."""
    st.session_state.pop(_COMPLAINT, None)
    show(clip=clip, instrument=None, concept=None, reason=None, silent=None, start=None, whole=None)


def complain(sentence: str) -> None:
    """Keeps a sentence about the last input on the page until another sound is shown."""
    st.session_state[_COMPLAINT] = sentence


def complaint() -> str | None:
    """What was wrong with the last input, if anything was."""
    return st.session_state.get(_COMPLAINT)


def listed(text: str | None, options: Sequence[str]) -> list[str]:
    """Those of some options that a part of the address names, joined by commas, each once.

    >>> listed("b,c,b,a", ["a", "b"])
    ['b', 'a']
    """
    return [name for name in dict.fromkeys((text or "").split(",")) if name in options]


def choose(widget: Any, name: str, label: str, value: T, **settings: Any) -> T:
    """A widget bound to a part of the view: ``choose(st.selectbox, "layer", "Layer", view.layer, options=layers)``."""
    key = f"choose-{name}"
    st.session_state[key] = value  # the view decides, also where something else than the widget changed it

    def changed() -> None:
        chosen = st.session_state[key]
        if chosen is not None:
            turn_to(**{name: chosen})

    widget(label, key=key, on_change=changed, **settings)
    return value


def _parse(stored: dict[str, str]) -> View:
    """The stored view, with defaults for parts that are missing or name something that does not exist."""
    if not model_names():
        raise InputError("There is no trained model yet; train one with `timbrescope train`.")
    model = stored.get("model") or default_model()
    if model not in model_names():
        alerts.warning(f"There is no model {model!r} here, so {default_model()} is shown.")
        model = default_model()
    trained = load_model(model)
    layers = trained.network.concept_layers
    layer = stored.get("layer")
    instrument = stored.get("instrument")
    return View(
        clip=stored.get("clip") or next(iter(EXAMPLES.values())),
        model=model,
        instrument=instrument if instrument in trained.labels else None,
        layer=layer if layer in layers else layers[-1],
        concept=_number(stored.get("concept"), int),
        reason=stored.get("reason"),
        silent=stored.get("silent"),
        start=_number(stored.get("start"), float),
        whole=stored.get("whole") == str(True) or None,
        models=stored.get("models"),
        shown=stored.get("shown"),
        explainer=stored.get("explainer"),
        by=stored.get("by"),
        search=stored.get("search"),
        answers=stored.get("answers"),
        serves=stored.get("serves"),
    )


def _number(text: str | None, kind: type[T]) -> T | None:
    """The number that a text stands for; None where it is none, or not a finite one."""
    try:
        number = kind(text) if text is not None else None  # type: ignore[call-arg]
    except ValueError:
        return None
    return number if number is None or math.isfinite(number) else None  # type: ignore[arg-type]
