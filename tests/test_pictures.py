"""Pictures of relevance: the right size, the right colours in the right places, and no state that threads share."""

import io
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from core.frontends.frontend import FrontendConfig, frontend
from core.pictures import AGAINST, BACKGROUND, FOR, TEXT, Axis, overlay_values, relevance_picture, spectrogram_picture

BANDS, FRAMES = 128, 40
FRONTEND = frontend(FrontendConfig())
AXIS = Axis(FRONTEND.frame_times(FRAMES), FRONTEND.band_hz)
LOGMEL = np.random.default_rng(0).uniform(0, 1, (BANDS, FRAMES)).astype(np.float32)


def drawn(relevance: np.ndarray) -> np.ndarray:
    """The pixels ``(height, width, 3)`` of a picture, the lower half of which shows the relevance."""
    return imread(io.BytesIO(relevance_picture(LOGMEL, relevance, AXIS, "violin", (5, 4))))[..., :3]


def share(pixels: np.ndarray, colour: str) -> float:
    """Share of the pixels that have a colour."""
    return float((np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.03).mean())


def test_a_spectrogram_has_axes() -> None:
    pixels = imread(io.BytesIO(spectrogram_picture(np.ones_like(LOGMEL), AXIS, "a song", (5, 4))))[..., :3]
    assert pixels.shape == (400, 500, 3)
    background = np.abs(pixels - to_rgb(BACKGROUND)).max(axis=-1) < 0.03
    assert background[:, :2].mean() > 0.9, "the spectrogram leaves a margin"
    left, below = pixels[:, :48], pixels[348:]
    assert all((np.abs(margin - to_rgb(TEXT)).max(axis=-1) < 0.1).any() for margin in (left, below))


def test_a_picture_has_the_size_that_was_asked_for() -> None:
    assert drawn(LOGMEL).shape == (400, 500, 3)


def test_positive_cells_are_orange_and_negative_ones_blue_where_they_lie() -> None:
    relevance = np.zeros((BANDS, FRAMES), np.float32)
    relevance[:, : FRAMES // 2], relevance[:, FRAMES // 2 :] = 1, -1
    pixels = drawn(relevance)
    lower = pixels[200:]
    left, right = lower[:, :225], lower[:, 325:]
    assert share(left, FOR) > 0.5
    assert share(right, AGAINST) > 0.5
    assert share(left, AGAINST) == share(right, FOR) == 0
    assert share(pixels[:200], FOR) < 0.05  # above is the spectrogram alone


def test_no_relevance_leaves_the_spectrogram_grey_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = drawn(np.zeros((BANDS, FRAMES), np.float32))
    assert share(pixels, FOR) == share(pixels, AGAINST) == 0


def test_a_single_cell_has_its_full_colour() -> None:
    relevance = np.zeros((BANDS, FRAMES), np.float32)
    relevance[5, 7] = -3
    values = overlay_values(relevance)
    assert values[5, 7] == -1
    assert np.count_nonzero(values) == 1


def test_threads_draw_the_same_bytes() -> None:
    relevances = [np.full((BANDS, FRAMES), level, np.float32) * (LOGMEL - 0.5) for level in (-1, 1, -1, 1)]
    one_by_one = [relevance_picture(LOGMEL, relevance, AXIS, "violin", (4, 3)) for relevance in relevances]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(
            pool.map(lambda relevance: relevance_picture(LOGMEL, relevance, AXIS, "violin", (4, 3)), relevances)
        )
    assert at_once == one_by_one
    assert one_by_one[0] != one_by_one[1]


def test_pyplot_is_never_loaded() -> None:
    code = "import sys, core.pictures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
