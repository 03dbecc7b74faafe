"""Where the files of the project are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TRAINED_MODELS = ROOT / "trained_models"
SOUNDFONTS = ROOT / "soundfonts"
ENCODER_FOLDERS = ROOT / "encoders"  # weights of others that the user put there; never part of the project
STUDIES = "studies"  # folder below TRAINED_MODELS: what studies recorded about several models, or about the methods
