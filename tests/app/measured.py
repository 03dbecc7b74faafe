"""Made-up files of measured models, as ``evaluate --record``, ``train``, ``report`` and ``study`` write them."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from core.comparison.place import PLACES
from core.comparison.records import (
    ABLATION,
    EXPERIMENTS,
    SETS,
    Ablation,
    Agreement,
    Comparison,
    ContrastResult,
    Experiments,
    LabelSimilarity,
    LayerSimilarity,
    MapSimilarity,
    PlaceShares,
    VariantResult,
    VariantScores,
)
from core.evaluation.record import Confusion, Evaluation, LabelScores, LevelScores, Slice, SoloConfusion
from core.evaluation.scores import LEVELS
from core.models.card import CARD
from core.models.store import card
from core.paths import STUDIES
from core.records import Interval
from core.studies.contrasts import contrasts
from core.studies.summary import summarise
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS

MODELS = (
    "general-deep-rich-8",
    "general-deep-simple",
    "general-shallow-rich",
    "general-shallow-simple",
    "wimu12-shallow",
)
LAYERS = {"shallow": 4, "deep": 8}


def write_measured(root: Path, models: tuple[str, ...] = MODELS) -> None:
    """Writes cards, evaluations and a training curve for shipped models, an ablation, and results of the contrasts."""
    for path, content in _measured(models).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


@cache
def _measured(models: tuple[str, ...]) -> dict[Path, bytes]:
    """The content of those files, which takes longer to make up than to write."""
    with TemporaryDirectory() as folder:
        _make_up(Path(folder), models)
        return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def _make_up(root: Path, models: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    for model in models:
        for n, name in enumerate(SETS):
            evaluation(model, 0.95 - 0.04 * n, rng).write(root / model / f"evaluation/{name}.json")
        (root / model / "model.safetensors").touch()
        card(model).model_copy(update={"default": False}).write(root / model / CARD)
        _curve(rng).to_csv(root / model / "training.csv", index=False)
    ablation().write(root / STUDIES / ABLATION)
    _experiments(models, rng).write(root / STUDIES / EXPERIMENTS)


def ablation(**losses: float) -> Ablation:
    """The mAP that is lost on real recordings without something; by default nothing is left out but the effects."""
    variants = {"whole": 0.0, **(losses or {"no-effects": 0.01})}
    return Ablation(
        base="general-deep-rich",
        clips=6144,
        epochs=10,
        test_clips=500,
        variants={
            name: VariantResult(
                title=name.replace("-", " "),
                recipe="rich",
                settings={},
                sets={
                    place: variant_scores(0.6 - loss * (place == "real_dev"))
                    for place in ("rich", "unheard-soundfont", "real_dev")
                },
            )
            for name, loss in variants.items()
        },
    )


def variant_scores(value: float) -> VariantScores:
    return VariantScores(mAP=figure(value), macro_f1=figure(value), top1_solo=figure(value))


def figure(value: float, reach: float = 0.02) -> Interval:
    return Interval(value=round(value, 4), low=round(value - reach, 4), high=round(value + reach, 4))


def evaluation(model: str, level: float, rng: np.random.Generator) -> Evaluation:
    """An evaluation whose scores lie about a level."""
    labels = tuple(INSTRUMENTS)
    rates = np.where(rng.random((len(labels), len(labels))) < 0.3, rng.random((len(labels), len(labels))) * 0.3, 0.01)
    rates[labels.index("violin"), labels.index("viola")] = 0.31
    rows = [tuple(None if i == j else round(rate, 4) for j, rate in enumerate(row)) for i, row in enumerate(rates)]
    return Evaluation(
        model=model,
        data={"source": "built", "recipe": "rich", "seed": 51},
        clips=300,
        unknown_labels=(),
        groups={},
        **_scores(level, rng),
        top1_solo=figure(level),
        per_instrument={label: LabelScores(ap=figure(level), f1=figure(level), support=10) for label in labels},
        by_count={"1": Slice(clips=50, **_scores(level, rng))},
        by_kind={},
        by_family={family: Slice(clips=50, **_scores(level, rng)) for family in FAMILIES},
        by_level={
            f"{low:g}": LevelScores(support=50, recall=figure(level + 0.1 * n - 0.5), mAP=figure(level))
            for n, low in enumerate((-np.inf, *LEVELS))
        },
        confusion=Confusion(called=labels, when=labels, rate=tuple(rows), clips=((9,) * len(labels),) * len(labels)),
        solo_confusion=SoloConfusion(
            called=labels, when=labels[:5], clips=tuple(map(tuple, rng.integers(1, 9, (5, len(labels))).tolist()))
        ),
    )


def _scores(level: float, rng: np.random.Generator) -> dict[str, Interval]:
    return {key: figure(level + rng.normal(0, 0.02)) for key in ("mAP", "macro_f1", "micro_f1")}


def _curve(rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(12)
    loss = 0.5 * np.exp(-epochs / 4) + 0.1 + rng.normal(0, 0.005, 12)
    return pd.DataFrame(
        {"epoch": epochs, "train_loss": loss, "val_loss": loss + 0.03, "val_mAP": 1 - loss, "val_macro_f1": 0.9 - loss}
    )


def _experiments(models: tuple[str, ...], rng: np.random.Generator) -> Experiments:
    """Results of the shipped contrasts, for those of their pairs that the models hold."""
    results = {}
    for key, contrast in contrasts().items():
        pairs = {common: comparison(*pair, rng) for common, pair in contrast.pairs.items() if set(pair) <= set(models)}
        if pairs:
            summary = summarise(contrast.kinds, pairs)
            results[key] = ContrastResult(title=contrast.title, kinds=contrast.kinds, summary=summary, pairs=pairs)
    return Experiments(clips=("general@1",) * 60, questions=results)


def comparison(a: str, b: str, rng: np.random.Generator) -> Comparison:
    """Made-up figures about two models, whose names say how deep they are."""
    down, across = (LAYERS[name.split("-")[1]] for name in (a, b))
    return Comparison(
        models=(a, b),
        clips=60,
        agreement=Agreement(equal=figure(0.94), kappa=figure(0.7), logits=figure(0.8)),
        layers=LayerSimilarity(
            rows=tuple(f"conv{i + 1}" for i in range(down)),
            columns=tuple(f"conv{j + 1}" for j in range(across)),
            cka=tuple(
                tuple(figure(1 - 0.1 * abs(i / down - j / across) * 8) for j in range(across)) for i in range(down)
            ),
        ),
        maps=MapSimilarity(all=figure(0.6), per_label={"piano": LabelSimilarity(**dict(figure(0.6)), support=9)}),
        places={place: _place(rng) for place in PLACES},
    )


def _place(rng: np.random.Generator) -> PlaceShares:
    a, b, energy = rng.uniform(0.1, 0.6, 3)
    return PlaceShares(a=figure(a), b=figure(b), energy=figure(energy), difference=figure(b - a, 0.05))
