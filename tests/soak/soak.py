"""How much memory the server takes while people explain and upload, and after they left.

``python -m tests.soak.soak [--root FOLDER]`` serves the app of a checkout, visits it with real browsers and prints a
line a stage: the server's resident memory at its end and at its peak, in MB.
"""

import argparse
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from core.paths import ROOT
from core.synthesis.clip import compose
from tests.bad_files import encoded
from tests.browser.serving import CHROMIUM, FLAGS, serving

PATIENCE = 600_000  # ms; the machine may be busy
SECONDS = 598.0
CLIPS = (
    "general;instruments=piano,trumpet,drums;style=musical;soundfont=fluidr3;duration=8@7",
    "general;instruments=cello,flute;style=musical;soundfont=fluidr3;duration=8@3",
    "general;instruments=violin,viola,cello;style=musical;soundfont=fluidr3;duration=8@5",
    "general;instruments=organ,clarinet;style=random;soundfont=fluidr3;duration=8@7",
)
GIVEN_BACK_S = 150  # Streamlit keeps a session for two minutes after its browser left
Visit = Callable[[Page, str], None]


def song(seed: int, seconds: float = SECONDS) -> bytes:
    """An MP3 of this length, another one for each seed."""
    clip = compose(f"wimu12;count=2;duration=30@{seed}").mix
    rng, copies = np.random.default_rng(seed), int(np.ceil(seconds * 22050 / len(clip)))
    loud = np.concatenate([clip * gain for gain in rng.uniform(0.3, 1, copies)])
    return encoded(loud[: int(seconds * 22050)].astype(np.float32), format="MP3")


class Memory:
    """The resident memory of a process, watched by a thread of its own."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def now(self) -> float:
        """MB."""
        found = re.search(r"VmRSS:\s+(\d+) kB", self._status.read_text())
        return int(found[1]) / 1024 if found else 0.0

    def stage(self) -> dict[str, int]:
        """What it is now, and what it was at most since the last stage."""
        now = self.now()
        peak, self._peak = max(self._peak, now), now
        return {"now": round(now), "peak": round(peak)}

    def _watch(self) -> None:
        while self._status.exists():
            try:
                self._peak = max(self._peak, self.now())
            except OSError:
                return
            time.sleep(0.1)


@contextmanager
def visitor() -> Iterator[Page]:
    """A browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def visit(address: str, visits: Sequence[Visit]) -> None:
    """So many visitors at once; they leave together."""
    together = threading.Barrier(len(visits))

    def one(go: Visit) -> None:
        with visitor() as page:
            go(page, address)
            together.wait()

    with ThreadPoolExecutor(len(visits)) as threads:
        for result in [threads.submit(one, go) for go in visits]:
            result.result()


def explain(clip: str) -> Visit:
    """Listens to a clip, has it explained with two reasons, and compares models on it."""

    def go(page: Page, address: str) -> None:
        for name, view in {"": {}, "explain": {}, "compare": {}}.items():
            page.goto(f"{address}/{name}?{urlencode({'clip': clip, **view})}")
            settle(page)
        page.goto(f"{address}/explain?{urlencode({'clip': clip})}")
        settle(page)
        for number in (0, 1):
            page.locator('.reason [data-action="open"]').nth(number).click()
            expect(page.locator(".reason").nth(number)).to_have_attribute("data-opened", "true", timeout=PATIENCE)
            settle(page)

    return go


def upload(file: Path) -> Visit:
    """Drops a file, and has it explained."""

    def go(page: Page, address: str) -> None:
        page.goto(f"{address}/?{urlencode({'clip': CLIPS[0]})}")
        settle(page)
        page.get_by_text("Upload", exact=True).click()
        page.locator('input[type="file"]').set_input_files(file)
        page.wait_for_url(re.compile("clip=upload"))
        expect(page.locator(".player").first).to_contain_text(file.name, timeout=PATIENCE)
        settle(page)
        page.get_by_role("link", name="Explain").click()
        expect(page.locator(".reason").first).to_be_visible(timeout=PATIENCE)
        settle(page)

    return go


def settle(page: Page) -> None:
    ready = re.compile("ready|paused|playing")
    expect(page.locator(".player").first).to_have_attribute("data-state", ready, timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)


def soak(root: Path, at_once: int, in_turn: int) -> Iterator[tuple[str, dict[str, int]]]:
    """The stages, each with the server's memory after it."""
    with tempfile.TemporaryDirectory() as folder, serving(root / "app/main.py", root) as (address, pid):
        files = [Path(folder, f"song-{seed}.mp3") for seed in range(at_once + in_turn)]
        for seed, file in enumerate(files):
            file.write_bytes(song(seed))
        memory = Memory(pid)
        yield "served", memory.stage()
        visit(address, [explain(CLIPS[0])])
        yield "one visitor explained", memory.stage()
        visit(address, [explain(clip) for clip in CLIPS])
        yield f"{len(CLIPS)} at once explained", memory.stage()
        visit(address, [upload(file) for file in files[:at_once]])
        yield f"{at_once} songs of ten minutes at once", memory.stage()
        time.sleep(GIVEN_BACK_S)
        yield "all left", memory.stage()
        for number, file in enumerate(files[at_once:], 1):
            visit(address, [upload(file)])
            yield f"song {number} of {in_turn} in turn", memory.stage()
        time.sleep(GIVEN_BACK_S)
        yield "all left again", memory.stage()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout whose app is served")
    parser.add_argument("--at-once", type=int, default=4, help="songs that are uploaded at the same time")
    parser.add_argument("--in-turn", type=int, default=10, help="songs that are uploaded one after the other")
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = str(given.root)
    for stage, memory in soak(given.root, given.at_once, given.in_turn):
        print(json.dumps({"stage": stage, **memory}), flush=True)


if __name__ == "__main__":
    main()
