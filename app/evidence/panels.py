"""Parts of the Evidence page: how well explanations show what really sounded, read from the files beside the models."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app.components.downloads import export
from app.evidence import figures
from app.evidence.sanity import sanity_check
from app.figures import intervals as interval_figures
from app.figures.charts import CONFIG
from app.figures.colors import MODEL_COLORS, inks, legend, seen, title
from app.figures.thumbnails import thumbnail
from app.frame.models import model_title
from app.frame.view import View, choose
from core.explanation.explainer import DEFAULT_EXPLAINER
from core.grading import verdict as verdicts
from core.grading.catalogue import MEASURES
from core.grading.record import CrossTalk, ExplainerGrade, GradeFigures, other_recipes, recorded_grades
from core.grading.sanity import Step
from core.grading.verdict import ALIKE, CONTESTS, RIVALS, SANE, SANITY, Graded, Outcome, best, figure
from core.models.store import model_names
from core.paths import TRAINED_MODELS
from core.records import Interval
from core.taxonomy.instruments import INSTRUMENTS

Grades = Mapping[str, ExplainerGrade]  # by explainer

EXPLAINER_TITLES = {  # the others are shown under their names
    "crp": "CRP",
    "grad_cam": "Grad-CAM",
    "gradient_x_input": "Gradient × input",
    "lrp_alpha2_beta1": "LRP-α2β1",
    "lrp_epsilon": "LRP-ε",
    "lrp_gamma": "LRP-γ",
    "lrp_z_plus": "LRP-z⁺",
}
# The measures that are drawn, with a value to compare with where there is one, and what it means.
DRAWN = {
    "lift": (1.0, "Dotted: a random map."),
    "si_sdr_improvement": (0.0, "Dotted: the mix as it is."),
    "pointing": (None, ""),
    "intervention": (0.0, "Dotted: no correlation."),
    "concept_flipping": (None, ""),
}
ORDERS = {"concept_flipping_by_activation": "by activation", "concept_flipping_at_random": "at random"}
GROUPS = {"all": "all", "count": "by how many play at once", "outcome": "detected or missed"}
CONTEST_WORDS = {
    "lift": "lift",
    "si_sdr_improvement": "SI-SDR improvement",
    "si_sdr_among_rivals": "SI-SDR improvement, with the maps of all explainers masked as in the app,",
}
JUDGED = (*CONTESTS, *ALIKE.values(), SANITY)  # what the verdict is made of


def grades(model: str, root: Path | None = None) -> Grades:
    """The recorded grades of a model, the default explainer first, the others in falling order of their lift."""
    return _in_order(recorded_grades(str((root or TRAINED_MODELS) / model)))


def elsewhere(model: str) -> list[Grades]:
    """The recorded grades of a model on clips of other recipes."""
    folder = str(TRAINED_MODELS / model)
    return [_in_order(recorded_grades(folder, recipe)) for recipe in other_recipes(folder)]


def _in_order(found: Grades) -> Grades:
    lift = {name: figure(found, name, "lift").value for name in found}
    order = sorted(found, key=lambda name: (name != DEFAULT_EXPLAINER, -(lift[name] or 0)))
    return {name: found[name] for name in order}


def nothing_graded(model: str, root: Path | None = None) -> None:
    """Says which command makes the files that this page shows, and which models have them."""
    command = f"timbrescope grade --model {model} --explainer {DEFAULT_EXPLAINER} --record"
    root = root or TRAINED_MODELS
    others = [f"“{model_title(name, root)}”" for name in model_names(root) if grades(name, root)]
    st.info(
        f"The explanations of “{model_title(model, root)}” have not been graded yet; `{command}` grades one explainer."
        + (f" Models with grades: {', '.join(others)}." if others else "")
    )


def verdict(found: Graded) -> str:
    """Whether the default explainer beats its rivals and shows what the network learned, in words."""
    judged = verdicts.verdict(found)
    name, rivals = explainer_title(DEFAULT_EXPLAINER), _and([_inline(rival) for rival in RIVALS])
    measures = _and([f"in {CONTEST_WORDS[measure]}" for measure in judged.contests])
    details = "; ".join(f"in {CONTEST_WORDS[m]} it {_against(each)}" for m, each in judged.contests.items())
    if judged.outcomes == {Outcome.BETTER}:
        sane = judged.sanity == Outcome.BETTER
        icon, but = ("check_circle", "") if sane else ("rule", ", but it does not pass the sanity check")
        text = f"**{name} beats {rivals}{but}.** It is ahead {measures}: the intervals do not overlap."
    elif judged.outcomes <= {Outcome.BETTER, None}:
        icon, text = "help", f"**Whether {name} beats {rivals} is not known yet**: {details}."
    else:
        icon, text = "rule", f"**{name} does not clearly beat all of {rivals}**: {details}."
    return f":material/{icon}: {text}{_sanity(found, judged.sanity)}"


def _sanity(found: Graded, outcome: Outcome | None) -> str:
    """Whether the default explainer's maps depend on what the network learned, in words."""
    if outcome is None:
        return ""
    words = {
        Outcome.BETTER: ("good", "so they show what the network learned"),
        Outcome.ALIKE: ("doubtful", f"which is about the {SANE} up to which maps show what the network learned"),
        Outcome.WORSE: ("poor", f"and above {SANE} much of a map shows the sound itself, not what the network learned"),
    }
    result, meaning = words[outcome]
    own = figure(found, DEFAULT_EXPLAINER, SANITY)
    others = {_inline(rival): figure(found, rival, SANITY).value for rival in RIVALS}
    compared = _and([f"{name} {figures.number(value)}" for name, value in others.items() if value is not None])
    return (
        f" **Sanity check: {result}.** Once the network's weights are random, the maps of "
        f"{explainer_title(DEFAULT_EXPLAINER)} are still {figures.number(own.value)} ({_range(own)}) alike, {meaning}."
        + (f" For comparison: {compared}; 1 means the same map." if compared else "")
    )


