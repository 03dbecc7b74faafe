"""What tests of studies put beside trained models."""

import shutil
from pathlib import Path

from core.paths import STUDIES, TRAINED_MODELS
from core.studies.contrasts import CONTRASTS


def write_contrasts(root: Path) -> None:
    """Copies the shipped list of contrasts."""
    (root / STUDIES).mkdir()
    shutil.copy(TRAINED_MODELS / STUDIES / CONTRASTS, root / STUDIES / CONTRASTS)
