"""Figures of what was measured over many clips: every value with its interval, one colour a model."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.figures.charts import fade, layout
from app.figures.colors import inks
from core.records import Interval

Figures = Mapping[str, Interval]  # for each place on an axis
HEIGHT = 260
LINE, MARK = 28, 9  # pixels a row, and pixels a mark in it where they need more
SPREAD = 0.6  # share of a row that its models take up
SHORT, NARROW = 8, 20  # letters of names that fit side by side, and of a line of a title beside a table
FULL = 0.2  # share from which on a table of smaller ones uses the strongest colour


def bands(series: Mapping[str, Figures], places: Sequence[str], shades: Mapping[str, str], unit: str) -> go.Figure:
    """A curve a model over places in order, with its interval as a band."""
    figure = go.Figure()
    for name, figures in series.items():
        x, (value, low, high) = _known(figures, places)
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", mode="lines", line={"width": 0},
            fillcolor=fade(shades[name], 0.18), hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=value, mode="lines+markers", line={"color": shades[name], "width": 2}, marker={"size": 7},
            **_hover(name, value, low, high),
        )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(places))), ticktext=list(places), title=unit)
    figure.update_yaxes(tickformat=".0%")
    return _roomy(layout(figure, HEIGHT), bottom=46)


def slopes(series: Mapping[str, Figures], places: Sequence[str], shades: Mapping[str, str]) -> go.Figure:
    """A line a model from place to place, its intervals as bars; models stand beside each other."""
    figure = go.Figure()
    for name, shift in zip(series, _shifts(len(series), 0.3), strict=True):
        x, (value, low, high) = _known(series[name], places)
        figure.add_scatter(
            x=np.array(x) + shift, y=value, mode="lines+markers", marker={"size": 9},
            line={"color": shades[name], "width": 1.5}, **_hover(name, value, low, high),
            error_y={"array": high - value, "arrayminus": value - low, "color": shades[name], "width": 3},
        )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(places))), ticktext=list(places), range=[-0.4, len(places) - 0.6])
    figure.update_yaxes(tickformat=".0%")
    return _roomy(layout(figure, HEIGHT), bottom=46)


def rows(
    series: Mapping[str, Figures], places: Sequence[str], shades: Mapping[str, str], percent: bool = True
) -> go.Figure:
    """A dot with its interval for each model in each row; the first row is at the top."""
    figure = go.Figure()
    for name, shift in zip(series, _shifts(len(series), SPREAD), strict=True):
        y, (value, low, high) = _known(series[name], places)
        figure.add_scatter(
            x=value, y=np.array(y) + shift, mode="markers", marker={"color": shades[name], "size": 9},
            **_hover(name, value, low, high, percent),
            error_x={"array": high - value, "arrayminus": value - low, "color": shades[name], "width": 3},
        )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(places))), ticktext=list(places), range=[len(places) - 0.5, -0.5], showgrid=False
    )
    figure.update_xaxes(tickformat=".0%" if percent else ".1f", nticks=6)
    return layout(figure, len(places) * max(LINE, MARK * len(series)) + 40)


def heatmap(
    values: Sequence[Sequence[float | None]], down: Sequence[str], across: Sequence[str], axes: tuple[str, str],
    percent: bool = True,
) -> go.Figure:  # fmt: skip
    """A table of shares as colours with their numbers; ``axes`` says what is down and what is across."""
    texts = [["" if v is None else f"{v:.0%}" if percent else f"{v:.2f}" for v in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(across), y=list(down), text=texts, texttemplate="%{text}", textfont={"size": 11},
            colorscale=inks().scale, zmin=0, zmax=_strongest(values) if percent else 1, showscale=False, xgap=2, ygap=2,
            hoverongaps=False,
            hovertemplate=f"{axes[0]}: %{{y}}<br>{axes[1]}: %{{x}}<br>%{{text}}<extra></extra>",
        )
    )  # fmt: skip
    size = 10 if len(across) > 5 else 12
    slope = -40 if max(map(len, across)) > SHORT else 0  # so that long names do not run into each other
    figure.update_xaxes(title=axes[1], showgrid=False, tickangle=slope, tickfont_size=size, automargin=True)
    title = {"text": "<br>".join(wrap(axes[0], NARROW)), "font": {"size": 12, "color": inks().text}}
    figure.update_yaxes(title=title, autorange="reversed", showgrid=False)
    return _roomy(layout(figure, 34 * len(down) + 76 + (40 if slope else 0)), bottom=54)


def _strongest(values: Sequence[Sequence[float | None]]) -> float:
    return max([FULL, *(value for row in values for value in row if value is not None)])


def courses(curves: Mapping[str, pd.DataFrame], column: str, shades: Mapping[str, str], percent: bool) -> go.Figure:
    """A column of the training curves over epochs."""
    figure = go.Figure()
    for name, curve in curves.items():
        figure.add_scatter(
            x=curve["epoch"] + 1, y=curve[column], mode="lines", line={"color": shades[name], "width": 2},
            hovertemplate=f"{name}, epoch %{{x}}: %{{y:{'.1%' if percent else '.3f'}}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(tickformat=".0%" if percent else "")
    return _roomy(layout(figure, HEIGHT), bottom=46)


def _known(figures: Figures, places: Sequence[str]) -> tuple[list[int], np.ndarray]:
    """Where there is a value, and value, low and high there ``(3, places)``."""
    found = {i: figures.get(place, Interval()) for i, place in enumerate(places)}
    there = {i: interval for i, interval in found.items() if interval.value is not None}
    ends = [(interval.value, interval.low, interval.high) for interval in there.values()]
    return list(there), np.array(ends, dtype=np.float64).reshape(-1, 3).T


def _shifts(count: int, spread: float) -> np.ndarray:
    """Places for so many marks around zero."""
    return (np.arange(count) - (count - 1) / 2) * spread / max(count, 2)


def _hover(name: str, value: np.ndarray, low: np.ndarray, high: np.ndarray, percent: bool = True) -> dict[str, Any]:
    form = "{:.1%}" if percent else "{:.2f}"
    texts = [
        f"{name}: {form.format(v)} [{form.format(lo)} to {form.format(hi)}]"
        for v, lo, hi in zip(value, low, high, strict=True)
    ]
    return {"text": texts, "hovertemplate": "%{text}<extra></extra>"}


def _roomy(figure: go.Figure, bottom: int) -> go.Figure:
    """Room for the title of the horizontal axis."""
    figure.update_layout(margin_b=bottom)
    figure.update_xaxes(title_font={"size": 12, "color": inks().text}, title_standoff=8, linecolor=inks().faint)
    return figure
