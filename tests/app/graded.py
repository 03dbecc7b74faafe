"""Made-up files of graded explanations, as ``grade --record`` and ``study rules`` write them."""

from pathlib import Path

import numpy as np

from core.explanation.explainer import EXPLAINERS
from core.grading.catalogue import MEASURES
from core.grading.record import ExplainerGrade, GradeFigures, Thorough
from core.grading.searches import RULES, RuleCandidate, RuleSearch
from core.paths import STUDIES
from core.records import Interval
from core.taxonomy.instruments import label_set

LAYERS = ("head", "conv4", "conv3", "conv2", "conv1")
FLIPPED = "concept_flipping"  # only explainers that know concepts have it
COMPARED = ("lift", "rma", "rra", "pointing", "si_sdr_improvement")  # with the default rules


def write_graded(root: Path, model: str, labels: str = "general", recipe: str = "", **lifts: float) -> None:
    """Writes a grade of a model for every explainer, or for those whose lift is given; also for another recipe."""
    folder = root / model / "grades" / recipe
    for number, name in enumerate(lifts or EXPLAINERS):
        grade = made_up(model, name, labels, lifts.get(name, 2.0), np.random.default_rng(number))
        grade.model_copy(update={"recipe": recipe or grade.recipe}).write(folder / f"{name}.json")
    (root / model / "model.safetensors").touch()


def made_up(model: str, explainer: str, labels: str, lift: float, rng: np.random.Generator) -> ExplainerGrade:
    names = list(label_set(labels).labels)
    return ExplainerGrade(
        explainer=explainer,
        model=model,
        recipe=f"{labels};count=2,4",
        seed=0,
        **dict(_figures(explainer, lift, 100, rng)),
        thorough=Thorough(clips=12, measures=tuple(name for name, measure in MEASURES.items() if measure.thorough)),
        by_count={str(count): _figures(explainer, lift + count, 33, rng) for count in (2, 3, 4)},
        by_outcome={outcome: _figures(explainer, lift, 50, rng) for outcome in ("detected", "missed")},
        sanity={layer: interval(0.5 - 0.1 * n) for n, layer in enumerate(LAYERS)},
        cross_talk={
            label: {s: round(float(rng.uniform(0, 0.3)), 4) if s != label else 0.6 for s in names if rng.random() < 0.8}
            for label in names
        },
    )


def _figures(explainer: str, lift: float, clips: int, rng: np.random.Generator) -> GradeFigures:
    known = {name for name in MEASURES if not name.startswith(FLIPPED) or explainer in ("crp", "lrp_z_plus")}
    values = {name: interval(float(rng.uniform(0.1, 0.9))) for name in MEASURES if name in known}
    values |= {"lift": interval(lift)} | dict.fromkeys(
        ("si_sdr_improvement", "si_sdr_among_rivals"), interval(lift - 2)
    )
    return GradeFigures(clips=clips, instruments=3 * clips, measures=values)


def searched(**lifts: float) -> RuleSearch:
    """A search for the rules: a default with a lift of 2, and others with theirs, with ±0.05 of each."""
    candidates = {"signed": 2.0, **(lifts or {"plus": 1.5})}
    return RuleSearch(
        model="general-deep-rich",
        clips=20,
        seed=31_000_000,
        instruments=50,
        default="signed",
        candidates={
            name: RuleCandidate(
                part="All layers alike",
                title=f"<{name}>",
                words=f"does as {name} says",
                measures={measure: interval(lift) for measure in (*COMPARED, "conservation_error")},
                over_default={measure: interval(lift - 2.0) for measure in COMPARED},
            )
            for name, lift in candidates.items()
        },
    )


def write_searched(root: Path, **lifts: float) -> None:
    searched(**lifts).write(root / STUDIES / RULES)


def interval(value: float, reach: float = 0.05) -> Interval:
    return Interval(value=round(value, 4), low=round(value - reach, 4), high=round(value + reach, 4))
