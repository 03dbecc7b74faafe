"""The tree of a concept and the concepts that feed it."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from app.figures.charts import fade, layout
from app.figures.colors import AGAINST, FOR, inks, seen
from app.figures.concept_words import KINDS, short
from core.explanation.flow import Node

LINE = 27  # pixels a row
WIDEST = 14.0  # pixels of the line to a feeder that brings everything


@dataclass(frozen=True)
class _Place:
    """A node in the picture of a flow: how deep, in which row, below which other."""

    node: Node
    depth: int
    row: int
    parent: "_Place | None" = None


def flow_tree(root: Node, name: Callable[[str, int], str], kind_of: Callable[[str, int], str]) -> go.Figure:
    """A concept and what feeds it, a row each: the more a feeder brings, the thicker its line.

    Args:
        name: Of a layer's channel.
        kind_of: Kind of a layer's channel, a key of ``KINDS``.
    """
    places = _rows(root)
    parts = [place.node.relevance / (root.relevance or 1.0) for place in places]
    figure = go.Figure()
    for place, part in zip(places[1:], parts[1:], strict=True):
        figure.add_trace(_stream(place, part))
    kinds = [KINDS[kind_of(place.node.layer, place.node.channel)] for place in places]
    names = [f"{p.node.channel} · {name(p.node.layer, p.node.channel)}".removesuffix(" · ") for p in places]
    shares = ["", *(f"{part:.0%}".replace("-", "−") for part in parts[1:])]
    figure.add_scatter(
        x=[place.depth for place in places], y=[-place.row for place in places], mode="markers+text",
        marker={"size": 15, "color": [seen(k.color) for k in kinds], "symbol": [k.symbol for k in kinds],
                "line": {"width": 1, "color": inks().ground}},
        text=[f"  <b>{escape(short(names[0]))}</b>",
              *(f"  {escape(short(n))}  <span style='color:{inks().text}99'>{share}</span>"
                for n, share in zip(names[1:], shares[1:], strict=True))],
        textposition="middle right", cliponaxis=False, textfont={"size": 13},
        customdata=[[place.node.layer, place.node.channel] for place in places],
        hovertext=[f"{p.node.layer} · {n}<br>{share}" for p, n, share in zip(places, names, shares, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.3, 9])
    figure.update_yaxes(visible=False, range=[-len(places) + 0.4, 0.6])
    height = LINE * len(places) + 8
    return layout(figure, height).update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest")


def _stream(place: _Place, part: float) -> go.Scatter:
    """The line from a concept to one of its feeders."""
    assert place.parent
    above = place.parent
    return go.Scatter(
        x=[above.depth, above.depth, place.depth - 0.5, place.depth],
        y=[-above.row, -place.row + 0.35, -place.row, -place.row],
        mode="lines", hoverinfo="skip",
        line={"width": min(max(1.5, WIDEST * abs(part)), WIDEST), "color": fade(FOR if part >= 0 else AGAINST, 0.6),
              "shape": "spline", "smoothing": 1.0},
    )  # fmt: skip


def _rows(root: Node) -> list[_Place]:
    """The nodes in the order of their rows: each above what feeds it."""
    places: list[_Place] = []

    def add(node: Node, parent: _Place | None) -> None:
        place = _Place(node, parent.depth + 1 if parent else 0, len(places), parent)
        places.append(place)
        for feeder in node.feeders:
            add(feeder, place)

    add(root, None)
    return places
