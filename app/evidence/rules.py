"""The part of the Evidence page that says why relevance is propagated as it is, read from what the search found."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.components.downloads import export
from app.evidence import figures
from app.evidence.panels import measure_title
from core.grading.grade import MEASURES
from core.grading.verdict import CONTESTS, DIRECTIONS, Outcome, outcome
from core.statistics import Interval
from core.studies.rule_search import MEASURES as SEARCHED
from core.studies.rule_search import RESULTS, read_search

NO_DIFFERENCE: Interval = {"value": 0.0, "low": 0.0, "high": 0.0}
CONTESTED = {"lift": "lift", "si_sdr_improvement": "SI-SDR improvement"}
CLIPS = "Each was tried on the {instruments} instruments that {model} detects in {clips} composed clips."
LEGEND = (
    "Means over instruments with their 95 % bootstrap intervals over clips; what a heading means shows where the "
    "pointer rests on it. Candidates for the first layer, pooling and log-compression are as the default in all else. "
    "▲ clearly better than the default, ▼ clearly worse: the interval of the differences, taken of each instrument, "
    "excludes zero; chance alone would mark about one in twenty."
)


def why() -> None:
    """What other ways to propagate and to read relevance would do."""
    found = read_search(RESULTS)
    if not found:
        st.caption("Not searched yet; `python -m core.studies.rule_search --model NAME` tries other ways.")
        return
    st.caption(CLIPS.format_map(found))
    st.markdown(told(found))
    heads = {name: (measure_title(name), MEASURES[name]) for name in SEARCHED}
    st.html(figures.candidates_table(found["candidates"], found["default"], heads, outcomes(found)))
    st.caption(LEGEND)
    export("rules", rules_table(found))


def outcomes(found: Mapping[str, Any]) -> dict[str, dict[str, Outcome | None]]:
    """How each candidate does against the default in each measure that they were compared in."""
    return {
        name: {
            measure: outcome(interval, NO_DIFFERENCE, DIRECTIONS[measure])
            for measure, interval in row["over_default"].items()
        }
        for name, row in found["candidates"].items()
    }


def told(found: Mapping[str, Any]) -> str:
    """What speaks for the default and what against it, in words."""
    default = found["candidates"][found["default"]]
    against = {name: results for name, results in outcomes(found).items() if name != found["default"]}
    worse = [
        f"{sum(results.get(measure) == Outcome.WORSE for results in against.values())} have clearly less {words}"
        for measure, words in CONTESTED.items()
    ]
    rivals = [_named(found["candidates"][name]) for name, results in against.items() if _preferable(results)]
    return (
        f"The default is **{default['title']}**: {default['words']}. Of the {len(against)} others "
        f"{' and '.join(worse)}. Clearly better in one of the two and clearly worse in neither: "
        f"{', '.join(rivals) or 'none'}."
    )


def _preferable(results: Mapping[str, Outcome | None]) -> bool:
    contested = {results.get(measure) for measure in CONTESTS}
    return Outcome.BETTER in contested and Outcome.WORSE not in contested


def _named(candidate: Mapping[str, Any]) -> str:
    return f"{candidate['title']} ({candidate['part'].lower()})"


def rules_table(found: Mapping[str, Any]) -> pd.DataFrame:
    """All figures, a row each: candidate, part, title, kind (the measure, or how far it exceeds the default's), …"""
    kinds: Sequence[str] = ("measures", "over_default")
    return pd.DataFrame(
        {"candidate": name, "part": row["part"], "title": row["title"], "kind": kind, "measure": measure, **interval}
        for name, row in found["candidates"].items()
        for kind in kinds
        for measure, interval in row[kind].items()
    )