def _against(rivals: Mapping[str, Outcome | None]) -> str:
    words = {
        Outcome.BETTER: "beats {}",
        Outcome.ALIKE: "does not differ clearly from {}",
        Outcome.WORSE: "is worse than {}",
        None: "was not compared with {}",
    }
    named = {kind: [_inline(rival) for rival, result in rivals.items() if result == kind] for kind in words}
    return _and([words[kind].format(_and(names)) for kind, names in named.items() if names])


def measures(found: Grades) -> None:
    """The table of all measures of all explainers."""
    table(found, [name for name in MEASURES if any(name in grade.measures for grade in found.values())])
    st.caption(
        "Each figure is a mean over instruments; below it, the 95 % bootstrap interval over clips. ↑ more is better, "
        "↓ less is better; the best of a row is bold. No measure is enough by itself: the mix's energy makes a stable "
        "map that explains nothing, and a map that depends on what the network learned may still lie on the wrong "
        "sound."
    )
    export("measures", figures_of(found))


def table(found: Grades, taken: Sequence[str]) -> None:
    """Some measures of all explainers."""
    columns = {explainer_title(name): grade.measures for name, grade in found.items()}
    winners = {name: {explainer_title(winner) for winner in best(found, name)} for name in taken}
    st.html(figures.measures_table(columns, taken, winners))


def clips(found: Grades) -> str:
    """On which clips the explainers were graded, in words, and which of them on others."""
    on = {name: f"{grade.clips} clips of `{grade.recipe}`, seed {grade.seed}" for name, grade in found.items()}
    first, *_ = found
    others = [f"{_inline(name)} on {where}" for name, where in on.items() if where != on[first]]
    of_reasons = next((grade.reason_clips for grade in found.values() if grade.reason_clips), None)
    return (
        f"Every instrument that plays in a composed clip is explained, detected or not: {found[first].instruments} "
        f"instruments in {on[first]}. Concept flipping, sanity and stability take long to measure, so they cover the "
        f"first {found[first].thorough.clips} clips only."
        + (f" The measures of reasons and reconstructions cover {of_reasons} clips of that seed." if of_reasons else "")
        + (f" **Graded on other clips, so compare with care:** {'; '.join(others)}." if others else "")
    )


