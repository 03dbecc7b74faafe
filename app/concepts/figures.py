"""The map of a layer, on which concepts that are used together lie near each other."""

from collections.abc import Sequence, Set
from functools import lru_cache
from html import escape

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from scipy.spatial import cKDTree

from app.figures.charts import layout
from app.figures.colors import inks, seen, title
from app.figures.concept_words import KINDS, kind, serves
from core.concepts.atlas import Concept

HEIGHT, WIDTH = 470, 760  # pixels of the map on a wide screen
SIZES = (6.0, 17.0)  # diameter in pixels of the mark of an unused concept, and of the most used one
MARGIN = 0.12  # around the map, whose coordinates lie in [-1, 1]
APART = 1.0  # pixels between marks
ROUNDS = 300  # in which marks that cover one another are moved apart, at most
CONFIG = {
    "displaylogo": False,
    "displayModeBar": True,
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
    "scrollZoom": False,  # the page has to scroll
}
KINDS_STYLE = "<style>.kinds span {white-space: nowrap; margin-right: 1rem; font-size: .84rem}</style>"
SYMBOLS = {
    "circle": "●", "circle-open": "○", "diamond": "◆", "triangle-up": "▲", "square": "■", "star": "★", "pentagon": "⬟",
}  # fmt: skip


def concept_map(
    concepts: Sequence[Concept], found: Set[int], opened: int | None = None, height: int = HEIGHT
) -> go.Figure:
    """All concepts of a layer as a map, which can be dragged and zoomed; there is a trace for each kind.

    Args:
        found: Channels that a search found; the others are faint.
        opened: A channel that is marked.
    """
    most = max((serves(concept)[1] for concept in concepts), default=0) or 1.0
    smaller = height / HEIGHT
    sizes = [smaller * (SIZES[0] + (SIZES[1] - SIZES[0]) * (serves(c)[1] / most) ** 0.5) for c in concepts]
    positions = moved_apart(tuple(concept.position for concept in concepts), tuple(sizes), height)
    places = {c.channel: (*position, size) for c, position, size in zip(concepts, positions, sizes, strict=True)}
    figure = go.Figure()
    for name, group in reversed(by_kind(concepts).items()):  # mixed ones are drawn first, behind the others
        x, y, size = zip(*(places[concept.channel] for concept in group), strict=True)
        figure.add_scatter(
            x=x, y=y,
            mode="markers", name=KINDS[name].title, customdata=[concept.channel for concept in group],
            text=[_hover(concept) for concept in group], hovertemplate="%{text}<extra></extra>",
            marker={
                "size": size,
                "color": seen(KINDS[name].color), "symbol": KINDS[name].symbol,
                "opacity": [0.8 if concept.channel in found else 0.1 for concept in group],
                "line": {"width": [3 if c.channel == opened else 0.5 for c in group],
                         "color": [inks().text if c.channel == opened else inks().ground for c in group]},
            },
        )  # fmt: skip
    layout(figure, height).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest", dragmode="pan")
    figure.update_layout(modebar={"bgcolor": "rgba(0,0,0,0)", "color": inks().text, "orientation": "v"})
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(visible=False, range=[-1 - MARGIN, 1 + MARGIN], fixedrange=False)
    return figure


@lru_cache(maxsize=16)
def moved_apart(
    positions: tuple[tuple[float, float], ...], sizes: tuple[float, ...], height: int
) -> npt.NDArray[np.float64]:
    """Places ``(marks, 2)`` near the given ones in [-1, 1] at which no mark covers another on a wide screen.

    Args:
        sizes: Diameters of the marks in pixels.
        height: Of the map in pixels.
    """
    pixels = np.array([WIDTH * height / HEIGHT, height]) / (2 + 2 * MARGIN)
    places = np.array(positions, dtype=np.float64).reshape(-1, 2) * pixels
    radii = np.array(sizes) / 2 + APART / 2 * height / HEIGHT
    angles = np.arange(len(places)) * 2.4  # marks at the very same place part in different directions
    places += 1e-3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for _ in range(ROUNDS):
        one, other = cKDTree(places).query_pairs(2 * radii.max(initial=0), output_type="ndarray").T
        gaps = places[one] - places[other]
        distances = np.hypot(gaps[:, 0], gaps[:, 1])
        overlap = np.maximum(radii[one] + radii[other] - distances, 0)
        if not overlap.any():
            break
        steps = (overlap / distances / 2)[:, None] * gaps
        np.add.at(places, one, steps)
        np.add.at(places, other, -steps)
        places = np.clip(places, -pixels, pixels)
    return places / pixels


def by_kind(concepts: Sequence[Concept]) -> dict[str, list[Concept]]:
    """Concepts by kind, in the order of ``KINDS``."""
    groups: dict[str, list[Concept]] = {name: [] for name in KINDS}
    for concept in concepts:
        groups[kind(concept)].append(concept)
    return {name: group for name, group in groups.items() if group}


def kinds_legend(concepts: Sequence[Concept]) -> str:
    """HTML that says which mark stands for which kind."""
    marks = (KINDS[name] for name in by_kind(concepts))
    return f"{KINDS_STYLE}<div class='kinds'>" + "".join(
        f"<span><span style='color:{seen(mark.color)};margin:0'>{SYMBOLS[mark.symbol]}</span> {mark.title}</span> "
        for mark in marks
    ) + "</div>"  # fmt: skip


def _hover(concept: Concept) -> str:
    label, share = serves(concept)
    served = f"<br>{share:.1%} of the evidence for {title(label).lower()}" if label else ""
    return f"<b>{concept.channel} · {escape(concept.name)}</b>{served}"
