"""The Evidence page over made-up files in the folder that the environment names, for test_evidence.py."""

import os
from pathlib import Path

import streamlit as st

from app.evidence import groupings as evidence_groupings
from app.evidence import panels as evidence
from app.evidence import rules as evidence_rules
from core.paths import ROOT

if __name__ == "__main__":  # as Streamlit runs it
    st.set_page_config(layout="wide")
    for shown in (evidence, evidence_rules, evidence_groupings):
        shown.TRAINED_MODELS = Path(os.environ["GRADED"])
    st.navigation([st.Page(ROOT / "pages/evidence.py", title="Evidence", default=True)]).run()