def grouping(view: View) -> str:
    """Lets the user choose how the explained instruments are grouped."""
    by = view.by if view.by in GROUPS else "all"
    return choose(
        st.segmented_control, "by", "Instruments", by, options=list(GROUPS), format_func=GROUPS.__getitem__,
        required=True,
    )  # fmt: skip


def groups(found: Grades, by: str) -> tuple[Mapping[str, Graded], dict[str, str]]:
    """The grades of each group of instruments, and the groups' colours."""
    if by == "all":
        return {"all": found}, {"all": seen(MODEL_COLORS[0])}
    grouped: dict[str, dict[str, GradeFigures]] = {name: getattr(grade, f"by_{by}") for name, grade in found.items()}
    names = dict.fromkeys(name for groups in grouped.values() for name in groups)
    parts = {
        name: {explainer: groups[name] for explainer, groups in grouped.items() if name in groups} for name in names
    }
    titled = {f"{name} at once" if by == "count" else name: part for name, part in parts.items()}
    return titled, dict(zip(titled, map(seen, MODEL_COLORS), strict=False))


def drawn(found: Grades, by: str) -> None:
    """The main measures as dots with their intervals, a figure each."""
    parts, shades = groups(found, by)
    if len(parts) > 1:
        st.html(legend(shades))
    for row in (list(DRAWN)[:3], list(DRAWN)[3:]):
        for column, measure in zip(st.columns(3, gap="medium", vertical_alignment="bottom"), row, strict=False):
            with column:
                _panel(parts, shades, measure)


def _panel(parts: Mapping[str, Graded], shades: Mapping[str, str], measure: str) -> None:
    reference, words = DRAWN[measure]
    st.caption(f"**{MEASURES[measure].title}** {words}", help=MEASURES[measure].meaning)
    series = {name: _rows(part, measure) for name, part in parts.items()}
    places = list(dict.fromkeys(place for rows in series.values() for place in rows))
    if not places:
        st.caption("Not measured for these.")
        return
    chart = interval_figures.rows(series, places, shades, percent=measure == "pointing")
    if reference is not None:
        chart.add_vline(x=reference, line={"color": inks().text, "width": 1, "dash": "dot"})
    said = (
        f"{MEASURES[measure].title}: a dot with its interval for each of {', '.join(series)}, by {', '.join(places)}."
    )
    st.plotly_chart(chart, config=CONFIG, key=f"evidence-{measure}", alt=said)


def _rows(part: Graded, measure: str) -> dict[str, Interval]:
    """A measure of each explainer that has it; concept flipping also in the orders that relevance has to beat."""
    rows = {_bold(name): figure(part, name, measure) for name in part}
    if measure == "concept_flipping":
        first = next((name for name in part if figure(part, name, measure).value is not None), "")
        rows |= {order: figure(part, first, name) for name, order in ORDERS.items()}
    return {name: interval for name, interval in rows.items() if interval.value is not None}


def explainer_choice(view: View, found: Grades) -> str:
    """Lets the user choose the explainer that is looked at more closely."""
    name = view.explainer if view.explainer in found else next(iter(found))
    return choose(
        st.selectbox, "explainer", "Explainer", str(name), options=list(found), format_func=explainer_title
    )  # fmt: skip


def cross_talk(found: Grades, explainer: str) -> None:
    """On whose sound the relevance of each instrument lies."""
    table = cross_talk_table(found[explainer].cross_talk)
    st.markdown(cross_talk_sentence(table))
    values = [[None if np.isnan(share) else float(share) for share in row] for row in table.to_numpy()]
    names = [title(label) for label in table.index], [title(label) for label in table.columns]
    said = "Table in colours: the share of the evidence for each instrument (down) on the sound of each (across)."
    st.plotly_chart(figures.cross_talk(values, *names), config=CONFIG, key="evidence-cross-talk", alt=said)
    export("cross talk", table.rename_axis("label").reset_index())


def cross_talk_table(shares: CrossTalk) -> pd.DataFrame:
    """Labels down and stems across, families together; nothing where two never play in one clip."""
    heard = {stem for row in shares.values() for stem in row}
    order = [label for label in INSTRUMENTS if label in heard | set(shares)]
    return pd.DataFrame.from_dict(shares, orient="index", dtype=float).reindex(
        index=[label for label in order if label in shares], columns=[label for label in order if label in heard]
    )


