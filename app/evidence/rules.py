"""The part of the Evidence page that says why the default rules of propagation are what they are."""

import pandas as pd
import streamlit as st

from app.components.downloads import export
from app.evidence import figures
from app.evidence.panels import CONTEST_WORDS
from app.figures.charts import CONFIG
from app.frame.models import model_title
from core.grading.catalogue import MEASURES
from core.grading.searches import CandidateSearch, GradedCandidate, RuleSearch, read_rules
from core.grading.verdict import CONTESTS, NO_DIFFERENCE, SANE, SANITY, Outcome, outcome
from core.paths import TRAINED_MODELS

LEGEND = (
    "Each figure is a mean over instruments; below it, the 95 % bootstrap interval over clips. Point at a heading to "
    "see what it means. Candidates for the first layer, pooling and log-compression differ from the default in that "
    "alone. ▲ clearly better than the default, ▼ clearly worse: the interval of the differences, taken instrument by "
    "instrument, excludes zero. Chance alone would mark about one figure in twenty."
)

TRADE_LEGEND = (
    f"Dotted: the similarity of {SANE} up to which maps show what the network learned, and the lift of the default. A "
    "candidate in the upper left would pass the check with no less lift. Point at a dot to see which it is."
)


def why() -> None:
    """How well other ways to propagate relevance do."""
    found = read_rules(TRAINED_MODELS)
    if not found:
        st.caption("Other rules have not been tried yet; `timbrescope study rules` tries them.")
        return
    st.caption(
        f"Each set of rules was tried on the {found.instruments} instruments that “{model_title(found.model)}” detects "
        f"in {found.clips} composed clips."
    )
    st.markdown(summary(found))
    if found.sanity_clips:
        st.markdown(trade(found))
        said = "Lift (upwards) against sanity similarity (to the right), a dot with its intervals for each candidate."
        st.plotly_chart(figures.trade(found), config=CONFIG, key="evidence-trade", alt=said)
        st.caption(TRADE_LEGEND)
    st.html(figures.candidates_table(found, outcomes(found)))
    st.caption(LEGEND)
    export("rules", candidates_frame(found))


def outcomes(found: CandidateSearch) -> dict[str, dict[str, Outcome | None]]:
    """How each candidate does against the default, in each measure in which they were compared."""
    return {
        name: {
            measure: outcome(interval, NO_DIFFERENCE, MEASURES[measure].direction)
            for measure, interval in row.over_default.items()
        }
        for name, row in found.candidates.items()
    }


def summary(found: RuleSearch) -> str:
    """What speaks for the default and what against it, in words."""
    default = found.candidates[found.default]
    against = {name: results for name, results in outcomes(found).items() if name != found.default}
    worse = [
        f"clearly less {CONTEST_WORDS[measure]} is reached by "
        f"{sum(each.get(measure) == Outcome.WORSE for each in against.values())}"
        for measure in CONTESTS
    ]
    rivals = [_named(found.candidates[name]) for name, results in against.items() if _preferable(results)]
    return (
        f"The default is **{default.title}**: {default.words}. Of the {len(against)} other candidates, "
        f"{' and '.join(worse)}. Clearly better in one of these and clearly worse in neither: "
        f"{', '.join(rivals) or 'none'}."
    )


def trade(found: RuleSearch) -> str:
    """What lift costs in the sanity check, in words: whether any candidate passes it with no less lift."""
    lifts = {name: row.measures["lift"].value or 0.0 for name, row in found.candidates.items()}
    alike = {name: row.measures[SANITY].value for name, row in found.candidates.items() if SANITY in row.measures}
    sane = [name for name, value in alike.items() if value is not None and value <= SANE]
    passed = "" if found.default in sane else "not "
    text = (
        f"**Why the sanity check is {passed}passed.** The maps of the default have a lift of "
        f"{figures.number(lifts[found.default])} and stay {figures.number(alike.get(found.default))} alike once the "
        f"network's weights are random (mean over the first {found.sanity_clips} clips). "
    )
    if found.default in sane:
        return text.rstrip()
    if not sane:
        return f"{text}No other candidate stays at most {SANE} alike."
    best = max(sane, key=lifts.__getitem__)
    named, lift = _named(found.candidates[best]), figures.number(lifts[best])
    return (
        f"{text}Of the {len(found.candidates) - 1} others, {len(sane)} stay at most {SANE} alike; of these, most lift "
        f"is reached by {named}: {lift}."
    )


def _preferable(results: dict[str, Outcome | None]) -> bool:
    contested = {results.get(measure) for measure in CONTESTS}
    return Outcome.BETTER in contested and Outcome.WORSE not in contested


def _named(candidate: GradedCandidate) -> str:
    return f"{candidate.title} ({candidate.part.lower()})"


def candidates_frame(found: CandidateSearch) -> pd.DataFrame:
    """All figures, a row each; ``kind`` says whether it is a measure or its difference from the default's."""
    return pd.DataFrame(
        {"candidate": name, "part": row.part, "title": row.title, "kind": kind, "measure": measure, **dict(interval)}
        for name, row in found.candidates.items()
        for kind, figures in (("measures", row.measures), ("over_default", row.over_default))
        for measure, interval in figures.items()
    )
