"""Bars as HTML, which a browser draws at once; a Plotly chart takes a tenth of a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from app.figures.charts import fade
from app.figures.colors import AGAINST, FOR, color, seen, title

MOVED = 0.005  # a smaller change of a probability is not shown
STYLE = """
<style>
.bars {display: grid; grid-template-columns: minmax(5.5rem, max-content) 1fr max-content; gap: .3rem .6rem;
  align-items: center; font-size: .84rem; line-height: 1.2; font-variant-numeric: tabular-nums}
.bars .track {position: relative; height: .6rem; border-radius: 3px; overflow: hidden;
  background: color-mix(in srgb, currentColor 16%, transparent)}
.bars .track i {position: absolute; top: 0; bottom: 0; border-radius: 2px}
.bars .track b {position: absolute; top: 0; bottom: 0; width: 1px; background: currentColor}
.bars .weak {opacity: .6}
.bars.thick .track {height: 1.1rem}
.bars.thick .track i.now {top: 25%; bottom: 25%}
</style>
"""


def share_bars(shares: Mapping[str, float]) -> str:
    """HTML: the share of the evidence on each true stem, the largest first."""
    rows = "".join(
        f"<span>{escape(title(label))}</span><div class='track'>{_bar(0, shares[label], color(label))}</div>"
        f"<span>{shares[label]:.0%}</span>"
        for label in sorted(shares, key=lambda label: -shares[label])
    )
    return f"{STYLE}<div class='bars thick'>{rows}</div>"


def change_bars(labels: Sequence[str], before: npt.NDArray[np.floating], after: npt.NDArray[np.floating]) -> str:
    """HTML: how probabilities change: a faint bar for before, a full one for now."""
    rows = ""
    for label, was, now in zip(labels, before, after, strict=True):
        change = f" ({now - was:+.0%})".replace("-", "−") if abs(now - was) >= MOVED else ""
        hint = f"title='before {was:.1%}, now {now:.1%}'"
        bars = _bar(0, was, fade(color(label), 0.28)) + _bar(0, now, color(label), "now")
        rows += (
            f"<span>{escape(title(label))}</span><div class='track' {hint}>{bars}</div><span>{now:.0%}{change}</span>"
        )
    return f"{STYLE}<div class='bars thick'>{rows}</div>"


def _bar(low: float, high: float, shade: str, kind: str = "") -> str:
    return f"<i class='{kind}' style='left:{low:.1%};width:{high - low:.1%};background:{shade}'></i>"


@dataclass(frozen=True)
class Score:
    """A value of a measure, with what the measure means and what chance alone would give."""

    title: str
    value: float
    measure: str
    meaning: str
    chance: float


def score_bars(scores: Sequence[Score], evidence: float) -> str:
    """HTML: scores as bars that begin at what chance would give; those below ``evidence`` are fainter."""
    rows = ""
    for score in scores:
        low, high = sorted((score.chance, min(max(score.value, 0.0), 1.0)))
        shade = seen(FOR if score.value >= score.chance else AGAINST)
        mark = f"<b style='left:{score.chance:.0%}'></b>" if score.chance else ""
        weak = "" if score.value >= evidence else " class='weak'"
        hint = f"title='{escape(score.meaning, quote=True)}'"
        rows += (
            f"<span{weak} {hint}>{escape(score.title)}</span>"
            f"<div class='track' {hint}>{_bar(low, high, shade)}{mark}</div>"
            f"<span{weak} {hint}>{score.value:.2f} {score.measure}</span>"
        )
    return f"{STYLE}<div class='bars'>{rows}</div>"


def usage_bars(usage: Mapping[str, float], mean: float) -> str:
    """HTML: shares of the labels' evidence, with the share of an average channel as a mark."""
    most = max([*usage.values(), 2 * mean]) or 1.0
    rows = "".join(
        f"<span>{escape(title(label))}</span><div class='track'>"
        f"{_bar(0, share / most, color(label))}"
        f"<b style='left:{mean / most:.1%}'></b></div><span>{share:.1%}</span>"
        for label, share in usage.items()
    )
    return f"{STYLE}<div class='bars'>{rows}</div>"
