"""Parts of the Experiments page: what was measured over many clips, read from the files beside the models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from app.components.downloads import export
from app.figures import intervals as figures
from app.figures.charts import CONFIG
from app.figures.colors import MODEL_COLORS, NEUTRAL, model_colors, seen, title
from app.figures.colors import legend as color_legend
from app.frame.models import model_title
from app.frame.view import View, listed, show
from core.comparison.records import SETS, VariantResult, in_order, read_ablation, read_curves, read_records
from core.evaluation.record import SCORES, Confusion, Evaluation, SoloConfusion
from core.grading.verdict import Outcome, outcome
from core.models.card import Training, read_card
from core.models.store import model_names
from core.paths import TRAINED_MODELS
from core.taxonomy.instruments import INSTRUMENTS

T = TypeVar("T")
Records = Mapping[str, Mapping[str, Evaluation]]

CHOICES = ("mAP", "macro_f1")  # scores that can be shown
MEASURE_HELP = (
    "Both are means over instruments. mAP: the average precision, that is how well the network ranks clips with an "
    "instrument ahead of clips without it. macro-F1: F1 = 2TP / (2TP + FP + FN), which weighs what is rightly detected "
    "against what is missed or wrongly detected. Bars and bands are 95 % bootstrap intervals over clips."
)
COUNTS = [f"count-{n}" for n in range(1, 7)]
LEVELS = {  # lower ends of the slices by level, in dB
    "-inf": "< −18", "-18": "−18 … −12", "-12": "−12 … −6", "-6": "−6 … 0", "0": "0 … 6", "6": "> 6",
}  # fmt: skip
QUIET = "-12"
GAPS = {"own": "own clips", "unheard-soundfont": "unheard soundfont", "real_dev": "real recordings"}
TESTS = {"rich": "rich clips", **GAPS}  # the others are shown under their titles
WHOLE = "whole"  # the training that nothing is left out of
LEFT_OUT = {"no-augmentation": "no augmentation while training"}  # where the title is too long
LEFT_OUT_HELP = (
    "Effects: rooms, equalisers and codecs on each stem. Augmentation: mixing clips, equalising, adding noise and "
    "masking bands and frames while training. Bars are 95 % bootstrap intervals over the test clips. Every network was "
    "trained once, so the bars do not show how much two identical trainings would differ."
)
BROAD = ("rich", "own")  # sets with all families; the first that was measured is shown
RIGHT = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
SIMILAR = ("strings", "brass", "reeds", "plucked")
COURSES = {"val_mAP": "mAP on held-out clips", "val_loss": "loss on held-out clips", "train_loss": "training loss"}


def titled(name: str) -> str:
    """A model as people read it."""
    return model_title(name, TRAINED_MODELS)


def colors() -> dict[str, str]:
    """One colour for each trained model, by title."""
    return {titled(name): shade for name, shade in model_colors(model_names(TRAINED_MODELS)).items()}


def models_choice(view: View, names: Sequence[str]) -> list[str]:
    """The models whose figures are shown; at first those that know the same instruments as the default model."""
    usual = _label_set(model_names(TRAINED_MODELS)[0])
    alike = [name for name in names if _label_set(name) == usual]
    shown = listed(view.shown, names) or alike or list(names)
    key = "experiments-models"
    st.session_state[key] = shown

    def changed() -> None:
        show(shown=",".join(st.session_state[key]) or None)

    st.multiselect("Models", names, key=key, on_change=changed, format_func=titled, wrap=True)
    return shown


def _label_set(name: str) -> str:
    return read_card(TRAINED_MODELS / name).label_set


def measure_choice() -> str:
    """Lets the user choose the measure that the figures show."""
    chosen = st.segmented_control(
        "Measure", CHOICES, default="mAP", required=True, format_func=SCORES.__getitem__, key="measure",
        persist_state="session", help=MEASURE_HELP,
    )  # fmt: skip
    return chosen or "mAP"


def legend(names: Sequence[str]) -> None:
    """Which colour stands for which model, once for all figures."""
    shades = colors()
    st.html(color_legend({titled(name): shades[titled(name)] for name in names}))


def by_number(records: Records, measure: str) -> None:
    """Quality by number of instruments."""
    series = _over_sets(records, COUNTS, measure)
    if _missing(series, "count-1, count-2, …"):
        return
    named = {
        titled(name): {place.removeprefix("count-"): f for place, f in found.items()} for name, found in series.items()
    }
    numbers = [name.removeprefix("count-") for name in COUNTS]
    said = f"{SCORES[measure]} by the number of instruments at once, a curve for each of {'; '.join(named)}."
    chart("by-number", figures.bands(named, numbers, colors(), "instruments at once"), said)
    export("by number", _table(series, "set"))


def by_level(records: Records) -> None:
    """How many instruments are found, by how loud they are in their mix."""
    found = {name: sets["rich"].by_level for name, sets in records.items() if "rich" in sets and sets["rich"].by_level}
    if _missing(found, "rich"):
        return
    series = {name: {LEVELS[low]: row.recall for low, row in rows.items()} for name, rows in found.items()}
    st.markdown(level_sentence({name: rows[QUIET].mAP.value or 0 for name, rows in found.items()}, records))
    named, levels = _by_title(series), list(LEVELS.values())
    said = f"Share of the instruments found, by how loud they are, a curve for each of {'; '.join(named)}."
    chart("by-level", figures.bands(named, levels, colors(), "dB louder than the rest"), said)
    export("by level", _table(series, "level"))


def level_sentence(audible: Mapping[str, float], records: Records) -> str:
    """What the best of the models would reach if the quietest instruments did not count."""
    best = max(audible, key=lambda name: audible[name])
    return (
        f"If instruments more than 12 dB below the rest did not count, the mAP of **{titled(best)}** would be "
        f"{audible[best]:.0%}; it is {records[best]['rich'].mAP.value or 0:.0%}."
    )


def gaps(records: Records, measure: str) -> None:
    """Quality on a model's own clips and on sounds of other origin."""
    series = _over_sets(records, list(GAPS), measure)
    if _missing(series, ", ".join(GAPS)):
        return
    named = {titled(name): {GAPS[place]: f for place, f in found.items()} for name, found in series.items()}
    said = f"{SCORES[measure]} on {', '.join(GAPS.values())}, a line for each of {'; '.join(named)}."
    chart("gaps", figures.slopes(named, list(GAPS.values()), colors()), said)
    export("gaps", _table(series, "set"))


