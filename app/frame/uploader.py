"""The field into which a file is dropped."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.frame.sounds import keep_upload
from app.frame.view import complain, show_clip
from core.errors import InputError


def uploader(label: str) -> None:
    """Takes a file and shows it, or says what is wrong with it."""
    file = st.file_uploader(
        label,
        key="upload",
        help="Up to 50 MB and 10 minutes. The file goes to the computer that runs this app, which keeps it only while "
        "the page is open and shows it to nobody else.",
    )
    if file is None or st.session_state.get("handled-upload") == file.file_id:
        return
    st.session_state["handled-upload"] = file.file_id
    try:
        with st.spinner("Decoding …"):
            clip = keep_upload(file.getvalue(), file.name)
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
