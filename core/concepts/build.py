"""Builds the atlas of a model from composed clips and probes.

The clips are observed in chunks, each of which becomes a file in ``atlas.parts/`` beside the model, so that a
build can be resumed after an interruption. The files are then read one at a time in the order of the clips, so that the
atlas does not depend on the number of workers.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from core.concepts.atlas import Atlas, Concept, Prototypes
from core.concepts.layout import positions
from core.concepts.naming import concept_name
from core.concepts.observe import Observations, observe
from core.concepts.places import Places
from core.concepts.prototypes import Vectors, fit_prototypes
from core.concepts.references import LayerSurvey, concepts
from core.concepts.store import load_atlas, save_atlas
from core.concepts.tuning import tunings
from core.errors import InputError
from core.frontends.logmel import LogMel
from core.models.store import WEIGHTS, TrainedModel, load_model, model_folder
from core.records import write_whole
from core.synthesis.recipe import Recipe
from core.synthesis.recipe import recipe as parse_recipe

COUNT = "count=1,4"  # instruments in a clip: a concept is heard best in a solo, but must also work in a mix
CLIPS = 2000
CHUNK = 25  # clips
SEEDS_PER_ATLAS = 10**6  # so that atlases with different seeds share no clip
PARTS = "atlas.parts"
SHARE_OF_CLIPS = 0.75  # of the time of a build; the rest goes to the probes


def build_atlas(
    model: str,
    clips: int = CLIPS,
    seed: int = 0,
    recipe: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Atlas:
    """Builds the atlas of a model and stores it beside the model; resumes an interrupted build.

    Args:
        model: A trained model's name or folder.
        clips: How many reference clips to compose.
        seed: Atlases with different seeds share no clip.
        recipe: Recipe of the clips; one to four instruments of the model's label set if not given.
        workers: Number of processes, on which the atlas does not depend; one per core if not given.
        on_progress: Called with the share of the work that is done, up to 1.

    Raises:
        InputError: there is no such model or recipe, or no clip can be composed.
    """
    trained, folder = load_model(model), model_folder(model)
    kind, names = reference_clips(trained, clips, seed, recipe)
    parts = claim(folder / PARTS, folder, {"recipe": kind.name, "seed": seed, "clips": clips})
    observe_all(_observe_chunk, str(folder), names, parts, workers, lambda share: on_progress(SHARE_OF_CLIPS * share))
    channels, prototypes = _survey(trained, kind, names, parts)
    named = _with_names(channels, trained, lambda share: on_progress(SHARE_OF_CLIPS + (1 - SHARE_OF_CLIPS) * share))
    save_atlas(Atlas(trained.name, clips, kind.name, seed, named, prototypes), folder)
    shutil.rmtree(parts)
    return load_atlas(model)


def reference_clips(model: TrainedModel, clips: int, seed: int, recipe: str | None) -> tuple[Recipe, dict[int, str]]:
    """The recipe of a model's reference clips, and their names by number; see :func:`build_atlas`.

    Raises:
        InputError: there is no such recipe, the model knows none of its instruments or sees no mel bands.
    """
    if not isinstance(model.frontend, LogMel):
        raise InputError(f"{model.name} does not see mel bands, so an atlas cannot say at which pitch it listens.")
    kind = parse_recipe(recipe or f"{model.card.label_set};{COUNT}")
    if clips < 1:
        raise InputError("An atlas has at least one clip; give --clips 1 or more.")
    if not set(kind.instruments or kind.candidates) & set(model.labels):
        raise InputError(f"The model {model.name} knows no instrument of the recipe {kind.name}.")
    return kind, {number: kind.clip_name(seed * SEEDS_PER_ATLAS + number) for number in range(clips)}


def claim(parts: Path, model: Path, settings: Mapping[str, str | int]) -> Path:
    """The folder of a build's parts, without those of another build or of other weights.

    Args:
        parts: The folder.
        model: That of the model.
        settings: What the parts depend on, besides the weights.
    """
    weights = hashlib.sha256((model / WEIGHTS).read_bytes()).hexdigest()
    plan = json.dumps({**settings, "chunk": CHUNK, "weights": weights}, indent=1)
    description = parts / "plan.json"
    if not description.exists() or description.read_text(encoding="utf-8") != plan:
        shutil.rmtree(parts, ignore_errors=True)
        write_whole(description, lambda file: file.write(plan.encode()))
    return parts


def observe_all(
    observe_chunk: Callable[[str, Mapping[int, str], Path], None],
    model: str,
    names: Mapping[int, str],
    parts: Path,
    workers: int | None,
    on_progress: Callable[[float], None],
) -> None:
    """Observes all chunks of clips that have no file yet, or a damaged one.

    Args:
        observe_chunk: Observes some clips with the model of a folder, and writes an ``.npz`` file.
        model: The model's folder.
        names: Of all clips, by number.
        parts: The folder of the files.
        workers: Number of processes; one per core if not given.
        on_progress: Called with the share of the chunks that are done.
    """
    from joblib import Parallel, delayed

    numbers = list(names)
    chunks = {_part(parts, start): numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)}
    missing = {path: chunk for path, chunk in chunks.items() if not _is_whole(path)}
    jobs = (delayed(observe_chunk)(model, {n: names[n] for n in chunk}, path) for path, chunk in missing.items())
    processes = max(1, min(workers or os.cpu_count() or 1, len(missing)))
    done = len(chunks) - len(missing)
    for _ in Parallel(processes, return_as="generator_unordered")(jobs):
        done += 1
        on_progress(done / len(chunks))


def _observe_chunk(model: str, names: Mapping[int, str], path: Path) -> None:
    observe(load_model(model), names).save(path)


def _is_whole(part: Path) -> bool:
    """Whether the file of a chunk is there and every checksum in it is right."""
    try:
        with ZipFile(part) as file:
            return file.testzip() is None
    except (OSError, BadZipFile):
        return False


def part_files(parts: Path, clips: int) -> list[Path]:
    """The files of all chunks, in the order of the clips."""
    return [_part(parts, start) for start in range(0, clips, CHUNK)]


def _part(parts: Path, start: int) -> Path:
    return parts / f"{start:07}.npz"


def _read(model: TrainedModel, parts: Path, clips: int) -> Iterator[Observations]:
    for path in part_files(parts, clips):
        yield Observations.load(path, model.network.concept_layers)


def _survey(
    model: TrainedModel, recipe: Recipe, names: Mapping[int, str], parts: Path
) -> tuple[list[Concept], dict[str, Prototypes]]:
    """The concepts, without names yet, and the prototypes, in one pass over the parts."""
    layers = model.network.concept_layers
    surveys: dict[str, LayerSurvey] = {}
    # The layer below the last separates right detections from wrong ones better than the last.
    vectors = Vectors(layers[max(0, len(layers) - 2)])
    for seen in _read(model, parts, len(names)):
        for layer in layers:
            channels = seen.activation[layer].values.shape[1]
            surveys.setdefault(layer, LayerSurvey(len(model.labels), channels)).add(layer, seen)
        vectors.add(seen)
    places = Places.of(model.network, model.frontend, recipe.duration)
    found = [
        concept
        for layer, survey in surveys.items()
        for concept in concepts(layer, survey, model.labels, names, places, positions(survey.similarity))
    ]
    prototypes = {
        model.labels[label]: fit_prototypes(model.labels[label], vectors.layer, [names[n] for n in clips], rows)
        for label, clips, rows in vectors.of_labels()
    }
    return found, prototypes


def _with_names(
    channels: list[Concept], model: TrainedModel, on_progress: Callable[[float], None]
) -> tuple[Concept, ...]:
    tuned = tunings(model, on_progress)
    return tuple(
        replace(
            concept,
            tuning=tuple(tuned[concept.layer, concept.channel]),
            name=concept_name(tuned[concept.layer, concept.channel]),
        )
        for concept in channels
    )