def by_family(records: Records, measure: str) -> None:
    """Quality for each family."""
    found = {name: next((sets[s] for s in BROAD if s in sets), None) for name, sets in records.items()}
    series = {
        name: {family: getattr(scores, measure) for family, scores in record.by_family.items()}
        for name, record in found.items()
        if record and record.by_family
    }
    if _missing(series, " or ".join(BROAD)):
        return
    families = list(dict.fromkeys(family for by in series.values() for family in by))
    named = {titled(name): {title(family): f for family, f in by.items()} for name, by in series.items()}
    rows = [title(family) for family in families]
    said = f"{SCORES[measure]} on {', '.join(rows).lower()}, a dot with its interval for each of {'; '.join(named)}."
    chart("by-family", figures.rows(named, rows, colors()), said)
    export("by family", _table(series, "family"))


def confusion(records: Records) -> None:
    """Which instruments of a family a model detects that do not play, where others of the family do."""
    sets = {family: f"similar-{family}" for family in SIMILAR}
    if _missing({name: found for name, found in records.items() if set(sets.values()) & set(found)}, ", ".join(sets)):
        return
    family = st.selectbox("Family", SIMILAR, key="confused-family", format_func=str.capitalize)
    measured = {name: found[sets[family]] for name, found in records.items() if sets[family] in found}
    model = st.selectbox("Model", list(measured), key="confused-model", format_func=titled)
    if _missing(measured, sets[family]):
        return
    record = measured[str(model)]
    table = _of_family(record.confusion, record.confusion.rate, family)
    if table.empty:
        st.caption(f"{titled(str(model))} was measured with no {family}.")
        return
    st.markdown(confusion_sentence(table))
    names = ([title(label) for label in table.index], [title(label) for label in table.columns])
    values = [[None if pd.isna(v) else float(v) for v in row] for row in table.to_numpy()]
    said = f"Table in colours: how often {titled(str(model))} detects one of the {family} (across) where another plays."
    chart("confusion", figures.heatmap(values, *names, ("plays", "detected, but does not play")), said)
    counts = _of_family(record.confusion, record.confusion.clips, family).to_numpy()[table.notna().to_numpy()]
    st.caption(
        f"In {record.clips} clips of only {family} together. Each figure is a share of the {counts.min():.0f} to "
        f"{counts.max():.0f} clips in which the one plays and the other does not."
    )
    export("confusion", table.rename_axis("played").reset_index())


