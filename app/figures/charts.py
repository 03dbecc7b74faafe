"""Plotly figures of one sound. They keep no state, so equal data are drawn once and never jump."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.colors import color, inks, title
from core.inference import Prediction
from core.synthesis.score import Score

ROW = 26  # pixels a row of bars
CONFIG = {"displayModeBar": False, "staticPlot": False, "scrollZoom": False}


def layout(figure: go.Figure, height: int, **settings: object) -> go.Figure:
    """The look of all figures; changes the figure and returns it."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 22, "t": 6, "b": 28},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": inks().text, "size": 13},
        showlegend=False,
        dragmode=False,
        barmode="overlay",
        uniformtext={"minsize": 12, "mode": "show"},
        **settings,
    )
    figure.update_xaxes(gridcolor=inks().faint, zeroline=False, fixedrange=True)
    figure.update_yaxes(gridcolor=inks().faint, zeroline=False, fixedrange=True, automargin=True)
    return figure


def fade(hex_color: str, opacity: float) -> str:
    """A colour ``#rrggbb`` with an opacity."""
    red, green, blue = (int(hex_color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def probability_bars(prediction: Prediction, labels: Sequence[str], truth: Sequence[str] | None = None) -> go.Figure:
    """A bar for each label, with its threshold as a tick where it has one; given the truth, its mistakes are marked."""
    index = [prediction.labels.index(label) for label in labels]
    probabilities = prediction.probabilities[index]
    names = [title(label) if truth is None else _marked(label, prediction, truth) for label in labels]
    colors = [fade(color(label), 1.0 if label in prediction.detected else 0.4) for label in labels]
    hover = "%{y}: %{x:.1%}<extra></extra>"
    figure = go.Figure(
        [
            go.Bar(x=probabilities, y=names, orientation="h", marker_color=colors, hovertemplate=hover),
            go.Scatter(x=np.full(len(names), 1.03), y=names, mode="text", hoverinfo="skip", textposition="middle right",
                       text=[f"{p:.0%}" for p in probabilities]),
        ]
    )  # fmt: skip
    if prediction.task.has_thresholds:
        figure.add_scatter(
            x=prediction.thresholds[index], y=names, mode="markers", hovertemplate="threshold %{x:.0%}<extra></extra>",
            marker={"symbol": "line-ns-open", "size": 16, "color": inks().text, "line": {"width": 2}},
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)  # lines would strike the numbers through
    figure.update_xaxes(range=[0, 1.25], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    return layout(figure, ROW * len(labels) + 40)


def _marked(label: str, prediction: Prediction, truth: Sequence[str]) -> str:
    """A label with what the truth says about the answer."""
    detected = label in prediction.detected
    if label in truth:
        return f"✓ {title(label)}" if detected else f"✗ {title(label)}, missed"
    return f"✗ {title(label)}, not there" if detected else f"· {title(label)}"


def timeline(prediction: Prediction, labels: Sequence[str], score: Score | None = None) -> go.Figure:
    """A ribbon for each label, as high as its probability over time; below it, if a score is given, its true notes."""
    figure = go.Figure()
    times = prediction.times
    half = prediction.hop / 2
    # Each window stands for the time around its middle; the first and the last reach to the ends of the sound.
    edges = np.concatenate([[0.0], (times - half)[1:], [prediction.duration]])
    for row, label in enumerate(labels):
        base = len(labels) - 1 - row
        values = 0.86 * prediction.timeline[:, prediction.labels.index(label)]
        x, y = np.repeat(edges, 2)[1:-1], base + np.repeat(values, 2)
        figure.add_scatter(
            x=[edges[0], *x, edges[-1]], y=[base, *y, base], fill="toself", mode="lines", line={"width": 0},
            fillcolor=fade(color(label), 0.75), hoverinfo="skip",
        )  # fmt: skip
        if score:
            onsets, heights = _note_lines(score, label, base - 0.07)
            figure.add_scatter(
                x=onsets, y=heights, mode="lines", line={"color": inks().text, "width": 3}, hoverinfo="skip"
            )
    rows = [len(labels) - 1 - row + 0.4 for row in range(len(labels))]
    figure.update_yaxes(
        range=[-0.15, len(labels)], tickvals=rows, ticktext=[title(label) for label in labels], showgrid=False
    )
    figure.update_xaxes(range=[0, prediction.duration], ticksuffix=" s")
    return layout(figure, max(34 * len(labels) + 44, 110))


def _note_lines(score: Score, label: str, height: float) -> tuple[list[float | None], list[float | None]]:
    x: list[float | None] = []
    for note in score.parts.get(label, ()):
        x += [note.onset, note.end, None]
    return x, [None if value is None else height for value in x]


def piano_roll(score: Score) -> go.Figure:
    """The true notes: time against pitch, a colour for each instrument."""
    figure = go.Figure()
    for label, notes in score.parts.items():
        x: list[float | None] = []
        y: list[float | None] = []
        for note in notes:
            x += [note.onset, note.end, None]
            y += [note.pitch, note.pitch, None]
        figure.add_scatter(
            x=x, y=y, mode="lines", name=title(label), line={"color": color(label), "width": 5},
            hovertemplate=f"{title(label)}, note %{{y}}, %{{x:.2f}} s<extra></extra>",
        )  # fmt: skip
    octaves = list(range(24, 109, 12))
    figure.update_yaxes(tickvals=octaves, ticktext=[f"C{pitch // 12 - 1}" for pitch in octaves])
    figure.update_xaxes(range=[0, score.duration], ticksuffix=" s")
    return layout(figure, 220)


def model_bars(predictions: Mapping[str, Prediction], labels: Sequence[str], shades: Mapping[str, str]) -> go.Figure:
    """Probabilities of labels in several models, side by side; a model that does not know a label has no bar.

    Args:
        predictions: By the model's title.
        shades: A colour for each title.
    """
    series = {
        name: {title(label): float(p.probabilities[p.labels.index(label)]) for label in labels if label in p.labels}
        for name, p in predictions.items()
    }
    return grouped_bars(series, [title(label) for label in labels], shades)


def grouped_bars(
    series: Mapping[str, Mapping[str, float]], rows: Sequence[str], shades: Mapping[str, str]
) -> go.Figure:
    """Shares by row, in a shade for each name; the first row is at the top. There is no legend."""
    figure = go.Figure()
    for name, shares in series.items():
        there = [row for row in rows if row in shares]
        figure.add_bar(
            x=[shares[row] for row in there], y=there, orientation="h", name=name, marker_color=shades[name],
            hovertemplate=f"{name}, %{{y}}: %{{x:.1%}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=rows[::-1])
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    return layout(figure, (ROW + 8) * len(rows) + 40).update_layout(barmode="group")
