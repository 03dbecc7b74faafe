"""The app over a made-up atlas in the folder that the environment names, for test_atlas.py."""

import os
from pathlib import Path

import streamlit as st

from app.frame.navigation import pages
from core.models import store

if __name__ == "__main__":  # as Streamlit runs it
    st.set_page_config(layout="wide")
    store.TRAINED_MODELS = Path(os.environ["ATLASES"])
    st.navigation(pages(), position="top").run()
