"""The app's entrance: ``streamlit run app/main.py``."""

import streamlit as st

from app.frame.navigation import pages
from core.paths import ROOT

st.set_page_config(
    "Timbrescope",
    page_icon=str(ROOT / "app/icon.svg"),
    layout="wide",
    initial_sidebar_state="collapsed",
    # Without an entry of our own Streamlit hides the menu, and with it the choice between dark and light.
    menu_items={"About": "**Timbrescope** shows and plays which sound made a neural network say “guitar”."},
)
st.navigation(pages(), position="top").run()
