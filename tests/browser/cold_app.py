"""The app on a server that has imported nothing yet, and on which that takes some seconds."""

import importlib.abc
import runpy
import sys
import time
from typing import Any

from core.paths import ROOT

SECONDS = 12


class Slow(importlib.abc.MetaPathFinder):
    """Makes the first import of PyTorch slow."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "torch":
            sys.meta_path.remove(self)
            time.sleep(SECONDS)


if __name__ == "__main__":  # as Streamlit runs it
    if "torch" not in sys.modules and not any(type(finder).__name__ == "Slow" for finder in sys.meta_path):
        sys.meta_path.insert(0, Slow())
    runpy.run_path(str(ROOT / "app/main.py"))
