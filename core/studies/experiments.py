"""The two research questions: does depth, and does richer data, change how a network works?"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.comparison.observe import Observation, observe
from core.comparison.pair import compare
from core.comparison.records import EXPERIMENTS
from core.models.store import load_model, model_names
from core.paths import TRAINED_MODELS
from core.studies.summary import tell
from core.synthesis.clip import compose
from core.synthesis.recipe import recipe

RECIPE = "general;count=2,5"
FIRST_SEED = 700 * 10**9  # far from the clips of any data set


@dataclass(frozen=True)
class Question:
    """A question about two kinds of models.

    Attributes:
        title: The question.
        kinds: What the first and the second model of each pair are.
        pairs: Pairs of models that differ in that alone, by what they have in common.
    """

    title: str
    kinds: tuple[str, str]
    pairs: dict[str, tuple[str, str]]


# Every model here was trained for as many epochs over as many clips.
QUESTIONS = {
    "depth": Question(
        "Does depth change how the network works?",
        ("shallow", "deep"),
        {
            "simple clips": ("general-shallow-simple", "general-deep-simple"),
            "rich clips": ("general-shallow-rich", "general-deep-rich-8"),
        },
    ),
    "data": Question(
        "Does richer training data change how the network works?",
        ("simply trained", "richly trained"),
        {
            "shallow": ("general-shallow-simple", "general-shallow-rich"),
            "deep": ("general-deep-simple", "general-deep-rich-8"),
        },
    ),
}


def run_experiments(
    clips: int, root: Path = TRAINED_MODELS, on_progress: Callable[[int], None] = lambda clips: None
) -> dict[str, Any]:
    """Compares every pair of models that is on disk on newly composed clips, and writes ``experiments.json``.

    Args:
        clips: How many; at least two.
        on_progress: Called with 1 for every clip that all models have heard.

    Returns:
        ``clips``: their names. ``questions``: for each its ``title``, ``kinds``, ``told`` (a paragraph) and ``pairs``,
        by what they have in common: ``models`` and the figures of :func:`core.comparison.pair.compare`.
    """
    names = [recipe(RECIPE).clip_name(FIRST_SEED + index) for index in range(clips)]
    present = {key: _present(question, root) for key, question in QUESTIONS.items()}
    models = sorted({model for pairs in present.values() for pair in pairs.values() for model in pair})
    seen = _observe(names, models, root, on_progress)
    result = {
        "clips": names,
        "questions": {
            key: _answer(QUESTIONS[key], pairs, seen, root) for key, pairs in present.items() if pairs
        },
    }  # fmt: skip
    (root / EXPERIMENTS).write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return result


def _present(question: Question, root: Path) -> dict[str, tuple[str, str]]:
    there = set(model_names(root))
    return {case: pair for case, pair in question.pairs.items() if there.issuperset(pair)}


def _observe(
    clips: list[str], models: list[str], root: Path, on_progress: Callable[[int], None]
) -> dict[str, list[Observation]]:
    seen: dict[str, list[Observation]] = {name: [] for name in models}
    for name in clips if models else []:
        clip = compose(name)
        for model in models:
            seen[model].append(observe(load_model(str(root / model)), clip))
        on_progress(1)
    return seen


def _answer(
    question: Question, pairs: dict[str, tuple[str, str]], seen: dict[str, list[Observation]], root: Path
) -> dict[str, Any]:
    figures = {case: {"models": [a, b], **_compared(a, b, seen, root)} for case, (a, b) in pairs.items()}
    return {
        "title": question.title,
        "kinds": list(question.kinds),
        "told": tell(question.kinds, figures),
        "pairs": figures,
    }


def _compared(a: str, b: str, seen: dict[str, list[Observation]], root: Path) -> dict[str, Any]:
    labels = (load_model(str(root / a)).labels, load_model(str(root / b)).labels)
    return compare(labels, seen[a], seen[b])