def confusion_sentence(table: pd.DataFrame) -> str:
    """The most frequent confusion of a table (rows play, columns are detected and do not play) in words."""
    worst = table.stack().dropna()
    if worst.empty or worst.max() == 0:
        return "None of them is ever detected where others play and it does not."
    played, detected = worst.idxmax()
    return (
        f"Most frequent: where **{_lower(played)}** plays and **{_lower(detected)}** does not, {_lower(detected)} is "
        f"detected in {worst.max():.0%} of the clips."
    )


def real_solos(records: Records) -> None:
    """What a model takes real recordings of one instrument for."""
    solos = {name: sets["real_dev"].solo_confusion for name, sets in records.items() if "real_dev" in sets}
    if _missing(solos, "real_dev"):
        return
    model = st.selectbox("Model", list(solos), key="solos-model", format_func=titled, label_visibility="collapsed")
    table = solo_table(solos[model])
    st.dataframe(table, hide_index=True, column_config={"right": RIGHT})
    export("real solos", table)


def solo_table(confusion: SoloConfusion) -> pd.DataFrame:
    """A row for each instrument: share right, what it is taken for, recordings; the least often right comes first."""
    rows = []
    for played, counts in zip(confusion.when, confusion.clips, strict=True):
        called = dict(zip(confusion.called, counts, strict=True))
        wrong = sorted((label for label in called if called[label] and label != played), key=lambda x: -called[x])
        rows.append(
            {
                "instrument": title(played),
                "right": called.get(played, 0) / sum(counts),
                "taken for": ", ".join(f"{_lower(label)} {called[label]}×" for label in wrong),
                "recordings": sum(counts),
            }
        )
    return pd.DataFrame(rows).sort_values("right", kind="stable")


def training(names: Sequence[str]) -> None:
    """The training curves."""
    curves = {name: curve for name, curve in read_curves(TRAINED_MODELS).items() if name in names}
    if not curves:
        st.caption("No training curves yet; `timbrescope train` writes `training.csv` beside each model.")
        return
    for part, column in zip(st.columns(len(COURSES)), COURSES, strict=True):
        there = {name: curve for name, curve in curves.items() if column in curve}
        with part:
            st.caption(COURSES[column])
            named = _by_title(there)
            said = f"{COURSES[column]} over the epochs of the training, a curve for each of {'; '.join(named)}."
            chart(column, figures.courses(named, column, colors(), percent=column == "val_mAP"), said)
    for name in curves:
        if words := started_from(read_card(TRAINED_MODELS / name).training):
            st.caption(f"**{titled(name)}** {words}")
    export("training", pd.concat([curve.assign(model=name) for name, curve in curves.items()]))


def started_from(training: Training) -> str:
    """What came before a training, in words; nothing where it started from scratch."""
    earlier = list(training.history)[1:]
    if not earlier:
        return ""
    trainings = "one earlier training" if len(earlier) == 1 else f"{len(earlier)} earlier trainings"
    epochs = sum(stage.epochs for stage in earlier)
    return f"did not start from scratch: {trainings} of {epochs} epochs in all led to the weights it started from."


def ablation(measure: str) -> None:
    """What each ingredient of the rich training is worth, on each test set."""
    found = read_ablation(TRAINED_MODELS)
    if not found:
        st.caption("Not measured yet; `timbrescope study ablation` leaves out one ingredient at a time.")
        return
    st.caption(
        f"Networks like `{found.base}`, each trained for {found.epochs} epochs over {found.clips:,} clips; in each, "
        "one ingredient of the training is left out, or one is added.",
        help=LEFT_OUT_HELP,
    )
    series = ablation_series(found.variants, measure)
    st.markdown(ablation_sentence(series))
    shades = dict(zip(series, (NEUTRAL, *map(seen, MODEL_COLORS)), strict=False))
    st.html(color_legend(shades))
    places = list(dict.fromkeys(place for by in series.values() for place in by))
    said = f"{SCORES[measure]} on each test set, a dot with its interval for each of {'; '.join(series)}."
    chart("ablation", figures.rows(series, places, shades), said)
    export("ablation", _table(series, "set").rename(columns={"model": "left out"}))


