"""What the models are and what was measured, as text written from their files.

``trained_models/README.md`` has it all about the models, the project's README a table of the most telling figures and
one of the grades of explanations.
"""

from pathlib import Path
from typing import Any

from core.comparison.records import SETS, in_order, read_ablation, read_records
from core.evaluation.record import Evaluation
from core.grading.record import recorded_grades
from core.models.card import Card, Training, read_card
from core.models.store import model_names
from core.paths import TRAINED_MODELS

HEADER = """\
# Trained models

A folder for each model: `model.safetensors` holds the weights, `card.json` everything else (labels, frontend,
architecture, thresholds, how it was trained), `evaluation/` what `timbrescope evaluate --record` measured, and
`training.csv` the course of the training. `timbrescope report` writes this file and `experiments.json`.
"""

LEGEND = """\
Figures are followed by their 95 % bootstrap interval over clips. mAP is the mean over instruments of the average
precision; F1 is taken at the thresholds of the cards, which were fitted on held-out composed clips. No model has seen
any of these clips.
"""
ABLATION = """\
## What the rich training is made of

Networks like `{base}`, each trained for {epochs} epochs over {clips:,} clips, of which one ingredient is left out,
or added, at a time. `python -m core.studies.ablation` measures it again. mAP:
"""
SUMMARY = {
    "own clips, mAP": ("own", "mAP"),
    "one instrument of `rich`, top-1": ("count-1", "top1_solo"),
    "unheard soundfont, mAP": ("unheard-soundfont", "mAP"),
    "real recordings, mAP": ("real_dev", "mAP"),
    "real solos, top-1": ("real_dev", "top1_solo"),
}
"""Columns of the summary: their titles, and which measure of which set they show."""

GRADES = {
    "lift over area": "lift",
    "pointing": "pointing",
    "SI-SDR improvement, dB": "si_sdr_improvement",
    "the same, all masked as in the app": "si_sdr_among_rivals",
    "intervention": "intervention",
    "similarity after randomising": "sanity_similarity",
}
"""Columns of the explainers' table: their titles, and which measure they show."""

BEGIN, END = "<!-- {}, written by `timbrescope report` -->", "<!-- until here -->"

MEASURES = {"mAP": "mAP", "macro_f1": "macro-F1", "micro_f1": "micro-F1", "top1_solo": "top-1 of solos"}


def write_readme(root: Path = TRAINED_MODELS) -> Path:
    """Writes the file from the cards and records below ``root``, and returns its path."""
    models = "\n".join(_about(name, read_card(root / name)) for name in model_names(root))
    parts = [HEADER, f"{models}\n", _table(read_records(root)), LEGEND, *_ablation(root)]
    path = root / "README.md"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def write_tables(readme: Path, root: Path = TRAINED_MODELS) -> None:
    """Writes the tables of the networks and of the default network's explanations where a Markdown file wants them.

    Raises:
        ValueError: the file lacks a table's marks.
    """
    text = readme.read_text(encoding="utf-8")
    for name, table in tables(root).items():
        before, rest = text.split(BEGIN.format(name))
        _, after = rest.split(END, 1)
        text = f"{before}{BEGIN.format(name)}\n\n{table}\n{END}{after}"
    readme.write_text(text, encoding="utf-8")


def tables(root: Path = TRAINED_MODELS) -> dict[str, str]:
    """Tables of what was recorded, by name."""
    default = next((name for name in model_names(root) if read_card(root / name).default), None)
    grades = recorded_grades(str(root / default)) if default else {}
    return {"networks": summary(read_records(root)), "explanations": explanations(grades)}


def explanations(grades: dict[str, dict[str, Any]]) -> str:
    """A table with a row for each explainer, that with the largest lift first."""
    rows = [
        ["explainer", *GRADES],
        ["---"] * (1 + len(GRADES)),
        *(
            [name, *(_cell(grades[name]["measures"].get(key), digits=2) for key in GRADES.values())]
            for name in sorted(grades, key=lambda name: -grades[name]["measures"]["lift"]["value"])
        ),
    ]
    return _rows(rows)


def summary(records: dict[str, dict[str, Evaluation]]) -> str:
    """A table with a row for each model that was measured, the best on real recordings first."""

    def figure(model: str, name: str, key: str) -> Any:
        return records[model].get(name, {}).get(key)

    def on_real(model: str) -> float:
        found = figure(model, *SUMMARY["real recordings, mAP"])
        return float(found["value"]) if found else 0.0

    rows = [
        ["network", *SUMMARY],
        ["---"] * (1 + len(SUMMARY)),
        *(
            [model, *(_cell(figure(model, *column), digits=2) or "–" for column in SUMMARY.values())]
            for model in sorted(records, key=on_real, reverse=True)
        ),
    ]
    return _rows(rows)


def _about(name: str, card: Card) -> str:
    default = " The app opens with it." if card.default else ""
    return f"- **{name}**: {card.description}{default} {card.parameters:,} parameters. {_course(card.training)}."


def _course(training: Training) -> str:
    """How a model was trained, the first of several trainings first."""
    before = f"{_course(training.previous)}; then " if training.previous else ""
    return (
        f"{before}{training.epochs} epochs over {training.clips:,} clips of `{training.recipe}` "
        f"(data seed {training.data_seed}), {training.minutes:.0f} min on {training.hardware}"
    )


def _table(records: dict[str, dict[str, Evaluation]]) -> str:
    """A row for each set and model, those of one set together."""
    sets = in_order(name for found in records.values() for name in found)
    rows = [
        ["set", "model", "clips", *MEASURES.values()],
        ["---"] * (3 + len(MEASURES)),
        *(
            [SETS.get(name, name), model, str(found[name]["clips"]), *(_cell(found[name].get(key)) for key in MEASURES)]
            for name in sets
            for model, found in records.items()
            if name in found
        ),
    ]
    return _rows(rows)


def _ablation(root: Path) -> list[str]:
    """What was found about the ingredients of the training, if it was asked."""
    found = read_ablation(root)
    if not found:
        return []
    sets = in_order(next(iter(found["variants"].values()))["sets"])
    rows = [
        ["left out", *(SETS.get(name, name) for name in sets)],
        ["---"] * (1 + len(sets)),
        *(
            [variant["title"], *(_cell(variant["sets"][name]["mAP"]) for name in sets)]
            for variant in found["variants"].values()
        ),
    ]
    return [ABLATION.format_map(found), _rows(rows)]


def _rows(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cell(figure: Any, digits: int = 3) -> str:
    """
    >>> _cell({"value": 0.9512, "low": 0.9, "high": 0.98}), _cell(-0.5, digits=2), _cell(None)
    ('0.951 [0.900–0.980]', '−0.50', '')
    """
    if isinstance(figure, dict):
        value, low, high = (figure.get(key) for key in ("value", "low", "high"))
        text = "" if value is None else f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"
    else:
        text = "" if figure is None else f"{figure:.{digits}f}"
    return text.replace("-", "−")
