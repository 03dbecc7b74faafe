"""Writes the READMEs from the cards and records of the trained models.

``trained_models/README.md`` is written whole; the project's README gets two tables: the networks, and the grades of the
default network's explanations.
"""

from collections.abc import Mapping
from pathlib import Path

from core.comparison.records import SETS, in_order, read_ablation, read_records
from core.evaluation.record import SCORES, Evaluation
from core.grading.record import GradeFigures, recorded_grades
from core.grading.verdict import figure
from core.models.card import Card, Training, read_card
from core.models.store import model_names
from core.paths import TRAINED_MODELS
from core.records import Interval, write_whole

HEADER = """\
# Trained models

A folder for each model: `model.safetensors` holds the weights, `card.json` everything else (labels, frontend,
architecture, thresholds, how it was trained), `evaluation/` what `timbrescope evaluate --record` measured, `grades/`
what `timbrescope grade --record` measured, and `training.csv` the course of the training. `studies/` holds what was
found by comparing models, rules and masks. `timbrescope report` writes this file.
"""

LEGEND = """\
Figures are followed by their 95 % bootstrap interval over clips. mAP is the mean over instruments of the average
precision; F1 is taken at the thresholds of the cards, which were fitted on held-out composed clips. No model has seen
any of these clips.
"""
ABLATION = """\
## What each ingredient of the rich training is worth

The mAP of networks like `{base}`, each trained for {epochs} epochs over {clips:,} clips; in each, one ingredient of the
training is left out, or one is added. `timbrescope study ablation` measures it again.
"""
SUMMARY_COLUMNS = {
    "own clips, mAP": ("own", "mAP"),
    "one instrument of `rich`, top-1": ("count-1", "top1_solo"),
    "unheard soundfont, mAP": ("unheard-soundfont", "mAP"),
    "real recordings, mAP": ("real_dev", "mAP"),
    "real solos, top-1": ("real_dev", "top1_solo"),
}
"""Columns of the networks' table: their titles, and which score on which set they show."""

GRADE_COLUMNS = {
    "lift over area": "lift",
    "pointing": "pointing",
    "SI-SDR improvement, dB": "si_sdr_improvement",
    "the same, all masked as in the app": "si_sdr_among_rivals",
    "intervention": "intervention",
    "similarity after randomising": "sanity_similarity",
}
"""Columns of the explainers' table: their titles, and which measure they show."""

BEGIN, END = "<!-- {}, written by `timbrescope report` -->", "<!-- until here -->"


def write_models_readme(root: Path = TRAINED_MODELS) -> Path:
    """Writes ``README.md`` into the folder of the trained models and returns its path.

    Raises:
        InputError: a card or a record is damaged, or the file cannot be written.
    """
    models = "\n".join(_about(name, read_card(root / name)) for name in model_names(root))
    parts = [HEADER, f"{models}\n", _scores_table(read_records(root)), LEGEND, *_ablation(root)]
    path = root / "README.md"
    _write(path, "\n".join(parts))
    return path


def write_tables(readme: Path, root: Path = TRAINED_MODELS) -> None:
    """Writes the tables of the networks and of the default network's explanations between their marks in a README.

    Raises:
        ValueError: the file lacks a table's marks.
        InputError: a card or a record is damaged, or the file cannot be written.
    """
    text = readme.read_text(encoding="utf-8")
    for name, table in tables(root).items():
        before, rest = text.split(BEGIN.format(name))
        _, after = rest.split(END, 1)
        text = f"{before}{BEGIN.format(name)}\n\n{table}\n{END}{after}"
    _write(readme, text)


def tables(root: Path = TRAINED_MODELS) -> dict[str, str]:
    """The tables of the project's README, by name."""
    default = next((name for name in model_names(root) if read_card(root / name).default), None)
    grades = recorded_grades(str(root / default)) if default else {}
    return {"networks": networks_table(read_records(root)), "explanations": explanations_table(grades)}


def explanations_table(grades: Mapping[str, GradeFigures]) -> str:
    """A table with a row for each explainer, that with the largest lift first."""
    order = sorted(grades, key=lambda name: -(figure(grades, name, "lift").value or 0))
    return _rows(
        [
            ["explainer", *GRADE_COLUMNS],
            ["---"] * (1 + len(GRADE_COLUMNS)),
            *([name, *(_cell(figure(grades, name, key), 2) for key in GRADE_COLUMNS.values())] for name in order),
        ]
    )


def networks_table(records: Mapping[str, Mapping[str, Evaluation]]) -> str:
    """A table with a row for each model that was measured, the best on real recordings first."""

    def score(model: str, name: str, key: str) -> Interval:
        return getattr(records[model][name], key) if name in records[model] else Interval()

    order = sorted(records, key=lambda model: -(score(model, *SUMMARY_COLUMNS["real recordings, mAP"]).value or 0))
    return _rows(
        [
            ["network", *SUMMARY_COLUMNS],
            ["---"] * (1 + len(SUMMARY_COLUMNS)),
            *(
                [model, *(_cell(score(model, *column), 2) or "–" for column in SUMMARY_COLUMNS.values())]
                for model in order
            ),
        ]
    )


def _about(name: str, card: Card) -> str:
    default = " The app opens with it." if card.default else ""
    return f"- **{name}**: {card.description}{default} {card.parameters:,} parameters. {_course(card.training)}."


def _part(training: Training) -> str:
    """Which clips of a recipe or corpus were trained on."""
    return f"split {training.split}" if training.data_seed is None else f"data seed {training.data_seed}"


def _course(training: Training) -> str:
    """How a model was trained, the first of several trainings first."""
    before = f"{_course(training.previous)}; then " if training.previous else ""
    return (
        f"{before}{training.epochs} epochs over {training.clips:,} clips of `{training.recipe}` "
        f"({_part(training)}), {training.minutes:.0f} min on {training.hardware}"
    )


def _scores_table(records: Mapping[str, Mapping[str, Evaluation]]) -> str:
    """A row for each set and model, those of one set together."""
    sets = in_order(name for found in records.values() for name in found)
    rows = [
        ["set", "model", "clips", *SCORES.values()],
        ["---"] * (3 + len(SCORES)),
        *(
            [SETS.get(name, name), model, str(found[name].clips), *(_cell(getattr(found[name], key)) for key in SCORES)]
            for name in sets
            for model, found in records.items()
            if name in found
        ),
    ]
    return _rows(rows)


def _ablation(root: Path) -> list[str]:
    """What each ingredient of the training is worth, if that was measured."""
    found = read_ablation(root)
    if not found:
        return []
    sets = in_order(name for variant in found.variants.values() for name in variant.sets)
    rows = [
        ["left out", *(SETS.get(name, name) for name in sets)],
        ["---"] * (1 + len(sets)),
        *(
            [variant.title, *(_cell(variant.sets[name].mAP if name in variant.sets else Interval()) for name in sets)]
            for variant in found.variants.values()
        ),
    ]
    return [ABLATION.format(base=found.base, epochs=found.epochs, clips=found.clips), _rows(rows)]


def _rows(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cell(figure: Interval, digits: int = 3) -> str:
    """A figure with its interval for a table of a README; empty where there is none.

    >>> _cell(Interval(value=-0.5, low=-0.6, high=0.4), digits=2), _cell(Interval())
    ('−0.50 [−0.60–0.40]', '')
    """
    if figure.value is None:
        return ""
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}–{figure.high:.{digits}f}]".replace("-", "−")


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))