def cross_talk_sentence(table: pd.DataFrame) -> str:
    """How much relevance lies on the instrument's own sound, and where most lies on another's, in words."""
    pairs = table.stack().dropna()
    if pairs.empty:
        return "Nothing was measured."
    own = pairs[[label == stem for label, stem in pairs.index]]
    text = f"On average, {own.mean():.0%} of an instrument's positive relevance lies on its own sound."
    astray = pairs.drop(own.index)
    if astray.empty:
        return text
    label, stem = astray.idxmax()
    return (
        f"{text} The largest share on another's: where **{_lower(label)}** and **{_lower(stem)}** play together, "
        f"{astray.max():.0%} of that for {_lower(label)} lies on {_lower(stem)}."
    )


def sanity(found: Grades, model: str, explainer: str) -> None:
    """The map of one instrument while the network loses what it learned, and how alike such maps are on average."""
    check = sanity_check(model, explainer)
    means, average = found[explainer].sanity, figure(found, explainer, SANITY)
    others = _and([_lower(label) for label in check.clip.labels if label != check.label])
    st.markdown(
        f"**{title(check.label)}**, in a clip with {others}. The first map is that of the trained network. In each "
        "of the following ones, one more layer has random weights, from the top layer down: a map that stays the same "
        "does not show what the network learned. Over many clips and all layers, the similarity to the first map is "
        f"**{figures.number(average.value)}** ({_range(average)}); 1 means the same map."
    )
    st.html(
        figures.strip(
            [
                (thumbnail(check.logmel, np.abs(step.map)), *_caption(step, means.get(str(step.layer))))
                for step in check.steps
            ]
        )
    )
    st.caption(
        "The pictures show how strong the relevance is, whether for or against; the similarity is the rank correlation "
        "of these strengths."
    )


def _caption(step: Step, mean: Interval | None) -> tuple[str, str]:
    """The two lines below the map of a step: its similarity, and the mean over many clips."""
    if step.layer is None:
        return "as trained", ""
    own = figures.number(None if np.isnan(step.similarity) else step.similarity)
    many = f"over many clips: {figures.number(mean.value)} ({_range(mean)})" if mean else "not graded"
    return f"{step.layer}: {own}", many


def _range(interval: Interval) -> str:
    return f"{figures.number(interval.low)} to {figures.number(interval.high)}"


def figures_of(found: Grades) -> pd.DataFrame:
    """All figures, a row each: explainer, group of instruments, its size, measure, value, low, high."""
    parts = {
        (name, group): part
        for name, grade in found.items()
        for group, part in {
            "all": grade,
            **{f"{count} at once": part for count, part in grade.by_count.items()},
            **grade.by_outcome,
        }.items()
    }
    return pd.DataFrame(
        {"explainer": name, "group": group, "clips": part.clips, "instruments": part.instruments,
         "measure": measure, **dict(interval)}
        for (name, group), part in parts.items()
        for measure, interval in part.measures.items()
    )  # fmt: skip


def explainer_title(name: str) -> str:
    """What people read for an explainer.

    >>> explainer_title("crp"), explainer_title("integrated_gradients")
    ('CRP', 'Integrated gradients')
    """
    return EXPLAINER_TITLES.get(name, name.replace("_", " ").capitalize())


def _inline(name: str) -> str:
    """An explainer within a sentence: names stay as they are, words lose their capital."""
    titled = explainer_title(name)
    return titled if titled[1:2].isupper() or name == "grad_cam" else titled[0].lower() + titled[1:]


def _bold(name: str) -> str:
    titled = explainer_title(name)
    return f"<b>{titled}</b>" if name == DEFAULT_EXPLAINER else titled


def _lower(label: str) -> str:
    return title(label).lower()


def _and(parts: Sequence[str]) -> str:
    """Parts of a sentence joined by commas and “and”.

    >>> _and(["a", "b", "c"]), _and(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(parts[:-1]), *parts[-1:]] if len(parts) > 1 else parts)
