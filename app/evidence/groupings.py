"""The part of the Evidence page that says why reasons are found as they are."""

import streamlit as st

from app.components.downloads import export
from app.evidence import figures
from app.evidence.rules import candidates_frame, outcomes
from app.figures import intervals as interval_figures
from app.figures.charts import CONFIG
from app.figures.colors import MODEL_COLORS, inks, legend, seen
from app.frame.models import model_title
from core.grading.catalogue import MEASURES
from core.grading.searches import ReasonSearch, read_reasons
from core.grading.verdict import Outcome
from core.paths import TRAINED_MODELS
from core.records import Interval

# The measures that are drawn, with what reasons that differ, are heard apart and are used should reach, where that is
# known.
DRAWN = {
    "reason_distinctness": 0.8,
    "reason_mix_correlation": 0.6,
    "reason_correlation": 0.4,
    "reason_silencing": 0.7,
    "reason_silencing_as_promised": None,
    "stability_of_reasons": None,
}
COLUMNS = 3
LEGEND = (
    "Each figure is a mean over instruments; below it, the 95 % bootstrap interval over clips, and over reasons for "
    "their stability. ▲ clearly better than the default, ▼ clearly worse: the interval of the differences, taken "
    "instrument by instrument, excludes zero; stability was not compared so. Chance alone would mark about one figure "
    "in twenty."
)


def why() -> None:
    """How well other ways to group channels into reasons do."""
    found = read_reasons(TRAINED_MODELS)
    if not found:
        st.caption("Other ways to find reasons have not been tried yet; `timbrescope study reasons` tries them.")
        return
    st.caption(
        f"Reasons of “{model_title(found.model)}” were learned from {found.reference_clips} clips in several ways, and "
        f"tried on the {found.instruments} instruments that it detects in {found.clips} other ones, always with the "
        f"{found.shown - 1} strongest reasons and everything else."
    )
    st.markdown(summary(found))
    drawn(found)
    st.html(figures.candidates_table(found, outcomes(found)))
    st.caption(LEGEND)
    export("reasons", candidates_frame(found))


def summary(found: ReasonSearch) -> str:
    """What speaks for the default and what against it, in words."""
    default = found.candidates[found.default]
    against = {name: results for name, results in outcomes(found).items() if name != found.default}
    better = {name for name, results in against.items() if Outcome.BETTER in results.values()}
    worse = {name for name, results in against.items() if Outcome.WORSE in results.values()}
    rivals = [
        f"{found.candidates[name].title} ({found.candidates[name].part})" for name in against if name in better - worse
    ]
    return (
        f"The default is **{default.title}** ({default.part}): {default.words}. Of the {len(against)} other "
        f"candidates, {len(better)} are clearly better in some measure and {len(worse)} clearly worse in some. Clearly "
        f"better in one and clearly worse in none: {', '.join(rivals) or 'none'}."
    )


def drawn(found: ReasonSearch) -> None:
    """The main measures as dots with their intervals: a row for each way, a colour for each layer and number."""
    parts = list(dict.fromkeys(row.part for row in found.candidates.values()))
    shades = dict(zip(parts, map(seen, MODEL_COLORS), strict=False))
    st.html(legend(shades))
    measures = list(DRAWN)
    for first in range(0, len(measures), COLUMNS):
        for column, measure in zip(st.columns(COLUMNS, gap="medium"), measures[first : first + COLUMNS], strict=True):
            with column:
                _panel(found, shades, measure)


def _panel(found: ReasonSearch, shades: dict[str, str], measure: str) -> None:
    aim, described = DRAWN[measure], MEASURES[measure]
    words = "" if aim is None else f" Dotted: {'at least' if described.direction > 0 else 'at most'} this was aimed at."
    st.caption(f"**{described.title}**{words}", help=described.meaning)
    series = figures_of(found, measure)
    places = list(dict.fromkeys(title for rows in series.values() for title in rows))
    chart = interval_figures.rows(series, places, shades, percent=False)
    if aim is not None:
        chart.add_vline(x=aim, line={"color": inks().text, "width": 1, "dash": "dot"})
    said = f"{described.title}: a dot with its interval for each of {', '.join(series)}, by {', '.join(places)}."
    st.plotly_chart(chart, config=CONFIG, key=f"evidence-reasons-{measure}", alt=said)


def figures_of(found: ReasonSearch, measure: str) -> dict[str, dict[str, Interval]]:
    """A measure by layer and number, and by the title of the way."""
    series: dict[str, dict[str, Interval]] = {}
    for row in found.candidates.values():
        series.setdefault(row.part, {})[row.title] = row.measures.get(measure, Interval())
    return {part: {title: one for title, one in rows.items() if one.value is not None} for part, rows in series.items()}