def ablation_series(variants: Mapping[str, VariantResult], measure: str) -> dict[str, figures.Figures]:
    """A measure on each test set by what was left out; the full training, the one to compare with, comes first."""
    return {
        LEFT_OUT.get(name, variants[name].title): {
            TESTS.get(place, SETS.get(place, place)): getattr(variants[name].sets[place], measure)
            for place in in_order(variants[name].sets)
        }
        for name in sorted(variants, key=lambda name: name != WHOLE)
    }


def ablation_sentence(series: Mapping[str, figures.Figures]) -> str:
    """Which changes are clear, that is with intervals that do not touch those of the full training, in words."""
    first, *others = series
    pairs = {(name, place): (series[name][place], series[first][place]) for name in others for place in series[name]}
    changes = {key: (f.value or 0) - (whole.value or 0) for key, (f, whole) in pairs.items()}
    words = {
        (name, place): f"**{name}** on {place} ({100 * change:+.1f} points)".replace("-", "−")
        for (name, place), change in changes.items()
    }
    if not words:
        return "Nothing was left out yet."
    outcomes = {key: outcome(f, whole) for key, (f, whole) in pairs.items()}
    clear = [words[key] for key, found in outcomes.items() if found not in (None, Outcome.ALIKE)]
    if not clear:
        largest = max(changes, key=lambda key: abs(changes[key]))
        return f"No change is clear: all intervals overlap those of “{first}”. The largest is {words[largest]}."
    return f"Clear changes, whose intervals do not overlap those of “{first}”: {'; '.join(clear)}."


def nothing_measured() -> None:
    """Says which commands measure what the page shows."""
    st.info(
        "Nothing has been measured yet: `timbrescope evaluate --model NAME --data FOLDER --record own` measures a "
        "model and keeps the scores for this page; `timbrescope report` compares models."
    )


def records(root: Path | None = None) -> Records:
    """The recorded evaluations of all models."""
    return read_records(root or TRAINED_MODELS)


def _over_sets(records: Records, sets: Sequence[str], measure: str) -> dict[str, figures.Figures]:
    series = {name: {s: getattr(found[s], measure) for s in sets if s in found} for name, found in records.items()}
    return {name: found for name, found in series.items() if found}


def _missing(series: Mapping[str, Any], sets: str) -> bool:
    """Says which sets have to be measured, if no model has any figure."""
    if not series:
        st.caption(f"Not measured yet; run `timbrescope evaluate --record NAME` with these names: {sets}.")
    return not series


def _of_family(confusion: Confusion, values: Sequence[Sequence[float | None]], family: str) -> pd.DataFrame:
    """Values of a confusion for one family: rows play, columns are detected."""
    table = pd.DataFrame(values, index=confusion.when, columns=confusion.called, dtype=float)
    inside = [label for label in INSTRUMENTS if INSTRUMENTS[label].family == family]
    return table.reindex(
        index=[x for x in inside if x in table.index], columns=[x for x in inside if x in table.columns]
    )


def _by_title(series: Mapping[str, T]) -> dict[str, T]:
    return {titled(name): found for name, found in series.items()}


def _table(series: Mapping[str, figures.Figures], what: str) -> pd.DataFrame:
    """A row for each model and place."""
    return pd.DataFrame(
        {"model": name, what: place, **dict(figure)}
        for name, found in series.items()
        for place, figure in found.items()
    )


def chart(key: str, figure: Any, shows: str) -> None:
    """Shows a figure that stays where it is while others change; a screen reader says what it ``shows``."""
    st.plotly_chart(figure, config=CONFIG, key=f"experiments-{key}", alt=shows)


def _lower(label: str) -> str:
    return title(label).lower()
