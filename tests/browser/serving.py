"""A Streamlit server and the browser's options, for tests in a real browser."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

CHROMIUM = shutil.which("chromium")
PATIENCE = 90_000  # ms; a soundfont may have to be loaded first
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@contextmanager
def serve(app: Path, *options: str) -> Iterator[str]:
    """Serves a Streamlit script on a free port and gives its address; its theme is that of the browser's system."""
    with serving(app, None, *options) as (address, _):
        yield address


@contextmanager
def serving(app: Path, folder: Path | None, *options: str) -> Iterator[tuple[str, int]]:
    """The same, with the number of the server's process; ``folder`` is where the server starts."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    settings = [f"--server.port={port}", "--server.address=localhost", "--server.headless=true"]
    settings += ["--browser.gatherUsageStats=false", *options]
    with subprocess.Popen([sys.executable, "-m", "streamlit", "run", str(app), *settings], cwd=folder) as server:
        try:
            _await(f"http://localhost:{port}/_stcore/health")
            yield f"http://localhost:{port}", server.pid
        finally:
            server.terminate()


def _await(url: str, patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def computed(page: Page) -> None:
    """Waits until the server has computed the page.

    That nothing is being computed also holds before it has begun, so this is for after something that only a run of
    the page brings about, such as another address. A run that asks for the next one leaves a moment between the two.
    """
    still = """async () => {
        const app = document.querySelector('[data-testid="stApp"]');
        for (let quiet = 0; quiet < 5; quiet++) {
            if (app?.dataset.testScriptState !== "notRunning") return false;
            await new Promise((done) => setTimeout(done, 40));
        }
        return true;
    }"""
    page.wait_for_function(still, timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def await_number(player: Locator, name: str, above: float, below: float = 1e9) -> None:
    """Waits until a number of a player's ``data-`` attributes lies between two others.

    Looks in every frame: a level that is right for an instant only would be missed by polling from here.
    """
    wait = """async (root, [name, above, below]) => {
        const deadline = performance.now() + 30000;
        while (!(root.dataset[name] >= above && root.dataset[name] <= below)) {
            if (performance.now() > deadline) throw new Error(`${name} stayed at ${root.dataset[name]}`);
            await new Promise(requestAnimationFrame);
        }
    }"""
    player.evaluate(wait, [name, above, below])


def drag(player: Locator, start: float, end: float) -> None:
    """Drags over the picture between two shares of its width."""
    box = player.locator('[data-action="seek"]').bounding_box()
    assert box
    mouse = player.page.mouse
    mouse.move(box["x"] + start * box["width"], box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + end * box["width"], box["y"] + box["height"] / 3, steps=4)
    mouse.up()
