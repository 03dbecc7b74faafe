"""Pictures for files: a spectrogram, and relevance over it.

They are drawn with matplotlib's objects alone; pyplot keeps figures in a global state that threads would share.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from core.frontends.frontend import Matrix

BACKGROUND, TEXT = "#0e1117", "#d5d9e2"
FOR, AGAINST = "#f28e2b", "#4aa8ff"  # orange and blue, which colour-blind people can tell apart, too
CLEAR_BETWEEN = [(0, AGAINST), (0.5, f"{AGAINST}00"), (0.5, f"{FOR}00"), (1, FOR)]
OVERLAY = LinearSegmentedColormap.from_list("relevance", CLEAR_BETWEEN)
DIMMED = 2.2  # the level drawn as white; the loudest cell is 1, so the grey spectrogram stays dark
FULL_AT = 0.995  # quantile of |relevance| from which a cell has its full colour
MARGINS = {"left": 0.1, "right": 0.98, "bottom": 0.08, "top": 0.94, "hspace": 0.16}  # shares of the picture
TICKS_HZ = (100, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class Axis:
    """Where cells lie: centres of the frames in seconds ``(frames,)`` and of the bands in Hz ``(bands,)``."""

    times: npt.NDArray[np.floating]
    band_hz: npt.NDArray[np.floating]


def relevance_picture(
    logmel: Matrix, relevance: Matrix, axis: Axis, title: str, size: tuple[float, float] = (10, 7)
) -> bytes:
    """A PNG: the spectrogram, and below it the relevance over the same spectrogram in grey.

    Args:
        logmel: ``(bands, frames)`` in [0, 1].
        relevance: Signed relevance ``(bands, frames)``; positive cells become orange, negative ones blue.
        size: Inches of 100 pixels.
    """
    figure = Figure(figsize=size, dpi=100, facecolor=BACKGROUND)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw=MARGINS)
    above.set_title(title, color=TEXT)
    _draw(above, logmel, axis, cmap="magma", vmin=0, vmax=1)
    _draw_relevance(below, logmel, relevance, axis, "Orange speaks for it, blue against it")
    below.set_xlabel("seconds", color=TEXT)
    return _png(figure)


def spectrogram_picture(logmel: Matrix, axis: Axis, title: str, size: tuple[float, float] = (10, 4)) -> bytes:
    """A PNG of a spectrogram ``(bands, frames)`` in [0, 1], with axes; ``size`` is in inches of 100 pixels."""
    figure = Figure(figsize=size, dpi=100, facecolor=BACKGROUND)
    axes = figure.subplots(gridspec_kw=MARGINS | {"bottom": 0.14, "top": 0.9})
    axes.set_title(title, color=TEXT)
    _draw(axes, logmel, axis, cmap="magma", vmin=0, vmax=1)
    axes.set_xlabel("seconds", color=TEXT)
    return _png(figure)


def truth_picture(logmel: Matrix, relevance: Matrix, stem: Matrix, axis: Axis, label: str, score: str) -> bytes:
    """A PNG: a mix, the relevance of one instrument in it, and what that instrument really played.

    Args:
        logmel: Of the mix ``(bands, frames)`` in [0, 1].
        relevance: Signed relevance of the label ``(bands, frames)``.
        stem: Log-mel of the label's stem ``(bands, frames)``.
        score: How well the two agree, in words.
    """
    figure = Figure(figsize=(10, 10), dpi=100, facecolor=BACKGROUND)
    mix, explained, true = figure.subplots(3, 1, sharex=True, gridspec_kw=MARGINS | {"top": 0.96, "bottom": 0.06})
    mix.set_title("What the network hears", color=TEXT)
    _draw(mix, logmel, axis, cmap="magma", vmin=0, vmax=1)
    _draw_relevance(explained, logmel, relevance, axis, f"Why it says {label}: orange speaks for it, blue against it")
    true.set_title(f"What the {label} really played: {score}", color=TEXT, fontsize="medium")
    _draw(true, stem, axis, cmap="magma", vmin=0, vmax=1)
    true.set_xlabel("seconds", color=TEXT)
    return _png(figure)


def bars_picture(words: Sequence[str], values: Sequence[float], title: str) -> bytes:
    """A PNG of a bar for each line of words, from the top: orange to the right if positive, blue to the left if not."""
    figure = Figure(figsize=(10, 0.8 + 0.32 * len(words)), dpi=100, facecolor=BACKGROUND, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, color=TEXT)
    axes.barh(range(len(words)), values, color=[FOR if value >= 0 else AGAINST for value in values])
    axes.set_yticks(range(len(words)), words)
    axes.invert_yaxis()
    axes.axvline(0, color=TEXT, linewidth=0.8)
    axes.set_facecolor(BACKGROUND)
    axes.tick_params(colors=TEXT)
    axes.spines[:].set_visible(False)
    return _png(figure)


def _draw_relevance(axes: Axes, logmel: Matrix, relevance: Matrix, axis: Axis, title: str) -> None:
    axes.set_title(title, color=TEXT, fontsize="medium")
    _draw(axes, logmel, axis, cmap="gray", vmin=0, vmax=DIMMED)
    _draw(axes, overlay_values(relevance), axis, cmap=OVERLAY, vmin=-1, vmax=1)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": "Timbrescope"})
    return file.getvalue()


def overlay_values(relevance: Matrix) -> Matrix:
    """How strongly each cell is coloured, in [-1, 1]: the signed square root, so that weak cells can be seen too.

    >>> overlay_values(np.array([[4.0, -1.0, 0.0]])).round(2).tolist()
    [[1.0, -0.5, 0.0]]
    """
    full = float(np.quantile(np.abs(relevance), FULL_AT)) or float(np.abs(relevance).max())
    scaled = relevance / full if full > 0 else relevance
    return np.asarray(np.sign(scaled) * np.sqrt(np.minimum(np.abs(scaled), 1)))


def _draw(axes: Axes, values: Matrix, axis: Axis, cmap: str | Colormap, vmin: float, vmax: float) -> None:
    """Draws ``(bands, frames)`` with time to the right and the bands, which are mel-spaced already, upwards."""
    hop = float(axis.times[1] - axis.times[0])
    bands = len(axis.band_hz)
    extent = (float(axis.times[0]) - hop / 2, float(axis.times[-1]) + hop / 2, -0.5, bands - 0.5)
    axes.imshow(
        values, cmap, aspect="auto", interpolation="nearest", vmin=vmin, vmax=vmax, origin="lower", extent=extent
    )
    ticks = [hz for hz in TICKS_HZ if axis.band_hz[0] <= hz <= axis.band_hz[-1]]
    axes.set_yticks(np.interp(ticks, axis.band_hz, np.arange(bands)), [f"{hz:g}" for hz in ticks])
    axes.set_ylabel("Hz", color=TEXT)
    axes.set_facecolor(BACKGROUND)
    axes.tick_params(colors=TEXT)
    axes.spines[:].set_visible(False)
