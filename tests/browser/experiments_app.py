"""The Experiments page over made-up files in the folder that the environment names, for test_experiments.py."""

import os
from pathlib import Path

import streamlit as st

from app.experiments import contrasts
from app.experiments import panels as experiments
from core.paths import ROOT

if __name__ == "__main__":  # as Streamlit runs it
    st.set_page_config(layout="wide")
    experiments.TRAINED_MODELS = contrasts.TRAINED_MODELS = Path(os.environ["MEASURED"])
    st.navigation([st.Page(ROOT / "pages/experiments.py", title="Experiments", default=True)]).run()
