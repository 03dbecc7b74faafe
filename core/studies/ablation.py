"""What each ingredient of the richly trained models is worth: one is left out at a time, all else being equal.

One variant hears the soundfont that the others are tested on unheard: it shows what a new font alone costs.

Run as ``python -m core.studies.ablation --folder DIR --real DIR``: composes, trains and measures, all of it in ``DIR``
and resumable, and writes ``trained_models/ablation.json``, which ``timbrescope report`` makes a table of.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from core.corpora.build import DatasetPlan, build_dataset
from core.evaluation.evaluate import evaluate
from core.frontends.logmel import FrontendConfig
from core.models.store import load_model
from core.paths import TRAINED_MODELS
from core.training.config import TrainingPlan, read_plan
from core.training.train import train

RESULTS = TRAINED_MODELS / "ablation.json"
BASE = "general-deep-rich"  # the configuration that all variants start from
TRAINING_SEED, TEST_SEED = 31, 51
FONTS = "musescore,fluidr3,sonivox,recorded,recorded"


@dataclass(frozen=True)
class Variant:
    """A recipe and settings that differ from the whole in one thing.

    Attributes:
        title: What is left out, or added.
        recipe: Of the training clips.
        settings: What differs in the training configuration.
    """

    title: str
    recipe: str = f"rich;soundfont={FONTS}"
    settings: dict[str, int] = field(default_factory=dict)


NO_AUGMENTATION: dict[str, int] = dict.fromkeys(
    ("mix_share", "equaliser_db", "noise_share", "mask_bands", "mask_frames"), 0
)
VARIANTS = {
    "whole": Variant("nothing left out"),
    "no-effects": Variant("no effects on the stems", f"rich;effects=none;soundfont={FONTS}"),
    "one-soundfont": Variant("one soundfont only", "rich;soundfont=musescore"),
    "unheard-font-heard": Variant(
        "nothing left out, the unheard soundfont heard too", f"rich;soundfont={FONTS},timgm6mb"
    ),
    "no-augmentation": Variant("no mixing, equalising, noise and masking while training", settings=NO_AUGMENTATION),
}
SMALL = {"batch_size": 16, "learning_rate": 2e-3, "average_decay": 0.995}  # few clips want many small steps
TESTS = {"rich": f"rich;soundfont={FONTS}", "unheard-soundfont": "unheard-soundfont"}
MEASURES = ("mAP", "macro_f1", "top1_solo")


def measure(variant: Variant, folder: Path, tests: dict[str, Path], clips: int, epochs: int) -> dict[str, Any]:
    """Trains a network as a variant says and measures it on every test set."""
    model = folder / "model"
    if not (model / "card.json").exists():
        data = {"recipe": variant.recipe, "data_seed": TRAINING_SEED, "clips": clips}
        other = {**SMALL, **variant.settings, **data, "epochs": epochs, "default": False}
        config = read_plan(BASE).stage(1).model_copy(update=other)
        built = DatasetPlan(variant.recipe, clips + config.validation, TRAINING_SEED, FrontendConfig())
        build_dataset(built, folder / "data")
        resume = (model / "training" / "last.ckpt").exists()
        train(TrainingPlan((config,)), 1, folder / "data", model, resume)
    trained = load_model(str(model))
    found = {name: evaluate(trained, data) for name, data in tests.items()}
    return {
        "title": variant.title,
        "recipe": variant.recipe,
        "settings": variant.settings,
        "sets": {name: {key: scores[key] for key in MEASURES} for name, scores in found.items()},
    }


def main(
    folder: Annotated[Path, typer.Option(help="Where data sets and models are kept.")],
    real: Annotated[Path, typer.Option(help="Folder of labelled recordings to measure on.")],
    clips: Annotated[int, typer.Option(help="How many clips each variant is trained on.")] = 6144,
    epochs: Annotated[int, typer.Option(help="How often each clip is seen.")] = 10,
    test_clips: Annotated[int, typer.Option(help="How many composed clips each variant is measured on.")] = 500,
) -> None:
    """Trains and measures every variant, and keeps all figures."""
    torch.set_num_threads(1)
    tests = {name: folder / "tests" / name for name in TESTS}
    for name, recipe in TESTS.items():
        build_dataset(DatasetPlan(recipe, test_clips, TEST_SEED, FrontendConfig()), tests[name])
    result: dict[str, Any] = {"base": BASE, "clips": clips, "epochs": epochs, "test_clips": test_clips, "variants": {}}
    for name, variant in VARIANTS.items():
        result["variants"][name] = measure(variant, folder / name, tests | {"real_dev": real}, clips, epochs)
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        typer.echo(f"{variant.title}: {result['variants'][name]['sets']}")


if __name__ == "__main__":
    typer.run(main)
