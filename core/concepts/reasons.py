"""Finds the reasons that a model can have: which channels of a layer work together, over reference clips.

The layer is the one below the last. In the last one all maps are much alike; further down, ever more of what one reason
adds another one takes away again, and what the network says without a reason is ever less what its relevance promised.

The clips are observed in chunks, like those of an atlas, so that a search can be resumed after an interruption. All
labels have the same reasons, because what speaks for one instrument often speaks for, or against, another one too.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.concepts.atlas import Reason, Reasons, Reference
from core.concepts.build import claim, observe_all, part_files, reference_clips
from core.concepts.naming import distinct_names, name_score
from core.concepts.observe import recognised
from core.concepts.places import Places
from core.concepts.references import TOP
from core.concepts.store import load_reasons, save_reasons
from core.concepts.tuning import mixture_tunings
from core.errors import InputError
from core.explanation.intervention import mean_activations
from core.explanation.reasons import LEAST, shares
from core.explanation.relevance import as_input, trace_of
from core.explanation.targets import Logit
from core.models.store import TrainedModel, load_model, model_folder
from core.records import write_whole
from core.synthesis.clip import compose
from core.threads import one_thread

CLIPS = 600
REASONS = 8  # more become alike, fewer say less
CELLS = 15  # of each explanation, drawn by their relevance, so that long and short clips count alike
UPDATES = 100  # of the patterns
PARTS = "reasons.parts"
SHARE_OF_CLIPS = 0.6  # of the time of a search; the rest goes to the probes

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Relevance at the layer of the reasons in some clips, of the labels that play there and are detected.

    Attributes:
        explained: Number of the clip and index of the label of each explanation ``(explanations, 2)``, ascending.
        relevance: Of what the layer passes on ``(explanations, channels, rows, columns)``.
        activations: Mean activation of each channel in each clip ``(clips, channels)``.
    """

    explained: npt.NDArray[np.int64]
    relevance: Array
    activations: Array

    def save(self, path: Path) -> None:
        """Writes a file that :meth:`load` reads.

        Raises:
            InputError: the folder cannot be written to, or the disk is full.
        """
        write_whole(path, lambda file: np.savez_compressed(file, **vars(self)))

    @staticmethod
    def load(path: Path) -> "Evidence":
        with np.load(path) as file:
            return Evidence(**file)


