"""What each ingredient of a rich training is worth: one is left out at a time, all else being equal.

One variant is also trained on the soundfont that the other variants meet only in the test. The difference is what an
unheard soundfont costs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.comparison.records import ABLATION, Ablation, VariantResult, VariantScores
from core.corpora.build import DatasetPlan, build_dataset
from core.errors import InputError
from core.evaluation.evaluate import evaluate
from core.evaluation.record import Evaluation
from core.frontends.frontend import FrontendConfig
from core.models.store import TrainedModel, load_model
from core.paths import STUDIES, TRAINED_MODELS
from core.tasks.one_of_many import OneOfMany
from core.tasks.task import TASKS
from core.threads import one_thread
from core.training.config import TrainingConfig, TrainingPlan, read_plan
from core.training.train import train

TRAINING_SEED, TEST_SEED = 31, 51
FONTS = "musescore,fluidr3,sonivox,recorded,recorded"


@dataclass(frozen=True)
class Variant:
    """A recipe and settings that differ from the full training in one thing.

    Attributes:
        title: What is left out, or added.
        recipe: Recipe of the training clips.
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


@dataclass(frozen=True)
class Plan:
    """What is trained and measured.

    Attributes:
        base: Name or file of the training configuration that all variants start from.
        folder: Where data sets and models are kept; a run that was interrupted goes on from there.
        real: Folder of labelled recordings to measure on.
        clips: How many clips each variant is trained on.
        epochs: How often each clip is seen.
        test_clips: How many composed clips each test set has.
    """

    base: str
    folder: Path
    real: Path
    clips: int
    epochs: int
    test_clips: int


def run_ablation(
    plan: Plan, root: Path = TRAINED_MODELS, on_variant: Callable[[VariantResult], None] = lambda result: None
) -> Ablation:
    """Trains and measures every variant, and saves the results in ``studies`` after each of them.

    Args:
        root: Folder of the trained models.
        on_variant: Called with the result of each variant.

    Raises:
        InputError: the configuration or a data set cannot be used, or a file cannot be written.
    """
    config = read_plan(plan.base).stage(1)
    if isinstance(TASKS.get(config.task), OneOfMany):
        raise InputError(f"{plan.base} trains a model with one answer for each clip; choose one for instruments.")
    tests = {name: plan.folder / "tests" / name for name in TESTS}
    for name, recipe in TESTS.items():
        build_dataset(DatasetPlan(recipe, plan.test_clips, TEST_SEED, FrontendConfig()), tests[name])
    result = Ablation(base=plan.base, clips=plan.clips, epochs=plan.epochs, test_clips=plan.test_clips, variants={})
    with one_thread():
        for name, variant in VARIANTS.items():
            result.variants[name] = _measure(plan, config, name, variant, tests | {"real_dev": plan.real})
            result.write(root / STUDIES / ABLATION)
            on_variant(result.variants[name])
    return result


def _measure(plan: Plan, base: TrainingConfig, name: str, variant: Variant, tests: dict[str, Path]) -> VariantResult:
    """Trains a network as a variant says, unless that was done before, and measures it on every test set."""
    data, model = plan.folder / name / "data", plan.folder / name / "model"
    if not (model / "card.json").exists():
        clips = {"recipe": variant.recipe, "data_seed": TRAINING_SEED, "clips": plan.clips}
        changes = {**SMALL, **variant.settings, **clips, "epochs": plan.epochs, "default": False}
        config = base.model_copy(update=changes)
        build_dataset(
            DatasetPlan(variant.recipe, plan.clips + config.validation, TRAINING_SEED, FrontendConfig()), data
        )
        resume = (model / "training" / "last.ckpt").exists()
        train(TrainingPlan((config,)), 1, data, model, resume)
    trained = load_model(str(model))
    return VariantResult(
        title=variant.title,
        recipe=variant.recipe,
        settings=variant.settings,
        sets={test: _scores(trained, folder) for test, folder in tests.items()},
    )


def _scores(model: TrainedModel, data: Path) -> VariantScores:
    found = evaluate(model, data)
    assert isinstance(found, Evaluation)  # since the task is not one of many
    return VariantScores(mAP=found.mAP, macro_f1=found.macro_f1, top1_solo=found.top1_solo)
