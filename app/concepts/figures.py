"""The map of a layer, on which concepts that are used together lie near each other."""

from collections.abc import Sequence, Set
from html import escape

import plotly.graph_objects as go

from app.figures.charts import layout
from app.figures.colors import inks, seen, title
from app.figures.concept_words import KINDS, kind, serves
from core.concepts.atlas import Concept

SIZES = (7.0, 21.0)  # diameter in pixels of the mark of an unused concept, and of the most used one
MARGIN = 0.12  # around the map, whose coordinates lie in [-1, 1]
KINDS_STYLE = "<style>.kinds span {white-space: nowrap; margin-right: 1rem; font-size: .84rem}</style>"
SYMBOLS = {
    "circle": "●", "circle-open": "○", "diamond": "◆", "triangle-up": "▲", "square": "■", "star": "★", "pentagon": "⬟",
}  # fmt: skip


def concept_map(
    concepts: Sequence[Concept], found: Set[int], opened: int | None = None, height: int = 470
) -> go.Figure:
    """All concepts of a layer as a map; there is a trace for each kind.

    Args:
        found: Channels that a search found; the others are faint.
        opened: A channel that is marked.
    """
    most = max((serves(concept)[1] for concept in concepts), default=0) or 1.0
    figure = go.Figure()
    for name, group in reversed(by_kind(concepts).items()):  # mixed ones are drawn first, behind the others
        figure.add_scatter(
            x=[concept.position[0] for concept in group], y=[concept.position[1] for concept in group],
            mode="markers", name=KINDS[name].title, customdata=[concept.channel for concept in group],
            text=[_hover(concept) for concept in group], hovertemplate="%{text}<extra></extra>",
            marker={
                "size": [SIZES[0] + (SIZES[1] - SIZES[0]) * (serves(c)[1] / most) ** 0.5 for c in group],
                "color": seen(KINDS[name].color), "symbol": KINDS[name].symbol,
                "opacity": [0.8 if concept.channel in found else 0.1 for concept in group],
                "line": {"width": [3 if c.channel == opened else 0.5 for c in group],
                         "color": [inks().text if c.channel == opened else inks().ground for c in group]},
            },
        )  # fmt: skip
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(visible=False, range=[-1 - MARGIN, 1 + MARGIN])
    return layout(figure, height).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest")


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
