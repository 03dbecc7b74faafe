"""Compares trained models that differ in one thing: does depth, or richer data, change how a network works?"""

from collections.abc import Callable, Iterable
from pathlib import Path

from core.comparison.observe import Observation, observe
from core.comparison.pair import Side, compare
from core.comparison.records import EXPERIMENTS, ContrastResult, Experiments
from core.models.store import load_model
from core.paths import STUDIES, TRAINED_MODELS
from core.studies.contrasts import Contrast, contrasts
from core.studies.summary import summarise
from core.synthesis.clip import compose
from core.synthesis.recipe import recipe

RECIPE = "general;count=2,5"
FIRST_SEED = 700 * 10**9  # far from the clips of any data set


def run_experiments(
    clips: int, root: Path = TRAINED_MODELS, on_progress: Callable[[int], None] = lambda clips: None
) -> Experiments:
    """Compares the models of every contrast on newly composed clips, and saves the results in ``studies``.

    Args:
        clips: How many; at least four.
        root: Folder of the trained models.
        on_progress: Called with 1 for every clip that all models have heard.

    Raises:
        InputError: the contrasts cannot be used, or the record cannot be written.
    """
    names = tuple(recipe(RECIPE).clip_name(FIRST_SEED + index) for index in range(clips))
    found = contrasts(root)
    models = sorted({model for contrast in found.values() for pair in contrast.pairs.values() for model in pair})
    seen = _observe(names, models, root, on_progress)
    sides = {model: Side(model, load_model(str(root / model)).labels, seen[model]) for model in models}
    result = Experiments(clips=names, questions={key: _result(contrast, sides) for key, contrast in found.items()})
    result.write(root / STUDIES / EXPERIMENTS)
    return result


def _observe(
    clips: Iterable[str], models: list[str], root: Path, on_progress: Callable[[int], None]
) -> dict[str, list[Observation]]:
    """What each model does with each clip; a clip is composed once for all of them."""
    seen: dict[str, list[Observation]] = {name: [] for name in models}
    for name in clips if models else []:
        clip = compose(name)
        for model in models:
            seen[model].append(observe(load_model(str(root / model)), clip))
        on_progress(1)
    return seen


def _result(contrast: Contrast, sides: dict[str, Side]) -> ContrastResult:
    pairs = {common: compare(sides[a], sides[b]) for common, (a, b) in contrast.pairs.items()}
    return ContrastResult(
        title=contrast.title, kinds=contrast.kinds, summary=summarise(contrast.kinds, pairs), pairs=pairs
    )
