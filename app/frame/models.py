"""Models as people read them: one title on every page, and a card that tells what a model is."""

from itertools import groupby
from pathlib import Path

import streamlit as st

from core.comparison.records import SETS, in_order
from core.evaluation.record import SCORES
from core.models.card import Card, read_card
from core.models.store import model_names
from core.paths import TRAINED_MODELS
from core.records import Interval
from core.tasks.task import TASKS
from core.taxonomy.labels import LABEL_SPACES


def model_title(name: str, root: Path | None = None) -> str:
    """The title of a model, followed by its name where another model is called the same.

    Args:
        root: Where the trained models lie; ``trained_models/`` if not given.

    >>> model_title("wimu12-shallow"), model_title("no-such-model")
    ('Twelve patches, 4 layers', 'no-such-model')
    """
    root = root or TRAINED_MODELS
    titles = {other: read_card(root / other).title for other in model_names(root)}
    if name not in titles:
        return name
    return titles[name] if [*titles.values()].count(titles[name]) == 1 else f"{titles[name]} ({name})"


def about(card: Card) -> None:
    """What a model's card says."""
    space = LABEL_SPACES.get(card.label_set)
    answers = "Several at once" if TASKS.get(card.task).has_thresholds else "One"
    st.markdown(f"**{card.title}**\n\n{card.description}")
    st.markdown(
        f"- **Answers:** {answers.lower()} of {len(card.labels)} {space.plural}: "
        f"{', '.join(space.titles[label].lower() for label in card.labels)}.\n"
        f"- **Network:** {card.architecture}, {card.parameters:,} parameters.\n"
        f"- **Trained:** {trained(card)}\n"
        f"- **On the command line:** `--model {card.name}`"
    )
    st.markdown(scores(card))


def trained(card: Card) -> str:
    """How a model was trained, the first training first."""
    said = []
    for recipe, group in groupby(reversed(list(card.training.history)), key=lambda stage: stage.recipe):
        stages = list(group)
        fewest, most = (f"{edge(stage.clips for stage in stages):,}" for edge in (min, max))
        clips = most if fewest == most else f"{fewest} to {most}"
        said.append(f"{sum(stage.epochs for stage in stages)} epochs over {clips} clips of `{recipe}`")
    return "; then ".join(said) + f". On {card.training.hardware}."


def scores(card: Card) -> str:
    """A table in Markdown of what was measured of a model, with 95 % bootstrap intervals over clips."""
    measured = [name for name in SCORES if any(name in found for found in card.evaluation.values())]
    if not measured:
        return "How good it is was not measured yet."
    head = "".join(f" {SCORES[name]} |" for name in measured)
    rows = [
        f"| {SETS.get(place, place)} | {found['clips']} |" + "".join(_score(found.get(name)) for name in measured)
        for place in in_order(card.evaluation)
        if (found := card.evaluation[place])
    ]
    return "\n".join([f"| Measured on | Clips |{head}", "|---|--:|" + "--:|" * len(measured), *rows])


def _score(figure: dict[str, float | None] | None) -> str:
    found = Interval.model_validate(figure or {})
    if found.value is None:
        return " – |"
    ends = "" if found.low is None or found.high is None else f" ({found.low:.0%} to {found.high:.0%})"
    return f" {found.value:.0%}{ends} |"
