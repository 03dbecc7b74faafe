"""The app's entrance: ``streamlit run app/main.py``."""

import streamlit as st

from app.frame.navigation import pages
from core.paths import ROOT

st.set_page_config(
    "Timbrescope", page_icon=str(ROOT / "app/icon.svg"), layout="wide", initial_sidebar_state="collapsed"
)
st.navigation(pages(), position="top").run()
