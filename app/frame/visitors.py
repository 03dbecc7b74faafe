"""Ends the sessions of visitors who left.

Streamlit keeps the session of a closed browser for two minutes in case of a reload, but ends it only when another
browser comes or goes. On a quiet server the uploads, sounds and pictures of the last visitors would stay for ever. When
nobody is left, the caches are emptied too.
"""

import asyncio

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.frame import caches
from app.frame.memory import give_back_soon

IN_TIME_S = 5  # before the end of these two minutes, when Streamlit forgets the session without ending it

_present: set[str] = set()


def watch() -> None:
    """Makes this session end some time after its browser left; call it in every run of a page."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _session(context.session_id)


def _left(session_id: str) -> None:
    """Streamlit calls this on the thread of its event loop when the browser is gone."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # the server is shutting down
        return
    loop.call_later(max(0, st.get_option("server.disconnectedSessionTTL") - IN_TIME_S), _end, session_id)


def _end(session_id: str) -> None:
    if not runtime.exists() or runtime.get_instance().is_active_session(session_id):
        return
    runtime.get_instance().close_session(session_id)
    _present.discard(session_id)
    if not _present:
        caches.clear()
    give_back_soon()


@st.cache_resource(scope="session", on_release=_left, show_spinner=False)
def _session(session_id: str) -> str:
    _present.add(session_id)
    return session_id
