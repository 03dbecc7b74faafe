"""``trained_models/README.md``: what the models are and one table of what was measured, written from their files."""

from pathlib import Path
from typing import Any

from core.comparison.records import SETS, in_order, read_ablation, read_records
from core.evaluation.record import Evaluation
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

Networks like `{base}`, each trained for {epochs} epochs over {clips:,} clips, of which one ingredient is left out
at a time. `python -m core.training.ablation` measures it again. mAP:
"""
MEASURES = {"mAP": "mAP", "macro_f1": "macro-F1", "micro_f1": "micro-F1", "top1_solo": "top-1 of solos"}


def write_readme(root: Path = TRAINED_MODELS) -> Path:
    """Writes the file from the cards and records below ``root``, and returns its path."""
    models = "\n".join(_about(name, read_card(root / name)) for name in model_names(root))
    parts = [HEADER, f"{models}\n", _table(read_records(root)), LEGEND, *_ablation(root)]
    path = root / "README.md"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


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


def _cell(figure: Any) -> str:
    """
    >>> _cell({"value": 0.9512, "low": 0.9, "high": 0.98}), _cell(0.5), _cell(None)
    ('0.951 [0.900–0.980]', '0.500', '')
    """
    if isinstance(figure, dict):
        value, low, high = (figure.get(key) for key in ("value", "low", "high"))
        return "" if value is None else f"{value:.3f} [{low:.3f}–{high:.3f}]"
    return "" if figure is None else f"{figure:.3f}"
