"""The field into which a file is dropped, and what becomes of a file that has come in."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.frame.sounds import keep_upload
from app.frame.view import complain, show_clip
from core.errors import InputError
from core.synthesis.midi_song import is_midi


def uploader(label: str) -> None:
    """Takes a file and shows it, or says what is wrong with it."""
    file = st.file_uploader(
        label,
        key="upload",
        help="Up to 50 MB and 10 minutes; the app plays MIDI files itself. The file goes to the computer that "
        "runs this app, which keeps it only while the page is open and shows it to nobody else.",
    )
    if file is not None:
        take(file, "Playing …" if is_midi(b"", file.name) else "Decoding …")


def take(file: UploadedFile, saying: str, keep: Callable[[bytes, str], str] = keep_upload) -> None:
    """Shows a file that has just come in, or says what is wrong with it; one that has been here before is left alone.

    Args:
        saying: What a spinner says meanwhile.
        keep: Keeps the content of the file under its name, and returns the clip that names it in a view.
    """
    if st.session_state.get("handled-upload") == file.file_id:
        return
    st.session_state["handled-upload"] = file.file_id
    try:
        with st.spinner(saying):
            clip = keep(file.getvalue(), file.name)
    except InputError as error:
        complain(str(error))
    else:
        show_clip(clip)
    finally:
        _let_go(file)
    st.rerun()


def _let_go(file: UploadedFile) -> None:
    """Drops the content of a file that was decoded; Streamlit would keep it as long as the visitor stays."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
