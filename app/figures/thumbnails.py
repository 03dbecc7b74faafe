"""Small pictures of a map on its spectrogram, as JPEG: a page has many, and a PNG takes 40 times as long."""

import io

import numpy as np
from PIL import Image

from core.frontends.frontend import Matrix

SIZE = (320, 150)  # pixels
SMALL = (192, 90)
SOUND = np.array([70.0, 78.0, 96.0], np.float32)  # colour of the loudest cell
WARM = np.array([255.0, 176.0, 60.0], np.float32)
COOL = np.array([90.0, 190.0, 255.0], np.float32)  # for what speaks against
QUALITY = 90


def thumbnail(
    logmel: Matrix,
    evidence: Matrix,
    size: tuple[int, int] = SIZE,
    full: float | None = None,
    shade: Matrix = WARM,
) -> bytes:
    """The sound in grey and over it, in warm colours, where the evidence lies; both ``(bands, frames)``.

    Args:
        size: Width and height in pixels.
        full: The evidence that has its full colour, so that pictures can be compared; if not given, the strongest that
            there is.
        shade: The full colour ``(3,)``, 0 to 255.
    """
    positive = np.maximum(evidence, 0)
    scale = full or float(np.percentile(positive, 99.5)) or float(positive.max()) or 1.0
    strength = np.sqrt(np.minimum(positive / scale, 1.0))[..., None]
    pixels = logmel[..., None] ** 1.5 * SOUND * (1 - strength) + shade * strength
    picture = Image.fromarray(np.flipud(pixels).round().astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