def find_reasons(
    model: str,
    clips: int = CLIPS,
    seed: int = 0,
    recipe: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Reasons:
    """Finds the reasons that a model can have and stores them beside it; resumes an interrupted search.

    Args:
        model: A trained model's name or folder.
        clips: How many reference clips to compose.
        seed: Searches with different seeds share no clip.
        recipe: Recipe of the clips; one to four instruments of the model's label set if not given.
        workers: Number of processes, on which the reasons do not depend; one per core if not given.
        on_progress: Called with the share of the work that is done, up to 1.

    Raises:
        InputError: there is no such model or recipe, no clip can be composed, or the model recognises too little.
    """
    trained, folder = load_model(model), model_folder(model)
    kind, names = reference_clips(trained, clips, seed, recipe)
    parts = claim(folder / PARTS, folder, {"recipe": kind.name, "seed": seed, "clips": clips})
    observe_all(_observe_chunk, str(folder), names, parts, workers, lambda share: on_progress(SHARE_OF_CLIPS * share))
    seen = _joined([Evidence.load(path) for path in part_files(parts, clips)])
    places = Places.of(trained.network, trained.frontend, kind.duration)
    with one_thread():
        patterns = find_patterns(seen, REASONS)
        found = _described(trained, patterns, seen, names, places, on_progress)
    reasons = Reasons(trained.name, layer_of(trained), clips, kind.name, seed, found)
    save_reasons(reasons, folder)
    shutil.rmtree(parts)
    return load_reasons(model)


def layer_of(model: TrainedModel) -> str:
    """The layer whose channels a model's reasons are made of."""
    return model.network.concept_layers[-2:][0]


def _observe_chunk(model: str, names: Mapping[int, str], path: Path) -> None:
    with one_thread():
        _joined([_observe_clip(load_model(model), number, name) for number, name in names.items()]).save(path)


def _joined(seen: Sequence[Evidence]) -> Evidence:
    return Evidence(*(np.concatenate([vars(one)[name] for one in seen]) for name in vars(seen[0])))


def _observe_clip(model: TrainedModel, number: int, name: str) -> Evidence:
    clip, layer = compose(name), layer_of(model)
    features = model.frontend.analyse(clip.audio).features
    trace = trace_of(model, features)
    labels = recognised(model, clip.labels, trace.logits)
    shape = trace.passed_up(Logit(0), layer).shape
    return Evidence(
        np.array([(number, label) for label in labels], np.int64).reshape(-1, 2),
        np.array([trace.passed_up(Logit(label), layer).numpy() for label in labels], np.float32).reshape(-1, *shape),
        mean_activations(model.network, as_input(features), layer).numpy()[None],
    )


def find_patterns(seen: Evidence, count: int) -> Array:
    """Patterns ``(channels, reasons)`` whose columns sum to one, the most used first.

    They minimise the Kullback-Leibler divergence from the positive relevance; every explanation counts the same.

    Args:
        count: How many, at most one per channel.

    Raises:
        InputError: there is nothing to learn from.
    """
    from sklearn.decomposition import NMF  # slow to import, and only needed here

    drawn = [_drawn(relevance, row) for row, relevance in enumerate(seen.relevance)]
    columns = np.concatenate([np.zeros((seen.activations.shape[1], 0), np.float32), *drawn], axis=1)
    count = min(count, len(columns))
    if columns.shape[1] < count:
        raise InputError("The model recognises too little in the reference clips; compose more with --clips.")
    factorisation = NMF(
        count,
        init="nndsvda",
        solver="mu",
        beta_loss="kullback-leibler",
        tol=0,
        max_iter=UPDATES,
        random_state=0,
    )
    strengths = factorisation.fit_transform(columns.T)
    patterns = factorisation.components_.T.astype(np.float64)
    sums = np.maximum(patterns.sum(0), np.finfo(np.float64).tiny)
    order = np.argsort(-strengths.sum(0) * sums, kind="stable")
    return np.asarray((patterns / sums)[:, order], np.float32)


def _drawn(relevance: Array, seed: int) -> Array:
    """Some cells of an explanation ``(channels, cells)``, drawn by their positive relevance, in shares of its mean."""
    positive = np.maximum(relevance, 0).reshape(len(relevance), -1).astype(np.float64)
    drawn = drawn_cells(positive, seed)
    return np.asarray(
        positive[:, drawn] / max(positive.sum(), np.finfo(np.float64).tiny) * positive.shape[1], np.float32
    )


def drawn_cells(positive: npt.NDArray[np.floating], seed: int) -> npt.NDArray[np.int64]:
    """Numbers of some cells, in rising order, drawn by their positive relevance ``(channels, cells)``."""
    of_cells = positive.sum(0, dtype=np.float64)
    cells = int(np.count_nonzero(of_cells))
    if not cells:
        return np.zeros(0, np.int64)
    drawn = np.random.default_rng(seed).choice(
        len(of_cells), min(CELLS, cells), replace=False, p=of_cells / of_cells.sum()
    )
    return np.sort(drawn)


def _described(
    model: TrainedModel,
    patterns: Array,
    seen: Evidence,
    names: Mapping[int, str],
    places: Places,
    on_progress: Callable[[float], None],
) -> tuple[Reason, ...]:
    """The reasons with all that is measured about them."""
    layer = layer_of(model)
    # An answer is what the activations would carry of the reason's relevance, at the usual relevance per activation.
    scale = seen.activations.mean(0)
    weights = np.divide(patterns.T, scale, out=np.zeros_like(patterns.T), where=scale > 0).T
    rest = 1 - SHARE_OF_CLIPS
    tunings = mixture_tunings(model, layer, weights, lambda share: on_progress(SHARE_OF_CLIPS + rest * share))
    carried = [shares(patterns, relevance) * relevance for relevance in seen.relevance]
    usage, relmax = _usage(model, carried, seen), _relmax(model, carried, seen, names, places)
    return tuple(
        Reason(number, name, name_score(factors), patterns[:, number], tuple(factors), usage[number], relmax[number])
        for number, (name, factors) in enumerate(zip(distinct_names(tunings), tunings, strict=True))
    )


def _usage(model: TrainedModel, carried: Sequence[Array], seen: Evidence) -> list[dict[str, float]]:
    """Each reason's mean share of each label's positive relevance, by label."""
    positive = np.array([np.maximum(parts, 0).sum((1, 2, 3)) for parts in carried])  # (explanations, reasons)
    usage, labels = positive / np.maximum(positive.sum(1, keepdims=True), LEAST), seen.explained[:, 1]
    means = {model.labels[label]: usage[labels == label].mean(0) for label in np.unique(labels)}
    return [{label: float(mean[number]) for label, mean in means.items()} for number in range(usage.shape[1])]


def _relmax(
    model: TrainedModel, carried: Sequence[Array], seen: Evidence, names: Mapping[int, str], places: Places
) -> list[tuple[Reference, ...]]:
    """The clips in which each reason carries most relevance, each with the label of which it carries most there."""
    stage = model.network.stage(layer_of(model))
    values = np.array([parts.sum((1, 2, 3)) for parts in carried])  # (explanations, reasons)
    found: list[tuple[Reference, ...]] = []
    for number, column in enumerate(values.T):
        best: dict[int, Reference] = {}
        for row in np.argsort(-column, kind="stable"):
            clip, label = seen.explained[row].tolist()
            if column[row] > 0 and clip not in best and len(best) < TOP:
                cells = carried[row][number].sum(0)
                window = np.unravel_index(cells.argmax(), cells.shape)
                place = places.patch(stage.name, *stage.middle_of_window(*map(int, window)))
                best[clip] = Reference(names[clip], model.labels[label], float(column[row]), **asdict(place))
        found.append(tuple(best.values()))
    return found
