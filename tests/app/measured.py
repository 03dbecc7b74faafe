"""Made-up files of measured models, as ``evaluate --record``, ``train`` and ``report`` write them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from core.comparison.place import PLACES
from core.comparison.records import SETS
from core.evaluation.scores import LEVELS
from core.models.card import CARD
from core.models.store import card, default_model
from core.studies.experiments import QUESTIONS
from core.studies.summary import tell
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS

MODELS = (
    "general-deep-rich",
    "general-deep-simple",
    "general-shallow-rich",
    "general-shallow-simple",
    "wimu12-shallow",
)
LAYERS = {"shallow": 4, "deep": 8}


def write_measured(root: Path, models: tuple[str, ...] = MODELS) -> None:
    """Writes evaluations and a training curve for each model, an ablation, and answers to the research questions."""
    rng = np.random.default_rng(0)
    for model in models:
        (root / model / "evaluation").mkdir(parents=True)
        (root / model / "model.safetensors").touch()
        card(default_model()).model_copy(update={"name": model, "default": False}).write(root / model / CARD)
        for n, name in enumerate(SETS):
            evaluation = _evaluation(model, 0.95 - 0.04 * n, rng)
            (root / model / f"evaluation/{name}.json").write_text(json.dumps(evaluation))
        _curve(rng).to_csv(root / model / "training.csv", index=False)
    (root / "ablation.json").write_text(json.dumps(ablation()))
    questions = {
        key: {"title": question.title, "kinds": question.kinds, "pairs": pairs, "told": tell(question.kinds, pairs)}
        for key, question in QUESTIONS.items()
        if (pairs := {case: _pair(pair, rng) for case, pair in question.pairs.items() if set(pair) <= set(models)})
    }
    (root / "experiments.json").write_text(json.dumps({"clips": ["general@1"] * 60, "questions": questions}))


def ablation(**losses: float) -> dict:
    """The mAP that is lost on real recordings without something; by default nothing is left out but the effects."""
    variants = {"whole": 0.0, **(losses or {"no-effects": 0.01})}
    return {
        "base": "general-deep-rich", "clips": 6144, "epochs": 10, "test_clips": 500,
        "variants": {
            name: {"title": name.replace("-", " "), "recipe": "rich", "settings": {}, "sets": {
                place: {key: _figure(0.6 - loss * (place == "real_dev")) for key in ("mAP", "macro_f1", "top1_solo")}
                for place in ("rich", "unheard-soundfont", "real_dev")
            }}
            for name, loss in variants.items()
        },
    }  # fmt: skip


def _figure(value: float, reach: float = 0.02) -> dict[str, float]:
    return {"value": round(value, 4), "low": round(value - reach, 4), "high": round(value + reach, 4)}


def _scores(level: float, rng: np.random.Generator) -> dict:
    return {key: _figure(level + rng.normal(0, 0.02)) for key in ("mAP", "macro_f1", "micro_f1")}


def _evaluation(model: str, level: float, rng: np.random.Generator) -> dict:
    labels = list(INSTRUMENTS)
    rates = np.where(rng.random((len(labels), len(labels))) < 0.3, rng.random((len(labels), len(labels))) * 0.3, 0.01)
    rates[labels.index("violin"), labels.index("viola")] = 0.31
    rows = [[None if i == j else round(rate, 4) for j, rate in enumerate(row)] for i, row in enumerate(rates)]
    return {
        "model": model,
        "clips": 300,
        **_scores(level, rng),
        "top1_solo": _figure(level),
        "per_instrument": {label: {"ap": _figure(level), "f1": _figure(level), "support": 10} for label in labels},
        "by_count": {"1": {"clips": 50, **_scores(level, rng)}},
        "by_level": {
            f"{low:g}": {"support": 50, "recall": _figure(level + 0.1 * n - 0.5), "mAP": _figure(level)}
            for n, low in enumerate((-np.inf, *LEVELS))
        },
        "by_family": {family: {"clips": 50, **_scores(level, rng)} for family in FAMILIES},
        "confusion": {"called": labels, "when": labels, "rate": rows},
        "solo_confusion": {
            "called": labels,
            "when": labels[:5],
            "clips": rng.integers(1, 9, (5, len(labels))).tolist(),
        },
    }


def _curve(rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(12)
    loss = 0.5 * np.exp(-epochs / 4) + 0.1 + rng.normal(0, 0.005, 12)
    return pd.DataFrame(
        {"epoch": epochs, "train_loss": loss, "val_loss": loss + 0.03, "val_mAP": 1 - loss, "val_macro_f1": 0.9 - loss}
    )


def _pair(models: tuple[str, str], rng: np.random.Generator) -> dict:
    down, across = (LAYERS[name.split("-")[1]] for name in models)
    cka = [[_figure(1 - 0.1 * abs(i / down - j / across) * 8) for j in range(across)] for i in range(down)]
    return {
        "models": models,
        "clips": 60,
        "agreement": {"equal": _figure(0.94), "kappa": _figure(0.7), "logits": _figure(0.8)},
        "layers": {
            "rows": [f"conv{i + 1}" for i in range(down)],
            "columns": [f"conv{j + 1}" for j in range(across)],
            "cka": cka,
        },
        "maps": {"all": _figure(0.6), "per_label": {"piano": {**_figure(0.6), "support": 9}}},
        "places": {place: _place(rng) for place in PLACES},
    }


def _place(rng: np.random.Generator) -> dict:
    a, b, energy = rng.uniform(0.1, 0.6, 3)
    return {"a": _figure(a), "b": _figure(b), "energy": _figure(energy), "difference": _figure(b - a, 0.05)}
