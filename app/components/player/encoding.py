"""What the player sends to the browser: sounds as 16-bit WAV, pictures as palette PNG.

Everything here is a pure function of its arguments, except :func:`publish`. Arrays are ``(samples,)`` for sound and
``(bands, frames)`` for pictures, band 0 the lowest frequency.
"""

import base64
import hashlib
import io

import matplotlib
import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image
from streamlit import runtime

from core.audio import Audio, wav_bytes

FloatArray = npt.NDArray[np.floating]

MAX_COLUMNS = 4096  # more than a screen shows; every browser can draw a canvas this wide
WARM = ((222, 92, 10), (255, 206, 92))  # RGB of weak and strong evidence; orange and blue differ for every kind of eye
COOL = ((24, 110, 220), (130, 226, 255))


def wav(sound: Audio, length: int, gain: float) -> bytes:
    """``sound × gain`` as a WAV file of exactly ``length`` samples, cut or padded with silence."""
    samples = sound.samples[:length]
    if gain != 1:  # a song takes 50 MB, so it is copied only if something changes
        samples = samples * np.float32(gain)
    if len(samples) < length:
        samples = np.pad(samples, (0, length - len(samples)))
    return wav_bytes(Audio(samples, sound.sample_rate))


def spectrogram_png(values: FloatArray, columns: int = MAX_COLUMNS) -> bytes:
    """A ``(bands, frames)`` picture in [0, 1] as PNG in the colours of "magma", low frequencies at the bottom.

    Args:
        columns: How wide the picture may be; neighbouring frames are averaged where there are more.
    """
    palette = matplotlib.colormaps["magma"](np.arange(256), bytes=True)
    return _palette_png(_fit_columns(values, columns), palette)


def evidence_pngs(values: FloatArray, full: float | None = None) -> tuple[bytes | None, bytes | None]:
    """A signed ``(bands, frames)`` map as two PNGs: what is positive (warm) and what is negative (cool), or None.

    Opacity is ``sqrt(|v| / s)``, at most 1, with one ``s`` for both signs: ``full`` or, if not given, the 99.5th
    percentile of ``|v|``, so that a few extreme cells do not hide all others. Zero is transparent.
    """
    values = _fit_columns(values)
    strength = np.abs(values)
    scale = full or float(np.percentile(strength, 99.5)) or float(strength.max()) or 1.0
    opacity = np.sqrt(np.minimum(strength / scale, 1.0))
    layers = ((values > 0, WARM), (values < 0, COOL))
    positive, negative = (
        _palette_png(opacity * where, _translucent_palette(*colors)) if where.any() else None
        for where, colors in layers
    )
    return positive, negative


def _translucent_palette(weak: tuple[int, int, int], strong: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    return np.linspace((*weak, 0), (*strong, 255), 256).astype(np.uint8)  # (256, RGBA)


def _fit_columns(values: FloatArray, columns: int = MAX_COLUMNS) -> FloatArray:
    """Averages neighbouring frames until there are at most so many of them."""
    frames = values.shape[1]
    if frames <= columns:
        return values
    edges = np.linspace(0, frames, columns + 1).astype(int)
    sums: FloatArray = np.add.reduceat(values, edges[:-1], axis=1)
    return sums / np.diff(edges)


def _palette_png(values: FloatArray, palette: npt.NDArray[np.uint8]) -> bytes:
    """Quantises [0, 1] to the 256 RGBA rows of ``palette``: a byte a cell, and colours that need no code to decode."""
    image = Image.fromarray(np.rint(255.0 * np.flipud(values)).astype(np.uint8))
    image.putpalette(palette.tobytes(), "RGBA")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def publish(content: bytes, mimetype: str, place: str) -> str:
    """An address under which the browser finds ``content``: equal content keeps its address over reruns.

    Streamlit's own file ids sample large files, so two long songs that differ in a few seconds would get one
    address; the full hash, given as the file's name, tells them apart.

    Args:
        place: What the file is for in the app; a new file at the same place lets go of the old one.
    """
    if not runtime.exists():  # a bare Python run: nothing serves files
        return f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
    files = runtime.get_instance().media_file_mgr
    address = files.add(content, mimetype, place, file_name=hashlib.sha256(content).hexdigest())
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{address}" if base else address
