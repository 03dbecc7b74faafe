"""Grades ways to group the channels of a layer into reasons on composed clips; the shipped reasons were chosen so.

The ways are in :mod:`core.studies.groupings`. Each is learned from reference clips, at a few layers and for a few
numbers of reasons, and then graded on other clips as the reasons of the app are (:mod:`core.grading.reasons`). Always
as many reasons are shown; the app itself shows fewer where they look alike, which would hide what is compared here.

What was measured of a clip is kept until the search is over, so that it can be resumed after an interruption.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment

from core.concepts.build import claim, reference_clips
from core.concepts.observe import recognised
from core.concepts.reasons import REASONS, layer_of
from core.errors import InputError
from core.explanation.engine import Trace
from core.explanation.playback import mask_of_label
from core.explanation.reasons import COUNT, Dictionary, ReasonPart, as_parts
from core.explanation.relevance import Relevance, as_input, trace_of
from core.explanation.targets import Logit
from core.grading.grade import means
from core.grading.reasons import measure_parts
from core.grading.searches import GradedCandidate, ReasonSearch
from core.grading.truth import Truth
from core.models.store import TrainedModel, load_model, model_folder
from core.paths import STUDIES, TRAINED_MODELS
from core.records import Interval, write_whole
from core.statistics import as_interval, bootstrap
from core.studies.grouping import GROUPINGS, Array, Grouping, Method, Seen
from core.studies.mask_search import Progress, clip_names
from core.synthesis.clip import compose
from core.threads import one_thread

MEASURED = (
    "reason_distinctness",
    "reason_mix_correlation",
    "reason_correlation",
    "reason_silencing",
    "reason_silencing_as_promised",
    "reason_sound_lift_over_label",
)
STABILITY = "stability_of_reasons"
FEWER, MORE = REASONS // 2, REASONS * 2  # reasons, besides as many as the app has
PROFILED = 200  # explanations from which the stability is taken
PARTS = "reasons.parts"
DEFAULT_METHOD = "nmf"

Taken = dict[str, dict[str, float]]  # measures by candidate


@dataclass(frozen=True)
class GroupingCandidate:
    """A way to group channels, at one layer.

    Attributes:
        method: Name in ``GROUPINGS``.
        layer: Of the channels.
        count: How many reasons.
    """

    method: str
    layer: str
    count: int

    @property
    def name(self) -> str:
        return f"{self.method} {self.layer} {self.count}"

    @property
    def part(self) -> str:
        """What candidates have in common that stand together."""
        return f"{self.layer}, {self.count} reasons"


def candidates_of(model: TrainedModel) -> list[GroupingCandidate]:
    """Every way at the layer and with the number of reasons of the app, and with one of these changed.

    No layer has more reasons than channels.
    """
    own, layers = layer_of(model), model.network.concept_layers[-3:]
    places = [(own, REASONS), (own, FEWER), (own, MORE), *((other, REASONS) for other in layers if other != own)]
    possible = dict.fromkeys((layer, min(count, model.network.stage(layer).channels)) for layer, count in places)
    return [GroupingCandidate(method, layer, count) for layer, count in possible for method in GROUPINGS]


def search(
    model: str,
    clips: int,
    seed: int,
    references: int,
    reference_seed: int,
    root: Path = TRAINED_MODELS,
    on_progress: Progress = lambda what, done, all: None,
) -> ReasonSearch:
    """Learns all groupings from reference clips, and grades them on other clips of two to four instruments.

    Args:
        model: A trained model's name or folder.
        clips: How many to grade on.
        seed: Of the first of these.
        references: How many clips to learn from, of the recipe of an atlas.
        reference_seed: Determines their seeds, as that of an atlas does.
        root: Folder of the trained models.

    Raises:
        InputError: there is no such model, or it detects no instrument of the clips.
    """
    trained = load_model(model)
    candidates = candidates_of(trained)
    with one_thread():
        seen = _observed(trained, references, reference_seed, on_progress)
        learned: dict[str, Grouping] = {}
        stable: dict[str, Interval] = {}
        for candidate in candidates:
            learned[candidate.name], stable[candidate.name] = _learned(candidate, seen[candidate.layer])
            on_progress("Learning", len(learned), len(candidates))
        settings = {"clips": references, "seed": reference_seed, "graded": seed}
        parts = claim(root / STUDIES / PARTS, model_folder(model), settings)
        found: list[tuple[str, Taken]] = []
        for done, clip in enumerate(clip_names(trained, clips, seed), start=1):
            found += [(clip, taken) for taken in _kept(trained, clip, candidates, learned, parts / f"{done:05}.json")]
            on_progress("Explaining", done, clips)
    if not found:
        raise InputError(f"The model {trained.name} detects no instrument of these clips; compose more.")
    shutil.rmtree(parts)
    default = next(each.name for each in candidates if each.method == DEFAULT_METHOD)  # the first is that of the app
    return ReasonSearch(
        model=trained.name,
        clips=clips,
        seed=seed,
        instruments=len(found),
        reference_clips=references,
        reference_seed=reference_seed,
        shown=COUNT,
        default=default,
        candidates={each.name: _graded(each, default, found, stable[each.name]) for each in candidates},
    )


def _graded(
    candidate: GroupingCandidate, default: str, found: Sequence[tuple[str, Taken]], stable: Interval
) -> GradedCandidate:
    method, name = GROUPINGS.get(candidate.method), candidate.name
    differences = [
        (clip, {measure: value - taken[default][measure] for measure, value in taken[name].items()})
        for clip, taken in found
    ]
    return GradedCandidate(
        part=candidate.part,
        title=method.title,
        words=method.words,
        measures=means([(clip, taken[name]) for clip, taken in found], MEASURED) | {STABILITY: stable},
        over_default=means(differences, MEASURED),
    )


def _observed(model: TrainedModel, references: int, seed: int, on_progress: Progress) -> dict[str, Seen]:
    """What the layers of the candidates pass on in the reference clips."""
    layers = {candidate.layer for candidate in candidates_of(model)}
    rows: dict[str, list[tuple[int, Array, Array]]] = {layer: [] for layer in layers}
    _, names = reference_clips(model, references, seed, None)
    for number, name in names.items():
        clip = compose(name)
        features = model.frontend.analyse(clip.audio).features
        trace = trace_of(model, features)
        labels = recognised(model, clip.labels, trace.logits)
        for layer in layers if labels else ():
            active = _activations(model, features, layer)
            rows[layer] += [(number, trace.passed_up(Logit(label), layer).numpy(), active) for label in labels]
        on_progress("Observing", number + 1, references)
    if not all(rows.values()):
        raise InputError(f"The model {model.name} detects no instrument of the reference clips; compose more.")
    return {
        layer: Seen(
            np.array([row[0] for row in of]), np.stack([row[1] for row in of]), np.stack([row[2] for row in of])
        )
        for layer, of in rows.items()
    }


def _activations(model: TrainedModel, features: npt.NDArray[np.float32], layer: str) -> Array:
    """What a layer passes on of the input, after its pool ``(channels, rows, columns)``."""
    with torch.no_grad():
        activations = model.network.up_to(layer, as_input(features))
        return np.asarray(model.network.stage(layer).pooled(activations)[0].numpy())


def _learned(candidate: GroupingCandidate, seen: Seen) -> tuple[Grouping, Interval]:
    """A grouping, and how alike its reasons are when they are learned from either half of the clips."""
    method: Method = GROUPINGS.get(candidate.method)
    even, odd = (method.learn(seen.half(which), candidate.count) for which in (0, 1))
    return method.learn(seen, candidate.count), stability(even, odd, seen)


def stability(one: Grouping, other: Grouping, seen: Seen) -> Interval:
    """How alike two groupings are: the mean cosine of each reason with its counterpart, over channels.

    A reason is described by how much relevance it carries in each channel; counterparts are matched so that the sum of
    the cosines is the largest (Kuhn 1955).
    """
    a, b = (_profiles(grouping, seen) for grouping in (one, other))
    cosines = a @ b.T
    matched = cosines[linear_sum_assignment(cosines, maximize=True)]
    return as_interval(bootstrap(lambda weights: {"mean": weights @ matched / weights.sum(-1)}, len(matched))["mean"])


def _profiles(grouping: Grouping, seen: Seen) -> Array:
    """The relevance that each reason carries in each channel, each scaled to length one ``(reasons, channels)``."""
    total = np.zeros((grouping.count, seen.relevance.shape[1]))
    for relevance, activations in zip(seen.relevance[:PROFILED], seen.activations[:PROFILED], strict=True):
        carried = (grouping.shares(relevance, activations) * relevance).sum((2, 3))
        total += carried / max(float(np.maximum(relevance, 0).sum()), np.finfo(np.float32).tiny)
    lengths = np.maximum(np.linalg.norm(total, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(total / lengths, np.float32)


def _kept(
    model: TrainedModel, clip: str, candidates: Sequence[GroupingCandidate], learned: Mapping[str, Grouping], path: Path
) -> list[Taken]:
    """The measures of a clip, from its file if it was graded before the search was interrupted."""
    if path.is_file():
        kept: list[Taken] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    found = list(_taken_of(model, clip, candidates, learned))
    write_whole(path, lambda file: file.write(json.dumps(found).encode()))
    return found


def _taken_of(
    model: TrainedModel, clip: str, candidates: Sequence[GroupingCandidate], learned: Mapping[str, Grouping]
) -> Iterator[Taken]:
    """The measures of each candidate for each detected instrument of a clip."""
    composed = compose(clip)
    truth = Truth(composed.stem_audio, model.frontend)
    trace = trace_of(model, truth.mix.features)
    for index in recognised(model, composed.labels, trace.logits):
        label = model.labels[index]
        mask = mask_of_label(model, truth.mix, label, trace)
        taken: Taken = {}
        for candidate in candidates:
            parts = explain_by(learned[candidate.name], model, truth, label, candidate.layer, trace)
            measures = measure_parts(truth, label, parts, mask)
            taken[candidate.name] = {name: float(measures[name]) for name in MEASURED}
        yield taken


def explain_by(
    grouping: Grouping, model: TrainedModel, truth: Truth, label: str, layer: str, trace: Trace
) -> tuple[ReasonPart, ...]:
    """The reasons for a label by a grouping, as many as the app shows at most, with maps on the cells.

    Args:
        truth: Whose mix is explained.
        layer: That of the grouping.
        trace: Of the mix.
    """
    target, features = Logit(model.label_index(label)), truth.mix.features
    relevance = trace.passed_up(target, layer).numpy()
    everyone = grouping.shares(relevance, _activations(model, features, layer))
    ranked = np.argsort(-np.abs((everyone * relevance).sum((1, 2, 3))), kind="stable")
    fits = grouping.whole and grouping.count <= COUNT
    chosen = ranked if fits else ranked[: COUNT - 1]
    rest = () if fits else (1 - everyone[chosen].sum(0, keepdims=True),)
    found = np.ascontiguousarray(np.concatenate([everyone[chosen], *rest]), np.float32)
    maps = trace.parts(target, layer, torch.from_numpy(found)).numpy()
    without = grouping.without(model.network, as_input(features), layer, chosen.tolist(), found)
    value = trace.value(target)
    numbered = Dictionary(
        layer, np.zeros((0, 0), np.float32), tuple(map(str, range(grouping.count))), (0.5,) * grouping.count
    )
    parts = as_parts(
        numbered, chosen.tolist(), maps, value - target.value(without).numpy(), Relevance(maps[0], label, value, layer)
    )
    back = model.frontend.relevance_to_cells
    return tuple(replace(part, map=replace(part.map, values=back(part.map.values, truth.mix))) for part in parts)
