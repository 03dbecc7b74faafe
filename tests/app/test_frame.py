"""The frame of a page: it stands before anything slow, and nothing slow is done where the browser waits."""

import subprocess
import sys
import tomllib

import pytest

from core.paths import ROOT

SLOW = {"torch", "scipy", "sklearn", "librosa", "plotly", "matplotlib", "zennit", "fluidsynth", "soundfile"}


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "pages").glob("*.py"))])
def test_the_frame_of_a_page_imports_nothing_slow(name: str) -> None:
    script = f"""
import runpy, sys
import streamlit
known = set(sys.modules)
from app.frame import navigation, shell
shell._page = lambda *_: None  # which imports what fills the page, once the frame stands
runpy.run_path({str(ROOT / "pages" / f"{name}.py")!r})
print(sorted({SLOW!r} & (sys.modules.keys() - known)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_server_does_not_halt_after_a_run() -> None:
    """Collecting garbage, and looking up the files of all modules to watch them, each take most of a second."""
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["postScriptGC"] is False
    assert settings["server"]["fileWatcherType"] == "none"
