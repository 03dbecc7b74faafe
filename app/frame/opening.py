"""What a page is about: the view and, on most pages, its sound. Says what stands there instead where there is none."""

import streamlit as st

from app.components import alerts
from app.frame import guessing, visitors
from app.frame.memory import give_back_soon
from app.frame.sounds import Sound, is_upload, open_sound
from app.frame.uploader import uploader
from app.frame.view import View, complaint, restore, show_clip
from core.errors import InputError


def view_alone() -> tuple[View]:
    """What the user looks at, on a page that is about no sound."""
    visitors.watch()
    give_back_soon()  # what this run leaves behind
    return (restore(),)


def view_and_sound(tells: bool) -> tuple[View, Sound] | None:
    """What the user looks at and its sound; None, and the reason on the page, where there is nothing to show.

    Args:
        tells: Whether the page says what plays, so that it has to wait for the guess of a visitor who guesses first.
    """
    (view,) = view_alone()
    if wrong := complaint():
        alerts.error(wrong)
    sound = _sound(view)
    if sound and tells and guessing.hides(view, sound):
        guessing.hidden(sound)
        return None
    return (view, sound) if sound else None


def _sound(view: View) -> Sound | None:
    try:
        return open_sound(view.clip)
    except InputError as error:
        alerts.warning(str(error), icon=":material/upload:")
        if is_upload(view.clip):
            uploader("Upload the file again")
        st.button("Open an example instead", on_click=show_clip, args=("",))
        return None
