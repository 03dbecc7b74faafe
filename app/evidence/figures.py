"""Figures of graded explanations: tables of measures, the cross-talk matrix, and what the sanity check costs."""

import base64
from collections.abc import Mapping, Sequence, Set
from html import escape

import numpy as np
import plotly.graph_objects as go

from app.figures.charts import fade, layout
from app.figures.colors import MODEL_COLORS, inks, seen
from core.grading.catalogue import MEASURES
from core.grading.searches import CandidateSearch, RuleSearch
from core.grading.verdict import SANE, SANITY, Outcome
from core.records import Interval

ARROWS = {1: "↑", -1: "↓", 0: ""}
OUTCOMES = {  # look and sign of a figure that was compared
    Outcome.BETTER: ("best", "▲ "),
    Outcome.ALIKE: ("", ""),
    Outcome.WORSE: ("worse", "▼ "),
    None: ("", ""),
}
FEW = 14  # labels, up to which the cells of a matrix have room for numbers
STYLE = """
<style>
.graded, .candidates, .strip {--quiet: color-mix(in srgb, currentColor 72%, transparent);
  --line: color-mix(in srgb, currentColor 18%, transparent)}
.graded, .candidates {overflow-x: auto;
  background: linear-gradient(to right, var(--ground) 30%, transparent) local,
  linear-gradient(to left, var(--ground) 30%, transparent) right local,
  linear-gradient(to right, var(--line), transparent), linear-gradient(to left, var(--line), transparent) right;
  background-repeat: no-repeat; background-size: 2.5rem 100%, 2.5rem 100%, .6rem 100%, .6rem 100%}
  /* a shade where there is more to scroll to */
.marks {border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums}
.marks th, .marks td {border: 0; border-bottom: 1px solid var(--line); padding: .35rem .4rem; text-align: right}
.marks thead th {font-size: .8rem; font-weight: 600; vertical-align: bottom; overflow-wrap: anywhere}
.marks tbody th {text-align: left; font-weight: 500; min-width: 9rem; line-height: 1.25}
.marks th:first-child {position: sticky; left: 0; background: var(--ground)}
.marks small {display: block; font-size: .68rem; line-height: 1.2; color: var(--quiet); font-weight: 400}
.marks td small {white-space: nowrap; margin-top: .1rem}
.marks .best {color: var(--best); font-weight: 700}
.marks .best small {color: color-mix(in srgb, currentColor 92%, transparent)}
@media (max-width: 1150px) {
  .graded th, .graded td {padding: .35rem .2rem}
  .graded thead th {font-size: .7rem; overflow-wrap: normal}
  .graded tbody th {min-width: 7.5rem}
  .graded td small {white-space: normal; font-size: .62rem}
}
.candidates {max-height: 34rem; overflow-y: auto}
.candidates thead th {position: sticky; top: 0; z-index: 1; background: var(--ground)}
.candidates thead th:first-child {z-index: 2}
.candidates thead [title] {cursor: help; text-decoration: underline dotted}
.candidates .part {padding-top: .8rem; color: var(--quiet); font-size: .8rem}
.candidates .worse {color: var(--quiet)}
.candidates .worse small {color: inherit}
.strip {display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: .6rem}
.strip figure {margin: 0}
.strip img {width: 100%; border-radius: 4px; display: block}
.strip figcaption {font-size: .78rem; line-height: 1.3; margin-top: .25rem; font-variant-numeric: tabular-nums}
.strip small {display: block; font-size: .7rem; color: var(--quiet)}
</style>
"""


