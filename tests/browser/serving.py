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
SIZES = {1280: 800, 1024: 800, 390: 844}  # widths and heights of a screen, a small one and a phone
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

# The words in a part of a page, and how much they stand out from what is behind them (WCAG 2, relative luminance).
CONTRASTS = """root => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    const over = (layers) => {
        context.clearRect(0, 0, 1, 1);
        for (const [color, opacity] of layers) {
            context.globalAlpha = opacity;
            context.fillStyle = color;
            context.fillRect(0, 0, 1, 1);
        }
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const linear = rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const above = (node) => node.parentElement ?? node.getRootNode().host;
    const seen = [];
    const walk = (part) => {
        for (const child of [...(part.shadowRoot?.children ?? []), ...part.children]) walk(child);
        const texts = [...part.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
        const words = texts.map((node) => node.data.trim()).join("");
        const box = part.getBoundingClientRect();
        if (!words || part.closest("[hidden], svg, style") || box.width < 2 || part.closest(":disabled")) return;
        if (!part.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return;
        const grounds = [];
        let opacity = 1;
        for (let node = part; node; node = above(node)) {
            const style = getComputedStyle(node);
            grounds.unshift([style.backgroundColor, 1]);
            opacity *= style.opacity;
        }
        const [a, b] = [over([...grounds, [getComputedStyle(part).color, opacity]]), over(grounds)].map(luminance);
        seen.push([words.slice(0, 50), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
    };
    walk(root);
    return seen;
}"""


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
