"""Made-up files of graded explanations, as ``grade --record`` and ``study rules`` write them."""

from pathlib import Path

import numpy as np

from core.explanation.explainer import EXPLAINERS
from core.grading.catalogue import MEASURES
from core.grading.record import ExplainerGrade, GradeFigures, Thorough
from core.grading.searches import RULES, GradedCandidate, ReasonSearch, RuleSearch
from core.grading.verdict import SANITY
from core.paths import STUDIES
from core.records import Interval
from core.taxonomy.instruments import label_set

LAYERS = ("head", "conv4", "conv3", "conv2", "conv1")
FLIPPED = "concept_flipping"  # only explainers that know concepts have it
GROUPED = (
    "reason_distinctness",
    "reason_mix_correlation",
    "reason_correlation",
    "reason_silencing",
    "reason_silencing_as_promised",
    "reason_sound_lift_over_label",
    "stability_of_reasons",
)
COMPARED = ("lift", "rma", "rra", "pointing", "si_sdr_improvement", SANITY)  # with the default rules


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
    """A search for the rules: a default with a lift of 2, and others with theirs, with ±0.05 of each.

    The more lift, the more alike maps stay once weights are random: a third of the lift.
    """
    candidates = {"signed": 2.0, **(lifts or {"plus": 1.5})}
    return RuleSearch(
        model="general-deep-rich",
        clips=20,
        seed=31_000_000,
        instruments=50,
        sanity_clips=12,
        default="signed",
        candidates={
            name: GradedCandidate(
                part="All layers alike",
                title=f"<{name}>",
                words=f"does as {name} says",
                measures={measure: interval(lift) for measure in (*COMPARED, "conservation_error")}
                | {SANITY: interval(lift / 3)},
                over_default={measure: interval(lift - 2.0) for measure in COMPARED},
            )
            for name, lift in candidates.items()
        },
    )


def grouped(**moved: float) -> ReasonSearch:
    """A search for reasons: NMF by default, and DRSA, with 0.5 in each measure, or as much more as is given of DRSA."""
    measured = {name: interval(0.5) for name in GROUPED}
    others = {name: interval(0.5 + moved.get(name, 0.0)) for name in GROUPED}
    differences = {name: interval(moved.get(name, 0.0)) for name in GROUPED[:-1]}
    return ReasonSearch(
        model="general-deep-rich",
        clips=60,
        seed=34_000_000,
        instruments=140,
        reference_clips=200,
        reference_seed=35,
        shown=5,
        default="nmf conv7 8",
        candidates={
            "nmf conv7 8": GradedCandidate(
                part="conv7, 8 reasons", title="NMF", words="adds patterns up", measures=measured,
                over_default={name: interval(0.0, 0.0) for name in differences},
            ),
            "drsa conv7 8": GradedCandidate(
                part="conv7, 8 reasons", title="DRSA", words="finds subspaces", measures=others,
                over_default=differences,
            ),
        },
    )  # fmt: skip


def write_searched(root: Path, **lifts: float) -> None:
    searched(**lifts).write(root / STUDIES / RULES)


def interval(value: float, reach: float = 0.05) -> Interval:
    return Interval(value=round(value, 4), low=round(value - reach, 4), high=round(value + reach, 4))
