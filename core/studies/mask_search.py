"""Searches for the rules and the mask that bring out the true instruments of composed clips best.

The defaults in :mod:`core.explanation.rules` and :mod:`core.resynthesis` were chosen by this search.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
from joblib import Parallel, delayed

from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.relevance import as_input
from core.explanation.rules import RULE_SETS
from core.explanation.targets import Logit, Target
from core.frontends.frontend import Matrix, Spectrogram
from core.grading.searches import MapFit, MaskScore, MaskSearch
from core.grading.truth import Truth, fit
from core.models.network import StagedNetwork
from core.models.store import TrainedModel
from core.resynthesis import MaskSettings, apply_mask, relevance_mask
from core.synthesis.clip import compose

BLURS = ((2.0, 8.0), (2.0, 16.0), (4.0, 16.0))
POWERS = (0.0, 0.25, 0.5)
CONTRASTS = (1.0, 1.5, 2.0)
RESTS = (0.0, 0.1)
# Explains targets to a network in a mix; returns a map for each target, by the name of the method.
Explain = Callable[[StagedNetwork, Spectrogram, Sequence[Target]], dict[str, list[Matrix]]]
Progress = Callable[[str, int, int], None]  # what is being done, how many are done, how many there are
GRID = tuple(
    MaskSettings(blur, steady, power, contrast, rest=rest)
    for blur, steady, power, contrast, rest in product(BLURS, (True, False), POWERS, CONTRASTS, RESTS)
)


@dataclass(frozen=True)
class Case:
    """An instrument that plays in a clip and that the model detects there.

    Attributes:
        logit: The network's output for the instrument.
        maps: The maps of the instrument, by the name of the method, such as a set of rules.
        rivals: The maps of the other instruments that the model detects, by the same names.
    """

    truth: Truth
    label: str
    logit: float
    maps: dict[str, Matrix]
    rivals: dict[str, list[Matrix]]

    def improvement(self, mask: Matrix) -> float:
        """By how many dB of SI-SDR the masked mix is closer to the instrument's stem than the mix."""
        return self.truth.improvement(self.label, apply_mask(self.truth.mix, mask))


def contested_name(name: str) -> str:
    """The name of a method's contested maps, from the name of its plain maps."""
    return f"{name} contested"


def by_rules(network: StagedNetwork, mix: Spectrogram, targets: Sequence[Target]) -> dict[str, list[Matrix]]:
    """The map of each target under each set of rules, plain and contested."""
    traces = {rules: Trace(network, as_input(mix.features), rules) for rules in RULE_SETS}
    plain = {rules: [trace.relevance(target)[0].numpy() for target in targets] for rules, trace in traces.items()}
    return plain | {contested_name(rules): list(trace.contested(targets).numpy()) for rules, trace in traces.items()}


def clip_names(model: TrainedModel, clips: int, seed: int) -> list[str]:
    """Names of clips of two to four instruments that the model knows."""
    return [f"{model.card.label_set};count=2,4@{seed + number}" for number in range(clips)]


def cases(model: TrainedModel, clip: str, explain: Explain = by_rules) -> Iterator[Case]:
    """The cases of one composed clip."""
    truth = Truth(compose(clip).stem_audio, model.frontend)
    logits = model.logits(truth.mix.features[None])[0]
    heard = model.detected(logits)
    if not heard:
        return
    maps = explain(model.network, truth.mix, [Logit(index) for index in heard])
    for number, index in enumerate(heard):
        label = model.labels[index]
        if label in truth.stems:
            own = {name: found[number] for name, found in maps.items()}
            others = {name: found[:number] + found[number + 1 :] for name, found in maps.items()}
            yield Case(truth, label, float(logits[index]), own, others)


def fits(case: Case) -> dict[str, dict[str, float]]:
    """How well each map, and the mix's energy for comparison, fits the cells in which the instrument sounds."""
    truth = case.truth.masks[case.label]
    maps = {**case.maps, "energy": case.truth.mix.mel_power}
    return {name: fit(values, truth) for name, values in maps.items()}


def improvements(case: Case) -> dict[tuple[str, int], float]:
    """SI-SDR improvement in dB, by name of the map and number of the settings in ``GRID``; ``energy`` is the floor."""
    maps = {**case.maps, "energy": case.truth.mix.mel_power}
    frontend = case.truth.frontend
    return {
        (name, number): case.improvement(relevance_mask(values, frontend, settings, case.rivals.get(name, [])))
        for (name, values), (number, settings) in product(maps.items(), enumerate(GRID))
    }


def search(
    model: TrainedModel, clips: int, seed: int, on_progress: Progress = lambda what, done, all: None
) -> MaskSearch:
    """Grades all rules with all masks on composed clips of two to four instruments; means over the instruments.

    Raises:
        InputError: the model detects none of the instruments.
    """
    found: list[Case] = []
    for done, name in enumerate(clip_names(model, clips, seed), start=1):
        found += cases(model, name)
        on_progress("Explaining", done, clips)
    if not found:
        raise InputError(f"The model {model.name} detects no instrument of these clips; compose more.")
    heard = []
    for scores in Parallel(-1, return_as="generator")(delayed(improvements)(case) for case in found):
        heard.append(scores)
        on_progress("Listening", len(heard), len(found))
    fitting = [fits(case) for case in found]
    return MaskSearch(
        model=model.name,
        clips=clips,
        seed=seed,
        instruments=len(found),
        ceiling=_mean([ceiling(case) for case in found]),
        fit={
            name: MapFit(**{kind: _mean([one[name][kind] for one in fitting]) for kind in kinds})
            for name, kinds in fitting[0].items()
        },
        masks=tuple(sorted((_score(heard, key) for key in heard[0]), key=lambda row: -row.improvement)),
    )


def ceiling(case: Case) -> float:
    """SI-SDR improvement of the ideal ratio mask, in dB."""
    return case.truth.improvement(case.label, case.truth.ceiling(case.label))


def _score(heard: list[dict[tuple[str, int], float]], key: tuple[str, int]) -> MaskScore:
    name, number = key
    values = [one[key] for one in heard]
    better = _mean([value > 0 for value in values])
    return MaskScore(map=name, **asdict(GRID[number]), improvement=_mean(values), better=better)


def _mean(values: list[float]) -> float:
    return round(float(np.nanmean(values)), 3)