def measures_table(
    columns: Mapping[str, Mapping[str, Interval]], rows: Sequence[str], best: Mapping[str, Set[str]]
) -> str:
    """HTML of a table of measures, each value above its interval.

    Args:
        columns: For each heading its measures.
        rows: The names of the measures.
        best: For each measure the headings with the best value.
    """
    head = "".join(f"<th scope='col'>{escape(heading)}</th>" for heading in columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(MEASURES[name].title)}&nbsp;{ARROWS[MEASURES[name].direction]}"
        f"<small>{escape(MEASURES[name].meaning)}</small></th>"
        + "".join(
            _cell(figures.get(name), "best" if heading in best[name] else "") for heading, figures in columns.items()
        )
        + "</tr>"
        for name in rows
    )
    return (
        f"{STYLE}<div class='graded'><table class='marks'><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def candidates_table(found: CandidateSearch, outcomes: Mapping[str, Mapping[str, Outcome | None]]) -> str:
    """HTML of a table of candidates, those that vary the same part below its heading.

    Args:
        found: What was found about each.
        outcomes: How each candidate does against the default in each measure that was compared.
    """
    measures = list(found.candidates[found.default].measures)
    head = "".join(
        f"<th scope='col'><span title='{escape(MEASURES[name].meaning)}'>{escape(MEASURES[name].title)}</span>&nbsp;"
        f"{ARROWS[MEASURES[name].direction]}</th>"
        for name in measures
    )
    body, part = "", ""
    for name, row in found.candidates.items():
        if row.part != part:
            part = row.part
            body += f"<tr><th class='part' scope='rowgroup' colspan='{len(measures) + 1}'>{escape(part)}</th></tr>"
        title = escape(row.title) + (" <span class='best'>default</span>" if name == found.default else "")
        cells = "".join(
            _cell(row.measures.get(measure), *OUTCOMES[outcomes[name].get(measure, Outcome.ALIKE)])
            for measure in measures
        )
        body += f"<tr><th scope='row'>{title}<small>{escape(row.words)}</small></th>{cells}</tr>"
    return (
        f"{STYLE}<div class='candidates'><table class='marks'><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(interval: Interval | None, look: str = "", sign: str = "") -> str:
    if interval is None or interval.value is None:
        return "<td>–</td>"
    low, high = number(interval.low), number(interval.high)
    return f"<td class='{look}'>{sign}{number(interval.value)}<small>{low} to {high}</small></td>"


def number(value: float | None) -> str:
    """A figure with two decimals, or as a whole number where it is large; a dash where there is none.

    >>> number(-0.318), number(-0.0001), number(2169.85), number(None)
    ('−0.32', '0.00', '2170', '–')
    """
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def cross_talk(values: Sequence[Sequence[float | None]], explained: Sequence[str], stems: Sequence[str]) -> go.Figure:
    """Shares of the relevance of each explained label (down) on each stem (across); numbers where there is room."""
    few = len(stems) <= FEW
    texts = [["" if value is None else f"{value:.0%}" for value in row] for row in values]
    cell = 30 if few else 19  # pixels
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(stems), y=list(explained), text=texts, texttemplate="%{text}" if few else "",
            textfont={"size": 11}, colorscale=inks().scale, zmin=0, zmax=1, showscale=False, xgap=1, ygap=1,
            hoverongaps=False, hovertemplate="%{text} of the relevance of %{y} lies on %{x}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(showgrid=False, tickangle=-90, tickfont_size=11, automargin=True, side="top")
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont_size=11, dtick=1)
    return layout(figure, cell * len(explained) + 110).update_layout(margin_b=4)


def trade(found: RuleSearch) -> go.Figure:
    """Lift (upwards) against how alike maps stay once weights are random (to the right), a dot for each candidate.

    Dotted lines: up to where maps show what the network learned, and the lift of the default. What lies beyond both, on
    the upper left, would be better than the default.
    """
    figure = go.Figure()
    for name, row in found.candidates.items():
        lift, alike = row.measures.get("lift", Interval()), row.measures.get(SANITY, Interval())
        if None in (lift.value, alike.value):
            continue
        own = name == found.default
        shade = inks().best if own else seen(MODEL_COLORS[0])
        figure.add_scatter(
            x=[alike.value], y=[lift.value], mode="markers+text", text=[row.title if own else ""],
            textposition="top left", marker={"color": shade, "size": 12 if own else 9}, name=row.title,
            error_x=_whiskers(alike, shade), error_y=_whiskers(lift, shade),
            hovertemplate=f"{escape(row.title)} ({escape(row.part.lower())})<br>lift %{{y:.2f}}, alike %{{x:.2f}}"
            "<extra></extra>",
        )  # fmt: skip
    line = {"color": inks().text, "width": 1, "dash": "dot"}
    figure.add_vline(x=SANE, line=line)
    if (default := found.candidates[found.default].measures["lift"].value) is not None:
        figure.add_hline(y=default, line=line)
    figure.update_xaxes(range=[0, 1.02], title=MEASURES[SANITY].title)
    figure.update_yaxes(rangemode="tozero", title=MEASURES["lift"].title)
    return layout(figure, 380).update_layout(margin_b=46)


def _whiskers(interval: Interval, shade: str) -> dict[str, object]:
    """The interval of a dot, as an error bar."""
    value, low, high = (np.array([bound], float) for bound in (interval.value, interval.low, interval.high))
    return {"array": high - value, "arrayminus": value - low, "color": fade(shade, 0.45), "width": 2, "thickness": 1}


def strip(pictures: Sequence[tuple[bytes, str, str]]) -> str:
    """HTML of pictures (JPEG) side by side, each with a line below it and a fainter one."""
    return (
        f"{STYLE}<div class='strip'>"
        + "".join(
            f"<figure><img alt='{escape(line)}' src='data:image/jpeg;base64,{base64.b64encode(picture).decode()}'>"
            f"<figcaption>{escape(line)}<small>{escape(fainter)}</small></figcaption></figure>"
            for picture, line, fainter in pictures
        )
        + "</div>"
    )
