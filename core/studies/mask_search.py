"""Looks for the rules and the mask that let a composed clip's true instruments be heard best.

Run as ``python -m core.studies.mask_search --model NAME --clips 60 --seed 30000000``: prints a table, and writes all
its numbers beside this file. The defaults in :mod:`core.explanation.rules` and :mod:`core.resynthesis` come from there.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import track
from rich.table import Table

from core.explanation.engine import Trace
from core.explanation.relevance import as_input
from core.explanation.rules import RULE_SETS
from core.frontends.logmel import Matrix, Spectrogram
from core.grading.truth import Truth, fit
from core.models.architecture import Network
from core.models.store import TrainedModel, load_model
from core.resynthesis import MaskSettings, apply_mask, relevance_mask
from core.synthesis.clip import compose

RESULTS = Path(__file__).with_suffix(".json")
BLURS = ((2.0, 8.0), (2.0, 16.0), (4.0, 16.0))
POWERS = (0.0, 0.25, 0.5)
CONTRASTS = (1.0, 1.5, 2.0)
RESTS = (0.0, 0.1)
CONTESTED = "{} contested"  # the name of such maps, by that of the others
# A network, a mix and numbers of labels → the map of each label, by the name of what made it.
Explain = Callable[[Network, Spectrogram, Sequence[int]], dict[str, list[Matrix]]]
GRID = tuple(
    MaskSettings(blur, steady, power, contrast, rest=rest)
    for blur, steady, power, contrast, rest in product(BLURS, (True, False), POWERS, CONTRASTS, RESTS)
)


@dataclass(frozen=True)
class Case:
    """An instrument that plays in a clip and that the model detects there.

    Attributes:
        logit: The network's output for it.
        maps: Its map by each name, which is that of a set of rules unless something else explained it.
        rivals: Those of the other instruments that the model detects.
    """

    truth: Truth
    label: str
    logit: float
    maps: dict[str, Matrix]
    rivals: dict[str, list[Matrix]]

    def improvement(self, mask: Matrix) -> float:
        """By how many dB SI-SDR the masked mix is nearer to the instrument's stem than the mix."""
        return self.truth.improvement(self.label, apply_mask(self.truth.mix, mask))


def by_rules(network: Network, mix: Spectrogram, labels: Sequence[int]) -> dict[str, list[Matrix]]:
    """The map of each label under each set of rules, as it is and contested."""
    traces = {rules: Trace(network, as_input(mix.features), rules) for rules in RULE_SETS}
    plain = {rules: [trace.relevance(label)[0].numpy() for label in labels] for rules, trace in traces.items()}
    return plain | {CONTESTED.format(rules): list(trace.contested(labels).numpy()) for rules, trace in traces.items()}


def clip_names(model: TrainedModel, clips: int, seed: int) -> list[str]:
    """Clips of two to four instruments that the model knows."""
    return [f"{model.card.label_set};count=2,4@{seed + number}" for number in range(clips)]


def cases(model: TrainedModel, clip: str, explain: Explain = by_rules) -> Iterator[Case]:
    """The cases of one composed clip."""
    truth = Truth(compose(clip).stem_audio, model.frontend)
    logits = model.logits(truth.mix.features[None])[0]
    heard = model.detected(logits)
    maps = explain(model.network, truth.mix, heard)
    for number, index in enumerate(heard):
        label = model.labels[index]
        if label in truth.stems:
            own = {name: found[number] for name, found in maps.items()}
            others = {name: found[:number] + found[number + 1 :] for name, found in maps.items()}
            yield Case(truth, label, float(logits[index]), own, others)


def fits(case: Case) -> dict[str, dict[str, float]]:
    """How well the maps lie on the true cells, by rules; the mix's energy as a map to compare with."""
    truth = case.truth.masks[case.label]
    maps = {**case.maps, "energy": case.truth.mix.mel_power}
    return {name: fit(values, truth) for name, values in maps.items()}


def improvements(case: Case) -> dict[tuple[str, int], float]:
    """SI-SDR improvement in dB by rules and number of the settings in the grid; ``energy`` maps are the floor."""
    maps = {**case.maps, "energy": case.truth.mix.mel_power}
    frontend = case.truth.frontend
    return {
        (name, number): case.improvement(relevance_mask(values, frontend, settings, case.rivals.get(name, [])))
        for (name, values), (number, settings) in product(maps.items(), enumerate(GRID))
    }


def search(model: TrainedModel, clips: int, seed: int) -> dict[str, Any]:
    """Grades all rules with all masks on composed clips of two to four instruments; means over the instruments."""
    names = clip_names(model, clips, seed)
    found = [case for name in track(names, "Explaining") for case in cases(model, name)]
    fitting = [fits(case) for case in found]
    listening = Parallel(-1, return_as="generator")(delayed(improvements)(case) for case in found)
    heard = list(track(listening, "Listening", len(found)))
    return {
        "model": model.name,
        "clips": clips,
        "seed": seed,
        "instruments": len(found),
        "ceiling": _mean([ceiling(case) for case in found]),
        "fit": {
            name: {kind: _mean([one[name][kind] for one in fitting]) for kind in kinds}
            for name, kinds in fitting[0].items()
        },
        "masks": sorted((_row(heard, key) for key in heard[0]), key=lambda row: -row["improvement"]),
    }


def ceiling(case: Case) -> float:
    """What the ideal ratio mask does for the case, in dB."""
    return case.truth.improvement(case.label, case.truth.ceiling(case.label))


def _row(heard: list[dict[tuple[str, int], float]], key: tuple[str, int]) -> dict[str, Any]:
    name, number = key
    values = [one[key] for one in heard]
    better = _mean([value > 0 for value in values])
    return {"map": name, **asdict(GRID[number]), "improvement": _mean(values), "better": better}


def _mean(values: list[float]) -> float:
    return round(float(np.nanmean(values)), 3)


def as_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for the terminal."""
    table = Table(*head, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def _show(result: dict[str, Any], rows: int) -> None:
    fitting = [(name, *(f"{score:.3f}" for score in scores.values())) for name, scores in result["fit"].items()]
    floor = next(row for row in result["masks"] if row["map"] == "energy")
    masks = [
        (row["map"], str(row["blur"]), str(row["steady"]), f"{row['power']:g}", f"{row['contrast']:g}",
         f"{row['rest']:g}", f"{row['improvement']:.2f}", f"{row['better']:.0%}")
        for row in [*result["masks"][:rows], floor]
    ]  # fmt: skip
    Console().print(
        as_table(f"Fit over {result['instruments']} instruments", ("map", "rma", "lift", "rra", "pointing"), fitting),
        as_table(
            f"Masks (ceiling {result['ceiling']:.1f} dB)",
            ("map", "blur", "steady", "power", "contrast", "rest", "dB", "better"),
            masks,
        ),
    )


def main(
    model: Annotated[str, typer.Option(help="Name of a trained model.")],
    clips: Annotated[int, typer.Option(help="How many clips to compose.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of the first clip.")] = 30_000_000,
) -> None:
    """Prints the best masks for a model's explanations of composed clips, and keeps all numbers beside this module."""
    result = search(load_model(model), clips, seed)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _show(result, rows=12)


if __name__ == "__main__":
    typer.run(main)
